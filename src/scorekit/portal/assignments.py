"""What a worker keeps on its own disk of the job that it has, so that one that was killed goes on where it was.

DIR/worker.lock              held by the worker, and by what measures for it
DIR/JOB/assignment.json      while the job is the worker's
DIR/JOB/N/                   one attempt to measure: its files, and
DIR/JOB/N/measured.json      where its run lies, once it was measured to its end
DIR/JOB/N/submission.zip     what is handed in of it
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, ValidationError

from scorekit import atomic
from scorekit.errors import BundleError
from scorekit.records import Record

_LOCK: Final = "worker.lock"
_KEPT: Final = "assignment.json"
_MEASURED: Final = "measured.json"
_SUBMISSION: Final = "submission.zip"
_ELSEWHERE: Final = "--runs DIR"

R = TypeVar("R", bound=Record)
Id = Annotated[str, Field(pattern="^[0-9a-f]{1,64}$")]


class Assignment(Record):
    """A job that a worker holds, as the portal gave it."""

    schema_version: Literal["scorekit.assignment/1"] = "scorekit.assignment/1"
    id: Id
    lease: Id
    attempt: int
    model: str
    revision: str | None = None
    task: str
    model_class: str | None = None


class Kept(Record):
    """assignment.json: the job, and how often its measurement was begun under this lease."""

    schema_version: Literal["scorekit.kept_assignment/1"] = "scorekit.kept_assignment/1"
    assignment: Assignment
    begun: int = 0


class Measured(Record):
    """measured.json: what came of an attempt."""

    schema_version: Literal["scorekit.measured_assignment/1"] = "scorekit.measured_assignment/1"
    run: str = Field(description="The run folder, below the attempt's.")
    how: tuple[str, ...] = Field(description="The worker's own settings that it was measured with.")


class WorkFolder:
    """A worker's folder.

    Args:
        root: of it; it is made.

    Raises:
        BundleError: it cannot be made.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise atomic.write_error(self.root, error, _ELSEWHERE) from error

    @contextlib.contextmanager
    def held(self, wait: Callable[[], None]) -> Iterator[int]:
        """Hold the folder until the block ends: one worker at a time measures in it.

        Args:
            wait: called where another holds it, or what a killed one had started; then it is waited for.

        Yields:
            The lock, for what measures to inherit.
        """
        descriptor = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def kept(self) -> list[Kept]:
        """The jobs that were held when a worker was last here."""
        found = (_read(path, Kept) for path in sorted(self.root.glob(f"*/{_KEPT}")))
        return [one for one in found if one is not None]

    def keep(self, kept: Kept) -> None:
        """Write down that a job is held, before anything is done for it."""
        folder = self.root / kept.assignment.id
        folder.mkdir(exist_ok=True)
        _write(folder / _KEPT, kept)

    def forget(self, assignment: Assignment) -> None:
        """The job is not held any more; its runs stay."""
        (self.root / assignment.id / _KEPT).unlink(missing_ok=True)

    def attempt(self, assignment: Assignment) -> Path:
        """A new folder to measure in."""
        folder = self.root / assignment.id
        number = 1 + max((int(path.name) for path in folder.iterdir() if path.name.isdecimal()), default=0)
        made = folder / str(number)
        made.mkdir()
        return made

    def measured(self, attempt: Path, run: Path, how: tuple[str, ...]) -> None:
        """Write down that an attempt was measured to its end."""
        _write(attempt / _MEASURED, Measured(run=run.relative_to(attempt).as_posix(), how=how))

    def finished(self, assignment: Assignment, how: tuple[str, ...]) -> Path | None:
        """The run folder of the newest attempt that was measured to its end with the same settings.

        It may be of an earlier lease: what was measured on this machine for this job need not be measured again.
        """
        attempts = [path for path in (self.root / assignment.id).iterdir() if path.name.isdecimal()]
        for attempt in sorted(attempts, key=lambda path: int(path.name), reverse=True):
            measured = _read(attempt / _MEASURED, Measured)
            if measured is not None and measured.how == how and (attempt / measured.run).is_dir():
                return attempt / measured.run
        return None

    def discard(self, run: Path) -> None:
        """A run could not be handed in; it stays, and is not taken for finished again."""
        for folder in (run, *run.parents):
            if folder.parent.parent == self.root:
                (folder / _MEASURED).unlink(missing_ok=True)
                return

    def submission(self, assignment: Assignment, run: Path) -> Path:
        """Where the submission of a run lies, or is to lie: packed once, so that it is the same file each time."""
        attempt = run.relative_to(self.root / assignment.id).parts[0]
        return self.root / assignment.id / attempt / _SUBMISSION


def _read(path: Path, kind: type[R]) -> R | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        # Written in one step: one that cannot be read is of another version, and nothing to go on with.
        return None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}", mend=f"choose {_ELSEWHERE}") from error


def _write(path: Path, record: Record) -> None:
    atomic.write_bytes(path, record.model_dump_json().encode() + b"\n", elsewhere=_ELSEWHERE)
