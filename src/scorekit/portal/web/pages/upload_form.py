"""The form of a submission while it comes: its file is hashed and written as it arrives, and never held in memory.

The session's secret must stand before the file: until it is known to be right, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from scorekit.portal.ledger.refusals import RefusalError, TooMuchError, WrongContentError
from scorekit.portal.web.api.receiving import Part

FILE: Final = "submission"
"""Name of the field with the file."""
_MOST_FIELDS: Final = 16
_LONGEST_BOUNDARY: Final = 70
"""RFC 2046, section 5.1.1."""
_MOST_FIELD_BYTES: Final = 4096
_AGAIN: Final = "choose the file and send the form again"


class UploadForm:
    """A form in pieces. One that is refused is still read to its end: a browser that is cut off shows no answer.

    Args:
        content_type: of the request.
        path: where the file is written; made when its first byte comes.
        most_bytes: that the file may have.
        allow: told the fields that came before the file, when it begins; raises where it is not to be taken.

    Raises:
        WrongContentError: the request is no form with a file.
    """

    def __init__(self, content_type: str, path: Path, most_bytes: int, allow: Callable[[dict[str, str]], None]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= _LONGEST_BOUNDARY:
            raise WrongContentError("this is no form with a file", mend=_AGAIN)
        self.fields: dict[str, str] = {}
        self.refused: RefusalError | None = None
        self.file: Part | None = None
        self._path = path
        self._most_bytes = most_bytes
        self._allow = allow
        self._header_name, self._header_value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._name: str | None = None
        self._is_file = False
        self._has_file = False
        self._value = bytearray()
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_begin": self._begin_header,
                "on_header_field": lambda data, start, end: self._header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_content,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def write(self, data: bytes) -> None:
        """Take a piece of the request's body; what is wrong with it stands in `refused`."""
        if self.refused is not None:
            return
        try:
            self._parser.write(data)
        except FormParserError:
            self.refused = WrongContentError("the form that came is broken", mend=_AGAIN)
        except RefusalError as error:
            self.refused = error

    def finish(self) -> None:
        """Return when all of the file is on the disk, or it is known why it is not taken."""
        if self.refused is None and not self._ended:
            self.refused = WrongContentError("the form was cut off before its end", mend=_AGAIN)
        if self.refused is None and not self._has_file:
            try:
                self._allow(self.fields)
            except RefusalError as error:
                self.refused = error
        if self.refused is None and self.file is not None:
            self.file.finish()

    def give_up(self) -> None:
        """Remove what has been written; nothing happens to a file that has gone its way since."""
        if self.file is not None:
            self.file.give_up()

    def _begin_part(self) -> None:
        self._headers = {}
        self._name, self._is_file = None, False
        self._value.clear()

    def _begin_header(self) -> None:
        self._header_name.clear()
        self._header_value.clear()

    def _end_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)

    def _begin_content(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("ascii", "replace")
        self._name = name
        if b"filename" not in options:
            if len(self.fields) >= _MOST_FIELDS:
                raise WrongContentError("the form has more fields than ours", mend=_AGAIN)
            return
        if name != FILE or self._has_file:
            raise WrongContentError("the form has another file than ours", mend=_AGAIN)
        self._is_file = self._has_file = True
        self._allow(self.fields)

    def _take(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if not self._is_file:
            if len(self._value) + len(piece) > _MOST_FIELD_BYTES:
                raise WrongContentError("a field of the form is too long", mend=_AGAIN)
            self._value.extend(piece)
            return
        if self.file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self.file = Part(self._path)
        if self.file.size_bytes + len(piece) > self._most_bytes:
            raise TooMuchError(
                f"the file has more than {self._most_bytes:,} bytes", mend="pack fewer runs in one file: scorekit pack"
            )
        self.file.write(piece)

    def _end_part(self) -> None:
        if not self._is_file and self._name is not None:
            self.fields.setdefault(self._name, self._value.decode("utf-8", "replace"))

    def _end(self) -> None:
        self._ended = True
