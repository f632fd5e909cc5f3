"""Cells of CSV files: no text is a formula, and every number stays one."""

from __future__ import annotations

import csv
import datetime
import io
from pathlib import Path

import pytest

from scorekit import csv_cells
from scorekit.publish import charts
from scorekit.publish.charts import ModelEnergy
from scorekit.sinks import open_sink
from tests.unit.store.records import make


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_like_a_formula_has_an_apostrophe(sign: str) -> None:
    assert csv_cells.cell(f"{sign}1+1") == f"'{sign}1+1"
    assert csv_cells.cell([f"{sign}1", "a"]) == f"'{sign}1;a"
    assert csv_cells.cell(f"a{sign}1") == f"a{sign}1"
    # Where no spreadsheet reads it, it stands as it is.
    assert csv_cells.plain(f"{sign}1+1") == f"{sign}1+1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-1.5, "-1.5"), (-2, "-2"), (1e-7, "1e-07"), (None, ""), (True, "true"), (False, "false"), ("", ""),
        (datetime.date(2025, 2, 1), "2025-02-01"), (["a", "b"], "a;b"), ("org/model", "org/model"), ("a\n=1", "a\n=1"),
    ],
)  # fmt: skip
def test_whatever_is_no_formula_stands_as_it_is(value: object, text: str) -> None:
    assert csv_cells.cell(value) == text


@pytest.mark.parametrize("name", ["-1+1|cmd", "+1", "@SUM(A1)", "=1", "\t=1", "\r=1"])
def test_no_cell_of_a_chart_is_a_formula(name: str) -> None:
    chart = charts.cohort_chart([ModelEnergy(name, "asr", 1.5)])
    row = next(csv.DictReader(io.StringIO(charts.csv_text(chart), newline="")))
    assert row["model"] == f"'{name}"
    assert float(row["energy_wh_per_1000_queries"]) == 1.5


def test_no_cell_of_parsed_results_is_a_formula(tmp_path: Path) -> None:
    with open_sink("csv", tmp_path / "out.csv") as sink:
        for sign in "=+-@":
            sink.add(make(f"{sign}1+1"))
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["model"] for row in csv.DictReader(file)] == ["'=1+1", "'+1+1", "'-1+1", "'@1+1"]
