"""The energy of each phase, for those who want to see where it went; only counted phases make the score."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

from scorekit.logs import energies
from scorekit.logs.energies import Domain
from scorekit.logs.repeats import Repeat
from scorekit.records import PhaseScore, Window
from scorekit.tasks import Kind

_Values = tuple[float | None, ...]


def phase_scores(kind: Kind, repeats: Sequence[Repeat], domain: Domain) -> tuple[PhaseScore, ...]:
    """Energy of each phase over the repeats.

    Args:
        kind: how the model answers, which names the answering phase.
        repeats: the run's repeats, at least one.
        domain: what the energy covers.

    Returns:
        `preprocess` and the answering phase, which are counted; after `generate` also `prefill` and `decode`
        when prefill was measured. Decode is generate less prefill; it is None, with a note, where noise makes
        that zero or less.
    """
    answering = _phase(kind, [repeat.answer for repeat in repeats], domain, counted=True)
    phases = [
        _phase("preprocess", [repeat.preprocess for repeat in repeats], domain, counted=True),
        answering,
    ]
    if kind == "generate" and any(repeat.prefill is not None for repeat in repeats):
        prefill = _phase("prefill", [_true_prefill(repeat, domain) for repeat in repeats], domain, counted=False)
        phases += [prefill, _decode(answering, prefill)]
    return tuple(phases)


def _true_prefill(repeat: Repeat, domain: Domain) -> Window | None:
    """The prefill window; None where it cannot be a part of generate: no length, or other devices."""
    prefill = repeat.prefill
    if prefill is None or prefill.duration_s <= 0:
        return None
    same = energies.devices_of(prefill, domain) == energies.devices_of(repeat.answer, domain)
    return prefill if same else None


def _phase(
    name: Literal["preprocess", "prefill"] | Kind,
    windows: Sequence[Window | None],
    domain: Domain,
    *,
    counted: bool,
) -> PhaseScore:
    energies_wh = tuple(None if window is None else energies.domain_wh(window, domain) for window in windows)
    lost = energies_wh.count(None)
    return PhaseScore(
        phase=name,
        counted=counted,
        energy_wh=_mean(energies_wh),
        energy_wh_by_repeat=energies_wh,
        duration_s_by_repeat=tuple(None if window is None else window.duration_s for window in windows),
        output_tokens_by_repeat=tuple(None if window is None else window.output_tokens for window in windows),
        note=f"{lost} of {len(windows)} repeats have no window, or no energy that can be true" if lost else None,
    )


def _decode(generate: PhaseScore, prefill: PhaseScore) -> PhaseScore:
    energies_wh = _difference(generate.energy_wh_by_repeat, prefill.energy_wh_by_repeat)
    lost = energies_wh.count(None)
    return PhaseScore(
        phase="decode",
        counted=False,
        energy_wh=_mean(energies_wh),
        energy_wh_by_repeat=energies_wh,
        duration_s_by_repeat=_difference(generate.duration_s_by_repeat, prefill.duration_s_by_repeat),
        output_tokens_by_repeat=tuple(
            whole - part if whole is not None and part is not None and whole >= part else None
            for whole, part in zip(generate.output_tokens_by_repeat, prefill.output_tokens_by_repeat, strict=True)
        ),
        note=(
            f"unknown in {lost} of {len(energies_wh)} repeats: prefill, a pass of its own, was lost "
            "or took as much as generate, so noise is larger than the split"
            if lost
            else None
        ),
    )


def _difference(wholes: _Values, parts: _Values) -> _Values:
    """Whole less part of each repeat; None where one is unknown or the difference is not positive."""
    return tuple(
        whole - part if whole is not None and part is not None and whole > part else None
        for whole, part in zip(wholes, parts, strict=True)
    )


def _mean(values: _Values) -> float | None:
    """Mean over the repeats that have a value; None when none has."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
