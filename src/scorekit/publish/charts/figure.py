"""A chart as a part of a page: words, the place where it is drawn, its table, and what the page's script draws it from.

Without JavaScript the table is there, and a still picture where the page brings one. Names are text everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import Any, Final

from markupsafe import Markup, escape

from scorekit import csv_cells
from scorekit.publish.charts.axes import told
from scorekit.publish.charts.chart import Chart, Row
from scorekit.publish.charts.csv_text import csv_text
from scorekit.publish.charts.looks import BY_NAME
from scorekit.publish.label.characters import clean

FIGURE_SCHEMA: Final = "scorekit.chart/1"
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_UNSAFE: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


class SharedSpecs:
    """Specifications without their data, each once for all the charts of a site that are designed alike.

    A page of many such charts names `scorekit.publish.site.pages.script_data("chartSpecs", shared.specs, ...)` before
    charts.js.
    """

    def __init__(self) -> None:
        self.specs: dict[str, dict[str, Any]] = {}
        self._names: dict[tuple[Hashable, ...], str] = {}

    def spec(self, chart: Chart) -> dict[str, Any]:
        """What a chart's specification has of its own, and under `like` the name of the rest."""
        own = chart.own()
        key = (chart.design, chart.choices)
        if key not in self._names:
            self._names[key] = f"{chart.name}-{len(self._names) + 1}"
            whole = chart.vega_lite(BY_NAME)
            self.specs[self._names[key]] = {part: value for part, value in whole.items() if part not in own}
        return {"like": self._names[key], **own}


def figure(
    chart: Chart, figure_id: str, *, level: int = 3, still: str | None = None, shared: SharedSpecs | None = None
) -> Markup:
    """The HTML of a chart.

    Args:
        chart: what is shown.
        figure_id: unique on its page; letters, digits, `-` and `_`, a letter first.
        level: of its heading, 2 to 6.
        still: address of a picture for readers without JavaScript, e.g. what `svg` makes; None where there is none.
        shared: takes what many charts have in common; None where the page brings it whole.

    Raises:
        ValueError: the id or level is not one that HTML has.
    """
    if not _ID.fullmatch(figure_id) or not 2 <= level <= 6:
        raise ValueError(f"{figure_id!r} with level {level} cannot be a figure's id and heading")
    heading = Markup('<h{0} class="chart-title" id="{1}-title">{2}</h{0}>').format(level, figure_id, clean(chart.title))
    if chart.empty is not None:
        return Markup('<div class="chart chart-empty" id="{0}">{1}<p>There is nothing to draw: {2}.</p></div>').format(
            figure_id, heading, clean(chart.empty)
        )
    return Markup(
        '<figure class="chart" id="{id}" aria-labelledby="{id}-title">'
        '<figcaption>{heading}<p class="chart-subtitle">{subtitle}</p></figcaption>'
        '<div class="chart-plot" role="img" aria-labelledby="{id}-title" aria-describedby="{id}-words"></div>'
        "{still}"
        '<p class="for-readers" id="{id}-words">{words} All figures are in the table below.</p>'
        '<p class="chart-status" role="status"></p>'
        "{table}"
        '<script type="application/json" class="chart-data">{data}</script>'
        "</figure>\n"
    ).format(
        id=figure_id,
        heading=heading,
        subtitle=clean(chart.subtitle),
        still=_still(still, chart),
        words=clean(chart.description),
        table=_table(chart),
        data=Markup(json_text(payload(chart, shared))),  # noqa: S704 - escaped for a script element
    )


def payload(chart: Chart, shared: SharedSpecs | None = None) -> dict[str, Any]:
    """What the page's script draws a chart from: the specification with named colours, and the rows as CSV."""
    spec = chart.vega_lite(BY_NAME) if shared is None else shared.spec(chart)
    return {
        "schema_version": FIGURE_SCHEMA,
        "name": chart.name,
        "title": clean(chart.title),
        "subtitle": clean(chart.subtitle),
        "description": clean(chart.description),
        "aspect": chart.aspect,
        "lane": chart.lane_px,
        "needs": list(chart.needs),
        "csv": csv_text(chart),
        "spec": spec,
    }


def json_text(value: Any) -> str:
    """JSON that can stand inside of a script element: nothing in it ends the element or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(character, character) for character in text) if _needs_care(text) else text


def _needs_care(text: str) -> bool:
    return any(character in text for character in _UNSAFE)


def _still(address: str | None, chart: Chart) -> Markup:
    if address is None:
        return Markup("")
    return Markup('<noscript><img class="chart-still" src="{0}" alt="{1}"></noscript>').format(
        address, clean(chart.description)
    )


def _table(chart: Chart) -> Markup:
    count = len(chart.rows)
    numeric = [_is_numeric(chart.rows, column.field) for column in chart.columns]
    head = Markup("").join(
        Markup('<th role="columnheader" scope="col"{0}>{1}</th>').format(
            Markup(' class="num"') if right else "", column.heading
        )
        for column, right in zip(chart.columns, numeric, strict=True)
    )
    body = Markup("").join(_line(row, chart, numeric) for row in chart.rows)
    summary = "1 row" if count == 1 else f"{count:,} rows"
    return Markup(
        '<details class="chart-table"><summary>Table of this chart ({summary})</summary>'
        '<div class="table-frame" tabindex="0" role="region" aria-label="Table: {title}">'
        '<table role="table" class="stacked"><caption class="for-readers">{title}</caption>'
        '<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody>'
        "</table></div></details>"
    ).format(summary=summary, title=clean(chart.title), head=head, body=body)


def _line(row: Row, chart: Chart, numeric: list[bool]) -> Markup:
    cells = Markup("").join(
        _cell(row.get(column.field), column.heading, right)
        for column, right in zip(chart.columns, numeric, strict=True)
    )
    return Markup('<tr role="row">{0}</tr>').format(cells)


def _cell(value: Any, heading: str, right: bool) -> Markup:
    """A cell that names its column, for on a phone each row is a card."""
    kind = Markup(' class="num"') if right else ""
    return Markup('<td role="cell" data-label="{0}"{1}>{2}</td>').format(heading, kind, _content(value, right))


def _content(value: Any, right: bool) -> Markup | str:
    if value is None or value == "":
        return "unknown" if right else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return Markup('<data value="{0}">{1}</data>').format(csv_cells.plain(value), told(value))
    return Markup("<bdi>{0}</bdi>").format(escape(clean(str(value))))


def _is_numeric(rows: tuple[Row, ...], field: str) -> bool:
    return any(isinstance(row.get(field), int | float) and not isinstance(row.get(field), bool) for row in rows)
