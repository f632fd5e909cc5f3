"""Logging of a run: everything into the run's log file, what a person wants to read onto the terminal.

optimum-benchmark prints every step of its own; those go to the file alone unless LOG_LEVEL says otherwise.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from scorekit import bundle

_FILE_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


class _Terminal(logging.StreamHandler[Any]):
    """Writes to today's stderr, and clears a progress bar's line first."""

    def emit(self, record: logging.LogRecord) -> None:
        self.setStream(sys.stderr)
        try:
            from tqdm import tqdm

            with tqdm.external_write_mode(file=sys.stderr):
                super().emit(record)
        except ImportError:
            super().emit(record)


class _RunLog(logging.FileHandler):
    """A run's log file."""


def start(folder: Path) -> None:
    """Send this process's log records to the folder's log file and to the terminal.

    LOG_LEVEL (as optimum-benchmark reads it) sets the terminal's level for all loggers.
    """
    # A full disk must not bury the real error under the logging module's own tracebacks.
    logging.raiseExceptions = False
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        if isinstance(handler, _RunLog):
            # A sweep has many runs, and each one's file would stay open.
            handler.close()
    root.setLevel(logging.INFO)
    file = _RunLog(folder / bundle.LOG, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter(_FILE_FORMAT))
    root.addHandler(file)
    terminal = _Terminal()
    terminal.setFormatter(logging.Formatter("%(message)s"))
    level = os.environ.get("LOG_LEVEL")
    if level:
        terminal.setLevel(level.upper())
    else:
        terminal.addFilter(lambda record: record.name.startswith("scorekit") or record.levelno >= logging.ERROR)
    root.addHandler(terminal)
    # At INFO these tell of every request.
    for name in ("httpx", "httpcore", "httpx2", "httpcore2", "urllib3", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)


def last_lines(folder: Path, count: int = 15) -> list[str]:
    """The log file's last lines, for the report on a process that died."""
    try:
        with open(folder / bundle.LOG, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []
