"""Numbers carry their unit, and what is to be told of them; stars and origins have words."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.publish.site.figures import (
    Told,
    count,
    energy_html,
    figure_html,
    number,
    origin_html,
    percent,
    stars_html,
    wh,
)
from scorekit.publish.site.names import broken, isolated, safe_json, shown, utc
from tests.sites import full_site


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.34567, "12.35"),
        (0.0554, "0.05540"),
        (3426.381777, "3,426"),
        (1e-7, "1.000e-07"),
        (0, "0"),
        (None, "unknown"),
    ],
)
def test_numbers_have_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_units_stand_beside_numbers_and_missing_ones_are_said() -> None:
    assert wh(1.5) == "1.500\N{NO-BREAK SPACE}Wh"
    assert percent(3.21) == "3.21\N{NO-BREAK SPACE}%"
    assert count(1234) == "1,234"
    for told in (wh, percent, number):
        assert told(None) == told(math.nan) == "unknown"


def test_stars_are_told_in_words() -> None:
    official, local = stars_html(4, official=True), stars_html(2, official=False)
    assert "4 of 5 stars" in official
    assert "local" not in official
    assert "2 of 5 stars, local, not official" in local
    assert stars_html(None, official=False) == '<span class="no-stars">no star</span>'


@pytest.mark.parametrize("origin", ["measured", "modelled", "mixed", "estimated", "unknown"])
def test_origins_have_sign_and_word(origin: str) -> None:
    assert f"</span> {origin}</span>" in origin_html(origin)


def test_a_figure_tells_its_source_and_what_is_unknown() -> None:
    html = figure_html("1 Wh", Told(source="<b>log</b>", origin="modelled"), "i1")
    assert 'aria-describedby="i1"' in html
    assert 'id="i1"' in html
    assert "<b>" not in html
    assert "modelled" in html
    assert html.count("unknown") == 2  # hardware and uncertainty


def test_an_entry_tells_edition_hardware_and_uncertainty() -> None:
    entries = full_site().entries
    member = energy_html(next(entry for entry in entries if entry.member), "i1")
    assert "2026-01" in member
    assert "NVIDIA H100 80GB" in member
    official = energy_html(next(entry for entry in entries if entry.result and entry.comparable), "i2")
    assert "at 95" in official
    local = energy_html(next(entry for entry in entries if not entry.comparable), "i3")
    assert "not comparable with official figures" in local


def test_a_file_s_name_breaks_at_its_folders_and_before_its_ending_alone() -> None:
    assert broken("runs/one/environment.json") == "<bdi>runs/<wbr>one/<wbr>environment<wbr>.json</bdi>"
    assert broken("../.hidden/a..b/") == "<bdi>../<wbr>.hidden/<wbr>a<wbr>..b/</bdi>"
    assert broken("<b>/&.x") == "<bdi>&lt;b&gt;/<wbr>&amp;<wbr>.x</bdi>"
    assert broken("plain") == "<bdi>plain</bdi>"
    assert broken("<a_b>_") == "<bdi>&lt;a_<wbr>b&gt;_</bdi>"


def test_moments_are_told_in_utc_and_what_is_none_as_it_is() -> None:
    assert utc("2026-03-02T09:00:05.9+00:00") == utc("2026-03-02T10:00:05+01:00") == "2026-03-02 09:00:05&nbsp;UTC"
    assert utc("2026-03-02T09:00:05") == "2026-03-02 09:00:05&nbsp;UTC"
    assert utc("<b>") == "<bdi>&lt;b&gt;</bdi>"
    # It would lie before the first year.
    assert utc("0001-01-01T00:00:00+01:00") == "<bdi>0001-01-01T00:00:00+01:00</bdi>"


@given(st.text())
def test_any_name_is_isolated_text(name: str) -> None:
    html = isolated(name)
    assert html.startswith("<bdi>")
    assert html.count("<") == 2
    assert all(sign.isprintable() or sign not in "\x00\x07\x1b" for sign in shown(name))


@settings(max_examples=30)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_json_holds_any_text_and_no_markup(value: object) -> None:
    text = safe_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not set("<>&'") & set(text)


def test_json_of_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        safe_json(math.nan)
