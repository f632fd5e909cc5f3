"""Moments that a log or a file tells: read in one way, so that a damaged one is no date wherever it is looked at."""

from __future__ import annotations

import datetime


def utc_of(text: str | None) -> datetime.datetime | None:
    """A text of ISO 8601 as a moment in UTC, which it is taken for where it names no zone.

    None where it is no date, or one that in UTC lies beyond the years 1 to 9999.
    """
    try:
        told = datetime.datetime.fromisoformat(text or "")
        return told.replace(tzinfo=datetime.UTC) if told.tzinfo is None else told.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
