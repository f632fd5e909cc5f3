"""Numbers that scripts write, against those written at build: in the table, and in the chart of compared models."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from scorekit.publish.charts import ModelEnergy, axes, compare_chart
from scorekit.publish.site import figures
from scorekit.publish.site.columnar import short
from scorekit.publish.site.content import model_slug
from tests.web.boards import board_site

PATH = "leaderboard.html"


def _values() -> list[float]:
    draw = random.Random(11)
    values = [draw.uniform(1, 10) * 10 ** draw.randint(-12, 14) for _ in range(4000)]
    # Exact halves, whose last digit must be even, values that round up to the next power of ten, and those just below.
    values += [n + 0.5 for n in range(1000, 1100)] + [n / 8 for n in range(1, 400)] + [float(n) for n in range(1, 300)]
    values += [5.287e-5, 2434599458.0, 99995.0, 999.95, 9.9995, 0.00099995, 123456785.0, 1.0005e9, 2.5e-5, 1e22, 5e-324]
    return values + [10.0**n for n in range(-9, 12)] + [999.9999999999999, 0.09999999999999999, 999999999.9999999]


def test_figures_are_written_alike(board: Path, visit: Callable) -> None:
    values = _values()
    values += [-value for value in values[:500]] + [0.0, -0.0]
    with visit(board) as seen:
        page = seen.open(PATH)
        found = page.evaluate("values => values.map(scorekit.number)", values)
        assert found == [figures.number(value) for value in values]
        assert page.evaluate("() => [null, NaN, Infinity].map(scorekit.number)") == [figures.number(None)] * 3


def test_figures_of_charts_are_written_alike(board: Path, visit: Callable) -> None:
    values = [0.0, *_values()]
    with visit(board) as seen:
        page = seen.open(PATH)
        found = page.evaluate("values => values.map(scorekit.amounts.three)", values)
        assert found == [axes.told(value) for value in values]


def test_a_compared_chart_tells_an_uncertainty_in_three_digits(board: Path, visit: Callable) -> None:
    site = board_site()
    known = [(one.half_width_95_percent, one) for one in site.entries if one.half_width_95_percent is not None]
    half, entry = next((half, one) for half, one in known if f"{short(half):g}" != axes.told(half))
    with visit(board) as seen:
        page = seen.open(PATH, f"compare={model_slug(entry.model)}")
        page.locator(".comparison tbody tr").first.wait_for()
        rows = page.evaluate("() => scorekit.charts.get(document.getElementById('compare-chart')).spec.datasets.rows")
        assert any(row["energy"].endswith(f" \u00b1 {axes.told(half)} %") for row in rows)


def test_a_compared_chart_tells_ratio_and_energy_as_the_build_does(board: Path, visit: Callable) -> None:
    site = board_site()
    (cohort,) = [one for one in site.cohorts if one.name == "asr"]
    models = ["example/listener-1", "example/listener-2"]
    entries = {entry.model: entry for entry in site.of_cohort(cohort) if entry.model in models}
    points = [ModelEnergy(model, cohort.title, entries[model].wh_per_1000_queries) for model in models]
    expected = compare_chart(points).datasets["rows"]
    with visit(board) as seen:
        page = seen.open(PATH, f"compare={','.join(map(model_slug, models))}")
        page.locator(".comparison tbody tr").first.wait_for()
        rows = page.evaluate("() => scorekit.charts.get(document.getElementById('compare-chart')).spec.datasets.rows")
        assert len(rows) == len(expected)
        for row, built in zip(rows, expected, strict=True):
            assert row["label"].rpartition(" \u00b7 ")[2] == built["label"].rpartition(" \u00b7 ")[2]
            assert row["told"] == built["told"]
