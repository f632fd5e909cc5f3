"""What runs inside of a Ray worker: it starts a job's own process, waits for it, and passes on that it is to end.

The worker itself imports nothing that measures. So it is soon there, and Ray's threads and settings (one OpenMP thread,
a low priority) are not in the process that is measured.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import IO, Final

from scorekit.sweep.job_process import ENGINE_JOB, LENGTH, VISIBLE

_LOOK_S: Final = 1.0
"""Ray interrupts Python between two steps of it only, so a wait must end now and then."""
_END_WITHIN_S: Final = 30.0


def run(given: bytes, told: Mapping[str, str]) -> tuple[bytes | None, str]:
    """Do a job in a process of its own.

    Args:
        given: pickle of the arguments of `ray_child._do`.
        told: variables of the job's process.

    Returns:
        What it wrote back, None where it died without a word; and how it ended.

    Raises:
        KeyboardInterrupt: the driver has cancelled the job, which has ended.
    """
    import ray

    ours, its = os.pipe()
    with os.fdopen(ours, "rb") as answer:
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "scorekit.sweep.ray_child", str(its)],
                stdin=subprocess.PIPE,
                pass_fds=(its,),
                env={**_environment(), **told, ENGINE_JOB: ray.get_runtime_context().get_task_id()},
                start_new_session=True,
            )
        finally:
            os.close(its)
        assert process.stdin is not None
        with _ended_with_us(process):
            # A job that died at its start is told of by the pipe that it does not write to.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(LENGTH.pack(len(given)) + given)
                process.stdin.flush()
            content = _all_of(answer)
            # A thread of a library may keep a job alive that has told all.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_WITHIN_S)
    return content or None, _how(process.returncode)


def _environment() -> dict[str, str]:
    """The variables that Ray started this worker with, and the GPUs that it gave the job: no others of Ray's making.

    Ray sets OMP_NUM_THREADS to the CPUs of a task, which would slow down, and so change, what is measured.
    """
    import psutil

    started_with: dict[str, str] = psutil.Process().environ()
    given = os.environ.get(VISIBLE)
    return started_with if given is None else {**started_with, VISIBLE: given}


def _all_of(answer: IO[bytes]) -> bytes:
    parts: list[bytes] = []
    poll = select.poll()
    poll.register(answer, select.POLLIN)
    while True:
        if poll.poll(1000 * _LOOK_S):
            part = os.read(answer.fileno(), 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)


@contextlib.contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave no process behind: it is interrupted, and killed where that does not help."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_END_WITHIN_S)
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
