"""Times as logs write them: with a zone or, as most tools do, by a local clock of which they do not tell the zone."""

from __future__ import annotations

import datetime
import re
from typing import Final

_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}")
_TIME: Final = re.compile(
    r"(?:(\d{4})([-/]?)(\d{2})\2(\d{2}))?(?:(?:^|[ T])(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,9})?))?", re.ASCII
)
_SECONDS: Final = re.compile(r"[0-5]\d(?:\.\d{1,9})?", re.ASCII)
_DAY_S: Final = 86400.0


def utc_and_local(text: str | None) -> tuple[str | None, str | None]:
    """A time in ISO 8601 as UTC, if it has a zone, or else as that of a local clock; (None, None) if it is no time."""
    if text is None or not _ISO.match(text):
        return None, None
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None, None
    if when.tzinfo is None:
        return None, when.isoformat()
    try:
        return when.astimezone(datetime.UTC).isoformat(), None
    except OverflowError:
        return None, None


class LocalClock:
    """Reads a log's local times as seconds from midnight before its first one.

    A time of day without a date that falls by more than twelve hours is taken for the next day's.

    Attributes:
        first: the first time that was read, as ISO 8601 without a zone, or a time of day; None before it.
    """

    def __init__(self) -> None:
        self.first: str | None = None
        self._first_day: int | None = None
        self._days: dict[str, int] = {}
        self._midnights = 0
        self._last_s: float | None = None
        self._minute: tuple[str, float] = ("", 0.0)

    def read(self, text: str) -> float | None:
        """Seconds of a time such as 2025/01/31 12:00:00.500, 20250131 12:00:00 or 12:00:00; None where it is none."""
        # Logs have thousands of times in a minute.
        minute, _, seconds = text.rpartition(":")
        if minute and minute == self._minute[0] and _SECONDS.fullmatch(seconds):
            return self._minute[1] + float(seconds)
        found = _TIME.fullmatch(text)
        if found is None or found[5] is None:
            return None
        hour, minutes, second = int(found[5]), int(found[6]), float(found[7])
        if hour > 23 or minutes > 59 or second >= 61:
            return None
        of_day_s = hour * 3600 + minutes * 60 + second
        if found[1] is None:
            t_s = self._of_day(of_day_s)
        else:
            day = self._day(f"{found[1]}-{found[3]}-{found[4]}")
            if day is None:
                return None
            t_s = day * _DAY_S + of_day_s
            self._minute = (minute, day * _DAY_S + hour * 3600 + minutes * 60)
        if self.first is None:
            date = f"{found[1]}-{found[3]}-{found[4]}T" if found[1] is not None else ""
            self.first = f"{date}{found[5]}:{found[6]}:{found[7]}"
        return t_s

    def _of_day(self, of_day_s: float) -> float:
        if self._last_s is not None and of_day_s < self._last_s - _DAY_S / 2:
            self._midnights += 1
        self._last_s = of_day_s
        return self._midnights * _DAY_S + of_day_s

    def _day(self, date: str) -> int | None:
        day = self._days.get(date)
        if day is None:
            try:
                ordinal = datetime.date.fromisoformat(date).toordinal()
            except ValueError:
                return None
            self._first_day = ordinal if self._first_day is None else self._first_day
            self._days = {date: ordinal - self._first_day}
            day = self._days[date]
        return day
