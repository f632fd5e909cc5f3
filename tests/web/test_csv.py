"""CSV that pages write: no text of it is a formula, numbers stay numbers, and it is as the build writes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from scorekit import csv_cells
from scorekit.publish.site.content import model_slug
from tests import sites

PATH = "leaderboard.html"
FORMULA = next(name for name in sites.HOSTILE if name.startswith("="))


def test_cells_are_written_as_the_build_writes_them(board: Path, visit: Callable) -> None:
    texts = [f"{sign}1" for sign in ("=", "+", "-", "@", "\t", "\r")] + ["a=1", "", "'=1", 'say "a", b', "two\nlines"]
    values = [*texts, None, True, False, -2, 7]
    with visit(board) as seen:
        page = seen.open(PATH)
        text = page.evaluate("values => scorekit.csv([values])", values)
        assert next(csv.reader(io.StringIO(text, newline=""))) == [csv_cells.cell(value) for value in values]
        assert page.evaluate("() => scorekit.csv([['a', -1.5], [null, 2e-9]])") == "a,-1.5\r\n,2e-9\r\n"
        assert page.evaluate("() => scorekit.csv([[-1.5, '-1']], value => value + 'x')") == "-1.5x,'-1\r\n"


def test_no_cell_of_the_leaderboard_is_a_formula(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        with page.expect_download() as loading:
            page.locator("[data-download=csv]").click()
        rows = list(csv.DictReader(io.StringIO(Path(loading.value.path()).read_bytes().decode("utf-8"), newline="")))
        models = [row["model"] for row in rows]
        assert f"'{FORMULA}" in models
        assert not any(model.startswith(("=", "+", "-", "@", "\t", "\r")) for model in models)


def test_no_cell_of_a_compared_chart_is_a_formula(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, f"compare={model_slug(FORMULA)},{model_slug('example/listener-1')}")
        chart = page.locator("#compare-chart")
        chart.scroll_into_view_if_needed()
        chart.locator("svg text", has_text="example/listener-1").first.wait_for()
        with page.expect_download() as loading:
            chart.locator("button", has_text="CSV").click()
        rows = list(csv.DictReader(io.StringIO(Path(loading.value.path()).read_text(encoding="utf-8"))))
        assert {row["model"] for row in rows} == {f"'{FORMULA}", "example/listener-1"}
