"""The leaderboard's columns, its pages, and the two ends of each group."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.editions import Member, with_thresholds
from scorekit.publish.site.columnar import Interned, in_order, short, source_data, table_data
from scorekit.publish.site.content import Cohort, Entry, Site, model_slug
from scorekit.publish.site.figures import number
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.names import safe_json, shown
from scorekit.publish.site.pages import File, Page
from scorekit.publish.site.pages.efficient import EACH, Group, groups
from scorekit.publish.site.pages.leaderboard import PLAIN_ROWS, plain_path
from tests import edition_members, sites
from tests.web.boards import board_site, built_board


def entries_of(data: dict) -> list[tuple]:
    """The rows again, as a script reads them."""
    names = [name if provider is None else f"{provider}/{name}" for provider, group in data["models"] for name in group]
    cohorts = [cohort for *cohort, rows, _ in data["cohorts"] for _ in range(rows)]
    return [
        (names[model], cohort[0], data["kinds"][kind]["edition"], wh, half, int(stars) or None)
        for model, cohort, kind, wh, half, stars in zip(
            data["model"], cohorts, data["kind"], data["wh"], data["half"], data["stars"], strict=True
        )
    ]


def told(entry: Entry) -> tuple:
    half = entry.half_width_95_percent
    return (
        shown(entry.model),
        entry.cohort.key,
        shown(entry.edition),
        short(entry.wh_per_1000_queries),
        None if half is None else float(f"{half:.3g}"),
        entry.stars,
    )


@pytest.mark.parametrize("site", [sites.full_site(), sites.local_site(), sites.empty_site(), board_site()])
def test_columns_hold_every_row(site: Site) -> None:
    rows = in_order(site)
    assert sorted(entry.id for entry in rows) == sorted(entry.id for entry in site.entries)
    data = json.loads(safe_json(table_data(site, rows)))
    assert entries_of(data) == [told(entry) for entry in rows]
    sources = json.loads(safe_json(source_data(rows)))
    assert [sources["result"][row] or None for row in range(len(rows))] == [entry.result_id for entry in rows]
    texts = [sources["sources"][place] for place in sources["source"]]
    assert all(
        text.startswith("edition ") == (entry.member is not None) for text, entry in zip(texts, rows, strict=True)
    )


def test_rows_stand_by_task_and_then_by_energy() -> None:
    site = board_site()
    rows = in_order(site)
    places = [(site.cohorts.index(entry.cohort), entry.wh_per_1000_queries) for entry in rows]
    assert places == sorted(places)


def test_only_names_that_a_script_cannot_make_an_address_of_bring_one() -> None:
    data = table_data(site := sites.full_site(), in_order(site))
    names = [(provider, name) for provider, group in data["models"] for name in group]
    brought = {names[int(place)]: slug for place, slug in data["slugs"].items()}
    assert sorted(brought.values()) == sorted(
        model_slug(name) for name in sites.HOSTILE if not (name.isascii() and name.isprintable())
    )


@given(st.floats(min_value=1e-12, max_value=1e12, allow_nan=False))
def test_a_shortened_energy_is_told_alike(energy_wh: float) -> None:
    assert number(short(energy_wh)) == number(energy_wh)
    assert math.isclose(short(energy_wh), energy_wh, rel_tol=1e-5)


def test_values_are_interned_once() -> None:
    texts: Interned[str] = Interned()
    assert [texts.place(text) for text in ("b", "a", "b")] == [0, 1, 0]
    assert texts.values == ["b", "a"]


def test_a_long_task_has_several_plain_pages(tmp_path: Path) -> None:
    members = [
        Member(cohort="asr", model=f"m/{place:03}", wh_per_1000_queries=1 + place) for place in range(PLAIN_ROWS + 1)
    ]
    site = gather([], with_thresholds(edition_members.draft(members)), [])
    folder = built_board(site, tmp_path)
    first, second = (folder / plain_path(Cohort("asr"), number) for number in (1, 2))
    assert first.read_text(encoding="utf-8").count('<tr role="row">') == PLAIN_ROWS + 1
    assert second.read_text(encoding="utf-8").count('<tr role="row">') == 2
    assert "Figures 201 to 201 of 201" in second.read_text(encoding="utf-8")


def group_of(energies: list[float], *, models: list[str] | None = None) -> Group:
    named = models or [f"m/{place}" for place in range(len(energies))]
    members = [
        Member(cohort="asr", model=model, wh_per_1000_queries=energy)
        for model, energy in zip(named, energies, strict=True)
    ]
    (found,) = groups(gather([], edition_members.draft(members), []))
    return found


@given(st.lists(st.integers(1, 30).map(float), min_size=1, max_size=25))
def test_no_model_stands_at_both_ends(energies: list[float]) -> None:
    group = group_of(energies)
    most = [place.entry.model for place in group.most]
    least = [place.entry.model for place in group.least]
    assert not set(most) & set(least)
    assert len(most) + len(least) == min(len(energies), 2 * EACH)
    assert 0 <= len(most) - len(least) <= 1
    told_wh = [place.entry.wh_per_1000_queries for place in (*group.most, *reversed(group.least))]
    ordered = sorted(energies)
    assert told_wh == [*ordered[: len(most)], *ordered[len(ordered) - len(least) :]]
    for place in (*group.most, *group.least):
        energy = place.entry.wh_per_1000_queries
        assert place.rank == 1 + sum(other < energy for other in energies)
        assert place.is_shared == (energies.count(energy) > 1)


def test_few_models_and_ties_are_said() -> None:
    assert group_of([1.0]).notes == ("There is one model only, so nothing can be compared.",)
    assert group_of([1.0]).ratio is None
    assert "There are 3 models, fewer than 10" in group_of([1.0, 2.0, 3.0]).notes[0]
    assert group_of([float(place) for place in range(1, 11)]).notes == ()
    tied = group_of([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 7.0, 8.0, 9.0, 10.0, 11.0])
    assert tied.notes[0] == "1 model stands between the two lists."
    assert tied.notes[1].startswith("1 more model takes the same energy as one in the list of the least energy")
    assert tied.ratio == 11.0


def test_a_model_with_several_figures_stands_once() -> None:
    group = group_of([1.0, 2.0, 3.0], models=["m/a", "m/b", "m/a"])
    assert [(place.entry.model, place.figures) for place in (*group.most, *group.least)] == [("m/a", 2), ("m/b", 1)]
    assert group.notes[-1] == "One model here has several figures and stands once, by the least."


def test_official_and_local_figures_and_hardware_are_never_mixed() -> None:
    site = board_site()
    found = list(groups(site))
    for group in found:
        shown_entries = [place.entry for place in group.places]
        assert {entry.member is not None or entry.comparable for entry in shown_entries} == {group.official}
        assert {entry.cohort for entry in shown_entries} == {group.cohort}
        if not group.official:
            assert len({entry.hardware for entry in shown_entries}) == 1
    assert len({group.key for group in found}) == len(found)
    of_cohort = {(group.cohort, group.kind) for group in found}
    assert len(of_cohort) == len(found)
    assert sum(place.figures for group in found for place in group.places) == len(site.entries)


def test_pages_of_nothing_are_made() -> None:
    from scorekit.publish.site.pages import Build, efficient, leaderboard

    site = sites.empty_site()
    build = Build(sites.TIME, "0")
    made = [*leaderboard.pages(site, build), *efficient.pages(site, build)]
    assert [item.path for item in made if isinstance(item, Page)] == ["leaderboard.html", "efficient.html"]
    assert all(item.content for item in made if isinstance(item, File))
