"""Long lists in pages of fixed length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

LENGTH: Final = 25
_MOST_PAGES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Paging:
    """Where in a list a page stands.

    Attributes:
        page: number of this page, from 1.
        count: how many things are in the list.
        label: of the list, for those who do not see it.
        kept: other parts of the query.
        name: of the page's number in the query.
    """

    page: int
    count: int
    label: str
    kept: Mapping[str, str] = field(default_factory=dict)
    name: str = "page"

    @property
    def pages(self) -> int:
        """How many pages there are; one at least."""
        return max(1, -(-self.count // LENGTH))

    def query(self, page: int) -> str:
        """Of the address of another page."""
        return "?" + urlencode({**self.kept, self.name: str(page)})


def number(text: str | None) -> int:
    """The page that is asked for; the first where that is no number."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > len(str(_MOST_PAGES)):
        return 1
    return max(1, min(int(text), _MOST_PAGES))


def offset(page: int) -> int:
    """How many things stand before a page."""
    return (page - 1) * LENGTH
