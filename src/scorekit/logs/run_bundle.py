"""The reader of scorekit's own run folders: verified files in, their checks and a `Score` out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from scorekit import bundle, tasks
from scorekit.errors import BundleError, InvalidRunError, LogError
from scorekit.logs.places import told
from scorekit.logs.power_trace import read_power_trace
from scorekit.logs.scoring import score_run
from scorekit.logs.unexpected import judging, told_of
from scorekit.records import (
    Check,
    Environment,
    GpuState,
    Provenance,
    Record,
    RunFacts,
    Score,
    Validity,
    Window,
    first_complaint,
)
from scorekit.validity import Evidence, PowerTrace, judge

R = TypeVar("R", bound=Record)

_MOST_TOLD: Final = 600
FORMAT: Final = "scorekit.bundle/1"
_NEEDED: Final = (bundle.WINDOWS, bundle.ENVIRONMENT)
_OPTIONAL: Final = (bundle.GPU_STATES, bundle.POWER)
"""Files that only runs with a GPU have, and none of before they were recorded."""


@dataclass(frozen=True, slots=True)
class RunBundle:
    """A complete run as its files tell it.

    Attributes:
        folder: where it lies.
        environment: the machine, the model, the data and what was asked.
        windows: every measured window, in the order of measuring.
        states: states of the used GPUs between windows; None where none were recorded.
        trace: sampled power; None where none was recorded.
        files: sha256 of each file that was read, as the manifest has it.
    """

    folder: Path
    environment: Environment
    windows: tuple[Window, ...]
    states: tuple[GpuState, ...] | None
    trace: PowerTrace | None
    files: dict[str, str]

    @property
    def evidence(self) -> Evidence:
        """What the checks look at."""
        return Evidence(
            environment=self.environment,
            windows=self.windows,
            states=self.states,
            trace=self.trace,
            run=told(self.folder.resolve().name),
        )


def recognises(path: Path) -> bool:
    """Whether a folder claims to be a run of ours, whole or broken."""
    if (path / bundle.WINDOWS).is_file() or (path / bundle.INCOMPLETE).is_file():
        return True
    # A run whose windows were deleted is still a run, and its manifest names what is missing.
    return (path / bundle.ENVIRONMENT).is_file() and (path / bundle.MANIFEST).is_file()


def load(folder: Path) -> RunBundle:
    """Verify a run folder against its manifest and read it.

    Raises:
        BundleError: the run did not end, or its files are not those that were measured.
        LogError: the folder is no run, a file is missing from the manifest, or is not what it claims to be.
    """
    if not recognises(folder):
        # Nothing here is unfinished, and whoever is told so deletes what lies below.
        raise LogError(f"{folder} is no run: it has no {bundle.WINDOWS}", mend="give the folder of a run")
    if not bundle.is_complete(folder):
        raise _incomplete(folder)
    manifest = bundle.read_manifest(folder)
    for name in _NEEDED:
        if name not in manifest.measured:
            raise LogError(f"{folder / bundle.MANIFEST} does not list {name}, so it cannot be trusted")
    bundle.check(folder, manifest)
    read = [name for name in (*_NEEDED, *_OPTIONAL) if name in manifest.measured]
    states = folder / bundle.GPU_STATES if bundle.GPU_STATES in read else None
    power = folder / bundle.POWER if bundle.POWER in read else None
    environment = _environment(folder / bundle.ENVIRONMENT)
    return RunBundle(
        folder=folder,
        environment=environment,
        windows=answered(tuple(_lines(folder / bundle.WINDOWS, Window, "a window")), environment.run),
        states=None if states is None else read_states(states),
        trace=None if power is None else read_power_trace(power),
        files={name: manifest.measured[name].sha256 for name in read},
    )


def read_windows(folder: Path) -> tuple[Window, ...]:
    """Every window of a run folder that `load` has verified, also of repeats that were not asked in the end.

    Raises:
        LogError: a line is not what it claims to be.
    """
    return tuple(_lines(folder / bundle.WINDOWS, Window, "a window"))


def read_states(path: Path) -> tuple[GpuState, ...]:
    """Every state in a gpu_states.jsonl.

    Raises:
        LogError: a line is not what it claims to be.
    """
    return tuple(_lines(path, GpuState, "a state of a GPU"))


def answered(windows: tuple[Window, ...], run: RunFacts) -> tuple[Window, ...]:
    """The windows without those that prepared repeats which adaptive stopping made needless."""
    if run.target_ci is None:
        return windows
    last = max((w.repeat for w in windows if w.phase == run.kind and w.repeat is not None), default=-1)
    return tuple(w for w in windows if w.phase != "preprocess" or w.repeat is None or w.repeat <= last)


@dataclass(frozen=True, slots=True)
class Examined:
    """A run folder that was read and checked.

    Attributes:
        validity: its checks.
        score: its score; None where it is not scored.
        refusal: why it is not scored; None where it is.
        files: sha256 of each file that was read.
        dtype: of the model as loaded; None where it was not recorded.
    """

    validity: Validity
    score: Score | None
    refusal: InvalidRunError | LogError | None
    files: dict[str, str]
    dtype: str | None


def examine(folder: Path, allow_invalid: bool = False) -> Examined:
    """The checks of a run folder and its score, from one reading.

    Args:
        folder: the run.
        allow_invalid: score a run in spite of failed checks; the score then says that it is not valid, and why. Where
            an energy is missing or cannot be true, there is nothing to score all the same.

    Raises:
        BundleError: the run did not end, or its files are not those that were measured.
        LogError: a file is not what it claims to be.
    """
    with told_of(str(folder)):
        run = load(folder)
    with judging(str(folder)):
        return examine_evidence(
            run.evidence, label=str(folder), log_format=FORMAT, files=run.files, allow_invalid=allow_invalid
        )


def examine_evidence(
    evidence: Evidence, *, label: str, log_format: str, files: dict[str, str], allow_invalid: bool = False
) -> Examined:
    """The checks and the score of evidence that was read and verified, wherever it came from.

    Args:
        evidence: with the windows that count (`answered`).
        label: what messages call it.
        log_format: name and version of what it was read from.
        files: sha256 of each file that was read.
        allow_invalid: as for `examine`.
    """
    from scorekit import __version__

    validity = judge(evidence)
    dtype, serving = evidence.environment.model.dtype, evidence.environment.serving
    if validity.failures and not allow_invalid:
        refusal = InvalidRunError(
            f"{label}: the run is not valid, so it is not scored:{_failures(validity.failures)}",
            mend=f"scorekit check {label} shows every check; measure again",
        )
        return Examined(validity, None, refusal, files, dtype)
    provenance = Provenance(
        run=evidence.run,
        created_utc=evidence.environment.created_utc,
        scorekit_version=__version__,
        log_format=log_format,
        protocol=tasks.protocol_of(evidence.environment.run.task) if serving is None else serving.protocol,
        files=files,
    )
    try:
        score = score_run(evidence.environment, evidence.windows, provenance, validity=validity)
    except (LogError, InvalidRunError) as error:
        return Examined(validity, None, type(error)(f"{label}: {error.message}", mend=error.mend), files, dtype)
    return Examined(validity, score, None, files, dtype)


def read_validity(folder: Path) -> Validity:
    """The checks of a run folder.

    Raises:
        BundleError: the run did not end, or its files are not those that were measured.
        LogError: a file is not what it claims to be.
    """
    with told_of(str(folder)):
        run = load(folder)
    with judging(str(folder)):
        return judge(run.evidence)


def read_score(folder: Path, allow_invalid: bool = False) -> Score:
    """The score of a run folder; arguments as for `examine`.

    Raises:
        BundleError: the run did not end, or its files are not those that were measured.
        LogError: a file is not what it claims to be.
        InvalidRunError: the run fails a check or breaks a rule, and is not scored.
    """
    found = examine(folder, allow_invalid)
    if found.score is None:
        assert found.refusal is not None
        raise found.refusal
    return found.score


def _environment(path: Path) -> Environment:
    try:
        return Environment.model_validate_json(_read(path))
    except ValidationError as error:
        raise LogError(f"{path} is not an environment of this version: {first_complaint(error)}") from error


def _failures(failures: Sequence[Check]) -> str:
    return "".join(f"\n  - Check {check.number}, {check.name}: {_short(check.message)}" for check in failures)


def _short(message: str) -> str:
    """The beginning of a message; `scorekit check` shows the whole."""
    return message if len(message) <= _MOST_TOLD else message[:_MOST_TOLD].rsplit(" ", 1)[0] + " ..."


def _lines(path: Path, kind: type[R], what: str) -> Iterator[R]:
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield kind.model_validate_json(line)
        except ValidationError as error:
            raise LogError(
                f"{path}, line {number} is not {what} of this version: {first_complaint(error)}",
                mend="restore the file from a copy of the run, or measure again",
            ) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error


def _incomplete(folder: Path) -> BundleError:
    done = len(_repeats_so_far(folder / bundle.WINDOWS))
    found = f"windows of {done} repeat{'' if done == 1 else 's'} are there" if done else "nothing was measured"
    return BundleError(
        f"the run in {folder} did not end, or goes on still, so it is not scored ({found})",
        mend=f"wait for it where it is running; else see {folder / bundle.LOG} for why, run it again (in a folder "
        "beside it), and delete this one",
    )


def _repeats_so_far(path: Path) -> set[int]:
    """Repeats with a window in an incomplete run, whose last line may be torn."""
    if not path.is_file():
        return set()
    found = set()
    for line in _read(path).splitlines():
        try:
            window = Window.model_validate_json(line)
        except ValidationError:
            continue
        if window.repeat is not None:
            found.add(window.repeat)
    return found
