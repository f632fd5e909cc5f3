"""A chart in a page: names are text, data cannot leave its element, and what is missing is said."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from scorekit.publish import charts
from scorekit.publish.charts.figure import json_text
from scorekit.publish.charts.runtime import MAP, PICTURE_FONT, RUNTIME
from tests.unit.publish.charts.samples import HOSTILE, all_charts, empty_charts

NAMES = all_charts(HOSTILE[:4])
TAGS = set(
    re.findall(
        "[a-z0-9]+",
        """figure figcaption h2 h3 p div details summary table caption thead tbody tr th td
data bdi script noscript img""",
    )
)


class Read(HTMLParser):
    """What a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.data = ""
        self.text = ""
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.data += data
        else:
            self.text += data


def read(html: str) -> Read:
    found = Read()
    found.feed(str(html))
    found.close()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_names_of_strangers_are_text_in_a_page(name: str) -> None:
    chart = NAMES[name]
    found = read(charts.figure(chart, "c1"))
    assert set(found.tags) <= TAGS
    assert found.tags.count("script") == 1
    assert not [key for key, _ in found.attributes if key == "style" or key.startswith("on")]
    payload = json.loads(found.data)
    assert payload["csv"] == charts.csv_text(chart)
    assert payload["schema_version"] == "scorekit.chart/1"
    assert payload["spec"]["width"] == "container"
    assert found.tags.count("tr") == len(chart.rows) + 1


def test_every_name_can_be_written_as_utf_8() -> None:
    html = charts.figure(charts.cohort_chart([]), "c1")
    for chart in all_charts(HOSTILE[-4:]).values():
        html += charts.figure(chart, "c1")
    html.encode("utf-8")


def test_json_cannot_end_its_element() -> None:
    value = {"a": "</script><!--<script>&\u2028\ud800"}
    text = json_text(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))


def test_a_figure_without_rows_says_why() -> None:
    for chart in empty_charts().values():
        found = read(charts.figure(chart, "c1", level=2))
        assert chart.empty is not None
        assert chart.empty in found.text
        assert "script" not in found.tags


def test_a_missing_figure_is_told_as_unknown_and_numbers_are_for_machines_too() -> None:
    html = charts.figure(all_charts()["cohort"], "c1")
    assert re.search(r'<td role="cell" data-label="[^"]+" class="num">unknown</td>', html)
    assert '<data value="3.5">3.50</data>' in html


def test_a_still_picture_is_for_readers_without_scripts() -> None:
    html = charts.figure(all_charts()["tasks"], "c1", still="charts/a&b.svg")
    assert '<noscript><img class="chart-still" src="charts/a&amp;b.svg" alt="Mean energy' in html


@pytest.mark.parametrize(("figure_id", "level"), [("1", 3), ("a b", 3), ('a"', 3), ("", 3), ("a", 1), ("a", 7)])
def test_ids_and_levels_are_those_of_html(figure_id: str, level: int) -> None:
    with pytest.raises(ValueError, match="cannot be a figure's"):
        charts.figure(all_charts()["tasks"], figure_id, level=level)


def test_the_runtime_is_written_once_with_its_notices() -> None:
    files = charts.runtime_files()
    assert set(files) == {RUNTIME, MAP, PICTURE_FONT}
    assert b"University of Washington Interactive Data Lab" in files[RUNTIME][:2000]
    assert len(files[RUNTIME]) < 1_100_000
    assert len(files[MAP]) < 360_000
    assert files == charts.runtime_files()
