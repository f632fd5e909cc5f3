"""Server-sent events (WHATWG HTML, server-sent events): from the bytes of a stream to the data of its events. Pure."""

from __future__ import annotations

import re
from typing import Final

MOST_BYTES: Final = 4 * 2**20
"""An event of an answer is some hundred bytes; one that grows past this is none."""
_END: Final = re.compile(rb"\r\n|\r|\n")


class TooLongError(ValueError):
    """A line or an event without an end."""


class EventStream:
    """Takes the bytes as they come, in pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of every event that ends in this piece.

        Raises:
            TooLongError: nothing ends.
        """
        self._rest += piece
        events = []
        while (line := self._line()) is not None:
            if line:
                self._take(line)
            elif self._data:
                events.append(b"\n".join(self._data))
                self._data, self._size = [], 0
        if len(self._rest) + self._size > MOST_BYTES:
            raise TooLongError
        return events

    def end(self) -> list[bytes]:
        """What was begun when the stream ended: some servers leave out the last empty line."""
        return self.feed(b"\n\n")

    def _line(self) -> bytes | None:
        """The next line without its end (LF, CR LF or CR); None until it has come."""
        found = _END.search(self._rest)
        if found is None or (found[0] == b"\r" and found.end() == len(self._rest)):
            return None  # After a CR at the end of a piece an LF may follow.
        line, self._rest = self._rest[: found.start()], self._rest[found.end() :]
        return line

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        # Other fields (event, id, retry) and comments, which begin with the colon, say nothing of an answer.
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
