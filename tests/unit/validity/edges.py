"""What the tests of exact edges (`test_edges_*.py`) share: the findings of a check, energies that are round, a second
GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from scorekit.records import MeterReading, Window
from scorekit.validity import Evidence
from tests.bundles import NVML_GPU
from tests.evidence import OTHER_GPU, Change, change_facts, change_readings, check_of, of_phase
from tests.unit.validity.spoilt.changes import change_length


def findings(evidence: Evidence, name: str) -> list[Any]:
    """Each finding of a check with its figures; nothing where it passed."""
    found = check_of(evidence, name).details.get("findings", [])
    assert isinstance(found, list)
    return found


def in_turn(*changes: Change) -> Change:
    """Several changes, the first one first."""

    def change(evidence: Evidence) -> Evidence:
        for each in changes:
            evidence = each(evidence)
        return evidence

    return change


def energies(phase: str, energies_wh: Sequence[float]) -> Change:
    """Energies by our meter of the windows of a phase, by repeat; those of further repeats stay."""
    return in_turn(*(change_readings(of_phase(phase, repeat), energy_wh=wh) for repeat, wh in enumerate(energies_wh)))


def of_device(device: str, **changes: Any) -> Change:
    """Facts of the readings of one GPU changed, by every meter; a callable is given the old value."""
    return change_readings(lambda _: True, None, device, **changes)


def but_fourth(usual: float, fourth: float) -> list[float]:
    """Ten repeats of one energy, and repeat 4 of another one."""
    return [fourth if repeat == 4 else usual for repeat in range(10)]


def later(utc: str, seconds: float) -> str:
    """A time of day some seconds after another one."""
    return (datetime.fromisoformat(utc) + timedelta(seconds=seconds)).isoformat()


def without_windows(which: Callable[[Window], bool]) -> Change:
    """A run that lacks some windows."""
    return lambda evidence: replace(evidence, windows=tuple(w for w in evidence.windows if not which(w)))


def beside(which: Callable[[Window], bool] = lambda _: True, **changes: Any) -> Change:
    """A second GPU of which all is recorded that is of the first; in some windows its readings are changed."""

    def twins(window: Window) -> list[MeterReading]:
        update = {"device": OTHER_GPU, **(changes if which(window) else {})}
        return [found.model_copy(update=update) for found in window.readings if found.component == "gpu"]

    def change(evidence: Evidence) -> Evidence:
        trace, states, (facts,) = evidence.trace, evidence.states or (), evidence.environment.gpus
        assert trace is not None
        second = facts.model_copy(update={"index": 1, "uuid": OTHER_GPU})
        both = (NVML_GPU, OTHER_GPU)
        return change_facts(gpus=(facts, second), torch_gpus=both, model_gpus=both)(
            replace(
                evidence,
                windows=tuple(w.model_copy(update={"readings": (*w.readings, *twins(w))}) for w in evidence.windows),
                states=(*states, *(state.model_copy(update={"device": OTHER_GPU}) for state in states)),
                trace=replace(trace, devices=dict.fromkeys(both, trace.devices[NVML_GPU])),
            )
        )

    return change


def is_idle(window: Window) -> bool:
    """Whether nothing was asked of the model in a window."""
    return window.phase.startswith("idle")


def round_idle(evidence: Evidence) -> Evidence:
    """The evidence with an idle power of 100 W, to the last digit."""
    return in_turn(change_length(is_idle, 3600.0), change_readings(is_idle, energy_wh=100.0))(evidence)
