"""Results of other tools' logs as a text table, with every fault and what the logs do not tell."""

from __future__ import annotations

from collections.abc import Sequence

from scorekit.layout import Column, Layout, render, significant
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
            _number(result.wh_per_1000_queries),
            _number(result.energy_kwh),
            _number(result.published.energy_kwh),
            "" if result.difference_percent is None else f"{result.difference_percent:+.1f} %",
            layout.text(result.source.format),
        )
        for result in results
    ]
    return "\n\n".join(
        part
        for part in (
            render(columns, rows, layout),
            _listed("Faults:", [(r, _fault(fault)) for r in results for fault in r.faults], results, layout),
            _listed("Left out:", [(r, _left_out(r)) for r in results if r.corrected is not None], results, layout),
            _listed("No figure:", [(r, r.refused) for r in results if r.refused is not None], results, layout),
            _listed("Not told by the log:", [(r, ", ".join(r.unknown)) for r in results if r.unknown], results, layout),
        )
        if part
    )


def _runs(result: Result) -> int | None:
    return (result.corrected or result.published).runs


def _count(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else significant(value)


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
        f"other {corrected.runs} is {_number(corrected.energy_kwh)} kWh{difference}"
    )


def _listed(title: str, found: Sequence[tuple[Result, str]], everything: Sequence[Result], layout: Layout) -> str:
    """Each message once, with the logs that it holds for."""
    holders: dict[str, list[str]] = {}
    for result, message in found:
        holders.setdefault(message, []).append(_name(result))
    if not holders:
        return ""
    lines = []
    for message, names in holders.items():
        if len(everything) == 1:
            where = ""
        else:
            where = f" [all {len(names)}]" if len(names) == len(everything) else f" [{', '.join(dict.fromkeys(names))}]"
        lines.append(layout.note(message + where, bullet="  - "))
    return "\n".join([title, *lines])


def _name(result: Result) -> str:
    return result.source.name if result.source.row is None else f"{result.source.name}, row {result.source.row}"
