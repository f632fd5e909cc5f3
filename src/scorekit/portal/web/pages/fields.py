"""Fields of forms: their text made fit to be kept, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scorekit.portal.ledger.decisions import Choice
from scorekit.portal.ledger.texts import plain
from scorekit.portal.web.access import Posted

CHOICES: Final[dict[str, Choice]] = {"accept": "accept", "refuse": "refuse"}
"""What the form of a decision may say."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a form.

    Attributes:
        field: id of its field; empty for the whole form.
        message: what is wrong.
        mend: what to do.
    """

    field: str
    message: str
    mend: str = ""


def text_of(posted: Posted, field: str) -> str:
    """A field without the spaces around it, and without control signs, which a database may stumble over."""
    return plain(posted.text(field).replace("\r\n", "\n")).strip()
