"""Results of the store as text: a table of many, all that is known of one, and the answer to a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scorekit.layout import Column, Layout, known, percent, render
from scorekit.messages import counted
from scorekit.records import Figure, Result
from scorekit.store import names

_QUERIES_FROM: Final = {
    "counted": "as counted",
    "config": "as the config says",
    "summary": "as the log's summary says",
}


def result_table(rows: Sequence[Mapping[str, Any]], layout: Layout) -> str:
    """Results as a table, one row each.

    Args:
        rows: rows of the index.
        layout: width and signs.
    """
    columns = (
        Column("id"), Column("task", flexible=True), Column("model", flexible=True), Column("class"),
        Column("hardware", flexible=True), Column("Wh per\n1,000\nqueries", numeric=True),
        Column("kWh of\none\nrepeat", numeric=True), Column("notes", flexible=True),
    )  # fmt: skip
    cells = [
        (
            names.short(row["id"]),
            _named(row["task"], layout),
            _named(row["model"], layout),
            row["model_class"] or "",
            _named(row["hardware"], layout),
            known(row["wh_per_1000_queries"]),
            known(row["energy_kwh"]),
            layout.text(_notes(row)),
        )
        for row in rows
    ]
    return render(columns, cells, layout)


def result_text(result: Result, path: str, layout: Layout) -> str:
    """All that is known of one result, and all that is not.

    Args:
        result: the result.
        path: its file, below the results folder.
        layout: width and signs.
    """
    facts = [
        ("file", path),
        ("model", _joined(result.model, result.model_revision and f"revision {result.model_revision}")),
        ("task", _joined(result.task, result.model_class and f"class {result.model_class}")),
        ("hardware", _joined(result.hardware, result.gpu_count and f"{result.gpu_count} GPU")),
        ("energy", f"of {result.domain or 'unknown parts'}, {result.origin}, by {result.meter or 'an unknown meter'}"),
        ("queries", _joined(_whole(result.queries), _QUERIES_FROM.get(result.queries_from or ""))),
        ("can be used", _used(result, layout)),
        ("published", _figure(result.published)),
    ]
    if result.corrected is not None:
        left_out = ", ".join(map(str, result.corrected.excluded_repeats))
        change = "" if result.difference_percent is None else f" ({result.difference_percent:+.3g} %)"
        facts.append(("corrected", f"{_figure(result.corrected)}{change}, without repeat {left_out}"))
    if result.duration_s is not None:
        facts.append(("duration", f"{known(result.duration_s)} s for one repeat"))
    facts.append(("source", _joined(result.source.name, result.source.format)))
    if result.source.measured_utc is not None:
        facts.append(("measured", result.source.measured_utc))
    if result.unknown:
        facts.append(("not told", ", ".join(result.unknown)))
    width = max(len(name) for name, _ in facts)
    lines = [f"{name:<{width}}  {layout.text(text)}" for name, text in facts]
    phases = [
        f"{phase.phase}: {known(phase.energy_kwh)} kWh{'' if phase.counted else ', not counted'}"
        for phase in result.phases
    ]
    parts = [
        ("Phases, as published:", phases),
        ("No figure that can be used:", [] if result.refused is None else [result.refused]),
        ("Faults:", [_fault(fault.code, fault.message, fault.phase, fault.repeat) for fault in result.faults]),
        ("Invalid:", [reason.message for reason in result.invalid_because]),
        ("Not comparable with official scores:", [reason.message for reason in result.not_comparable_because]),
    ]
    lists = [
        "\n".join([title, *(layout.note(item, bullet="  - ") for item in items)]) for title, items in parts if items
    ]
    return "\n\n".join(["\n".join(lines), *lists])


def answer_table(names: Sequence[str], rows: Sequence[Sequence[Any]], layout: Layout) -> str:
    """The answer to a query as a table.

    Args:
        names: of the columns.
        rows: values of each, as JSON holds them.
        layout: width and signs.
    """
    numeric = [
        any(isinstance(row[place], int | float) for row in rows)
        and all(row[place] is None or isinstance(row[place], int | float) for row in rows)
        for place in range(len(names))
    ]
    columns = [
        Column(layout.text(name), numeric=right, flexible=not right) for name, right in zip(names, numeric, strict=True)
    ]
    return render(columns, [[layout.text(_value(value)) for value in row] for row in rows], layout)


def _notes(row: Mapping[str, Any]) -> str:
    """What a reader of the figure must know."""
    notes = []
    if row["refused"] is not None:
        notes.append("refused")
    if row["difference_percent"] is not None:
        notes.append(f"corrected {row['difference_percent']:+.2g} %")
    if row["fault_codes"]:
        notes.append(f"{len(row['fault_codes'])} fault{'s' if len(row['fault_codes']) > 1 else ''}")
    if row["valid"] is False:
        notes.append("invalid")
    if not row["comparable"]:
        notes.append("not comparable")
    return ", ".join(notes)


def _used(result: Result, layout: Layout) -> str:
    if result.wh_per_1000_queries is None:
        return "nothing" if result.energy_kwh is None else f"{known(result.energy_kwh)} kWh for one repeat"
    found = result.uncertainty
    half_width = None if found is None else found.combined_95_percent or found.half_width_95_percent
    sure = "" if half_width is None else f" {layout.plus_minus} {percent(half_width)} % (95 %)"
    return f"{known(result.wh_per_1000_queries)} Wh per 1,000 queries{sure}"


def _figure(figure: Figure) -> str:
    runs = "an unknown number of repeats" if figure.runs is None else counted(figure.runs, "repeat")
    return (
        f"{known(figure.energy_kwh)} kWh for one repeat, {known(figure.wh_per_1000_queries)} Wh per 1,000 queries "
        f"(mean of {runs})"
    )


def _fault(code: str, message: str, phase: str | None, repeat: int | None) -> str:
    place = ", ".join(part for part in (phase, None if repeat is None else f"repeat {repeat}") if part)
    return f"{code}{f' ({place})' if place else ''}: {message}"


def _joined(first: str | None, second: str | int | None) -> str:
    return f"{'unknown' if first is None else first}{f', {second}' if second else ''}"


def _named(value: str | None, layout: Layout) -> str:
    return layout.text("unknown" if value is None else value)


def _whole(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return known(value)
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return str(value)
