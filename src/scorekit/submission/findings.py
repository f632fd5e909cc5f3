"""How checks of a submission tell what they found."""

from __future__ import annotations

from typing import Final

from scorekit.records import VerdictReason

AGAIN: Final = "measure again, and hand the run in as it was measured"
REPACK: Final = "pack it anew with `scorekit pack`, from the run as it was measured"


def refuse(code: str, message: str, file: str | None = None, mend: str = REPACK) -> VerdictReason:
    """What makes a submission none."""
    return VerdictReason(code=code, weight="refuse", message=message, file=file, mend=mend)


def review(code: str, message: str, file: str | None = None, mend: str | None = None) -> VerdictReason:
    """What wants a person's eye."""
    return VerdictReason(code=code, weight="review", message=message, file=file, mend=mend)


def note(code: str, message: str, file: str | None = None) -> VerdictReason:
    """What is only told."""
    return VerdictReason(code=code, weight="note", message=message, file=file)
