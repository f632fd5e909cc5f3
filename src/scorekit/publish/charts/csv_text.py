"""A chart's rows as CSV, as its download in a page gives them; pure."""

from __future__ import annotations

from typing import Any

from scorekit.publish.charts.chart import Chart


def csv_text(chart: Chart) -> str:
    """The rows of a chart's table with the columns' field names, by RFC 4180; what is not known is empty."""
    lines = [[column.field for column in chart.columns]]
    lines += [[cell(row.get(column.field)) for column in chart.columns] for row in chart.rows]
    return "".join(",".join(map(_quoted, line)) + "\r\n" for line in lines)


def cell(value: Any) -> str:
    """A value as it stands in CSV: numbers in full, yes or no, nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    if not any(mark in text for mark in ',"\r\n') and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'
