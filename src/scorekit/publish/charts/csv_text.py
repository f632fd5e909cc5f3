"""A chart's rows as CSV, as its download in a page gives them; pure."""

from __future__ import annotations

from scorekit import csv_cells
from scorekit.publish.charts.chart import Chart


def csv_text(chart: Chart) -> str:
    """The rows of a chart's table with the columns' field names, by RFC 4180; what is not known is empty.

    A text that a spreadsheet would take for a formula has a ' before it.
    """
    lines = [[column.field for column in chart.columns]]
    lines += [[csv_cells.cell(row.get(column.field)) for column in chart.columns] for row in chart.rows]
    return "".join(",".join(map(_quoted, line)) + "\r\n" for line in lines)


def _quoted(text: str) -> str:
    if not any(mark in text for mark in ',"\r\n') and text == text.strip():
        return text
    return '"' + text.replace('"', '""') + '"'
