"""The process that commands of these tests are copies of: `python -m tests.e2e.stem SOCKET`.

It imports once what every measurement imports, and does nothing else. A command that is asked for is then a process of
its own as after `python -m scorekit ARGS`: with its own folder, variables, streams, session and exit code; only the
seconds of its imports are saved. `commands.py` asks, and knows for which commands that is not the same.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any, Final

CODE: Final = "code"
PID: Final = "pid"
READY: Final = b"ready"
ALONE_S: Final = 600
"""How long nobody need be connected at the beginning; whoever started this process has died then."""
ASKED_BYTES: Final = 1 << 20
DESCRIPTORS: Final = 4
"""A command's stdin, stdout and stderr, and the socket on which its process id and exit code are told."""

SET_BY_IMPORTS: dict[str, str] = {}
"""Variables that libraries set when they are imported, which a copy does not import once more."""


@contextlib.contextmanager
def name_of(path: str) -> Iterator[str]:
    """What a socket is bound and reached by: that may have 107 bytes, and the path of a folder of tests has more."""
    folder, name = os.path.split(path)
    opened = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/{name}"
    finally:
        os.close(opened)


def listening(path: str) -> socket.socket:
    """A socket for those who ask."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with name_of(path) as name:
        found.bind(name)
    found.listen()
    return found


def serve(listener: socket.socket) -> dict[str, Any] | None:
    """Start a copy of this process for each command that is asked for, and tell how it ended.

    Args:
        listener: where tests connect.

    Returns:
        In a copy the command that it shall be; None in this process, when nobody is connected any more, or nobody has
        come.
    """
    # Nothing of what waits is shared with a copy, as it would be in an epoll.
    ready = selectors.PollSelector()
    ready.register(listener, selectors.EVENT_READ)
    asking: set[socket.socket] = set()
    answers: dict[int, tuple[int, socket.socket]] = {}
    while True:
        events = ready.select(None if asking else ALONE_S)
        if not events and not asking:
            return None
        for key, _ in events:
            if key.fileobj is listener:
                asker, _ = listener.accept()
                # Whoever reads this is served until they close their end; they may have gone while this was imported.
                with contextlib.suppress(ConnectionError):
                    asker.send(READY)
                asking.add(asker)
                ready.register(asker, selectors.EVENT_READ)
            elif isinstance(key.fileobj, socket.socket):
                command = _asked(key.fileobj)
                if command is None:
                    ready.unregister(key.fileobj)
                    asking.remove(key.fileobj)
                    key.fileobj.close()
                    if not asking:
                        return None
                    continue
                told, descriptors = command
                pid = os.fork()
                if not pid:
                    for each in (listener, *asking, *(answer for _, answer in answers.values())):
                        each.close()
                    for handle in answers:
                        os.close(handle)
                    _become(told, descriptors)
                    return told
                *streams, answer = descriptors
                for stream in streams:
                    os.close(stream)
                answering = socket.socket(fileno=answer)
                handle = os.pidfd_open(pid)
                answers[handle] = (pid, answering)
                ready.register(handle, selectors.EVENT_READ)
            else:
                handle = key.fd
                pid, answering = answers.pop(handle)
                ready.unregister(handle)
                os.close(handle)
                _, status = os.waitpid(pid, 0)
                _tell(answering, CODE, os.waitstatus_to_exitcode(status))
                answering.close()


def _asked(asker: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """A command and its descriptors; None when the asker has gone."""
    with contextlib.suppress(ConnectionError):
        message, descriptors, _, _ = socket.recv_fds(asker, ASKED_BYTES, DESCRIPTORS)
        if message:
            return json.loads(message), descriptors
    return None


def _tell(answering: socket.socket, what: str, number: int) -> None:
    # Whoever asked may not want to know any more.
    with contextlib.suppress(OSError):
        answering.send(json.dumps([what, number]).encode())


def _become(told: dict[str, Any], descriptors: list[int]) -> None:
    """Take on the streams, session, folder and variables of a command."""
    # Whoever signals its group does not mean this process.
    os.setsid()
    *streams, answer = descriptors
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(SET_BY_IMPORTS | told["variables"])
    # As `python -m` has it.
    sys.path[0] = told["folder"]
    sys.argv = ["scorekit", *told["arguments"]]
    with socket.socket(fileno=answer) as answering:
        _tell(answering, PID, os.getpid())


def import_all() -> None:
    """Import what every command that measures imports."""
    before = {**os.environ}
    # altair is what draws charts, in demos too; jsonschema, which it imports, compiles a grammar for seconds.
    import altair  # noqa: F401
    import hydra  # noqa: F401

    from scorekit import bench, cli, logs  # noqa: F401
    from scorekit.measuring import job, launcher  # noqa: F401
    from scorekit.tables import scores  # noqa: F401

    launcher.import_stack()
    # Threads do not come along into a copy, and whoever waits for one there waits for ever.
    assert threading.active_count() == 1, threading.enumerate()
    SET_BY_IMPORTS.update({name: value for name, value in os.environ.items() if before.get(name) != value})
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    listener = listening(sys.argv[1])
    import_all()
    if serve(listener) is not None:
        runpy.run_module("scorekit", run_name="__main__", alter_sys=True)
