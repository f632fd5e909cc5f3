"""What the launcher's tests run in the measuring process.

This module is imported there, so it imports nothing heavy.
"""

from __future__ import annotations

import logging
import os
import signal
import struct
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from scorekit.errors import ModelError
from scorekit.measuring import bridge, child

# A forked process has the test's own replacement of it.
REAL_MAIN = child.main


class Report:
    """Stands for optimum-benchmark's report, which travels as a dict."""

    def __init__(self, **targets: Any) -> None:
        self.targets = targets

    def to_dict(self) -> dict[str, Any]:
        return self.targets


def light_main(*args: Any, **kwargs: Any) -> None:
    """The real main without the bridge's seconds of imports, which these workers do not need."""
    bridge._applied = True
    REAL_MAIN(*args, **kwargs)


def report(text: str) -> Report:
    return Report(forward=None, note=f"{text} in {Path.cwd().name}")


def large_report(size: int) -> Report:
    return Report(forward=None, note="x" * size)


def slow_report(seconds: float) -> Report:
    time.sleep(seconds)
    return Report(forward=None)


def patched_report() -> Report:
    return Report(applied=bridge._applied)


def fail_on_purpose() -> NoReturn:
    raise ModelError("the model is not there", mend="give another one")


def fail_unforeseen() -> NoReturn:
    raise ZeroDivisionError("a bug of ours")


def exit_at_once(code: int) -> NoReturn:
    logging.getLogger("scorekit").info("the last thing that was logged")
    os._exit(code)


def signal_itself(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(300)


def signal_parent(number: int, pid_file: str) -> None:
    """Signal the parent, which waits for the report, and go on working until told to stop."""
    Path(pid_file).write_text(str(os.getpid()), encoding="utf-8")
    os.kill(os.getppid(), number)
    time.sleep(300)


def signal_parent_and_heed_nothing(number: int, pid_file: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal_parent(number, pid_file)


def never_ready(*_: Any, **__: Any) -> None:
    time.sleep(300)


def die_at_once(*_: Any, **__: Any) -> None:
    os._exit(3)


def die_in_the_middle_of_the_report(connection: Connection, *_: Any, **__: Any) -> None:
    connection.send((child.READY, os.getpid()))
    # The header of a message of 1,000 bytes, and one of them.
    os.write(connection.fileno(), struct.pack("!i", 1000) + b"x")
    os._exit(9)
