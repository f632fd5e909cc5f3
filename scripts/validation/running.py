"""Commands that parts are made of: each in a session of its own, with its output in a file and an end in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAST_LINES = 15
_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TQDM_DISABLE": "1"}
_STOP_S = 60


class PartError(Exception):
    """A part could not be done.

    Attributes:
        last_lines: of what the command that failed said.
    """

    def __init__(self, message: str, last_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.last_lines = [*last_lines]


def run(
    arguments: Sequence[str], log: Path, limit_s: float, accept: Sequence[int] = (0,), gpu: int | None = None
) -> int:
    """Run `python ARGUMENTS` and add what it says to a file.

    Args:
        arguments: after the interpreter.
        log: the file; made if it is not there.
        limit_s: after which it is stopped, and counts as failed.
        accept: exit codes that are no failure.
        gpu: the only GPU that it sees, by NVML's number; None leaves it all that this process was given.

    Returns:
        The exit code.

    Raises:
        PartError: it ended with another code, or not in time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    folders = [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(folders)}
    if gpu is not None:
        # Without the order CUDA counts the fastest GPU first.
        environment |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(gpu)}
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ python {' '.join(arguments)}\n")
        file.flush()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
        try:
            code = process.wait(limit_s)
        except BaseException as error:
            _stop(process)
            if isinstance(error, subprocess.TimeoutExpired):
                raise PartError(f"it did not end within {limit_s:.0f} s", last_lines(log)) from error
            raise
    if code not in accept:
        raise PartError(f"it ended with code {code}", last_lines(log))
    return code


def last_lines(log: Path, count: int = LAST_LINES) -> list[str]:
    """The last lines of a log that say something."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line[:300] for line in lines if line.strip()][-count:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the session: a measuring process stops by itself when its parent is told to."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            continue
        return
