"""Leaderboard: every figure in one table that can be filtered, sorted and compared, and each task as plain pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

from markupsafe import Markup

from scorekit.publish.charts import ModelEnergy, compare_chart, figure
from scorekit.publish.site.columnar import in_order, is_borderline, source_data, table_data
from scorekit.publish.site.content import Cohort, Entry, Site, is_official
from scorekit.publish.site.figures import ORIGINS
from scorekit.publish.site.names import shown
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page, script_data

PATH: Final = "leaderboard.html"
ROWS: Final = 25
"""Rows of one page of the table, and those that stand in the page without a script."""
PLAIN_ROWS: Final = 200
"""Rows of one plain page of a task."""
MOST_COMPARED: Final = 4
_DATA: Final = "data/leaderboard.js"
_SOURCES: Final = "data/leaderboard-sources.js"
_STYLES: Final = ("assets/leaderboard.css",)
_SCRIPTS: Final = (
    *CHART_SCRIPTS,
    "assets/amounts.js",
    "assets/told.js",
    "assets/slug.js",
    _DATA,
    "assets/table.js",
    "assets/compare-chart.js",
    "assets/compare.js",
    "assets/leaderboard.js",
)


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The table with its data, and the plain pages of every task."""
    rows = in_order(site)
    choices = _choices(site, rows)
    yield script_data("leaderboard", table_data(site, rows), _DATA)
    yield script_data("leaderboardSources", source_data(rows), _SOURCES)
    yield Page(
        PATH,
        "Leaderboard",
        "leaderboard.html",
        "leaderboard",
        {
            **_rows_context(rows[:ROWS]),
            "total": len(rows),
            "page_rows": ROWS,
            "most_compared": MOST_COMPARED,
            "sources_path": _SOURCES,
            "compare_chart": _compare_chart(),
            "cohorts": [(cohort, len(site.of_cohort(cohort)), plain_path(cohort)) for cohort in site.cohorts],
            "choices": choices,
            "with_quality": len({entry.model for entry in rows if entry.quality}),
            "filters": sum(len(values) > 1 for values in choices.values()),
            "origins": {word: {"sign": sign, "meaning": meaning} for word, (sign, meaning) in ORIGINS.items()},
        },
        description="The energy of AI models on each task, with stars: filter, sort and compare them.",
        scripts=_SCRIPTS,
        styles=(*CHART_STYLES, *_STYLES),
    )
    for cohort in site.cohorts:
        yield from _plain_pages(site, cohort)


def plain_path(cohort: Cohort, number: int = 1) -> str:
    """Address of a plain page of a task.

    Args:
        cohort: the task, with its class.
        number: of the page, from 1.
    """
    return f"leaderboard/{cohort.key}{'' if number == 1 else f'-{number}'}.html"


def _plain_pages(site: Site, cohort: Cohort) -> Iterator[Page]:
    entries = site.of_cohort(cohort)
    parts = [entries[first : first + PLAIN_ROWS] for first in range(0, len(entries), PLAIN_ROWS)]
    for number, part in enumerate(parts, start=1):
        yield Page(
            plain_path(cohort, number),
            cohort.title if number == 1 else f"{cohort.title}, page {number}",
            "leaderboard_task.html",
            "leaderboard",
            {
                **_rows_context(part),
                "cohort": cohort,
                "total": len(entries),
                "first": (number - 1) * PLAIN_ROWS + 1,
                "number": number,
                "paths": [plain_path(cohort, other) for other in range(1, len(parts) + 1)],
            },
            description=f"The energy of {len(entries)} models: {cohort.title}.",
            styles=_STYLES,
        )


def _compare_chart() -> Markup:
    """The chart that compare-chart.js fills with the models that are chosen; until then it is not shown."""
    names = [f"model {number}" for number in range(1, MOST_COMPARED + 1)]
    points = [ModelEnergy(name, "task", float(place)) for place, name in enumerate(names, start=1)]
    chart = compare_chart(points)
    subtitle = "Only models of one row can be compared. Filled signs are measured, hollow ones are not."
    return figure(dataclasses.replace(chart, subtitle=subtitle), "compare-chart")


def _rows_context(rows: Sequence[Entry]) -> dict[str, Any]:
    """Rows as the template reads them."""
    return {"rows": [(entry, is_official(entry), is_borderline(entry)) for entry in rows]}


def _choices(site: Site, rows: Sequence[Entry]) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen by each filter: values for the address, and words."""
    names = {cohort.name: cohort.task_title for cohort in site.cohorts}
    hardware = sorted({shown(entry.hardware) for entry in rows if entry.hardware}, key=str.casefold)
    if any(entry.hardware is None for entry in rows):
        hardware.append("unknown")
    origins = {entry.origin for entry in rows}
    return {
        "task": list(names.items()),
        "class": [(one, f"Class {one}") for one in sorted({c.model_class for c in site.cohorts if c.model_class})],
        "hardware": [(one, one) for one in dict.fromkeys(hardware)],
        "stars": [*((str(stars), f"{stars} of 5") for stars in range(5, 0, -1)), ("0", "no star")],
        "standing": [
            (value, words)
            for value, words in (("official", "official and comparable"), ("local", "local, not comparable"))
            if any(is_official(entry) == (value == "official") for entry in rows)
        ],
        "origin": [(word, word) for word in ORIGINS if word in origins],
    }
