"""Text of strangers, made fit for a page: names that may hold anything, times, and JSON that no name breaks out of."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from scorekit.moments import utc_of

_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
_UNSHOWABLE: Final = frozenset({"Cc", "Cs", "Cn"})
_JSON_ESCAPES: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&'"}


@lru_cache(maxsize=65536)
def shown(text: str) -> str:
    """A text without characters that a page cannot hold: each is replaced by U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACED if unicodedata.category(sign) in _UNSHOWABLE else sign for sign in text)


@lru_cache(maxsize=65536)
def isolated(text: str) -> Markup:
    """A name as HTML, isolated so that its direction of writing does not turn what stands beside it."""
    return Markup("<bdi>{}</bdi>").format(shown(text))


def broken(path: str) -> Markup:
    """A file's or data set's name as HTML, isolated: it breaks after a `/`, else after a `_`, and before a `.`."""
    after = "/" if "/" in path else "_"
    parts = re.split(rf"(?<={after})(?=[^{after}])|(?<=[^./])(?=\.)", shown(path))
    return Markup("<bdi>{}</bdi>").format(Markup("<wbr>").join(parts))


def utc(text: str) -> Markup:
    """A moment of ISO 8601 in UTC as HTML for people, to the second; a text that is none stays as it is."""
    at = utc_of(text)
    return isolated(text) if at is None else Markup("{0}&nbsp;UTC").format(at.isoformat(" ", "seconds")[:19])


def safe_json(value: object) -> str:
    """JSON in ASCII that can stand inside of a script element: no markup in it, so that no name can end the element.

    Raises:
        ValueError: a number is not finite, which JSON has no word for; say None.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.translate(_JSON_ESCAPES)
