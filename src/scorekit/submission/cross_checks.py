"""Whether the files of one run tell of one measurement: each figure that stands in two of them is compared."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from scorekit import tasks
from scorekit.records import PackedCodecarbon, PackedEnergy, PackedReport, Score, SubmittedRun, VerdictReason, Window
from scorekit.submission.evidence_files import (
    CODECARBON,
    ENVIRONMENT,
    POWER,
    REPORT,
    SCORE,
    STATES,
    WINDOWS,
    PackedRun,
)
from scorekit.submission.findings import AGAIN, refuse, review
from scorekit.units import kwh_to_wh

_SAME: Final = 1e-6
"""Relative difference of one figure written twice: what rounding on the way through text and units may do."""
_BETWEEN_READS_S: Final = 1.0
_BETWEEN_READS: Final = 0.05
"""CodeCarbon's own clock starts and ends a little beside the window."""
_LEAST_KWH: Final = 1e-15
_COMPONENTS: Final = ("cpu", "ram", "gpu")
_CLAIMED: Final = ("model", "task", "cohort", "model_class", "hardware", "queries", "runs", "comparable", "valid")


def cross_check(run: PackedRun, entry: SubmittedRun, score: Score | None) -> Iterator[VerdictReason]:
    """Every contradiction between the files of a run.

    Args:
        run: as its files tell it.
        entry: what submission.json says of it.
        score: worked out again; None where it cannot be.
    """
    yield from _names(run, entry)
    yield from _claims(run, entry, score)
    yield from _devices(run, entry.folder)
    yield from _order(run.windows, entry.folder)
    yield from _samples(run, entry.folder)
    yield from _codecarbon(run, entry.folder)
    if run.report is not None:
        yield from _report(run.report, run, f"{entry.folder}/{REPORT}")


def _names(run: PackedRun, entry: SubmittedRun) -> Iterator[VerdictReason]:
    file, facts = f"{entry.folder}/{ENVIRONMENT}", run.environment
    if facts.model.name != entry.model:
        yield refuse(
            "other_model", f"the log is of {facts.model.name[:100]!r}, the submission of {entry.model[:100]!r}", file
        )
    if facts.run.task != entry.task:
        yield refuse("wrong_task", f"the log is of {facts.run.task!r}, the submission of {entry.task!r}", file)
    task = tasks.known(facts.run.task)
    if task is not None and facts.run.hf_task != task.hf_task:
        yield refuse(
            "wrong_task",
            f"the log says {task.name}, and that the model was loaded for {facts.run.hf_task[:60]!r}, expected "
            f"{task.hf_task!r}",
            file,
        )
    by_size = tasks.model_class(facts.model.parameters)
    if by_size is not None and facts.model.model_class not in (None, by_size):
        yield refuse(
            "class", f"{facts.model.parameters:,} parameters make class {by_size}, not {facts.model.model_class}", file
        )
    if entry.model_class != (by_size or facts.model.model_class):
        yield refuse("class", f"submission.json says class {entry.model_class}, the log another", file)


def _claims(run: PackedRun, entry: SubmittedRun, score: Score | None) -> Iterator[VerdictReason]:
    """The score as handed in against the one that the windows give."""
    file, claimed = f"{entry.folder}/{SCORE}", run.score
    found = None if score is None else score.wh_per_1000_queries
    if not _same(entry.wh_per_1000_queries, found):
        yield refuse(
            "score", f"submission.json says {entry.wh_per_1000_queries} Wh per 1,000 queries, the windows give {found}"
        )
    if score is not None and (entry.cohort, entry.comparable) != (score.cohort, score.comparable):
        yield refuse("score", "submission.json tells cohort or comparability otherwise than the evidence")
    if claimed is None or score is None:
        if claimed is not None or score is not None:
            which = "cannot be scored, but a score" if score is None else "can be scored, but no score"
            yield refuse("score", f"the run {which} was handed in", file)
        return
    if not _same(claimed.wh_per_1000_queries, score.wh_per_1000_queries):
        yield refuse(
            "score",
            f"the score says {claimed.wh_per_1000_queries} Wh per 1,000 queries, the windows give "
            f"{score.wh_per_1000_queries}",
            file,
        )
        return
    mine = {name: sha256 for name, sha256 in score.provenance.files.items() if name != file}
    own = score.provenance.model_copy(update={"files": mine, "scorekit_version": claimed.provenance.scorekit_version})
    if claimed.provenance != own:
        yield refuse("score", "the score was worked out from other files than those that are here", file)
    other = _unlike(claimed, score)
    if other:
        yield refuse("score", f"the score tells {', '.join(other)} otherwise than the evidence", file)


