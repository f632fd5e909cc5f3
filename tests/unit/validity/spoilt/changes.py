"""What every table of spoilt runs is made of: its rows, and the places and changes that several of them name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scorekit.records import GpuState
from scorekit.validity import Evidence
from tests.evidence import Change, at, of_phase

Case = tuple[str, Change, str, str]
"""A check, what is spoilt, the severity that it must find ("none": it must pass), and what its message must say."""

GENERATE = of_phase("generate")
FOURTH = of_phase("generate", 4)
BUT_FIRST = of_phase("generate", *range(1, 10))
AFTER = at("generate", 4).start_monotonic_s


def LATER(state: GpuState) -> bool:  # noqa: N802
    """All states but that before the first repeat."""
    return state.repeat != 0


def change_length(which: Any, seconds: float) -> Change:
    """Windows with another length, their energy as before."""

    def change(evidence: Evidence) -> Evidence:
        return replace(
            evidence,
            windows=tuple(
                w.model_copy(
                    update={
                        "end_monotonic_s": w.start_monotonic_s + seconds,
                        "end_utc": w.start_utc,
                        "end_boottime_s": None,
                    }
                )
                if which(w)
                else w
                for w in evidence.windows
            ),
        )

    return change


def without(**attributes: None) -> Change:
    """Evidence of which some parts were not recorded."""
    return lambda evidence: replace(evidence, **attributes)  # type: ignore[arg-type]
