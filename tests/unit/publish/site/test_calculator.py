"""The calculator's page at build: its first case, its measured energies, and what it says where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit import impacts
from scorekit.errors import MissingExtraError
from scorekit.impacts import Range
from scorekit.layout import significant
from scorekit.publish.site import amounts, impact_data, measured_energies
from scorekit.publish.site.content import Site
from scorekit.publish.site.environment import Renderer
from scorekit.publish.site.pages import Build, File, Page, calculator, regions
from tests import sites
from tests.web.impact_site import impact_site

BUILD = Build(sites.TIME, "0.1.0")
WORLD = impacts.find_zone(impacts.find_mix("ecologits-0.8"), "WOR")
STUDY_MIX = impacts.find_mix("ecologits-0.8")


@pytest.fixture
def without_ecologits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the package ecologits were not installed."""

    def missing() -> None:
        raise MissingExtraError("ecologits", "impact")

    monkeypatch.setattr(impacts, "page_data", missing)
    impact_data.read.cache_clear()
    yield
    impact_data.read.cache_clear()


@pytest.fixture
def without_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the edition of mixes had no zones."""
    data = impact_data.read().data
    assert data is not None
    empty = {**data, "mixes": [{**mix, "zones": []} for mix in data["mixes"]]}
    monkeypatch.setattr(impacts, "page_data", lambda: empty)
    impact_data.read.cache_clear()
    yield
    impact_data.read.cache_clear()


def _page(site: Site) -> tuple[Page, dict[str, File]]:
    made = list(calculator.pages(site, BUILD))
    (page,) = [each for each in made if isinstance(each, Page)]
    return page, {each.path: each for each in made if isinstance(each, File)}


def _only_pages(site: Site) -> list[str]:
    """Both pages of impacts, where they bring no data."""
    made = [*calculator.pages(site, BUILD), *regions.pages(site, BUILD)]
    return [Renderer(site, BUILD).render(each) for each in made if isinstance(each, Page) or pytest.fail(each.path)]


# The first case


def test_the_first_case_is_what_the_command_gives() -> None:
    page, _ = _page(impact_site())
    case, view = page.context["case"], page.context["view"]
    method = impacts.find_method(case.method)
    mix = impacts.find_mix(method.mix)
    found = impacts.calculate(
        impacts.find_model(method.models, case.model, method.name),
        method,
        impacts.find_text(case.text).tokens,
        impacts.find_zone(mix, case.zone),
        mix,
    )
    energy = found.footprint.energy_wh
    assert view["energy"]["text"] == f"{significant(energy.low)} to {significant(energy.high)}\N{NO-BREAK SPACE}Wh"
    gwp = found.footprint.figure("gwp").value
    assert gwp is not None
    assert view["impacts"][0]["text"].startswith(f"{significant(gwp.low * 1000)} to {significant(gwp.high * 1000)}")
    assert view["origin"] == found.origin == "estimated"
    assert [term["origin"] for term in view["terms"]] == ["estimated", "estimated"]
    assert view["impacts"][0]["told"]["origin"] == "modelled"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("FRA", ("2.803", "0.3260", "1.700")),
        ("WOR", ("20.67", "0.3496", "2.582")),
        ("ZAF", ("40.22", "0.3975", "3.019")),
        ("ZMB", ("0.4909", "0.003147", "5.677")),
    ],
)
def test_the_french_studys_figures_stand_as_printed(zone: str, expected: tuple[str, str, str]) -> None:
    method = impacts.find_method("ecologits-0.8")
    view = calculator.modelled_view(method, impacts.find_model(method.models, "gpt-4o", method.name), 400, "x", zone)
    assert view["energy"]["text"] == "35.0\N{NO-BREAK SPACE}Wh"
    assert tuple(each["text"].split("\N{NO-BREAK SPACE}")[0] for each in view["impacts"][:3]) == expected
    # The study has no water.
    assert view["impacts"][3]["text"] is None
    assert view["impacts"][3]["why_none"] == "this edition has no factor for water"


def test_many_texts_take_so_many_times_as_much() -> None:
    case = calculator.Case("ecologits-0.8", "openai/gpt-4o", "small_conversation", "FRA")
    view = calculator.case_view(case, count=1000)
    assert view["energy"]["text"] == "35,000\N{NO-BREAK SPACE}Wh"
    assert view["of"].startswith("1,000 × a small conversation")  # noqa: RUF001 - as the page writes it
    assert view["impacts"][0]["text"] == "2,803\N{NO-BREAK SPACE}g CO₂e"


def test_the_world_is_cautioned() -> None:
    current = impacts.find_method()
    view = calculator.case_view(calculator.Case(current.name, "openai/gpt-4o", "tweet", "WOR"))
    cautioned = {each["name"] for each in view["impacts"] if each["caution"]}
    assert cautioned == {"pe", "adpe"}


# What was measured


def test_measured_rows_give_what_the_command_gives() -> None:
    site = impact_site()
    _, files = _page(site)
    text = files[calculator.MEASURED_PATH].content.decode()
    data = json.loads(text.removeprefix("scorekit.data.measured = ").removesuffix(";\n"))
    rows = [{**data["shared"][row["shared"]], **row} for row in data["rows"]]
    assert len(rows) == len(site.entries) == 5
    for entry, row in zip(site.entries, rows, strict=True):
        found = measured_energies.calculation(entry, WORLD, STUDY_MIX)
        assert [term[0] for term in row["terms"]] == [term.name for term in found.footprint.terms]
        low = sum(term[1] for term in row["terms"])
        assert low == pytest.approx(found.footprint.energy_wh.low, rel=1e-12)
        assert row["origin"] == found.origin
        if row["tokens"] is not None:
            answer = measured_energies.calculation(entry, WORLD, STUDY_MIX, tokens=400)
            assert low * 400 / row["tokens"] == pytest.approx(answer.footprint.energy_wh.low, rel=1e-12)
    assert {row["origin"] for row in rows} == {"measured", "mixed", "modelled"}
    assert {row["tokens"] is None for row in rows} == {True, False}


def test_what_many_figures_share_is_told_once() -> None:
    entries = [each for each in impact_site().entries if each.model == "example/published-8b"] * 1000
    data = measured_energies.rows(entries)
    assert (len(data["rows"]), len(data["shared"])) == (1000, 1)
    # Ten thousand figures are a download of 2 MB, which compresses to a tenth.
    assert len(json.dumps(data["rows"])) < 1000 * 250


def test_a_published_figure_is_one_query_of_a_thousand() -> None:
    entry = next(each for each in impact_site().entries if each.model == "example/published-8b")
    found = measured_energies.calculation(entry, WORLD, STUDY_MIX, pue=1.5)
    assert found.footprint.energy_wh == Range.exactly(0.0045 * 1.5)
    assert found.origin == "measured"
    assert "cpu" in found.footprint.not_counted
    row = measured_energies.row(entry)
    assert row is not None
    assert (row["tokens"], row["wh"]) == (None, 4.5)


def test_a_result_whose_queries_are_not_known_is_left_out() -> None:
    entry = next(each for each in impact_site().entries if each.model == "tiny-llama")
    assert entry.result is not None
    object.__setattr__(entry, "result", entry.result.model_copy(update={"queries": None}))
    assert measured_energies.row(entry) is None


# Where there is nothing


@pytest.mark.usefixtures("without_ecologits")
def test_without_the_package_the_pages_say_so() -> None:
    for text in _only_pages(impact_site()):
        assert "needs the package &#39;ecologits&#39;" in text
        assert "-e &#34;.[impact]&#34;" in text


@pytest.mark.usefixtures("without_zones")
def test_without_zones_the_pages_say_so() -> None:
    for text in _only_pages(impact_site()):
        assert "has no zones" in text


def test_without_entries_nothing_measured_can_be_chosen() -> None:
    page, _ = _page(sites.empty_site())
    assert page.context["measured"] == 0
    assert page.context["view"]["energy"]["text"].endswith("Wh")


# Amounts


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.0, 4, "0"),
        (35.0, 3, "35.0"),
        (447.0, 3, "447"),
        (5590.0, 3, "5,590"),
        (0.00010004, 4, "0.0001000"),
        (0.00001234, 4, "1.234\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻⁵"),  # noqa: RUF001 - as the page writes it
        (123456.0, 4, "123,456"),
        (1.5e9, 4, "1.500\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁹"),  # noqa: RUF001 - as the page writes it
        (2.5, 1, "2"),
        (3.5, 1, "4"),
    ],
)
def test_numbers_are_written_with_their_digits(value: float, digits: int, expected: str) -> None:
    assert amounts.number(value, digits) == expected


@given(st.floats(min_value=1.0001e-4, max_value=9.99e8))
def test_numbers_are_those_of_the_tables(value: float) -> None:
    assert amounts.number(value) == significant(value)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(2.0, 30.0, "2.0 to 30 seconds"), (208.4, 346.9, "3.5 to 5.8 minutes"), (12600.0, 12600.0, "3.5 hours")],
)
def test_durations_are_in_the_unit_that_fits(low: float, high: float, expected: str) -> None:
    assert amounts.duration(Range(low=low, high=high)) == expected.replace(" hours", "\N{NO-BREAK SPACE}hours").replace(
        " minutes", "\N{NO-BREAK SPACE}minutes"
    ).replace(" seconds", "\N{NO-BREAK SPACE}seconds")
