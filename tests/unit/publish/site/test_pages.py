"""What the pages say: every figure's parts, doubts and origin, and what changed between editions."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scorekit.logs.from_score import result_of
from scorekit.publish.charts import budget_chart, history_chart, phases_chart, subjects
from scorekit.publish.charts.figure import payload
from scorekit.publish.site import labels
from scorekit.publish.site.content import model_slug
from scorekit.publish.site.figures import edition_html
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.pages import SECTIONS
from scorekit.publish.site.pages.model import MOST_DETAILS
from tests.bundles import local_score
from tests.sites import built, edition, full_site, local_site


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(full_site(), tmp_path_factory.mktemp("pages"))


def _text(path: Path) -> str:
    """A page's words, without its markup."""
    body = path.read_text(encoding="utf-8").partition("<main")[2].partition("</main>")[0]
    words = html.unescape(re.sub(r"<[^>]+>", " ", body))
    return " ".join(words.split())


def _model(folder: Path, name: str) -> str:
    return _text(folder / "models" / f"{model_slug(name)}.html")


def test_home_keeps_classes_and_kinds_apart(full: Path) -> None:
    text = _text(full / "index.html")
    for title in ("Text generation, class A", "Text generation, class B", "Text generation, class C"):
        assert title in text
    assert "local figures of these tasks stand in no average here" in text
    assert "edition 2026-01 and results that are comparable with official ones" in text


def test_home_of_local_figures_says_so(tmp_path: Path) -> None:
    text = _text(built(local_site(), tmp_path) / "index.html")
    assert "Local figures" in text
    assert "cannot be compared with official figures" in text


def test_a_model_page_tells_all_of_an_official_result(full: Path) -> None:
    text = _model(full, "example/writer-1b")
    for words in (
        "2 figures on 1 task",
        "3.000 Wh",
        "in edition 2026-01 , rule equal_width",
        "Over the editions",
        "2025-06",
        "Phases",
        "preprocess",
        "Uncertainty",
        "repeats",
        "Together, same board",
        "Where it comes from",
        "scorekit.bundle/1",
    ):
        assert words in text


def _specs(folder: Path) -> dict[str, Any]:
    text = (folder / "data/chart-specs.js").read_text(encoding="ascii")
    return dict(json.loads(text.removeprefix("scorekit.data.chartSpecs = ").removesuffix(";\n")))


