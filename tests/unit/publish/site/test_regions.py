"""The page of regions at build: own data only, each with its source, and charts of the same figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from scorekit import impacts
from scorekit.publish.charts.subjects import zone_impacts
from scorekit.publish.charts.world import codes
from scorekit.publish.charts.zone_impacts import FIRST_ZONES
from scorekit.publish.site.content import Site
from scorekit.publish.site.environment import Renderer
from scorekit.publish.site.pages import Build, Page, calculator, regions
from tests import sites
from tests.web.impact_site import impact_site

BUILD = Build(sites.TIME, "0.1.0")


@pytest.fixture(scope="module")
def html() -> str:
    """The page of a site with measured energies."""
    return Renderer(impact_site(), BUILD).render(_page())


def _page() -> Page:
    (page,) = [each for each in regions.pages(impact_site(), BUILD) if isinstance(each, Page)]
    return page


def test_a_zone_without_own_data_has_no_figure() -> None:
    mix = impacts.find_mix()
    rows = {row["code"]: row for row in _page().context["rows"]}
    assert len(rows) == len(mix.zones)
    for zone in mix.zones:
        for kind, cell in zip(impacts.KINDS, rows[zone.code]["cells"], strict=True):
            assert (cell["text"] is None) == (zone.factor(kind.name) is None)


def test_figures_are_the_factors_in_readable_units() -> None:
    rows = {row["code"]: [cell["text"] for cell in row["cells"]] for row in _page().context["rows"]}
    france = impacts.find_zone(impacts.find_mix(), "FRA")
    expected = [france.gwp, france.pe, france.adpe, france.water]
    per_unit = [1000, 1, 1e9, 1]
    for text, factor, scale in zip(rows["FRA"], expected, per_unit, strict=True):
        assert factor is not None
        assert float(text.replace(",", "")) == pytest.approx(factor * scale, rel=5e-4)


def test_the_world_comes_first_and_is_cautioned() -> None:
    rows = _page().context["rows"]
    assert [row["code"] for row in rows[:2]] == ["WOR", "EEE"]
    names = [row["name"] for row in rows[2:]]
    assert names == sorted(names)
    notes = [cell["told"].notes if cell["told"] else () for cell in rows[0]["cells"]]
    assert [bool(note) for note in notes] == [False, True, True, False]
    (caution,) = _page().context["cautions"]
    assert "look wrong" in caution


def test_charts_are_of_the_same_zones() -> None:
    mix = impacts.find_mix(_page().context["mix"]["name"])
    drawn = zone_impacts(mix, impacts.KINDS[0], FIRST_ZONES)
    assert {one.code for one in drawn} == set(FIRST_ZONES)
    thousandth = zone_impacts(mix, impacts.KINDS[0], FIRST_ZONES, energy_wh=1.0)
    assert [one.value for one in thousandth] == [one.value and one.value * 0.001 for one in drawn]
    water = {one.code: one for one in zone_impacts(mix, impacts.KINDS[3])}
    assert water["EEE"].value is None
    assert water["EEE"].why_none
    assert water["WOR"].caution is None


def test_the_page_tells_its_sources_and_how_many_have_data(html: str) -> None:
    mix = impacts.find_mix()
    assert mix.source in html
    for name in impacts.mix_names():
        assert name in html
    own = sum(zone.water is not None for zone in mix.zones)
    assert f"{own} of {len(mix.zones)} zones for water" in html
    body = html[html.index('<table id="zones">') :]
    off = [zone for zone in mix.zones if zone.code not in codes()]
    assert f"{len(off)} zones are no countries and stand in this table only" in html
    assert all(zone.name in html for zone in off)
    # Every figure of the table tells its source, and its origin by sign.
    figures = sum(zone.factor(kind.name) is not None for zone in mix.zones for kind in impacts.KINDS)
    assert body.count('<td class="num"><span class="figure">') == body.count("sign origin-modelled") == figures
    assert len(re.findall('<td class="num hatched">none</td>', body)) == sum(
        zone.factor(kind.name) is None for zone in mix.zones for kind in impacts.KINDS
    )


@pytest.mark.parametrize("site", [sites.empty_site, sites.local_site, sites.full_site, impact_site])
def test_the_pages_stand_on_every_site(site: Callable[[], Site], tmp_path: Path) -> None:
    shown = site()
    renderer = Renderer(shown, BUILD)
    for page in (*regions.pages(shown, BUILD), *calculator.pages(shown, BUILD)):
        if isinstance(page, Page):
            (tmp_path / page.path).write_text(renderer.render(page), encoding="utf-8")
            found = sites.read(tmp_path / page.path)
            assert (found.forbidden, found.headings) == ([], 1)
            assert len(set(found.ids)) == len(found.ids)
            assert set(found.references) <= set(found.ids)
