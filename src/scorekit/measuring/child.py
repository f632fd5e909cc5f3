"""The measuring process: what runs on the other side of the process launcher.

It is a process group of its own, so that Ctrl-C in a terminal reaches the parent alone, which passes it on once. It
ends by itself when its parent is gone.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import pickle
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from scorekit import bundle
from scorekit.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, ScorekitError, TerminatedError
from scorekit.measuring import journal, stopping

READY: Final = "ready"
GPU_IN_USE: Final = "gpu in use"
"""Instead of READY, from a forked process that cannot use CUDA, because its parent has."""
REPORT: Final = "report"
ERROR: Final = "error"
INTERRUPTED: Final = "interrupted"

LOGGER = logging.getLogger("scorekit.child")


def main(
    connection: Connection,
    payload: bytes,
    folder: str,
    inherited: Connection | None = None,
    locks: tuple[object, ...] = (),  # noqa: ARG001 - to have them is to hold them
) -> None:
    """Run the pickled worker; send back ("report", dict), ("error", ScorekitError or text) or ("interrupted", signal).

    Args:
        connection: to the parent.
        payload: pickle of (worker, arguments). It comes as bytes, so that nothing of optimum-benchmark is imported
            before the bridge has been applied.
        folder: the run folder, which becomes the current one.
        inherited: a forked process's copy of the parent's end, which must not stay open here.
        locks: of the GPUs in use, held here until this process ends.
    """
    if inherited is not None:
        inherited.close()
        if _parent_has_used_cuda():
            connection.send((GPU_IN_USE, None))
            connection.close()
            return
    os.setpgid(0, 0)
    os.chdir(folder)
    if not sys.stderr.isatty():
        # Bars of the libraries' own (loading of weights) are for terminals; elsewhere they fill a log.
        os.environ["TQDM_DISABLE"] = "1"
    # Imported only now, since it reads the variable then.
    from tqdm import tqdm

    # tqdm's default lock is a semaphore of multiprocessing's, which is told of as leaked when a run is interrupted.
    tqdm.set_lock(threading.RLock())
    journal.start(Path(folder))
    stopping.heed()
    # A crash inside of a native library leaves its stack where the parent looks for the last lines.
    with open(bundle.LOG, "a", encoding="utf-8") as log:
        faulthandler.enable(file=log)
        threading.Thread(target=_end_with_parent, args=(connection,), daemon=True).start()
        connection.send((READY, os.getpid()))
        code = _run(connection, payload)
        faulthandler.disable()
    connection.close()
    if code:
        # Threads of a library must not keep an interrupted process alive.
        logging.shutdown()
        os._exit(code)


def _parent_has_used_cuda() -> bool:
    # Nothing is imported for it: what was not imported before the fork has not used a GPU.
    torch: Any = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda._is_in_bad_fork())


def _run(connection: Connection, payload: bytes) -> int:
    try:
        from scorekit.measuring import bridge

        bridge.apply()
        worker, arguments = pickle.loads(payload)  # noqa: S301  (made by our own parent)
        report = worker(*arguments)
        connection.send((REPORT, report.to_dict()))
        return 0
    except TerminatedError:
        _log("terminated")
        connection.send((INTERRUPTED, signal.SIGTERM))
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        _log("interrupted")
        connection.send((INTERRUPTED, signal.SIGINT))
        return EXIT_INTERRUPTED
    except ScorekitError as error:
        _log_traceback()
        connection.send((ERROR, error))
        return 0
    except BaseException:  # noqa: BLE001 - whatever it is, the parent has to be told
        _log_traceback()
        connection.send((ERROR, traceback.format_exc()))
        return 0


def _log_traceback() -> None:
    _log(traceback.format_exc())


def _log(text: str) -> None:
    """Into the log file only: the parent tells the person what happened."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(LOGGER.makeRecord(LOGGER.name, logging.ERROR, "", 0, text, (), None))


def _end_with_parent(connection: Connection) -> None:
    """Wait, without using the CPU, until the parent's end of the pipe closes; then there is nobody to report to."""
    try:
        connection.recv()
    except (EOFError, OSError):
        os._exit(EXIT_TERMINATED)