def _unlike(claimed: Score, score: Score) -> list[str]:
    """Fields that differ; of another version of scorekit only those that no version may change."""
    same_version = claimed.provenance.scorekit_version == score.provenance.scorekit_version
    names = sorted(set(Score.model_fields) - {"provenance"}) if same_version else _CLAIMED
    # Most are equal, and need not be taken apart to see it.
    unequal = {name for name in names if getattr(claimed, name) != getattr(score, name)}
    if not unequal:
        return []
    one, two = (record.model_dump(mode="json", include=unequal) for record in (claimed, score))
    return [name for name in names if name in unequal and not _alike(one[name], two[name])]


def _alike(one: Any, two: Any) -> bool:
    """Whether two values are the same but for rounding, in which machines differ."""
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_alike(value, two[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_alike, one, two))
    if isinstance(one, float) and isinstance(two, int | float):
        return _same(one, two) or math.isclose(one, two, abs_tol=_SAME)
    return bool(one == two)


def _devices(run: PackedRun, folder: str) -> Iterator[VerdictReason]:
    """Energies, states and samples are of the GPUs that the environment names."""
    known = {name for gpu in run.environment.gpus for name in (gpu.uuid, str(gpu.index)) if name}
    read = {found.device for window in run.windows for found in window.readings if found.component == "gpu"}
    states = {state.device for state in run.states or ()}
    sampled = set() if run.power is None else set(run.power.devices)
    for file, named in ((WINDOWS, read), (STATES, states), (POWER, sampled)):
        strange = sorted(named - known)
        if strange:
            yield refuse(
                "other_gpu",
                f"it is of the GPU {strange[0][:60]!r}, which {ENVIRONMENT} does not name",
                f"{folder}/{file}",
            )
    meters = {found.meter for window in run.windows for found in window.readings}
    unknown = sorted(meters - set(run.environment.run.meters))
    if unknown:
        yield refuse(
            "other_meter",
            f"it has energies by {unknown[0][:60]!r}, which {ENVIRONMENT} does not name",
            f"{folder}/{WINDOWS}",
        )


def _order(windows: Sequence[Window], folder: str) -> Iterator[VerdictReason]:
    """Windows follow each other: one GPU answers one thing at a time."""
    file = f"{folder}/{WINDOWS}"
    for window in windows:
        if window.duration_s <= 0:
            yield refuse("order", f"a window of phase {window.phase} ends before it starts", file, AGAIN)
            return
    for before, after in pairwise(sorted(windows, key=lambda window: window.start_monotonic_s)):
        if after.start_monotonic_s < before.end_monotonic_s:
            yield refuse("order", f"windows of {before.phase} and {after.phase} lie over each other", file, AGAIN)
            return


def _samples(run: PackedRun, folder: str) -> Iterator[VerdictReason]:
    """The sampled power and the states are of the time in which the model answered."""
    answers = [window for window in run.windows if window.phase == run.environment.run.kind]
    if not answers:
        return
    start_s = min(window.start_monotonic_s for window in answers)
    end_s = max(window.end_monotonic_s for window in answers)
    if run.power is not None:
        for name, samples in run.power.devices.items():
            if not samples.t_s or samples.t_s[0] > start_s or samples.t_s[-1] < end_s:
                yield refuse(
                    "other_trace",
                    f"the samples of {name[:60]} do not reach over the time in which the model answered",
                    f"{folder}/{POWER}",
                )
    moments = [state.monotonic_s for state in run.states or () if state.when == "repeat"]
    if moments and not (
        min(window.start_monotonic_s for window in run.windows) <= min(moments) and max(moments) <= end_s
    ):
        yield refuse(
            "other_states", "the states of the GPUs are of another time than the windows", f"{folder}/{STATES}"
        )


