"""Verifying in a process of its own, confined first: a crash, a kill or a limit is a refusal with its reason."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scorekit.errors import InputError
from scorekit.records import Record, Terms, Verdict, VerdictReason
from scorekit.submission.archive import Limits
from scorekit.submission.findings import refuse
from scorekit.submission.verify import verdict, verify_file

_MODULE: Final = "scorekit.submission.sandbox"
_MOST_ANSWER_BYTES: Final = 64 * 1024 * 1024
_PASSED: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
"""All of the environment that the process is given: no keys, no tokens."""
_OUT_OF_MEMORY: Final = 40
_SMALLER: Final = "hand the runs in one by one"


@dataclass(frozen=True, slots=True)
class Confinement:
    """What the process may use.

    Attributes:
        memory_bytes: address space.
        cpu_s: seconds of CPU.
        wall_s: seconds until it is killed.
        limits: what the archive may hold.
    """

    memory_bytes: int = 1536 * 1024**2
    cpu_s: int = 120
    wall_s: float = 180.0
    limits: Limits = field(default_factory=Limits)


class Order(Record):
    """What the process is asked, on its standard input."""

    path: str
    terms: Terms
    memory_bytes: int
    cpu_s: int
    limits: dict[str, float]


def verify_confined(path: Path, terms: Terms, confinement: Confinement | None = None) -> Verdict:
    """The verdict on a submission's file, from a confined process.

    Raises:
        InputError: the file cannot be read.
    """
    confined = confinement or Confinement()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read as a file", mend="check its name")
    order = Order(
        path=str(path.resolve()),
        terms=terms,
        memory_bytes=confined.memory_bytes,
        cpu_s=confined.cpu_s,
        limits=asdict(confined.limits),
    )
    with tempfile.TemporaryDirectory(prefix="scorekit-") as folder:
        # Into a file: what a process gone mad prints must not fill our memory.
        answer = Path(folder) / "answer.json"
        code = _start(order.model_dump_json().encode(), folder, answer, confined.wall_s)
        if isinstance(code, VerdictReason):
            return _without(code, path)
        if code != 0 or answer.stat().st_size > _MOST_ANSWER_BYTES:
            return _without(_ended(code, confined), path)
        try:
            return Verdict.model_validate_json(answer.read_bytes())
        except ValidationError:
            return _without(refuse("crashed", "the process that read it gave no verdict"), path)


def _start(order: bytes, folder: str, answer: Path, wall_s: float) -> int | VerdictReason:
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    with answer.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        try:
            process.communicate(order, timeout=wall_s)
        except subprocess.TimeoutExpired:
            return refuse("timeout", f"reading it took longer than {wall_s:g} s", None, _SMALLER)
        finally:
            # Whatever it started goes with it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode


def _ended(code: int, confined: Confinement) -> VerdictReason:
    if code == _OUT_OF_MEMORY:
        return refuse("memory", f"reading it takes more than {confined.memory_bytes // 1024**2} MiB", None, _SMALLER)
    if code == -signal.SIGXCPU or code == -signal.SIGKILL:
        return refuse(
            "limit", f"the process that read it was ended at its limits ({confined.cpu_s} s of CPU)", None, _SMALLER
        )
    told = f"signal {-code}" if code < 0 else f"code {code}"
    return refuse("crashed", f"the process that read it ended with {told}")


def _without(reason: VerdictReason, path: Path) -> Verdict:
    """The refusal of what could not be read to its end."""
    found = verdict([reason], None, readable=False)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return found.model_copy(update={"sha256": sha256, "size_bytes": path.stat().st_size})


def main() -> int:
    """The confined process: an order on standard input, a verdict on standard output."""
    order = Order.model_validate_json(sys.stdin.buffer.read())
    limits = Limits(**{name: type(getattr(Limits(), name))(value) for name, value in order.limits.items()})
    from scorekit.submission.confinement import confine

    _load()
    told = confine(order.memory_bytes, order.cpu_s)
    try:
        found = verify_file(Path(order.path), order.terms, limits)
        answer = found.model_copy(update={"confinement": told}).model_dump_json().encode()
    except MemoryError:
        return _OUT_OF_MEMORY
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return 0


def _load() -> None:
    """Import what is imported late, while files may still be opened."""
    import encodings.idna  # noqa: F401
    import shutil  # noqa: F401

    import scorekit.editions
    import scorekit.validity  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
