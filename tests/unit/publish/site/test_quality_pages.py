"""Energy and quality on pages, in data and in the chart: what is told, and that no figure is without a source."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path

import pytest

from scorekit import cli
from scorekit.publish.charts import registry
from scorekit.publish.charts.registry import Asked
from scorekit.publish.site import quality, source
from scorekit.publish.site.build import build
from scorekit.publish.site.content import Site, model_slug
from scorekit.publish.site.pages import SECTIONS
from scorekit.records import QualitySource
from tests import sites
from tests.log_writers import lm_eval
from tests.unit.publish.site.evaluated import four, local, official, site_of


def built(site: Site, folder: Path) -> Path:
    """The pages that tell of quality, and the leaderboard, which they lead to."""
    sections = tuple(one for one in SECTIONS if one.key in ("home", "leaderboard", "quality", "models", "data"))
    return build(site, folder / "site", time=sites.TIME, sections=sections).folder


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Comparable models with figures, and local ones of hostile names with hostile figures."""
    hostile = [
        (
            local(name, 1.5 + n),
            ({"value": 0.1 * n, "task": name.replace("\x00", "") or "x", "task_version": name[:60]},),
        )
        for n, name in enumerate(sites.HOSTILE[:4])
    ]
    pairs = [(entry.result, ({"value": entry.quality[0].figure.value},)) for entry in four().entries]
    return built(site_of(*((one, told) for one, told in (*pairs, *hostile) if one)), tmp_path_factory.mktemp("q"))


def _text(path: Path) -> str:
    body = path.read_text(encoding="utf-8").partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_every_page_keeps_to_the_rules(full: Path) -> None:
    assert list(sites.faults(full)) == []


def test_the_page_tells_front_uncertainty_and_source(full: Path) -> None:
    text = _text(full / "quality.html")
    for words in (
        "Models 4, 3 on the Pareto front",
        "0.5500 (0.5303 to 0.5695)",
        "2.000 Wh",
        "± 4.81 %",
        "not on it",
        "lm-evaluation-harness of unknown version",
        "there is one only, so nothing can be compared",
        f"sha256 {'ab' * 6}…",
    ):
        assert words in text, words
    assert 'href="https://example.org/results.json" rel="noreferrer nofollow"' in (full / "quality.html").read_text()


def test_the_leaderboard_leads_to_the_page(full: Path) -> None:
    words = "How well 8 of these models answer stands beside what they take on Energy and quality"
    assert words in _text(full / "leaderboard.html")


def test_the_page_of_a_model_tells_each_figure_with_its_source(full: Path) -> None:
    text = _text(full / "models" / f"{model_slug('org/worse')}.html")
    for words in ("Quality of the answers", "mmlu", "0.5000", "14,042", "ab" * 32, "same revision is not known"):
        assert words in text, words


def test_the_page_tells_of_each_figure_how_it_was_evaluated(tmp_path: Path) -> None:
    told = {"matched_by": "statement", "dtype": "bfloat16", "quantized": ("load_in_4bit",), "chat_template": True}
    site = site_of((official("org/one", 1.0), ({"value": 0.4},)), changes=told)
    text = _text(built(site, tmp_path) / "quality.html")
    assert "weights in bfloat16 ; load_in_4bit ; as a chat; that it is this model is the statement" in text
    assert "statement" not in _text(built(four(), tmp_path / "other") / "quality.html")


def test_the_page_tells_what_hangs_on_a_folder_and_on_a_file_that_is_not_published(tmp_path: Path) -> None:
    source = QualitySource(name="own.json", sha256="ab" * 32)
    told = {"matched_by": "folder", "source": source}
    runs = [
        (official("org/one", wh), ({"value": 1.0, "stderr": 0.0, "samples": 100, "samples_of": 100},))
        for wh in (1.0, 2.0)
    ]
    folder = built(site_of(*runs, changes=told), tmp_path)
    assert list(sites.faults(folder)) == []
    text = _text(folder / "quality.html")
    for words in (
        "own .json file not published",
        "that it is this model is known by a folder's name",
        "mean of 2 results",
        "1.000 (0.9630 to 1.000)",
        "Models 1: there is one only",
    ):
        assert words in text, words
    assert "own .json file not published" in _text(folder / "models" / f"{model_slug('org/one')}.html")
    (group,) = quality.figures(site_of(*runs, changes=told)).groups
    (drawn,) = (point.drawn() for point in quality.points(group))
    assert (drawn["source"], drawn["high"]) == ("file not published", 1.0)


