"""Runs a command that ends when its starter does: `python -m scorekit.portal.leash SECONDS COMMAND ...`.

Standard input is the leash. When its other end closes, by will or because the starter was killed, everything that the
command has started is asked to end (SIGTERM), and after so many seconds made to (SIGKILL): a measurement whose worker
has died must not go on beside the next one. Without a thread or a poll beside the measurement: both wait in the kernel.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Final

SIGNALLED: Final = 128
"""A command that was ended by a signal N ends this with 128 + N, as shells have it."""


def main(arguments: list[str]) -> int:
    """Run a command in the process group that this process leads.

    Args:
        arguments: how long it may take to end, in s, and the command.

    Returns:
        Its exit code.
    """
    patience_s, command = float(arguments[0]), arguments[1:]
    # A handler of ours, not SIG_IGN, which the command would inherit.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, lambda *_: None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_hold, args=(patience_s,), daemon=True).start()
    code = process.wait()
    return SIGNALLED - code if code < 0 else code


def _hold(patience_s: float) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(0, signal.SIGTERM)
        time.sleep(patience_s)
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
