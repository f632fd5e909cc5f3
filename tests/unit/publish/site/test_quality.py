"""Energy and quality on the site: who stands beside whom, what is told, and that no figure is without a source."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli
from scorekit.editions import FEBRUARY_2025, Member
from scorekit.logs import result_of
from scorekit.publish.charts import registry
from scorekit.publish.charts.registry import Asked
from scorekit.publish.site import quality, source
from scorekit.publish.site.build import build
from scorekit.publish.site.content import Site, model_slug
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.pages import SECTIONS
from scorekit.records import Quality, QualityFigure, QualitySource, Result
from scorekit.store.quality import Attached, InForce
from tests import sites
from tests.bundles import local_score, official_score
from tests.log_writers import lm_eval

ACC: dict[str, Any] = {
    "task": "mmlu", "metric": "acc", "filter": "none", "higher_is_better": True, "stderr": 0.01, "num_fewshot": 5,
    "samples": 14042, "samples_of": 14042,
}  # fmt: skip
SOURCE = QualitySource(name="results.json", sha256="ab" * 32, url="https://example.org/results.json")
OFFICIAL = ("org/small", "org/middle", "org/worse", "org/large")


def in_force(result: Result, number: int, *figures: dict[str, Any], **changes: Any) -> tuple[InForce, ...]:
    """Figures of a result whose id is its number."""
    record = Quality(
        result_sha256=f"{number:064x}"[::-1],
        model=result.model,
        figures=tuple(QualityFigure(**(ACC | one)) for one in figures),
        scorekit_version="0.1.0",
        **({"matched_by": "name", "source": SOURCE} | changes),
    )
    return tuple(InForce(figure, Attached(record, "cd" * 32)) for figure in record.figures)


def site_of(*given: tuple[Result, tuple[dict[str, Any], ...]], changes: dict[str, Any] | None = None) -> Site:
    """Results, each with its figures."""
    results = [result for result, _ in given]
    ids = [f"{number:064x}"[::-1] for number in range(len(given))]
    figures = {
        ids[number]: in_force(result, number, *told, **(changes or {}))
        for number, (result, told) in enumerate(given)
        if told
    }
    return gather(results, None, [], result_ids=[identity[:12] for identity in ids], quality=figures)


def official(model: str, energy_wh: float) -> Result:
    return result_of(official_score(model, energy_wh=energy_wh), f"runs/{model}")


def local(model: str, energy_wh: float, **changes: Any) -> Result:
    return result_of(local_score(model, energy_wh=energy_wh, **changes), f"runs/{model}")


def four() -> Site:
    """Four comparable models, of which the third is worse than the second and takes more."""
    values = zip(OFFICIAL, (1.0, 2.0, 5.0, 9.0), (0.4, 0.55, 0.5, 0.7), strict=True)
    return site_of(*((official(model, wh), ({"value": value},)) for model, wh, value in values))


def test_models_stand_on_the_front_that_nothing_beats() -> None:
    (group,) = quality.figures(four()).groups
    assert group.official
    assert group.measure.title == "mmlu, acc, 5 examples"
    assert [one.model.entry.model for one in group.front] == ["org/small", "org/middle", "org/large"]
    assert group.standings[0].model.value_interval == pytest.approx((0.3806, 0.4197), abs=1e-4)
    assert {one.place.certain for one in group.standings} == {True}


def test_where_less_is_better_the_front_turns_round() -> None:
    perplexity = {"metric": "word_perplexity", "higher_is_better": False, "stderr": None}
    given = [
        (official("org/a", 1.0), ({**perplexity, "value": 20.0},)),
        (official("org/b", 2.0), ({**perplexity, "value": 30.0},)),
        (official("org/c", 3.0), ({**perplexity, "value": 10.0},)),
    ]
    (group,) = quality.figures(site_of(*given)).groups
    assert [one.model.entry.model for one in group.front] == ["org/a", "org/c"]
    assert {one.place.certain for one in group.standings} == {None}


def test_only_what_was_measured_and_evaluated_alike_stands_together() -> None:
    figure = ({"value": 0.5},)
    found = quality.figures(
        site_of(
            (official("org/a", 1.0), figure),
            (local("org/b", 1.0), figure),
            (local("org/c", 1.0), figure),
            (local("org/d", 1.0, hardware="Example CPU 1"), figure),
            (local("org/e", 1.0, queries=10), figure),
            (local("org/f", 1.0), ({"value": 0.5, "num_fewshot": 0},)),
            (local("org/g", 1.0), ({"value": 0.5, "task_version": "2"},)),
            (local("org/h", 1.0), ({"value": 0.5, "filter": "strict"},)),
        )
    )
    together = [{one.model.entry.model for one in group.standings} for group in found.groups]
    assert {"org/b", "org/c"} in together
    assert len(together) == 7
    assert all(len(group) == 1 for group in together if "org/b" not in group)
    keys = [(group.measure, group.cohort, group.kind) for group in found.groups]
    assert len(set(keys)) == len({group.key for group in found.groups}) == len(keys)


def test_questions_put_as_a_chat_and_plainly_stand_apart() -> None:
    result = official("org/a", 1.0)
    each = [(True, ", as a chat"), (False, ", plainly"), (None, "")]
    sites_of_one = [site_of((result, ({"value": 0.5},)), changes={"chat_template": put}) for put, _ in each]
    groups = [group for site in sites_of_one for group in quality.figures(site).groups]
    assert [group.measure.title for group in groups] == [f"mmlu, acc, 5 examples{told}" for _, told in each]


def test_what_can_be_compared_with_nothing_is_counted() -> None:
    unknown = local("org/d", 1.0).model_copy(update={"hardware": None, "score": None})
    found = quality.figures(
        site_of(
            (official("org/a", 1.0), ({"value": 0.5, "samples": 100},)),
            (official("org/b", 1.0), ({"value": 0.5, "higher_is_better": None},)),
            (unknown, ({"value": 0.5},)),
            (local("org/e", 1.0).model_copy(update={"model": None, "score": None}), ({"value": 0.5},)),
            (official("org/c", 1.0), ()),
        )
    )
    assert (found.groups, found.limited, found.undirected, found.other_weights, found.untold) == ((), 1, 1, 0, 2)


def test_figures_of_other_weights_than_those_measured_are_compared_with_nothing() -> None:
    for same, count in ((False, 1), (None, 0), (True, 0)):
        site = site_of((official("org/a", 1.0), ({"value": 0.5},)), changes={"same_weights": same})
        found = quality.figures(site)
        assert (found.other_weights, len(found.groups)) == (count, 1 - count)


def certain(*given: Result) -> list[bool | None]:
    """Of models whose quality falls from first to last, by far: whether their places are certain."""
    told = [({"value": 0.9 - 0.2 * place},) for place in range(len(given))]
    (group,) = quality.figures(site_of(*zip(given, told, strict=True))).groups
    return [one.place.certain for one in group.standings]


def test_the_front_reckons_with_the_gain_by_which_boards_differ() -> None:
    first, near, far = official("org/a", 1.0), official("org/b", 1.06), official("org/c", 1.2)
    assert first.uncertainty is not None
    assert first.uncertainty.combined_95_percent == pytest.approx(0.76, abs=0.01)
    # Of one board the two would be apart by seven times their half-widths.
    assert certain(first, near) == [True, False]
    assert certain(first, far) == [True, True]


def test_of_a_modelled_energy_no_place_is_certain() -> None:
    on_gpu = {"hardware": "NVIDIA H100 PCIe", "domain": "gpu"}
    for changes, expected in (
        ({"origin": "modelled"}, None),
        ({"origin": "mixed"}, None),
        (on_gpu | {"origin": "modelled"}, None),
        (on_gpu | {"origin": "measured"}, True),
    ):
        results = [local(f"org/{wh}", wh, **changes) for wh in (1.0, 50.0)]
        assert certain(*results) == [expected, expected], changes


def test_runs_of_one_model_are_one_point_with_the_mean_of_their_energies() -> None:
    figure = ({"value": 0.5},)
    again = [(official("org/a", wh), figure) for wh in (1.0, 1.4)]
    (group,) = quality.figures(site_of(*again, (official("org/b", 9.0), figure))).groups
    first, second = (one.model for one in group.standings)
    assert (len(first.entries), len(first.evaluations), len(second.entries)) == (2, 1, 1)
    assert first.wh_per_1000_queries == pytest.approx(1.2)
    # From the lower end of the one to the upper end of the other.
    (low, high), half = first.energy_interval or (0, 0), second.energy_half_width_percent or 0
    assert (low, high) == (pytest.approx(1.0 - half / 100), pytest.approx(1.4 * (1 + half / 100)))
    (point, _) = quality.points(group)
    assert (point.model, point.results, point.source_sha256) == ("org/a", 2, "ab" * 32)


def test_evaluations_of_one_model_are_one_point_with_the_mean_of_their_values() -> None:
    (group,) = quality.figures(
        site_of(
            (official("org/a", 1.0), ({"value": 0.4},)),
            (official("org/a", 2.0), ({"value": 0.6, "samples": 9, "samples_of": 9},)),
        )
    ).groups
    ((model, place),) = [(one.model, one.place) for one in group.standings]
    assert (model.value, model.stderr, model.questions, len(model.sources)) == (0.5, None, None, 2)
    assert place.on_front
    low, high = model.value_interval or (0, 0)
    assert low < 0.4
    assert high > 0.8


def test_other_revisions_and_weights_of_a_name_stand_apart_and_are_told_apart() -> None:
    figure = ({"value": 0.5},)
    other = local("org/a", 2.0, model_revision="f" * 40)
    as_int8 = local("org/a", 0.5).model_copy(update={"dtype": "int8"})
    (group,) = quality.figures(site_of((local("org/a", 1.0), figure), (other, figure), (as_int8, figure))).groups
    size = "1,000,000,000 parameters"
    assert [one.variant for one in group.standings] == [
        f"revision {'0' * 12}, {size}, int8",
        f"revision {'0' * 12}, {size}, type unknown",
        f"revision {'f' * 12}, {size}, type unknown",
    ]
    assert len({point.model for point in quality.points(group)}) == 3


def test_a_member_of_an_edition_and_an_earlier_run_of_it_are_one_point() -> None:
    results = [official("org/a", 1.0), official("org/a", 3.0)]
    ids = [f"{number:064x}"[::-1] for number in range(2)]
    figures = {ids[number]: in_force(results[number], number, {"value": 0.5}) for number in range(2)}
    member = Member(
        cohort="text_generation", model_class="A", model="org/a", wh_per_1000_queries=1.0, result_id=ids[0][:12]
    )
    edition = FEBRUARY_2025.model_copy(update={"members": (member,)})
    site = gather(results, edition, [], result_ids=[one[:12] for one in ids], quality=figures)
    assert [entry.member is None for entry in site.entries] == [False, True]
    (group,) = quality.figures(site).groups
    assert [len(one.model.entries) for one in group.standings] == [2]
    # The member's own result tells how sure its energy is.
    assert group.standings[0].model.energy_interval is not None


def test_a_limit_without_counts_is_a_part_of_the_task() -> None:
    whole = {"value": 0.5, "samples": None, "samples_of": None}
    assert quality.figures(site_of((official("org/a", 1.0), (whole,)), changes={"limit": 10})).limited == 1
    assert quality.figures(site_of((official("org/a", 1.0), (whole,)))).limited == 0


def test_figures_belong_to_the_result_of_their_hash_alone() -> None:
    result = official("org/a", 1.0)
    figures = {"ab" * 32: in_force(result, 0, {"value": 0.5})}
    site = gather([result], None, [], result_ids=["abababababab"], quality=figures)
    # Its record names another result.
    assert site.entries[0].quality == ()
    assert gather([result], None, [], result_ids=[None], quality=figures).entries[0].quality == ()


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
