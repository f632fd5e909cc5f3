"""What the site shows: official and local figures apart, classes apart, each average that of its members."""

from __future__ import annotations

import csv
import hashlib
import re
import statistics
from typing import Any

import pytest

from scorekit.editions import with_thresholds
from scorekit.logs.from_score import result_of
from scorekit.publish.site.content import Cohort, Site, is_official, model_slug
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.standings import history_of
from scorekit.scales import RANK_QUINTILE
from tests.bundles import local_score, official_score
from tests.edition_members import REFERENCE, draft, needs_reference
from tests.sites import HOSTILE, edition, full_site, members

COLLIDING = ("a#!)@b", "a(#+|b")
"""Names of one readable part whose digests have the same first 32 bits."""


def test_official_figures_come_first_and_are_never_averaged_with_local_ones() -> None:
    site = full_site()
    flags = [is_official(entry) for entry in site.entries]
    assert flags == sorted(flags, reverse=True)
    writers = next(one for one in site.summaries if one.cohort == Cohort("text_generation", "A"))
    official = [e.wh_per_1000_queries for e in site.entries if e.cohort == writers.cohort and is_official(e)]
    assert writers.official
    assert writers.figures == len(official) == 4
    # Writer 1b has a figure of 2 Wh in the edition and one of 3 Wh beside it.
    assert sorted(official) == [2.0, 3.0, 6.0, 14.0]
    assert (writers.mean, writers.median) == (pytest.approx(22 / 3), 6.0)
    local = site.of_cohort(writers.cohort, official=False)
    assert len(local) > 5
    assert not any(map(is_official, local))


def test_classes_are_cohorts_of_their_own() -> None:
    site = gather([], edition(), [])
    assert [cohort.title for cohort in site.cohorts] == [
        "Text generation, class A",
        "Text generation, class B",
        "Text generation, class C",
        "Speech recognition",
    ]
    assert {one.cohort.key: one.models for one in site.summaries}["text_generation-c"] == 1


def test_of_a_cohort_entries_rise_and_unknown_cohorts_are_empty() -> None:
    site = full_site()
    for cohort in site.cohorts:
        every = site.of_cohort(cohort)
        assert [entry.wh_per_1000_queries for entry in every] == sorted(entry.wh_per_1000_queries for entry in every)
        assert len(every) == len(site.of_cohort(cohort, official=True)) + len(site.of_cohort(cohort, official=False))
    assert site.of_cohort(Cohort("nothing")) == ()


def test_a_result_that_an_edition_holds_stands_once() -> None:
    result = result_of(official_score("example/writer-1b"), "run")
    held = [member.model_copy(update={"result_id": "a" * 64}) for member in members()[:1]]
    site = gather([result, result], draft(held), [], result_ids=["a" * 64, "b" * 64])
    assert [entry.result_id for entry in site.entries] == ["a" * 64, "b" * 64]


def test_ids_are_unique_even_of_equal_results() -> None:
    result = result_of(local_score("same"), "run")
    site = gather([result] * 3, None, [])
    assert len({entry.id for entry in site.entries}) == 3


def test_history_is_by_each_editions_own_thresholds() -> None:
    newer, older = edition(), edition("2025-06", shift=1.5, date="2025-06")
    history = history_of([newer, older])
    listener = history["example/listener-20"]
    assert [standing.edition.name for standing in listener] == ["2025-06", "2026-01"]
    assert [standing.wh_per_1000_queries for standing in listener] == [30.0, 20.0]
    # The same share of its range in both.
    assert [standing.stars for standing in listener] == [4, 4]
    assert history["example/writer-C"][0].stars is None


def test_a_rule_that_needs_every_member_is_worked_out_once_a_cohort(monkeypatch: pytest.MonkeyPatch) -> None:
    from scorekit.publish.site import standings

    asked: list[str] = []
    scale_of = standings.scale_of

    def counted(edition: object, row: object) -> object:
        asked.append(row.cohort)  # type: ignore[attr-defined]
        return scale_of(edition, row)  # type: ignore[arg-type]

    monkeypatch.setattr(standings, "scale_of", counted)
    ranked = with_thresholds(draft(members(), rule=RANK_QUINTILE))
    site = gather([], ranked, [])
    assert len(site.entries) == len(members())
    assert len(asked) == len(ranked.thresholds)


