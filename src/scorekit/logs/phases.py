"""The energy of each phase, for those who want to see where it went; only counted phases make the score."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal

from scorekit.logs import energies, one_pass
from scorekit.logs.energies import Domain
from scorekit.logs.repeats import Repeat
from scorekit.records import PhaseScore, Window
from scorekit.tasks import Kind

_Values = tuple[float | None, ...]


def phase_scores(kind: Kind, repeats: Sequence[Repeat], domain: Domain) -> tuple[PhaseScore, ...]:
    """Energy, duration and tokens of each phase over the repeats, each of one pass over the samples.

    Args:
        kind: how the model answers, which names the answering phase.
        repeats: the run's repeats, at least one.
        domain: what the energy covers.

    Returns:
        `preprocess` and the answering phase, which are counted; after `generate` also `prefill` and `decode`
        when prefill was measured. Decode is generate less prefill: its mean is over the repeats that have both,
        whatever the sign of the difference. Where a difference, or the mean, is zero or less it is None, and a note
        says so.
    """
    answering = _phase(kind, [repeat.answer for repeat in repeats], domain, counted=True)
    if kind == "serve":
        return (answering,)
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
    durations_s = tuple(None if window is None else one_pass.duration_s(window) for window in windows)
    tokens = tuple(None if window is None else one_pass.output_tokens(window) for window in windows)
    return PhaseScore(
        phase=name,
        counted=counted,
        energy_wh=_mean(energies_wh),
        energy_wh_by_repeat=energies_wh,
        duration_s_by_repeat=durations_s,
        output_tokens_by_repeat=tuple(None if count is None else round(count) for count in tokens),
        duration_s=_mean(durations_s),
        output_tokens=_mean(tokens),
        note=_note(windows, energies_wh.count(None), domain),
    )


def _note(windows: Sequence[Window | None], lost: int, domain: Domain) -> str | None:
    unresolved = sum(window is not None and energies.has_unresolved(window, domain) for window in windows)
    parts = []
    if lost:
        parts.append(f"{lost} of {len(windows)} repeats have no window, or no energy that can be true")
    if unresolved:
        parts.append(
            f"below what the counter resolves in {_repeats(unresolved, len(windows))}: read as 0 Wh over less than "
            f"{energies.RESOLVED_WINDOW_S:g} s, and counted as 0"
        )
    return "; ".join(parts) or None


def _decode(generate: PhaseScore, prefill: PhaseScore) -> PhaseScore:
    energies_wh = _differences(generate.energy_wh_by_repeat, prefill.energy_wh_by_repeat)
    durations_s = _differences(generate.duration_s_by_repeat, prefill.duration_s_by_repeat)
    tokens = tuple(
        whole - part if whole is not None and part is not None else None
        for whole, part in zip(generate.output_tokens_by_repeat, prefill.output_tokens_by_repeat, strict=True)
    )
    # Means are over every pair. A repeat in which noise made the difference negative is as true as one in which it
    # made it too large: to leave out only the first would push the mean up.
    mean_wh = _positive(_mean(energies_wh))
    return PhaseScore(
        phase="decode",
        counted=False,
        energy_wh=mean_wh,
        energy_wh_by_repeat=tuple(_positive(energy_wh) for energy_wh in energies_wh),
        duration_s_by_repeat=tuple(_positive(seconds) for seconds in durations_s),
        output_tokens_by_repeat=tuple(count if count is not None and count >= 0 else None for count in tokens),
        duration_s=_positive(_mean(durations_s)),
        output_tokens=_mean(tokens),
        note=_decode_note(energies_wh, mean_wh),
    )


def _decode_note(energies_wh: _Values, mean_wh: float | None) -> str | None:
    lost = energies_wh.count(None)
    buried = sum(energy_wh is not None and energy_wh <= 0 for energy_wh in energies_wh)
    parts = []
    if lost:
        parts.append(f"unknown in {_repeats(lost, len(energies_wh))}: prefill, a pass of its own, was lost")
    if buried:
        outcome = (
            "and on average: noise is larger than the split"
            if mean_wh is None
            else "where noise is larger than the split; the mean is over all pairs, those included"
        )
        parts.append(f"prefill took as much as generate in {_repeats(buried, len(energies_wh))}, {outcome}")
    return "; ".join(parts) or None


def _repeats(count: int, total: int) -> str:
    return f"{count} of {total} repeats"


def _differences(wholes: Sequence[float | None], parts: Sequence[float | None]) -> _Values:
    """Whole less part of each repeat, of whatever sign; None where one is unknown."""
    return tuple(
        whole - part if whole is not None and part is not None else None
        for whole, part in zip(wholes, parts, strict=True)
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean over the repeats that have a value; None when none has."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
