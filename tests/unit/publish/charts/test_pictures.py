"""Pictures without a browser: one of every chart, with its words, its font, and strangers' names as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from scorekit.errors import UsageError
from scorekit.publish import charts
from scorekit.publish.charts import DARK, LIGHT, ModelEnergy
from tests.unit.publish.charts.samples import HOSTILE, all_charts, empty_charts, models

CHARTS = all_charts()
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_is_a_picture(name: str) -> None:
    chart = CHARTS[name]
    text = charts.svg(chart, DARK, 400)
    root = ElementTree.fromstring(text)
    assert root.findtext(f"{SVG}title") == chart.title
    assert root.findtext(f"{SVG}desc") == chart.description
    assert "@font-face" in (root.findtext(f"{SVG}style") or "")
    assert DARK.background in text
    assert "NaN" not in re.sub(r"base64,[^)]*", "", text)
    assert abs(float(root.attrib["width"]) - 400) <= 2
    # Nothing is fetched by whoever opens it.
    assert not [value for value in re.findall(r'(?:href|src)="([^"#]*)', text) if value]
    picture = charts.png(chart, LIGHT, 300, scale=1)
    assert picture.startswith(b"\x89PNG")
    assert abs(int.from_bytes(picture[16:20]) - 300) <= 2


def test_the_map_brings_its_hatching() -> None:
    text = charts.svg(CHARTS["world"], LIGHT, 300)
    assert '<pattern id="scorekit-hatch"' in text
    assert text.count('fill="url(#scorekit-hatch)"') > 100


def test_names_of_strangers_are_text_in_pictures() -> None:
    root = ElementTree.fromstring(charts.svg(charts.cohort_chart(models(HOSTILE)), LIGHT, 500))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "path", "line", "text", "tspan", "defs", "clipPath"}
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert any(text.startswith("<script>alert(1)") for text in texts)
    assert "theme:text" in texts
    assert all(character not in text for text in texts for character in "\u202e\x07\x00")


def test_words_that_are_too_long_beside_their_figure_stand_in_two_lines() -> None:
    row = charts.TaskSpread("Text classification (local)", 2, 1.5, 1.5, 1.0, 2.0, "unknown")
    for width_px, shown in (
        (290, ["Text classification (local)", "2 models \u00b7 origin unknown"]),
        (700, ["Text classification (local) \u00b7 2 models \u00b7 origin unknown"]),
    ):
        root = ElementTree.fromstring(charts.svg(charts.tasks_chart([row]), LIGHT, width_px))
        texts = ["".join(element.itertext()) for element in root.iter() if element.tag in (f"{SVG}text", f"{SVG}tspan")]
        assert [text for text in texts if text in shown] == shown


def test_a_single_model_and_extremes_are_drawn() -> None:
    for energies_wh in ([1e-6], [1e6], [1e-6, 1e6], [3.0, 3.0]):
        points = [ModelEnergy(f"m{place}", "t", energy_wh) for place, energy_wh in enumerate(energies_wh)]
        text = charts.svg(charts.cohort_chart(points), LIGHT, 300)
        shown = [element.text for element in ElementTree.fromstring(text).iter(f"{SVG}text")]
        assert "m0" in shown


def test_an_empty_chart_is_refused_with_its_reason() -> None:
    chart = empty_charts()["tasks"]
    with pytest.raises(UsageError, match="no task has a model"):
        charts.svg(chart)
    with pytest.raises(UsageError, match="no task has a model"):
        charts.png(chart)
