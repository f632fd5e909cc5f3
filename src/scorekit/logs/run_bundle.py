"""The reader of scorekit's own run folders: verified files in, a `Score` out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scorekit import bundle
from scorekit.errors import BundleError, InvalidRunError, LogError
from scorekit.logs.scoring import score_run
from scorekit.records import Environment, Provenance, Score, Window, first_complaint
from scorekit.tasks import PROTOCOL

FORMAT: Final = "scorekit.bundle/1"
_READ: Final = (bundle.WINDOWS, bundle.ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class RunBundle:
    """A complete run as its files tell it.

    Attributes:
        folder: where it lies.
        environment: the machine, the model, the data and what was asked.
        windows: every measured window, in the order of measuring.
        files: sha256 of each file that was read, as the manifest has it.
    """

    folder: Path
    environment: Environment
    windows: tuple[Window, ...]
    files: dict[str, str]


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
        LogError: a file is missing from the manifest, or is not what it claims to be.
    """
    if not bundle.is_complete(folder):
        raise _incomplete(folder)
    manifest = bundle.read_manifest(folder)
    for name in _READ:
        if name not in manifest.measured:
            raise LogError(f"{folder / bundle.MANIFEST} does not list {name}, so it cannot be trusted")
    bundle.check(folder, manifest)
    return RunBundle(
        folder=folder,
        environment=_environment(folder / bundle.ENVIRONMENT),
        windows=_windows(folder / bundle.WINDOWS),
        files={name: manifest.measured[name].sha256 for name in _READ},
    )


def read_score(folder: Path) -> Score:
    """The score of a run folder.

    Raises:
        BundleError: the run did not end, or its files are not those that were measured.
        LogError: a file is not what it claims to be.
        InvalidRunError: the run breaks a rule and is not scored.
    """
    from scorekit import __version__

    run = load(folder)
    provenance = Provenance(
        run=folder.resolve().name,
        created_utc=run.environment.created_utc,
        scorekit_version=__version__,
        log_format=FORMAT,
        protocol=PROTOCOL,
        files=run.files,
    )
    try:
        return score_run(run.environment, run.windows, provenance)
    except (LogError, InvalidRunError) as error:
        raise type(error)(f"{folder}: {error.message}", mend=error.mend) from error


def _environment(path: Path) -> Environment:
    try:
        return Environment.model_validate_json(_read(path))
    except ValidationError as error:
        raise LogError(f"{path} is not an environment of this version: {first_complaint(error)}") from error


def _windows(path: Path) -> tuple[Window, ...]:
    windows = []
    for number, line in enumerate(_read(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            windows.append(Window.model_validate_json(line))
        except ValidationError as error:
            raise LogError(
                f"{path}, line {number} is not a window of this version: {first_complaint(error)}"
            ) from error
    return tuple(windows)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error


def _incomplete(folder: Path) -> BundleError:
    done = len(_repeats_so_far(folder / bundle.WINDOWS))
    found = f"windows of {done} repeat{'' if done == 1 else 's'} are there" if done else "nothing was measured"
    return BundleError(
        f"the run in {folder} did not end, so it is not scored ({found})",
        mend=f"see {folder / bundle.LOG} for why; run it again (in a folder beside it), and delete this one",
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
