"""The table that `scorekit check` prints: every check of a run, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scorekit.layout import Column, Layout, render
from scorekit.records import Check, Validity

_RESULTS: Final = {None: "none", True: "passed"}
_SEVERITIES: Final = {"info": "told", "warn": "warning", "fail": "FAILED"}


def check_tables(validities: Sequence[Validity], layout: Layout) -> str:
    """The checks of each run, with what they add up to.

    Args:
        validities: one table each.
        layout: width and signs.
    """
    return "\n\n".join(_check_table(validity, layout) for validity in validities)


def _check_table(validity: Validity, layout: Layout) -> str:
    columns = (Column("no", numeric=True), Column("check"), Column("result"), Column("found", prose=True))
    rows = [
        (str(check.number), layout.text(check.name), _result(check), _found(check, layout)) for check in validity.checks
    ]
    return "\n".join(
        [
            layout.note(f"Run {validity.run}"),
            "",
            render(columns, rows, layout),
            "",
            layout.note(_summary(validity)),
        ]
    )


def _found(check: Check, layout: Layout) -> str:
    """The message; on a terminal with each next step on a line of its own."""
    if layout.width is None or not check.mends:
        return layout.text(check.message)
    found = check.message.removesuffix(". " + ". ".join(check.mends))
    return layout.finding(found, *(f"mend: {step}" for step in check.mends))


def _result(check: Check) -> str:
    """The result of a check in a word."""
    return _RESULTS[check.passed] if check.passed is not False else _SEVERITIES[check.severity]


def _summary(validity: Validity) -> str:
    passed = sum(check.passed is True for check in validity.checks)
    nothing = sum(check.passed is None for check in validity.checks)
    counts = (
        f"{len(validity.failures)} failed, {len(validity.warnings)} warned, {passed} passed, {nothing} had nothing to "
        "judge"
    )
    return f"The run is {'valid' if validity.valid else 'NOT valid and is not scored'}: {counts}."