def _charts(page: Path) -> dict[str, dict[str, Any]]:
    """What each chart of a page is drawn from, by its id."""
    figures = re.findall(
        r'<figure class="chart" id="([^"]+)".*?class="chart-data">(.*?)</script>',
        page.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    return {identity: json.loads(data) for identity, data in figures}


def test_a_model_page_draws_its_phases_its_uncertainty_and_its_history(full: Path) -> None:
    page = full / "models" / f"{model_slug('example/writer-1b')}.html"
    found = _charts(page)
    entry = next(one for one in full_site().models["example/writer-1b"] if one.result is not None)
    assert entry.result is not None
    assert set(found) == {"history-chart", f"phases-{entry.id}", f"uncertainty-{entry.id}"}
    shares = subjects.phase_shares(entry.cohort.title, entry.result.phases)
    expected = {
        f"phases-{entry.id}": phases_chart(shares),
        f"uncertainty-{entry.id}": budget_chart(subjects.budget(entry.result.uncertainty)),
        "history-chart": history_chart(subjects.history(full_site(), "example/writer-1b"), "example/writer-1b"),
    }
    specs = _specs(full)
    for identity, chart in expected.items():
        own = found[identity]["spec"]
        whole = specs[own.pop("like")] | own
        assert whole == json.loads(json.dumps(payload(chart)["spec"]))
    text = page.read_text(encoding="utf-8")
    assert text.index("data/chart-specs.js") < text.index("assets/charts.js")
    assert text.count('<details class="chart-table">') == 3


def test_a_model_without_anything_to_draw_brings_no_chart(full: Path) -> None:
    page = full / "models" / f"{model_slug('refused/model')}.html"
    assert _charts(page) == {}
    assert "charts.js" not in page.read_text(encoding="utf-8")


def test_what_charts_have_in_common_stands_once_for_the_whole_site(full: Path) -> None:
    pages = sorted((full / "models").glob("*.html"))
    drawn = [chart["spec"]["like"] for page in pages for chart in _charts(page).values()]
    assert len(drawn) > 20
    assert set(drawn) == set(_specs(full))
    assert len(set(drawn)) <= 8


def test_why_a_figure_is_local_stands_beside_its_label(full: Path) -> None:
    page = (full / "models" / f"{model_slug('tiny-llama')}.html").read_text(encoding="utf-8")
    assert page.index("Why it is not comparable") < page.index('<details class="parts"')
    assert page.count("Why it is not comparable") == 1


def test_the_foot_of_a_page_tells_what_the_edition_gives_stars_to(tmp_path: Path) -> None:
    sites = {
        "all": gather([result_of(local_score("tiny-llama"), "runs/tiny")], edition(), [edition()]),
        "none": gather([], edition(), [edition()]),
    }
    told = {
        name: re.sub(r"<[^>]+>", "", (built(site, tmp_path / name) / "index.html").read_text().partition("<footer")[2])
        for name, site in sites.items()
    }
    assert all("2026-01; it gives stars to comparable results" in text for text in told.values())
    assert "This site's own figures are local" in told["all"]
    assert "local" not in told["none"]


def test_every_cell_of_a_stacked_table_names_its_column(full: Path) -> None:
    for path in ("index.html", "methodology.html", f"models/{model_slug('example/writer-1b')}.html"):
        page = (full / path).read_text(encoding="utf-8")
        tables = re.findall(r'<table role="table" class="[^"]*stacked">.*?</table>', page, re.DOTALL)
        assert tables
        for table in tables:
            heads = re.findall(r'scope="col"[^>]*>(.*?)</th>', table)
            for row in re.findall(r'<tr role="row"[^>]*><th role="rowheader".*?</tr>', table, re.DOTALL):
                labels = re.findall(r'<td role="cell"(?: data-label="([^"]*)")?', row)
                if "colspan" not in row:
                    assert len(labels) == len(heads) - 1, path
                    assert all(label in ("", head) for label, head in zip(labels, heads[1:], strict=True)), path


def test_an_edition_that_is_named_by_its_date_tells_it_once(full: Path) -> None:
    for path in ("index.html", "methodology.html", "data.html"):
        assert "(2026-01)" not in _text(full / path)
        footer = html.unescape((full / path).read_text(encoding="utf-8").partition("<footer")[2])
        assert "(<bdi>2026-01" not in footer
    assert edition_html("spring", "2026-03") == "<bdi>spring</bdi> (<bdi>2026-03</bdi>)"
    assert edition_html("2026-03-b", "2026-03") == "<bdi>2026-03-b</bdi>"


def test_tasks_without_classes_tell_none(full: Path) -> None:
    rows = re.findall(r'<td role="cell" data-label="Class">(.*?)</td>', (full / "leaderboard/asr.html").read_text())
    assert rows
    assert set(rows) == {""}
    unknown = (full / "leaderboard/text_generation-a.html").read_text(encoding="utf-8")
    assert '<td role="cell" data-label="Class"><span class="class-mark a">A</span></td>' in unknown


def test_a_corrected_figure_stands_beside_the_published_one(full: Path) -> None:
    text = _model(full, "corrected/model")
    assert "The log gives 3.600 Wh; without the repeats that a fault spoils (3) it is 4.000 Wh" in text
    assert "a difference of +11.1 %" in text
    assert "repeat 3: energy is 0, expected a positive one" in text


def test_a_result_without_a_figure_says_why(full: Path) -> None:
    text = _model(full, "refused/model")
    assert "No figure of this model can be used" in text
    assert "the log gives no energy that can be used" in text
    assert "0.0" not in text.partition("Results without a figure")[2].partition("zero_energy")[0]


def test_what_is_not_comparable_says_why(full: Path) -> None:
    text = _model(full, "tiny-llama")
    assert "Why it is not comparable with official figures" in text
    assert "20 queries a repeat, expected 1000" in text
    assert "local" in text


def test_methodology_has_every_threshold_and_change(full: Path) -> None:
    text = _text(full / "methodology.html")
    newer = edition()
    for row in newer.thresholds:
        assert row.bounds_wh_per_1000 is not None
    assert "Edition 2026-01: energy of 1,000 queries" in text
    assert "Since edition 2025-06" in text
    assert "cohorts changed; of 11 models in both editions 0 moved to another star" in text
    assert "equal_width this edition" in text


def test_every_section_is_in_the_navigation_of_every_page(full: Path) -> None:
    site = full_site()
    shown = [section for section in SECTIONS if section.in_navigation and section.is_of(site)]
    for path in full.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        root = "../" * (len(path.relative_to(full).parts) - 1)
        for section in shown:
            assert f'<a href="{root}{section.path}"' in text


def test_a_model_of_very_many_results_has_a_page_that_stays_short(tmp_path: Path) -> None:
    many = [result_of(local_score("busy", energy_wh=1 + n / 100), f"run-{n}") for n in range(MOST_DETAILS + 20)]
    site = gather(many, None, [])
    page = (built(site, tmp_path) / "models" / f"{model_slug('busy')}.html").read_text()
    assert page.count('<section class="entry"') == MOST_DETAILS
    assert page.count('<th role="rowheader" scope="row"><a href="#') == MOST_DETAILS
    assert f"The first {MOST_DETAILS} figures are told in full" in page


def test_labels_are_official_only_where_the_figure_is(full: Path) -> None:
    site = full_site()
    for entry in site.entries:
        label = (full / labels.label_path(entry)).read_text(encoding="utf-8")
        assert ("local result, not comparable" in label) is (not entry.comparable)


def test_a_site_has_at_most_so_many_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MOST_LABELS", 2)
    site = full_site()
    folder = built(site, tmp_path)
    assert len(list((folder / "labels").glob("*.svg"))) == 2
    without = site.entries[-1]
    page = (folder / without.page).read_text()
    assert f"labels/{without.id}.svg" not in page


def test_a_published_figure_has_a_label_of_its_edition() -> None:
    site = full_site()
    build = None
    entry = next(entry for entry in site.entries if entry.member is not None and entry.cohort.name == "asr")
    from scorekit.publish.site.pages import Build
    from tests.sites import TIME

    build = Build(TIME, "0.1.0", "https://example.org/")
    told = labels.facts_of(entry, site, build)
    assert told.kind == "official"
    assert told.stars == entry.stars
    assert told.edition == "2026-01"
    assert told.link == f"https://example.org/{entry.page}"
    assert told.cohort_size == 5
    assert told.scored is not None
    assert told.scored.isoformat() == "2026-01-01"


def test_home_makes_no_average_of_unknown_classes(tmp_path: Path) -> None:
    scores = [local_score(f"model-{n}", energy_wh=1.0 + 100 * n, model_class=None) for n in range(3)]
    text = _text(built(gather([result_of(score, "run") for score in scores], None, []), tmp_path) / "index.html")
    assert "Text generation, class unknown" in text
    assert "sizes unknown: not averaged" in text


def test_home_begins_with_official_medians_and_names_their_edition(full: Path) -> None:
    page = (full / "index.html").read_text(encoding="utf-8")
    hero = page.partition('class="lead extremes">')[2].partition("</p>")[0]
    # Medians of the edition's cohorts alone: one writer of class C, and five listeners.
    assert re.findall(r'aria-describedby="[^"]+">.*?([0-9.,]+)\xa0Wh</button>', hero) == ["2,000", "5.000"]
    tips = re.findall(r'role="tooltip".*?(?=<button|$)', hero, re.DOTALL)
    assert len(tips) == 2
    for tip in tips:
        assert "2026-01" in tip
        assert re.search(r"median of [15] models?, each by its least energy", tip)
        assert "Hardware" in tip
    assert "By edition 2026-01" in hero


def test_home_begins_with_no_median_where_no_figure_is_official(tmp_path: Path) -> None:
    scores = [local_score(f"m-{size}-{n}", 1.0 + 9 * n, model_class=size) for n, size in enumerate("AB")]
    results = [result_of(score, "run") for score in scores]
    for place, known in enumerate((None, edition().model_copy(update={"members": ()}))):
        text = _text(built(gather(results, known, []), tmp_path / str(place)) / "index.html")
        assert "The median model" not in text
        assert "the median model" not in text
        assert "1.000 Wh" in text


def test_home_says_why_local_figures_of_unlike_hardware_are_not_averaged(tmp_path: Path) -> None:
    scores = [local_score(f"model-{n}", energy_wh=1.0 + n, hardware=f"Example CPU {n}") for n in range(3)]
    text = _text(built(gather([result_of(score, "run") for score in scores], None, []), tmp_path) / "index.html")
    assert "3 kinds of hardware: not averaged" in text
    assert "2.000 Wh" not in text.partition("Lowest local energy")[0]


def _bare_energies(page: str, caption: str) -> tuple[int, list[str]]:
    """Of the table whose caption holds some words: how many energies have something told, and those that have not."""
    table = next(part for part in page.split("<table") if caption in part.partition("</caption>")[0])
    cells = re.findall(
        r"<td role=\"cell\" data-label=\"[^\"]*\" class=\"num\">(.*?)</td>", table.partition("</table>")[0], re.DOTALL
    )
    energies = [cell for cell in cells if "\N{NO-BREAK SPACE}Wh" in cell]
    bare = [cell for cell in energies if "figure-tip" not in cell or "Source" not in cell or "Edition" not in cell]
    return len(energies), bare


def test_every_energy_of_home_tells_its_source_and_edition(full: Path, tmp_path: Path) -> None:
    page = (full / "index.html").read_text(encoding="utf-8")
    # Mean, median, lowest and highest of four official cohorts.
    assert _bare_energies(page, "Energy of 1,000 queries by task") == (16, [])
    assert "edition 2026-01, a published figure" in _text(full / "index.html")
    local = (built(local_site(), tmp_path / "local") / "index.html").read_text(encoding="utf-8")
    assert _bare_energies(local, "Local figures: energy") == (4, [])
    thresholds = gather([], edition().model_copy(update={"members": ()}), [])
    assert thresholds.edition is not None
    ranges = (built(thresholds, tmp_path / "ranges") / "index.html").read_text(encoding="utf-8")
    assert _bare_energies(ranges, "Lowest and highest energy") == (2 * len(thresholds.edition.thresholds), [])


def test_every_energy_of_a_model_s_history_tells_its_source_and_edition(full: Path) -> None:
    page = (full / "models" / f"{model_slug('example/listener-20')}.html").read_text(encoding="utf-8")
    assert _bare_energies(page, "Energy and star in each edition") == (2, [])
    assert "edition 2025-06, a published figure" in html.unescape(re.sub(r"<[^>]+>", "", page))
