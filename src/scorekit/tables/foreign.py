"""Results of other tools' logs as a text table, with every fault and what the logs do not tell."""

from __future__ import annotations

from collections.abc import Sequence

from scorekit.layout import Column, Layout, each_once, joined, known, render
from scorekit.records import Fault, Result


def result_table(results: Sequence[Result], layout: Layout) -> str:
    """One row a result; under the table what is wrong with the logs, and what they do not tell."""
    columns = (
        Column("task", flexible=True), Column("model", flexible=True), Column("queries x\nrepeats", numeric=True),
        Column("Wh per\n1,000\nqueries", numeric=True), Column("kWh of\none\nrepeat", numeric=True),
        Column("as pub-\nlished\n(kWh)", numeric=True), Column("differ-\nence", numeric=True),
        Column("log", flexible=True),
    )  # fmt: skip
    rows = [
        (
            layout.text(result.task or "unknown"),
            layout.text(result.model or "unknown"),
            f"{_count(result.queries)} x {_count(_runs(result))}",
            known(result.wh_per_1000_queries),
            known(result.energy_kwh),
            known(result.published.energy_kwh),
            "" if result.difference_percent is None else f"{result.difference_percent:+.1f} %",
            layout.text(result.source.format),
        )
        for result in results
    ]
    lists = {
        "Faults:": [(result, _fault(fault)) for result in results for fault in result.faults],
        "Left out:": [(result, _left_out(result)) for result in results if result.corrected is not None],
        "No figure:": [(result, result.refused) for result in results if result.refused is not None],
        "Not told by the log:": [(result, ", ".join(result.unknown)) for result in results if result.unknown],
    }
    return joined(
        render(columns, rows, layout),
        *(
            each_once(title, pairs, lambda found: map(_name, found), len(results), layout)
            for title, pairs in lists.items()
        ),
    )


def _runs(result: Result) -> int | None:
    return (result.corrected or result.published).runs


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _fault(fault: Fault) -> str:
    place = "" if fault.repeat is None else f"repeat {fault.repeat}"
    place += "" if fault.phase is None else f"{', ' if place else ''}phase {fault.phase}"
    return f"{fault.code}{f' in {place}' if place else ''}: {fault.message}"


def _left_out(result: Result) -> str:
    corrected = result.corrected
    assert corrected is not None
    numbers = ", ".join(map(str, corrected.excluded_repeats))
    difference = "" if result.difference_percent is None else f", {result.difference_percent:+.1f} % of the published"
    return (
        f"repeat{'' if len(corrected.excluded_repeats) == 1 else 's'} {numbers} for the faults above; the mean of the "
        f"other {corrected.runs} is {known(corrected.energy_kwh)} kWh{difference}"
    )


def _name(result: Result) -> str:
    return result.source.name if result.source.row is None else f"{result.source.name}, row {result.source.row}"
