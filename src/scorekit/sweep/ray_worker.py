"""What runs inside of a Ray worker: it has a job's own process started, waits for it, and passes on that it is to end.

The worker itself imports nothing that measures. So it is soon there, and Ray's threads and settings (one OpenMP thread,
a low priority) are not in the process that is measured.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Final

from scorekit.errors import HardwareError
from scorekit.sweep.job_process import CODE, ENGINE_JOB, LENGTH, VISIBLE

_LOOK_S: Final = 1.0
"""Ray interrupts Python between two steps of it only, so a wait must end now and then."""
_END_WITHIN_S: Final = 30.0

_servers: dict[bool, Server] = {}
"""Of this worker, which has one job at a time: those whose jobs import what measures, and others."""


def run(given: bytes, told: Mapping[str, str], *, measures: bool) -> tuple[bytes | None, str]:
    """Do a job in a process of its own.

    Args:
        given: pickle of the arguments of `ray_child._do`.
        told: variables of the job's process.
        measures: whether the job imports what measures.

    Returns:
        What it wrote back, None where it died without a word; and how it ended.

    Raises:
        HardwareError: this node's kernel is too old.
        KeyboardInterrupt: the driver has cancelled the job, which has ended.
    """
    import ray

    _check_kernel()
    variables = {**told, ENGINE_JOB: ray.get_runtime_context().get_task_id()}
    if VISIBLE in os.environ:
        variables[VISIBLE] = os.environ[VISIBLE]
    server = _servers.get(measures)
    if server is None or not server.alive():
        server = _servers[measures] = Server(measures, told)
    code = None
    try:
        content, code = server.do(given, variables)
    finally:
        if code is None:
            # It has died, or where it stands is not known.
            _servers.pop(measures).close()
    return content, _how(code)


class Server:
    """The process that jobs are copies of (ray_server), which is started here.

    Args:
        measures: whether it imports what measures.
        told: variables of its own, for libraries read some of theirs (HF_HUB_OFFLINE) when they are imported. A worker
            has one driver, which tells every job of it the same ones; what differs is set for each job again.
    """

    def __init__(self, measures: bool, told: Mapping[str, str]) -> None:
        # Messages, each whole.
        self._socket, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            words = [str(its.fileno()), *(["stack"] if measures else [])]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "scorekit.sweep.ray_server", *words],
                stdin=subprocess.DEVNULL,
                pass_fds=(its.fileno(),),
                env={**_environment(), **told},
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Whether it can still be told of jobs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it; a job of it ends itself."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def do(self, given: bytes, variables: Mapping[str, str]) -> tuple[bytes | None, int | None]:
        """Do a job with these variables beside the server's own.

        Returns:
            What it wrote back, None where it died without a word; and its exit code, None where the server is lost.
        """
        its_channel, channel = os.pipe()
        answer, its_answer = os.pipe()
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, answer)
            # Where it closes, the job ends.
            stack.callback(os.close, channel)
            try:
                with contextlib.suppress(ConnectionError):
                    message = json.dumps(dict(variables)).encode()
                    socket.send_fds(self._socket, [message], [its_channel, its_answer])
            finally:
                os.close(its_channel)
                os.close(its_answer)
            handle = self._begun()
            if handle is None:
                return None, None
            stack.callback(os.close, handle)
            with _ended_with_us(handle):
                # A job that died at its start is told of by the pipe that it does not write to.
                with contextlib.suppress(BrokenPipeError):
                    _write(channel, LENGTH.pack(len(given)) + given)
                content = _all_of(answer)
                # A thread of a library may keep a job alive that has told all.
                _readable(handle, _END_WITHIN_S)
            return content or None, self._code()

    def _begun(self) -> int | None:
        _readable(self._socket.fileno())
        with contextlib.suppress(ConnectionError):
            _, handles, _, _ = socket.recv_fds(self._socket, CODE.size, 1)
            # Where it has ended, the message is empty.
            return handles[0] if handles else None
        return None

    def _code(self) -> int | None:
        """The exit code of the job's process; None where the server has not outlived it."""
        if not _readable(self._socket.fileno(), _END_WITHIN_S):
            return None
        with contextlib.suppress(ConnectionError):
            message = self._socket.recv(CODE.size)
            if message:
                return int(CODE.unpack(message)[0])
        return None


def _check_kernel() -> None:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as error:
        raise HardwareError(
            f"{os.uname().nodename} has Linux {os.uname().release}, where this Python has no pidfd_open; "
            "expected Linux 5.3 or later, and a Python that was built for it",
            mend="use other nodes of the cluster, or --launcher local on this one",
        ) from error


def _environment() -> dict[str, str]:
    """The variables that Ray started this worker with: none of those that it has set for a task since.

    Ray sets OMP_NUM_THREADS to the CPUs of a task, which would slow down, and so change, what is measured.
    """
    import psutil

    started_with: dict[str, str] = psutil.Process().environ()
    return started_with


def _readable(descriptor: int, within_s: float | None = None) -> bool:
    """Wait until there is something to read, or the end; whether that was in time."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    until_s = math.inf if within_s is None else time.monotonic() + within_s
    while True:
        left_s = max(0.0, until_s - time.monotonic())
        if poll.poll(1000 * min(left_s, _LOOK_S)):
            return True
        if left_s <= _LOOK_S:
            return False


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _all_of(descriptor: int) -> bytes:
    parts: list[bytes] = []
    while True:
        _readable(descriptor)
        part = os.read(descriptor, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)


@contextlib.contextmanager
def _ended_with_us(handle: int) -> Iterator[None]:
    """Leave no process behind: it is interrupted, and killed where that does not help."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if not _readable(handle, 0):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, number)
                _readable(handle, _END_WITHIN_S)


def _how(code: int | None) -> str:
    if code is None:
        return "was lost with the one that starts it"
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
