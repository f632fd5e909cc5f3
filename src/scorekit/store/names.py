"""Where a result lies in the store: COHORT/MODEL--HASH.json, worked out from its content alone.

Names come from strangers' logs. What a path is made of is ASCII letters, digits and `.`, `_`, `-`, never a leading dot,
so that no name leaves the folder, hides in it, or reads as an option.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from scorekit.records import Result

SHORT_DIGITS: Final = 12
LONG_DIGITS: Final = 64
"""All digits of a sha256: where 12 are those of another result too, or the file system has no hard links."""
UNKNOWN: Final = "unknown"
_MOST_LETTERS: Final = 80
_NAME: Final = re.compile(
    rf"(?P<model>.+)--(?P<digits>[0-9a-f]{{{SHORT_DIGITS}}}|[0-9a-f]{{{LONG_DIGITS}}})\.json", re.DOTALL
)


def digest(content: bytes) -> str:
    """sha256 of a result's file, as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def relative_path(result: Result, sha256: str, digits: int = SHORT_DIGITS) -> str:
    """Path of a result below the results folder.

    Args:
        result: the result.
        sha256: that of its content.
        digits: how many digits of it stand in the name.
    """
    return f"{folder_of(result)}/{_slug(result.model)}--{sha256[:digits]}.json"


def attached_name(model: str | None, sha256: str) -> str:
    """Name of a file that is attached to a result of a model, by the sha256 of its content."""
    return f"{_slug(model)}--{sha256}.json"


def folder_of(result: Result) -> str:
    """Name of the folder that a result lies in: its cohort's."""
    return _slug(result.cohort).lower().replace(".", "-")


def digits_of(name: str) -> str | None:
    """The digits of the hash in a file's name; None for a name that no result has."""
    found = _NAME.fullmatch(name)
    return None if found is None else found["digits"]


def id_of(path: str) -> str:
    """The same by the path of a file; nothing for one that no result has."""
    return digits_of(path.rpartition("/")[2]) or ""


def short(result_id: str) -> str:
    """So many digits of a result's id as are told to people, and looked up by."""
    return result_id[:SHORT_DIGITS]


def _slug(name: str | None) -> str:
    """A name as part of a path: readable, and the same for ever, for it is part of what a file is checked by."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", (name or "").replace("/", "__"))
    return text[:_MOST_LETTERS].strip("-._") or UNKNOWN
