"""Values within a JSON log, each with the place that it stands at, so that a message can name it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from scorekit.errors import LogError

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 40


class Field:
    """A value of a log, or a value that is missing (None).

    Args:
        value: as JSON gave it.
        file: name of the file, for messages.
        path: names of the keys that lead to it, joined by dots; empty for the whole file.
    """

    __slots__ = ("file", "path", "value")

    def __init__(self, value: Any, file: str, path: str = "") -> None:
        self.value, self.file, self.path = value, file, path

    def __getitem__(self, name: str) -> Field:
        """The value of a key; missing where there is no such key, or no mapping at all.

        Raises:
            LogError: this is neither a mapping nor missing.
        """
        value = self.value
        if value is not None:
            # Asked some fifty times of each log: `mapping` is called only to refuse.
            value = value.get(name) if type(value) is dict else self.mapping().get(name)
        return Field(value, self.file, f"{self.path}.{name}" if self.path else name)

    def __contains__(self, name: str) -> bool:
        return name in self.mapping()

    @property
    def missing(self) -> bool:
        """Whether it is not there, or null."""
        return self.value is None

    def mapping(self) -> dict[str, Any]:
        """A mapping; empty where it is missing.

        Raises:
            LogError: it is something else.
        """
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self.refuse("a mapping")
        return self.value

    def items(self) -> Iterator[Field]:
        """The entries of a list; none where it is missing.

        Raises:
            LogError: it is something else.
        """
        if self.value is None:
            return
        if not isinstance(self.value, list):
            self.refuse("a list")
        for number, entry in enumerate(self.value):
            yield Field(entry, self.file, f"{self.path}[{number}]")

    def number(self) -> float | None:
        """A number, which may be NaN or infinite; None where it is missing.

        Raises:
            LogError: it is something else.
        """
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("a number")
        try:
            return float(self.value)
        except OverflowError:
            return math.inf if self.value > 0 else -math.inf

    def integer(self) -> int | None:
        """A whole number; None where it is missing.

        Raises:
            LogError: it is something else.
        """
        if self.value is None:
            return None
        if isinstance(self.value, float) and self.value.is_integer():
            return int(self.value)
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.refuse("a whole number")
        return self.value

    def text(self) -> str | None:
        """Text without space around it; None where it is missing or empty.

        Raises:
            LogError: it is something else.
        """
        if self.value is None:
            return None
        if not isinstance(self.value, str):
            self.refuse("text")
        return self.value.strip() or None

    def flag(self) -> bool | None:
        """True or false; None where it is missing.

        Raises:
            LogError: it is something else.
        """
        if self.value is not None and not isinstance(self.value, bool):
            self.refuse("true or false")
        return self.value

    def refuse(self, expected: str) -> NoReturn:
        """Refuse the log for this value."""
        # Never the whole of it, which may be millions of entries.
        told = _SHORT.repr(self.value)
        where = f"{self.file}: {self.path}" if self.path else self.file
        raise LogError(f"{where}: expected {expected}, found {told}", mend="get the file again, or leave it out")
