"""Runs whose repeats, passes, meters and idle power the tests here choose, and their scores."""

from __future__ import annotations

from typing import Any

from scorekit.logs.scoring import score_run
from scorekit.records import CounterEvidence, Environment, Score, Uncertainty, UncertaintyTerm, Validity, Window
from tests.bundles import environment, official_score, reading, window

NORMAL = 1.959964


def scored(windows: list[Window], facts: Environment | None = None, validity: Validity | None = None) -> Score:
    found = facts or environment(run={"runs": len({w.repeat for w in windows if w.repeat is not None})})
    return score_run(found, windows, official_score().provenance, validity=validity)


def uncertainty_of(score: Score) -> Uncertainty:
    assert score.uncertainty is not None
    return score.uncertainty


def term_of(score: Score, name: str) -> UncertaintyTerm:
    (found,) = [term for term in uncertainty_of(score).terms if term.name == name]
    return found


def counter_evidence(tick_s: float | None = 0.1) -> CounterEvidence:
    return CounterEvidence(
        tick_s=tick_s,
        ticks_seen=20,
        before_start=((99.98, 0),),
        after_start=((100.08, 1), (100.18, 2)),
        before_end=((109.98, 3),),
        after_end=((110.08, 4), (110.18, 5)),
        decreased=False,
        failed_reads=0,
        reads=100,
        longest_gap_s=0.1,
        longest_still_s=0.1,
    )


def counter_windows(runs: int = 4, *, spread_wh: float = 0.0, **changes: Any) -> list[Window]:
    """0.5 Wh of preprocessing and 9.5 Wh of forward a repeat, every other one with `spread_wh` more, over 10 s each."""
    facts = {"source": "nvml_counter", "standard_uncertainty_wh": 0.003, "counter": counter_evidence()} | changes
    return [
        window(phase, repeat, [reading("gpu", energy_wh, **facts)])
        for repeat in range(runs)
        for phase, energy_wh in (("preprocess", 0.5), ("forward", 9.5 + spread_wh * (repeat % 2)))
    ]


def counter_score(windows: list[Window], **run: Any) -> Score:
    runs = len({line.repeat for line in windows if line.repeat is not None})
    return scored(windows, environment("text_classification", run={"runs": runs} | run))


def idle(phase: str, watts: float, seconds: float = 10.0) -> Window:
    energy_wh = watts * seconds / 3600
    return window(phase, None, [reading("gpu", energy_wh)], samples=None, end_monotonic_s=100.0 + seconds)


def with_passes(windows: list[Window], passes: int) -> list[Window]:
    """The same run with `passes` passes in each answering window."""

    def draw_out(line: Window) -> Window:
        if line.phase not in ("generate", "forward", "call"):
            return line
        readings = tuple(
            found.model_copy(
                update={
                    "energy_wh": found.energy_wh * passes,
                    "standard_uncertainty_wh": (found.standard_uncertainty_wh or 0) * passes or None,
                }
            )
            for found in line.readings
        )
        counts = {
            name: None if (count := getattr(line, name)) is None else count * passes
            for name in ("samples", "batches", "output_tokens", "images")
        }
        end_s = line.start_monotonic_s + passes * line.duration_s
        return line.model_copy(update={"passes": passes, "readings": readings, "end_monotonic_s": end_s} | counts)

    return [draw_out(line) for line in windows]
