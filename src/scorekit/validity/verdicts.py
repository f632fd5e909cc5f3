"""How a check tells its result: one form for all, so that every message names what was found and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from scorekit.records import Check, Severity, Window
from scorekit.records.validity import MENDS


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        severity: warn or fail.
        text: what was found and expected.
        window: where; None for what holds for the whole run.
        details: the figures.
    """

    severity: Severity
    text: str
    window: Window | None = None
    details: dict[str, JsonValue] = field(default_factory=dict)
    mend: str | None = None
    """The next step where it is not the check's own: what was not recorded wants another one than what is wrong."""

    def as_json(self) -> dict[str, JsonValue]:
        """All of it, for `Check.details`."""
        place: dict[str, JsonValue] = {}
        if self.window is not None:
            place = {"phase": self.window.phase, "repeat": self.window.repeat}
        return {"severity": self.severity, **place, "found": self.text, **self.details}


UNCOUNTED: Final = {
    "prefill": "what generating is split into cannot be trusted; the score can, for prefill is no term of it",
    "load_dataset": "loading is no term of the score",
    "load_model": "loading is no term of the score",
}
"""Phases whose energy is not in the score, and what a fault in them spoils."""
UNTOLD: Final = "cannot be judged"


def fail(text: str, at: Window | None = None, **details: JsonValue) -> Finding:
    """A finding that makes the run invalid, or a warning where it lies in a window that is no term of the score."""
    if at is not None and at.phase in UNCOUNTED:
        return warn(f"{text} ({UNCOUNTED[at.phase]})", at, **details)
    return Finding("fail", text, at, finite(details))


def untold(why: str, mend: str, *, severe: bool = False) -> Finding:
    """What is needed and was not recorded, of the run or of a part of it: that is no pass.

    Args:
        why: what is not known.
        mend: how to have it recorded.
        severe: whether the run claims to be an official one, which must show it.
    """
    return Finding("fail" if severe else "warn", f"{UNTOLD}: {why}", None, {UNTOLD.replace(" ", "_"): True}, mend)


def warn(text: str, at: Window | None = None, **details: JsonValue) -> Finding:
    """A finding that a reader should know of."""
    return Finding("warn", text, at, finite(details))


def fail_if(severe: bool, text: str, at: Window | None = None, **details: JsonValue) -> Finding:
    """A finding that is severe only under a condition, e.g. in a run that can only be meant as an official one."""
    return fail(text, at, **details) if severe else warn(text, at, **details)


@dataclass(frozen=True, slots=True)
class Rule:
    """Number and name of a check, both fixed for ever."""

    number: int
    name: str

    def judged(
        self, findings: Iterable[Finding], *, passing: str, mend: str, details: dict[str, JsonValue] | None = None
    ) -> Check:
        """The result of a check that could be made.

        Args:
            findings: what is not as it should be; the check passed when there is none.
            passing: the message then.
            mend: the next command or step otherwise.
            details: figures that are told in any case.
        """
        found = list(findings)
        if not found:
            return self._check(True, "info", passing, details or {})
        severity: Severity = "fail" if any(finding.severity == "fail" for finding in found) else "warn"
        # What fails comes first: it is what must be mended.
        ordered = sorted(found, key=lambda finding: finding.severity != "fail")
        told: list[JsonValue] = [finding.as_json() for finding in ordered]
        mends = dict.fromkeys(mend if finding.mend is None else finding.mend for finding in ordered)
        steps = [_sentence(step) for step in mends]
        message = ". ".join([_list(ordered), *steps])
        return self._check(False, severity, message, {**(details or {}), "findings": told, MENDS: list(steps)})

    def nothing(self, why: str) -> Check:
        """There is nothing to judge."""
        return self._check(None, "info", why, {})

    def unknown(self, why: str, mend: str, *, severe: bool = False) -> Check:
        """Nothing of what is needed was recorded: that is no pass."""
        return self.judged([untold(why, mend, severe=severe)], passing="", mend=mend)

    def _check(self, passed: bool | None, severity: Severity, message: str, details: dict[str, JsonValue]) -> Check:
        return Check(
            number=self.number,
            name=self.name,
            passed=passed,
            severity=severity,
            message=message,
            details=finite(details),
        )


def where(window: Window) -> str:
    """Which window it is, e.g. `repeat 1, phase generate`."""
    return f"phase {window.phase}" if window.repeat is None else f"repeat {window.repeat}, phase {window.phase}"


def gpu(device: str) -> str:
    """A GPU by its UUID or index."""
    return device if device.startswith(("GPU-", "MIG-")) else f"GPU {device}"


def names(found: Sequence[object]) -> str:
    """Things in a row, `none` for none."""
    return ", ".join(map(str, found)) or "none"


def repeats(found: Iterable[int]) -> str:
    """Numbers of repeats, e.g. `repeats 1, 4`."""
    numbers = sorted(set(found))
    return f"repeat{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def finite(details: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Figures as JSON has them: one that is no number becomes text, for null would mean that it is missing."""
    return {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in details.items()
    }


def _list(findings: Sequence[Finding]) -> str:
    """The findings, what was found alike in several repeats told once."""
    grouped: dict[tuple[str | None, str], list[Window]] = {}
    for finding in findings:
        windows = grouped.setdefault((None if finding.window is None else finding.window.phase, finding.text), [])
        if finding.window is not None:
            windows.append(finding.window)
    told = [f"{_where_all(windows)}: {text}" if windows else text for (_, text), windows in grouped.items()]
    return "; ".join(told)


def _where_all(windows: Sequence[Window]) -> str:
    numbers = [window.repeat for window in windows if window.repeat is not None]
    return f"{repeats(numbers)}, phase {windows[0].phase}" if numbers else f"phase {windows[0].phase}"


def _sentence(text: str) -> str:
    """With a capital letter, but a command as it is typed."""
    return text if text.startswith(("scorekit ", "scenario.", "backend.")) else text[:1].upper() + text[1:]
