"""Whether an argument is a number, a text, a path: each gives it back, or raises a UsageError with its mend."""

from __future__ import annotations

import contextlib
import os
from numbers import Real
from pathlib import Path
from typing import TypeAlias

from scorekit.errors import UsageError

PathLike: TypeAlias = str | os.PathLike[str]


def number_of(what: str, value: object, *, mend: str) -> float:
    """A number as a float, of numpy too.

    Args:
        what: name of the argument.
        value: what was given for it.
        mend: how it is given.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):
            return float(value)
    raise UsageError(f"{what}={value!r:.60} is no number", mend=mend)


def text_of(what: str, value: object, *, mend: str) -> str:
    """A text; arguments as for `number_of`."""
    if isinstance(value, str):
        return value
    raise UsageError(f"{what}={value!r:.60} is no text", mend=mend)


def path_of(path: PathLike, *, expected: str = "a path", mend: str = "give it as a text or as a pathlib.Path") -> Path:
    """A path as the user wrote it, with ~ as the home folder.

    Args:
        path: what was given for it.
        expected: what could have been given.
        mend: how it is given.
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"expected {expected}, found a {type(path).__name__}", mend=mend)
    return Path(path).expanduser()