def _codecarbon(run: PackedRun, folder: str) -> Iterator[VerdictReason]:
    """CodeCarbon's own files against its readings in the windows."""
    file = f"{folder}/{CODECARBON}"
    by_place = {(line.phase, line.repeat): line for line in run.codecarbon}
    if len(by_place) != len(run.codecarbon):
        yield refuse("codecarbon", "a window stands twice", file)
    expected = 0
    for window in run.windows:
        readings = [found for found in window.readings if found.meter == "codecarbon"]
        if not readings:
            continue
        expected += 1
        line = by_place.pop((window.phase, window.repeat), None)
        if line is None:
            continue
        for component in _COMPONENTS:
            values = [found.energy_wh for found in readings if found.component == component]
            known = [value for value in values if value is not None]
            told = getattr(line, f"{component}_kwh")
            if known and len(known) == len(values) and not _same(math.fsum(known), told and kwh_to_wh(told)):
                yield refuse(
                    "codecarbon",
                    f"CodeCarbon's file of {_place(line)} tells another energy of the {component} than {WINDOWS}",
                    file,
                )
                return
        length_s = line.duration_s
        if length_s is not None and abs(length_s - window.duration_s) > max(
            _BETWEEN_READS_S, _BETWEEN_READS * window.duration_s
        ):
            yield review("codecarbon", f"CodeCarbon's file of {_place(line)} tells another length than {WINDOWS}", file)
    if by_place:
        yield refuse("codecarbon", f"there is a file of {_place(next(iter(by_place.values())))} and no window", file)
    if run.codecarbon and len(run.codecarbon) < expected:
        yield refuse("codecarbon", f"there are files of {len(run.codecarbon)} windows, expected {expected}", file)
    if not run.codecarbon and expected:
        yield review(
            "codecarbon",
            "CodeCarbon measured, but its own files were not handed in",
            file,
            "hand in the whole run folder",
        )


def _report(report: PackedReport, run: PackedRun, file: str) -> Iterator[VerdictReason]:
    """The report's energies: of each phase the mean over the repeats, of one pass."""
    for name, phase in report.phases.items():
        windows = [window for window in run.windows if window.phase == name]
        if phase.energy_kwh is None or not windows:
            continue
        for component in _COMPONENTS:
            told = getattr(phase.energy_kwh, f"{component}_kwh")
            found = _mean_wh(windows, component, run.environment.run.meters)
            if found is not None and told is not None and not _same(found, kwh_to_wh(told)):
                yield refuse("report", f"it tells another energy of {name} ({component}) than {WINDOWS}", file)
        if not _adds_up(phase.energy_kwh):
            yield refuse("report", f"the energies of {name} do not add up", file)


def _mean_wh(windows: Sequence[Window], component: str, meters: Sequence[str]) -> float | None:
    means = []
    for window in windows:
        read: dict[str, list[float | None]] = {}
        for reading in window.readings:
            if reading.component == component:
                read.setdefault(reading.meter, []).append(reading.energy_wh)
        energies = next((read[name] for name in meters if name in read), [])
        known = [energy for energy in energies if energy is not None]
        if not known or len(known) != len(energies):
            return None
        means.append(math.fsum(known) / (window.passes or 1))
    return statistics.fmean(means)


def _adds_up(energy: PackedEnergy) -> bool:
    parts = (energy.cpu_kwh, energy.ram_kwh, energy.gpu_kwh)
    known = [part for part in parts if part is not None]
    return energy.total_kwh is None or len(known) < len(parts) or _same(math.fsum(known), energy.total_kwh)


def _place(line: PackedCodecarbon) -> str:
    phase = line.phase[:30]
    return phase if line.repeat is None else f"{phase}, repeat {line.repeat}"


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is None and other is None
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_LEAST_KWH)
