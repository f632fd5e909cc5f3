"""What has become of each job, told by what it left: a complete and valid run of what was asked, and nothing else.

An engine's word counts for nothing here: Slurm calls a job completed whose Python raised, and a preempted job may end,
write its run, and be started again. Of several runs of one job the first whole and valid one is the result.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from scorekit import bundle, logs, store
from scorekit.errors import EXIT_INVALID, BundleError, InvalidRunError, LogError, ScorekitError
from scorekit.logs import run_bundle
from scorekit.records import Attempt, Manifest, Score, SweepJob
from scorekit.sweep import attempts, folder_lock, plan

State = Literal["done", "invalid", "failed", "lost", "running", "missing"]

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")
_NEEDED: Final = (bundle.WINDOWS, bundle.ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result of a job.

    Attributes:
        run: its folder; None for one of the results folder.
        score: what was measured; None for one of the results folder.
        others: further whole and valid runs of the job, which do not count.
    """

    run: Path | None
    score: Score | None
    others: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class JobState:
    """What has become of a job.

    Attributes:
        job: the job.
        state: done, or what is in the way.
        accepted: its result, where it is done.
        attempt: the last attempt; None where there was none.
        why: of what is invalid: which check failed.
    """

    job: SweepJob
    state: State
    accepted: Accepted | None = None
    attempt: Attempt | None = None
    why: str | None = None


class Published:
    """The comparable results of a results folder, by model and task.

    Args:
        rows: rows of the store's table.
    """

    COLUMNS: Final = ("model", "model_revision", "task", "hardware", "comparable", "valid")

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for row in rows:
            if row["comparable"] and row["valid"] is not False and row["model"] and row["task"]:
                self._found.setdefault((row["model"], row["task"]), []).append(row)

    @classmethod
    def of(cls, folder: Path) -> Published:
        """Those of a folder; none where there is no such folder."""
        if not folder.exists():
            return cls()
        return cls(store.open(folder).table().select(list(cls.COLUMNS)).to_pylist())

    def has(self, job: SweepJob, hardware: str | None) -> bool:
        """Whether there is one of a job. Only of a job that asks for the protocol as it is: a result tells no more."""
        rows = self._found.get((job.model, job.task), []) if job.as_asked else []
        return any(_is_at(row["model_revision"], job) and _is_on(row["hardware"], hardware) for row in rows)


def look(
    jobs: Iterable[SweepJob],
    runs: Path,
    published: Published | None = None,
    *,
    hardware: str | None = None,
    alive: Callable[[Attempt], bool] = attempts.alive_here,
) -> Iterator[JobState]:
    """What has become of jobs.

    Args:
        jobs: of a plan.
        runs: the sweep's runs folder.
        published: results that stand for jobs; None for none.
        hardware: part of the name that the measured hardware must have; None for any.
        alive: whether an attempt still goes on; an engine may also know that a job will be started again.
    """
    for job in jobs:
        yield look_at(job, runs, published, hardware=hardware, alive=alive)


def look_at(
    job: SweepJob,
    runs: Path,
    published: Published | None = None,
    *,
    hardware: str | None = None,
    alive: Callable[[Attempt], bool] = attempts.alive_here,
    locked: bool = False,
) -> JobState:
    """What has become of one job; arguments as for `look`.

    Args:
        locked: this process holds the job's lock, so that nobody else measures the job.
    """
    if published is not None and published.has(job, hardware):
        return JobState(job, "done", Accepted(None, None))
    folder = runs / plan.folder_of(job)
    made = attempts.read(folder)
    last = made[-1] if made else None
    goes_on = last is not None and not locked and (alive(last) or _is_locked(folder, last))
    # While a job works, its newest run may be whole and not yet judged: it is left to the job.
    found = accepted(folder, job, hardware, settle=not goes_on)
    if found is not None:
        return JobState(job, "done", found, last)
    if goes_on:
        return JobState(job, "running", None, last)
    if last is None:
        refused = _refusal(folder)
        return JobState(job, "missing" if refused is None else "invalid", None, None, refused)
    if last.ended_utc is None:
        return JobState(job, "lost", None, last)
    if last.exit_code == EXIT_INVALID:
        return JobState(job, "invalid", None, last, _refusal(folder) or last.message)
    return JobState(job, "failed", None, last)


