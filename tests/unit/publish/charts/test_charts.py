"""Every chart: its specification is one that Vega-Lite has, its words and table say what it shows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit import csv_cells
from scorekit.errors import UsageError
from scorekit.publish import charts
from scorekit.publish.charts import BudgetTerm, ModelEnergy, PhaseShare, ZoneImpact, axes
from scorekit.publish.charts.looks import BY_NAME, DARK, LIGHT, NAMED, Look
from tests.unit.publish.charts.samples import BOUNDS, HOSTILE, all_charts, empty_charts, models, zones

CHARTS = all_charts()


@pytest.mark.parametrize("name", CHARTS)
def test_a_specification_is_one_of_vega_lite(name: str) -> None:
    json.dumps(CHARTS[name].vega_lite(LIGHT), allow_nan=False)
    # Altair holds a chart against the schema when it is made.
    assert isinstance(CHARTS[name].altair(DARK), alt.LayerChart)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_has_words_units_and_the_same_rows_in_csv(name: str) -> None:
    chart = CHARTS[name]
    assert chart.empty is None
    assert chart.title
    assert chart.subtitle.endswith(".")
    assert chart.description.endswith(".")
    read = list(csv.DictReader(io.StringIO(charts.csv_text(chart), newline="")))
    assert list(read[0]) == [column.field for column in chart.columns]
    assert len(read) == len(chart.rows)
    for line, row in zip(read, chart.rows, strict=True):
        for field, text in line.items():
            value = row[field]
            if isinstance(value, float):
                assert float(text) == value
            elif isinstance(value, bool):
                assert text == str(value).lower()
            else:
                assert text == ("" if value is None else csv_cells.cell(value))


@pytest.mark.parametrize("name", CHARTS)
def test_axes_of_figures_have_a_unit_and_logarithmic_ones_say_so(name: str) -> None:
    text = json.dumps(CHARTS[name].vega_lite(LIGHT))
    if name == "world":
        assert '"title": "g CO\\u2082e"' in text
    else:
        assert any(unit in text for unit in ("(Wh per 1,000 queries", "(Wh)", "(% of the score)", "(g CO\\u2082e)"))
    assert ('"type": "log"' in text) == ("logarithmic" in text)


def test_names_in_a_chart_are_told_whole_in_its_csv() -> None:
    chart = charts.cohort_chart(models(HOSTILE))
    read = list(csv.DictReader(io.StringIO(charts.csv_text(chart), newline="")))
    assert [line["model"] for line in read] == [f"'{name}" if name.startswith("=") else name for name in HOSTILE]
    assert any(line["model"].startswith("'=") for line in read)


def test_every_empty_chart_says_why() -> None:
    for chart in empty_charts().values():
        assert chart.empty
        assert chart.rows == ()
        assert charts.csv_text(chart).count("\r\n") == 1


def test_colours_are_put_in_for_their_names_in_both_looks() -> None:
    for chart in CHARTS.values():
        named = json.dumps(chart.vega_lite(BY_NAME))
        assert NAMED in named
        for look in (LIGHT, DARK):
            assert NAMED not in json.dumps(chart.vega_lite(look))
        # Nothing but names of colours that there are.
        parts = named.split(f'"{NAMED}')[1:]
        assert {part.partition('"')[0] for part in parts} <= LIGHT.colours().keys()


@pytest.mark.parametrize("look", [LIGHT, DARK], ids=lambda look: look.name)
def test_colours_stand_out_from_their_background(look: Look) -> None:
    for name in ("text", "soft"):
        assert _contrast(getattr(look, name), look.background) >= 4.5, name
    for colour in (*look.series, *look.stars, look.accent, look.line, look.outline):
        assert _contrast(colour, look.background) >= 3, colour
    # A share stands in a bar of its series.
    for colour in look.series:
        assert _contrast(look.background, colour) >= 3, colour
    lightness = [_luminance(colour) for colour in look.steps]
    assert lightness in (sorted(lightness), sorted(lightness, reverse=True))


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=20))
def test_a_logarithmic_axis_holds_its_values_and_few_ticks(values: list[float]) -> None:
    low, high = axes.log_range(values)
    assert low < min(values)
    assert max(values) < high
    assert high / low >= 1.3
    ticks = axes.log_ticks(low, high)
    assert 1 <= len(ticks) <= 9
    assert all(low * 0.99 <= tick <= high * 1.01 for tick in ticks)


def test_figures_are_told_with_three_digits_and_missing_ones_in_words() -> None:
    assert axes.told(0.0123456, "Wh") == "0.0123 Wh"
    assert axes.told(0.0) == "0"
    assert axes.told(-2.5) == "\u22122.50"
    assert axes.told(None, "Wh") == axes.told(float("nan")) == "unknown"


def test_the_bands_of_a_cohort_are_the_stars_between_its_bounds() -> None:
    chart = charts.cohort_chart(models(), BOUNDS)
    bands = chart.datasets["bands"]
    assert [band["star"] for band in bands] == ["5", "4", "3", "2", "1"]
    assert [band["from"] for band in bands][1:] == list(BOUNDS) == [band["to"] for band in bands][:-1]
    assert charts.cohort_chart(models()).datasets["bands"] == []


def test_a_cohort_is_shown_whole_and_names_what_there_is_room_for() -> None:
    many = [ModelEnergy(f"org/model-{place}", "ASR", 1.0 + place) for place in range(500)]
    chart = charts.cohort_chart([*many[1:], ModelEnergy("org/model-0", "ASR", 1.0, chosen=True)])
    drawn = chart.datasets["rows"]
    assert [row["wh"] for row in drawn] == sorted(row["wh"] for row in drawn)
    assert len(drawn) == 500
    assert sum(row["named"] for row in drawn) == 6
    assert (chart.height_px or 0) <= 700


def test_no_model_is_both_most_and_least_efficient() -> None:
    for count in range(1, 14):
        points = [ModelEnergy(f"m{place}", "ASR", 1.0 + place) for place in range(count)]
        rows = charts.extremes_chart(points).rows
        most = [row["model"] for row in rows if row["group"] == "most efficient"]
        least = [row["model"] for row in rows if row["group"] == "least efficient"]
        assert not set(most) & set(least)
        assert len(most) + len(least) == min(count, 10)
        assert most[0] == "m0"
        assert count < 2 or least[-1] == f"m{count - 1}"


@pytest.mark.parametrize(
    ("count", "each", "words"),
    [
        (1, 5, "The only model."),
        (2, 5, "Both models, the more efficient one first."),
        (7, 5, "All 7 models, from the most to the least efficient."),
        (11, 5, "The 5 most and the 5 least efficient of 11 models. The model between them is left out."),
        (40, 5, "The 5 most and the 5 least efficient of 40 models. The 30 models between them are left out."),
        (4, 1, "The most and the least efficient of 4 models. The 2 models between them are left out."),
    ],
)
def test_extremes_say_which_models_they_show(count: int, each: int, words: str) -> None:
    points = [ModelEnergy(f"m{place}", "ASR", 1.0 + place) for place in range(count)]
    assert charts.extremes_chart(points, each=each).subtitle.startswith(words)


def test_models_without_a_size_are_counted_and_left_out() -> None:
    chart = charts.parameters_chart(models())
    assert [row["parameters"] for row in chart.rows] == [10**9, 2 * 10**9]
    assert "1 without a known size" in chart.subtitle


def test_more_than_four_models_are_not_compared() -> None:
    with pytest.raises(UsageError, match="5 models"):
        charts.compare_chart(models(("a", "b", "c", "d", "e")))


def test_models_whose_names_are_cut_alike_stay_apart() -> None:
    chart = charts.compare_chart(models(("x" * 200 + "1", "x" * 200 + "2")))
    assert len({row["series"] for row in chart.datasets["rows"]}) == 2


def test_phases_follow_each_other_without_a_gap() -> None:
    chart = charts.phases_chart([PhaseShare("r", "decode", 3.0), PhaseShare("r", "prefill", 1.0)])
    assert [(row["phase"], row["from"], row["to"]) for row in chart.datasets["rows"]] == [
        ("prefill", 0.0, 1.0),
        ("decode", 1.0, 4.0),
    ]
    assert [row["share_percent"] for row in chart.rows] == [25.0, 75.0]
    assert '"title": "Energy of one repeat (Wh)"' in json.dumps(chart.vega_lite(LIGHT))
    assert charts.phases_chart([PhaseShare("r", "call", 0.0)]).empty


def test_a_term_that_cannot_be_told_has_no_bar_but_words() -> None:
    chart = charts.budget_chart([BudgetTerm("Ticks", "B", None), BudgetTerm("Repeats", "A", 2.0)])
    assert chart.datasets["rows"][0]["told"] == "cannot be told"
    assert chart.rows[0]["half_width_95_percent"] is None
    assert charts.budget_chart([BudgetTerm("Ticks", "B", None)]).empty


def test_zones_without_data_come_last_without_a_figure() -> None:
    chart = charts.zones_chart(zones(), impact="water", unit="L")
    assert chart.rows[-1]["code"] == "AFG"
    assert chart.rows[-1]["value"] is None
    drawn = chart.datasets["rows"]
    assert drawn[-1]["told"] == "no data of its own"
    assert all(row["told"] != drawn[-1]["told"] for row in drawn[:-1])
    assert charts.zones_chart([ZoneImpact("AFG", "A", None)], impact="water", unit="L").empty


@pytest.mark.parametrize(
    ("unit", "value", "told"),
    [
        ("kgCO2eq", 0.04137, "41.4 g CO\u2082e"),
        ("kgSbeq", 4.858e-8, "48.6 \u00b5g Sb eq"),
        ("MJ", 11.289, "11.3 MJ"),
        ("L", 3.67e-4, "367 \u00b5L"),
        ("bananas", 5.0, "5.00 bananas"),
    ],
)
def test_impacts_are_told_in_a_unit_that_is_easy_to_read(unit: str, value: float, told: str) -> None:
    chart = charts.zones_chart([ZoneImpact("FRA", "France", value)], impact="some impact", unit=unit)
    assert chart.datasets["rows"][0]["told"] == told
    assert chart.rows[0]["value"] == value


def test_extreme_energies_stay_in_the_picture() -> None:
    points = [ModelEnergy("least", "t", 1e-6), ModelEnergy("most", "t", 1e6)]
    params: dict[str, Any] = dict(charts.cohort_chart(points).params)
    assert params["xLow"] < 1e-6
    assert params["xHigh"] > 1e6
    assert len(params["xTicks"]) <= 9