def test_the_page_tells_of_figures_of_other_weights(tmp_path: Path) -> None:
    told = {"same_weights": False, "quantized": ("load_in_4bit",)}
    folder = built(site_of((official("org/one", 1.0), ({"value": 0.4},)), changes=told), tmp_path)
    assert "1 figure is of weights of another type, or otherwise quantised" in _text(folder / "quality.html")
    assert "not the weights that were measured" in _text(folder / "models" / f"{model_slug('org/one')}.html")


def test_the_data_hold_every_figure(full: Path) -> None:
    rows = json.loads((full / "data/quality.json").read_text())
    assert len(rows) == 4 + 4
    assert {row["source_sha256"] for row in rows} == {"ab" * 32}
    read = list(csv.DictReader(io.StringIO((full / "data/quality.csv").read_text(encoding="utf-8"), newline="")))
    assert [line["value"] for line in read] == [str(row["value"]) for row in rows]
    assert not any(cell.startswith(("=", "@")) for line in read for cell in line.values())


def test_a_site_without_quality_has_no_page_of_it(tmp_path: Path) -> None:
    folder = built(site_of((local("org/a", 1.0), ())), tmp_path)
    assert not (folder / "quality.html").exists()
    assert not (folder / "data/quality.csv").exists()
    assert "quality.html" not in (folder / "leaderboard.html").read_text(encoding="utf-8")


def test_a_site_whose_figures_compare_with_nothing_says_so(tmp_path: Path) -> None:
    site = site_of((official("org/a", 1.0), ({"value": 0.5, "samples": 100},)))
    folder = built(site, tmp_path)
    assert list(sites.faults(folder)) == []
    text = _text(folder / "quality.html")
    assert "No result on this site has a quality with a source that can be compared" in text
    assert "1 figure is of a part of a task only, and stands in no comparison" in text


def test_the_chart_is_that_of_one_measure() -> None:
    two = ({"value": 0.5}, {"value": 0.6, "task": "arc"})
    site = site_of((official("org/a", 1.0), two), (official("org/b", 2.0), two))
    chart = registry.find("quality").make(Asked(site=lambda: site, metric="arc acc"))
    assert [row["on_front"] for row in chart.rows] == [True, False]
    assert "arc, acc, 5 examples" in chart.title
    for metric, words in ((None, "several qualities are meant"), ("acc", "several"), ("x", "there is no quality 'x'")):
        with pytest.raises(registry.UsageError, match=words):
            registry.find("quality").make(Asked(site=lambda: site, metric=metric))
    whole = chart.title.partition(":")[0]
    assert registry.find("quality").make(Asked(site=lambda: site, metric=f"{whole}, official")).rows == chart.rows
    with pytest.raises(registry.UsageError, match="no quality with a source") as told:
        registry.find("quality").make(Asked(site=sites.local_site))
    assert "scorekit quality attach" in str(told.value.mend)


def test_from_a_results_file_to_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [local(f"org/{size}", 1.0 + size).model_dump_json() for size in (1, 2)]
    Path("results.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert cli.main(["results", "add", "results.jsonl"]) == 0
    for size in (1, 2):
        file = str(lm_eval.write(tmp_path, f"{size}.json", model=f"org/{size}"))
        assert cli.main(["quality", "attach", f"org/{size}", "--lm-eval", file]) == 0
    site = source.read(None, None, report=print)
    groups = quality.figures(site).groups
    assert [len(group.standings) for group in groups] == [2, 2]
    assert (
        cli.main(
            ["chart", "quality", "--metric", "gsm8k exact_match,strict-match", "--edition", "local", "-o", "q.csv"]
        )
        == 0
    )
    assert Path("q.csv").read_text(encoding="utf-8").count("gsm8k") == 2
