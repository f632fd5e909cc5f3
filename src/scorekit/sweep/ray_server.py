"""The process that the jobs of a Ray worker are copies of: `python -m scorekit.sweep.ray_server DESCRIPTOR [stack]`.

It imports once what every job imports, and does nothing else. So each job has a process as fresh as after imports of
its own, and does not wait for them; nothing that a run leaves in its process reaches the next. Jobs come one after the
other by a socket to the worker, and the process ends when that does.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import sys
import traceback
from typing import NoReturn

from scorekit.errors import EXIT_FAILED
from scorekit.sweep import ray_child
from scorekit.sweep.job_process import CODE, JOB_BYTES


def main(descriptor: int, imports: bool) -> None:
    """Start a process for each job that the socket tells of, and tell its exit code.

    Args:
        descriptor: the socket's.
        imports: import what measures.
    """
    os.set_inheritable(descriptor, False)
    if imports:
        # A job misses it as well, and tells so.
        with contextlib.suppress(Exception):
            from scorekit.measuring import launcher

            launcher.import_stack()
    with socket.socket(fileno=descriptor) as worker, contextlib.suppress(ConnectionError):
        while True:
            told, descriptors, _, _ = socket.recv_fds(worker, JOB_BYTES, 2)
            if not told:
                return
            _do(worker, json.loads(told), *descriptors)


def _do(worker: socket.socket, variables: dict[str, str], channel: int, answer: int) -> None:
    pid = os.fork()
    if not pid:
        worker.close()
        _leave(variables, channel, answer)
    # What the worker waits for and signals by is no number, which may be another process's by then.
    handle = os.pidfd_open(pid)
    socket.send_fds(worker, [CODE.pack(0)], [handle])
    for each in (handle, channel, answer):
        os.close(each)
    _, status = os.waitpid(pid, 0)
    worker.send(CODE.pack(os.waitstatus_to_exitcode(status)))


def _leave(variables: dict[str, str], channel: int, answer: int) -> NoReturn:
    """Do the job, and end its process without taking all libraries down, for which the next job would wait."""
    code = EXIT_FAILED
    try:
        os.setsid()
        os.environ.update(variables)
        code = ray_child.main(channel, answer)
        # What was promised for the end is kept.
        atexit._run_exitfuncs()
    except BaseException:  # noqa: BLE001 - nothing may get back to where the next jobs are started
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]), "stack" in sys.argv[2:])
