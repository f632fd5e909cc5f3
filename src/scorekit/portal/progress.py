"""How far an upload is, told to people on stderr: a bar on a terminal, a line now and then where there is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from scorekit import messages

if TYPE_CHECKING:
    from rich.progress import Progress

_LINES: Final = 4
"""Where there is no terminal: so many on the way, for a file of any size."""


class Shown:
    """Shows the progress of one file; a context manager.

    Args:
        name: of the file.
        quiet: whether nothing is shown but messages.
    """

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._name = messages.printable(name)
        self._quiet = quiet
        self._bar: Progress | None = None
        self._next_line = 0.0

    def __enter__(self) -> Shown:
        if sys.stderr.isatty() and not self._quiet:
            from rich.console import Console
            from rich.markup import escape
            from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

            self._bar = Progress(
                escape(self._name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
                console=Console(stderr=True),
            )  # fmt: skip
            self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self, done_bytes: int, size_bytes: int) -> None:
        """Show how many bytes the portal has."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done_bytes, total=size_bytes)
        elif not self._quiet and done_bytes >= self._next_line * size_bytes:
            messages.say(f"{self._name}: {done_bytes:,} of {size_bytes:,} bytes are at the portal")
            self._next_line = (int(_LINES * done_bytes / size_bytes) + 1) / _LINES

    def tell(self, message: str) -> None:
        """Show a message above the bar."""
        if self._bar is not None:
            self._bar.console.print(messages.printable(message), markup=False, highlight=False)
        else:
            messages.say(message)