def accepted(
    folder: Path, job: SweepJob | None = None, hardware: str | None = None, *, settle: bool = True
) -> Accepted | None:
    """The result of a job: the first whole and valid run in its folder.

    The files of a run are compared by size, its score by its hash; `scorekit check` compares all of them by hash.

    Args:
        folder: the job's.
        job: what must have been measured; None takes the folder's word for it.
        hardware: part of the name that the measured hardware must have; None for any.
        settle: work out the score of a run whose process died between measuring and scoring.
    """
    good: list[tuple[Path, Score]] = []
    for run in run_folders(folder):
        score = _score(run, settle=settle)
        if score is None or score.valid is False:
            continue
        if _is_on(score.hardware, hardware) and (job is None or _is_of(score, job)):
            good.append((run, score))
    if not good:
        return None
    (run, score), *others = good
    return Accepted(run, score, tuple(path for path, _ in others))


def _is_locked(folder: Path, last: Attempt) -> bool:
    """Whether a process of any machine still makes an attempt by itself, without a sweep that drives it."""
    return last.ended_utc is None and folder_lock.is_held(folder / folder_lock.JOB)


def run_folders(folder: Path) -> list[Path]:
    """Run folders of a job, in the order in which they were claimed."""
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []
    numbered = []
    for name in names:
        stem, _, number = name.partition(".")
        if stem == attempts.RUN and (not number or number.isdigit()):
            numbered.append((int(number or 1), name))
    return [folder / name for _, name in sorted(numbered)]


def _is_of(score: Score, job: SweepJob) -> bool:
    model = os.path.basename(job.model) if job.model.startswith("/") else job.model
    return (
        score.model == model
        and score.task == job.task
        and score.provenance.protocol == job.protocol
        and _is_at(score.model_revision, job)
    )


def _is_at(revision: str | None, job: SweepJob) -> bool:
    # A branch or a tag cannot be compared with a commit; the commit that it was is in the result.
    pinned = job.revision if job.revision is not None and _COMMIT.fullmatch(job.revision) else None
    return pinned is None or (revision or "").startswith(pinned)


def _is_on(measured_on: str | None, hardware: str | None) -> bool:
    return hardware is None or hardware.lower() in (measured_on or "").lower()


def _score(run: Path, *, settle: bool) -> Score | None:
    """The score of a whole run; None where it has none."""
    if not bundle.is_complete(run):
        return None
    try:
        manifest = bundle.read_manifest(run)
    except BundleError:
        return None
    if not _same_sizes(run, manifest):
        return None
    written = manifest.derived.get(bundle.SCORE)
    if written is not None:
        with contextlib.suppress(OSError, ValidationError):
            data = (run / bundle.SCORE).read_bytes()
            if hashlib.sha256(data).hexdigest() == written.sha256:
                return Score.model_validate_json(data)
    return _settled(run) if settle and bundle.VALIDITY not in manifest.derived else None


def _same_sizes(run: Path, manifest: Manifest) -> bool:
    if not all(name in manifest.measured for name in _NEEDED):
        return False
    try:
        return all(os.stat(run / name).st_size == entry.size_bytes for name, entry in manifest.measured.items())
    except OSError:
        return False


def _settled(run: Path) -> Score | None:
    """The score of a run that was measured, and whose process did not live to judge it."""
    try:
        found = run_bundle.examine(run)
        logs.write_validity(run, found.validity)
        if found.score is not None:
            logs.write_score(run, found.score)
    except ScorekitError:
        return None
    return found.score


def _refusal(folder: Path) -> str | None:
    """Why the newest whole run of a job is not scored."""
    for run in reversed(run_folders(folder)):
        if bundle.is_complete(run):
            try:
                run_bundle.read_score(run)
            except (InvalidRunError, LogError, BundleError) as error:
                return error.message
    return None