def test_addresses_of_models_are_safe_and_unlike() -> None:
    slugs = [model_slug(name) for name in (*HOSTILE, "A/B", "a/b", "a-b", "")]
    assert len(set(slugs)) == len(slugs)
    for slug in slugs:
        assert slug.replace("-", "").isalnum()
        assert slug.isascii()
        assert len(slug) < 80


def test_names_whose_digests_begin_alike_have_addresses_of_their_own() -> None:
    first, second = COLLIDING
    assert len({hashlib.sha256(name.encode()).hexdigest()[:8] for name in COLLIDING}) == 1
    assert model_slug(first) != model_slug(second)
    assert all(re.search(r"-[0-9a-f]{16}$", model_slug(name)) for name in COLLIDING)


@needs_reference
def test_averages_of_february_2025_are_those_of_its_rows() -> None:
    from scorekit.edition_sources import csv_tables
    from scorekit.edition_sources.gathered import draft_of

    gathered = csv_tables.read_file(REFERENCE)
    full = with_thresholds(draft_of([gathered], name="full", date="2025-02", hardware="H100", source="reference"))
    site: Site = gather([], full, [full])
    energies: dict[tuple[str, str], list[float]] = {}
    least: dict[tuple[str, str], dict[str, float]] = {}
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            energy_wh = float(row["gpu_energy_wh_per_1000_queries"])
            energies.setdefault((row["task"], row["class"]), []).append(energy_wh)
            of_models = least.setdefault((row["task"], row["class"]), {})
            of_models[row["model"]] = min(energy_wh, of_models.get(row["model"], energy_wh))
    assert len(site.entries) == sum(map(len, energies.values())) == 166
    assert len(site.summaries) == len(energies)
    for one in site.summaries:
        expected = energies[one.cohort.name, one.cohort.model_class or ""]
        assert one.figures == len(expected)
        averaged = least[one.cohort.name, one.cohort.model_class or ""].values()
        assert one.models == len(averaged)
        assert one.mean == pytest.approx(sum(averaged) / len(averaged), rel=1e-12)
        assert one.median == pytest.approx(statistics.median(averaged), rel=1e-12)
        assert (one.lowest, one.highest) == (min(expected), max(expected))


def test_of_models_whose_class_is_not_known_there_is_no_average() -> None:
    scores = [local_score(f"model-{n}", energy_wh=1.0 + 100 * n, model_class=None) for n in range(3)]
    site = gather([result_of(score, "run") for score in scores], None, [])
    (summary,) = site.summaries
    assert summary.cohort.title == "Text generation, class unknown"
    assert (summary.mean, summary.median) == (None, None)
    assert (summary.lowest, summary.highest, summary.figures) == (1.0, 201.0, 3)


def test_a_model_that_stands_several_times_weighs_as_one_in_each_average() -> None:
    told = [("often", 9.0), ("often", 5.0), ("often", 7.0), ("once", 1.0), ("other", 3.0)]
    site = gather([result_of(local_score(name, energy_wh=energy), "run") for name, energy in told], None, [])
    (summary,) = site.summaries
    assert (summary.models, summary.figures) == (3, 5)
    assert (summary.mean, summary.median) == (3.0, 3.0)
    assert (summary.lowest, summary.highest) == (1.0, 9.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hardware": "Example CPU 9001"}, "2 kinds of hardware"),
        ({"hardware": None}, "hardware unknown"),
        ({"origin": "measured"}, "unlike origins (measured, modelled)"),
    ],
)
def test_local_figures_that_were_not_taken_alike_have_a_range_alone(changes: dict[str, Any], why: str) -> None:
    alike = [local_score("one", energy_wh=1.0), local_score("two", energy_wh=3.0)]
    (summary,) = gather([result_of(score, "run") for score in alike], None, []).summaries
    assert (summary.mean, summary.median, summary.no_average_because) == (2.0, 2.0, ())
    unlike = [*alike, local_score("three", energy_wh=8.0, **changes)]
    (summary,) = gather([result_of(score, "run") for score in unlike], None, []).summaries
    assert (summary.mean, summary.median, summary.no_average_because) == (None, None, (why,))
    assert (summary.lowest, summary.highest) == (1.0, 8.0)
