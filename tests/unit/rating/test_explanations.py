"""A rating in words: why it is so, and what would change it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.explain import explain
from scorekit.rating import rate_scores
from scorekit.records import Score
from tests.bundles import local_score
from tests.strategies import local_scores
from tests.unit.rating.made import asr_score, full_edition


def _explained(energy_wh: float, folder: Path) -> str:
    (rating,) = rate_scores([asr_score(energy_wh)], full_edition(folder))
    return explain(rating)


def test_an_explanation_says_why_and_what_would_change_the_star(tmp_path: Path) -> None:
    # Bounds 7.2, 13.4, 19.6 and 25.8 between 1 and 32 Wh.
    assert _explained(8.0, tmp_path) == (
        "probe has 4 stars because its 8.000 Wh per 1,000 queries lies between 7.200 and 13.40 Wh, by the rule "
        "equal_width in edition trial (asr: 6 models from 1.000 to 32.00 Wh). Below 7.200 Wh (0.8000 Wh or 10 % less) "
        "it would have 5 stars, and from 13.40 Wh on (5.400 Wh or 68 % more) it would have 3 stars."
    )


@pytest.mark.parametrize(
    ("energy_wh", "parts"),
    [
        (
            0.5,
            ("5 stars because its 0.5000 Wh per 1,000 queries is below 7.200 Wh", "below the range", "From 7.200 Wh"),
        ),
        (
            40.0,
            ("1 star because its 40.00 Wh per 1,000 queries is at or above 25.80 Wh", "above the range", "2 stars."),
        ),
    ],
)
def test_an_explanation_at_the_ends_of_the_scale(tmp_path: Path, energy_wh: float, parts: tuple[str, ...]) -> None:
    text = _explained(energy_wh, tmp_path)
    assert all(part in text for part in parts)
    assert text.count(". ") == 1


def test_an_explanation_without_a_star_says_how_to_get_one() -> None:
    (rating,) = rate_scores([local_score()], None)
    text = explain(rating)
    assert "has no star: it is the only model given of its task and conditions" in text
    assert "To mend it: rate it with other models" in text


@given(local_scores(), st.sampled_from(["equal_width", "rank_quintile", "log_width"]))
def test_every_rating_can_be_explained_in_two_sentences(scores: list[Score], rule: str) -> None:
    for rating in rate_scores(scores, None, rule):
        text = explain(rating)
        assert text.endswith(".")
        assert len(re.findall(r"\.(?= [A-Z]|$)", text)) == 2


@pytest.mark.parametrize(
    ("energies", "probe", "first", "second"),
    [
        ((1.0, 2.0, 9.0), 9.0, "2 stars because its 9.000 Wh per 1,000 queries is at the bound of 9.000 Wh,",
         "Below 9.000 Wh it would have 4 stars, and above 9.000 Wh it would have 1 star."),
        ((1.0, 9.0), 9.0, "3 stars because its 9.000 Wh per 1,000 queries is at the bound of 9.000 Wh,",
         "Below 9.000 Wh it would have 5 stars, and above 9.000 Wh it would have 1 star."),
        ((1.0, 2.0, 2.0, 2.0, 2.0), 2.0, "4 stars because its 2.000 Wh per 1,000 queries is at the bound of 2.000 Wh,",
         "Below 2.000 Wh it would have 5 stars, and above 2.000 Wh it would have 1 star."),
    ],
)  # fmt: skip
def test_a_bound_at_a_members_own_energy_is_no_distance(
    energies: tuple[float, ...], probe: float, first: str, second: str
) -> None:
    scores = [local_score(f"model-{number}", energy) for number, energy in enumerate(energies)]
    text = explain(rate_scores(scores, None, "rank_quintile")[energies.index(probe)])
    assert first in text
    assert text.endswith(second)
    assert "e-1" not in text
