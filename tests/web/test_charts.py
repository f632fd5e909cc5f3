"""Every chart in a real browser, under the site's policy: drawn, told, taken away, in both themes, by keyboard too."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect

import scorekit.publish
from scorekit.publish import charts
from scorekit.publish.charts.looks import DARK, LIGHT
from tests.unit.publish.charts.samples import HOSTILE, all_charts, empty_charts
from tests.web.conftest import WIDTHS_PX

ASSETS = Path(scorekit.publish.__file__).parent / "site" / "assets"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
STYLES = ("tokens.css", "base.css", "charts.css")
SCRIPTS = ("theme.js", "scorekit.js", "charts.js")
CHARTS = all_charts()
DRAWN = "figure => figure.dataset.drawn || ''"
DRAW_ALL = """async () => {
  for (const figure of document.querySelectorAll("figure.chart")) {
    const drawn = figure.dataset.drawn ? null : new Promise((done, failed) => {
      figure.addEventListener("scorekit:chart", done);
      setTimeout(() => failed(new Error(figure.id + " was not drawn in a minute")), 60000);
    });
    figure.scrollIntoView();
    await drawn;
  }
}"""


def page_of(shown: dict[str, charts.Chart], still: str | None = None) -> str:
    """A page with charts as the site's pages are."""
    head = "".join(f'<link rel="stylesheet" href="assets/{name}">' for name in STYLES)
    head += "".join(f'<script src="assets/{name}" defer></script>' for name in SCRIPTS)
    body = "".join(charts.figure(chart, f"c-{name}", level=2, still=still) for name, chart in shown.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Charts</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>'
        f"<body><main><h1>Charts</h1>{body}</main></body></html>"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("charts")
    (made / "assets" / "fonts").mkdir(parents=True)
    for name in (*STYLES, *SCRIPTS):
        shutil.copy(ASSETS / name, made / "assets" / name)
    for font in (ASSETS.parents[1] / "label" / "fonts").glob("*.ttf"):
        shutil.copy(font, made / "assets" / "fonts" / font.name)
    for name, content in charts.runtime_files().items():
        (made / "assets" / name).write_bytes(content)
    (made / "index.html").write_text(page_of(CHARTS), encoding="utf-8")
    hostile = {
        f"{name}-{part}": chart for part in (0, 5) for name, chart in all_charts(HOSTILE[part : part + 5]).items()
    }
    (made / "hostile.html").write_text(page_of(hostile), encoding="utf-8")
    (made / "empty.html").write_text(page_of(empty_charts()), encoding="utf-8")
    (made / "still.svg").write_text(charts.svg(CHARTS["tasks"]), encoding="utf-8")
    (made / "still.html").write_text(page_of({"tasks": CHARTS["tasks"]}, "still.svg"), encoding="utf-8")
    return made


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chart_is_drawn_for_everybody(
    width: str, scheme: str, folder: Path, visit: Callable[..., Any], axe: Callable[..., list[str]]
) -> None:
    with visit(folder, width_px=WIDTHS_PX[width], scheme=scheme) as seen:
        page = seen.open("index.html")
        page.evaluate(DRAW_ALL)
        for name, chart in CHARTS.items():
            figure = page.locator(f"#c-{name}")
            assert figure.evaluate(DRAWN) == scheme
            plot = figure.locator(".chart-plot")
            assert plot.locator("svg.marks path, svg.marks line").count() > 3, name
            assert plot.get_by_text("NaN").count() == 0
            room = plot.bounding_box()
            drawn = plot.locator("svg.marks").bounding_box()
            assert room
            assert drawn
            assert drawn["width"] <= room["width"] + 1, name
            assert figure.locator("h2").inner_text() == chart.title
        assert seen.overflow_px() <= 0
        assert axe(page) == []


def test_charts_wait_until_they_come_near(folder: Path, visit: Callable[..., Any]) -> None:
    with visit(folder, height_px=300) as seen:
        page = seen.open("index.html")
        page.locator("#c-tasks[data-drawn]").wait_for()
        assert page.locator("#c-world").evaluate(DRAWN) == ""
        words = "(plot) => getComputedStyle(plot, '::before').content"
        assert "comes into view" in page.locator("#c-world .chart-plot").evaluate(words)
        assert page.locator("#c-tasks .chart-plot").evaluate(words) == "none"
        assert not page.evaluate("Boolean(scorekit.data.chartWorld)")
        page.locator("#c-world").scroll_into_view_if_needed()
        page.locator("#c-world[data-drawn]").wait_for()


def test_names_of_strangers_are_text_and_not_run(folder: Path, visit: Callable[..., Any]) -> None:
    with visit(folder, width_px=360) as seen:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        page = seen.open("hostile.html")
        page.evaluate(DRAW_ALL)
        # A name like that of a colour stays a name.
        assert page.locator("#c-compare-0 .role-legend").get_by_text("theme:text").count() == 1
        assert page.locator(".chart-plot img, .chart-plot script, .chart-table img").count() == 0
        assert seen.overflow_px() <= 0


def test_a_chart_without_rows_says_so(folder: Path, visit: Callable[..., Any], axe: Callable[..., list[str]]) -> None:
    with visit(folder) as seen:
        page = seen.open("empty.html")
        assert page.get_by_text("There is nothing to draw").count() == len(CHARTS)
        assert axe(page) == []


def test_the_theme_can_be_changed_and_the_window_too(folder: Path, visit: Callable[..., Any]) -> None:
    with visit(folder) as seen:
        page = seen.open("index.html")
        figure = page.locator("#c-tasks")
        page.locator("#c-tasks[data-drawn=light]").wait_for()
        assert LIGHT.accent in figure.locator(".chart-plot").inner_html()
        page.evaluate("document.documentElement.setAttribute('data-theme', 'dark')")
        page.locator("#c-tasks[data-drawn=dark]").wait_for()
        assert DARK.accent in figure.locator(".chart-plot").inner_html()
        before = figure.locator("svg.marks").get_attribute("width")
        page.set_viewport_size({"width": 500, "height": 900})
        expect(figure.locator("svg.marks")).not_to_have_attribute("width", before or "")
        assert float(figure.locator("svg.marks").get_attribute("width") or "inf") < 500


@pytest.mark.parametrize("name", ["cohort", "world"])
def test_a_chart_can_be_taken_away_by_keyboard(
    name: str, folder: Path, visit: Callable[..., Any], tmp_path: Path
) -> None:
    with visit(folder) as seen:
        page = seen.open("index.html")
        page.locator(f"#c-{name}").scroll_into_view_if_needed()
        got = {}
        for kind in ("PNG", "SVG", "CSV"):
            button = page.locator(f"#c-{name} .chart-tools button", has_text=kind)
            button.focus()
            with page.expect_download() as started:
                page.keyboard.press("Enter")
            assert started.value.suggested_filename == f"c-{name}.{kind.lower()}"
            started.value.save_as(tmp_path / kind)
            got[kind] = (tmp_path / kind).read_bytes()
        assert got["CSV"].decode() == charts.csv_text(CHARTS[name])
        assert got["PNG"].startswith(b"\x89PNG")
        assert int.from_bytes(got["PNG"][16:20]) >= 1600
        text = got["SVG"].decode()
        assert text.startswith("<svg")
        assert CHARTS[name].title in text
        assert "@font-face" in text
        assert ("scorekit-hatch" in text) == (name == "world")


def test_what_is_told_of_a_mark_shows_on_hover_and_goes_on_escape(folder: Path, visit: Callable[..., Any]) -> None:
    with visit(folder) as seen:
        page = seen.open("index.html")
        page.locator("#c-zones").scroll_into_view_if_needed()
        page.locator("#c-zones[data-drawn]").wait_for()
        tip = page.locator(".chart-tip")
        for _ in range(30):
            # Charts above may still be drawn, and push this one away from the pointer.
            page.mouse.move(0, 0)
            page.locator("#c-zones .mark-rect path").nth(5).hover()
            with contextlib.suppress(PlaywrightTimeoutError):
                tip.wait_for(state="visible", timeout=2_000)
                break
        assert "Zone" in tip.inner_text()
        page.keyboard.press("Escape")
        assert not tip.is_visible()


def test_another_payload_can_be_drawn(folder: Path, visit: Callable[..., Any]) -> None:
    with visit(folder) as seen:
        page = seen.open("index.html")
        page.locator("#c-zones").scroll_into_view_if_needed()
        page.locator("#c-zones[data-drawn]").wait_for()
        heights = page.evaluate("""async () => {
          const figure = document.querySelector("#c-zones");
          const height = () => Number(figure.querySelector("svg.marks").getAttribute("height"));
          const before = height();
          const payload = structuredClone(scorekit.charts.get(figure));
          payload.spec.datasets.rows = payload.spec.datasets.rows.slice(0, 3);
          await scorekit.charts.set(figure, payload);
          return [before, height()];
        }""")
        assert heights[0] - heights[1] == 40 * (len(CHARTS["zones"].rows) - 3)


def test_without_scripts_there_is_a_picture_and_the_table(folder: Path, visit: Callable[..., Any]) -> None:
    with visit(folder, scripts=False) as seen:
        page = seen.open("still.html")
        assert page.locator("noscript img, img.chart-still").first.is_visible()
        page.locator("summary").click()
        assert page.locator("tbody tr").count() == len(CHARTS["tasks"].rows)
        assert page.locator(".chart-tools").count() == 0


def test_a_missing_runtime_leaves_the_table(folder: Path, tmp_path: Path, visit: Callable[..., Any]) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(folder, alone)
    (alone / "assets" / "chart-runtime.js").write_text("scorekit.vegaEmbed = null;", encoding="utf-8")
    with visit(alone) as seen:
        page = seen.open("index.html")
        expect(page.locator("#c-tasks .chart-status")).to_contain_text("figures are in the table")
        assert page.locator("#c-tasks details").get_attribute("open") is not None


def test_a_site_built_without_what_draws_says_so_and_gives_tables_alone(
    folder: Path, tmp_path: Path, visit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(folder, alone)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    for name, content in charts.runtime_files().items():
        (alone / "assets" / name).write_bytes(content)
    with visit(alone) as seen:
        page = seen.open("index.html")
        expect(page.locator("#c-tasks .chart-status")).to_contain_text("built without what draws charts")
        assert page.locator("#c-tasks details").get_attribute("open") is not None
        assert not page.locator("#c-tasks .chart-plot").is_visible()
        assert page.locator("#c-tasks .chart-tools button").all_text_contents() == ["CSV"]
