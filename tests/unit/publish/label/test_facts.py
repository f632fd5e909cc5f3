"""Which kind of label a result gets, and what it tells; badge and model card; the words and figures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scorekit import logs
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import UsageError
from scorekit.publish.label import wording
from scorekit.publish.label.badge import badge
from scorekit.publish.label.characters import clean, clusters, is_right_to_left
from scorekit.publish.label.facts import LabelFacts, checked_link, label_facts, split_model, task_title
from scorekit.publish.label.model_card import METRIC, card, model_index
from scorekit.rating import rate_scores
from scorekit.records import Score
from tests.bundles import local_score, official_score
from tests.unit.publish.label.examples import LINK, local, official, unrated


def facts_of(score: Score, *others: Score, edition: Any = FEBRUARY_2025, link: str | None = LINK) -> LabelFacts:
    return label_facts(rate_scores([score, *others], edition)[0], score, link)


def test_a_star_of_an_edition_makes_an_official_label() -> None:
    facts = facts_of(official_score("meta/one/two", 10.0))
    assert (facts.kind, facts.stars, facts.edition) == ("official", 4, "2025-02")
    assert (facts.provider, facts.name, facts.model) == ("meta", "one/two", "meta/one/two")
    assert (facts.hardware, facts.link, facts.reasons) == ("NVIDIA H100 80GB HBM3", LINK, ())
    assert wording.month(facts) == "June 2025"


def test_the_same_from_the_record_of_a_result() -> None:
    score = official_score("meta/one", 10.0)
    result = logs.result_of(score, "run")
    (rating,) = rate_scores([result], FEBRUARY_2025)
    facts = label_facts(rating, result, LINK)
    of_score = facts_of(score)
    names = [name for name in LabelFacts.__dataclass_fields__ if name != "gpu_count"]
    assert [getattr(facts, name) for name in names] == [getattr(of_score, name) for name in names]


@pytest.mark.parametrize(
    ("score", "edition", "kind", "code"),
    [
        (local_score(), FEBRUARY_2025, "local", "hardware"),
        (local_score(), None, "local", "hardware"),
        (official_score(), None, "local", "local"),
        (official_score(valid=False), FEBRUARY_2025, "local", None),
        (official_score(cohort="reasoning", task="reasoning"), FEBRUARY_2025, "unrated", "edition"),
        (official_score(model_class=None), FEBRUARY_2025, "unrated", "edition"),
    ],
)
def test_what_has_no_star_of_an_edition_gets_no_official_label(
    score: Score, edition: Any, kind: str, code: str | None
) -> None:
    facts = facts_of(score, edition=edition)
    assert facts.kind == kind
    assert (facts.link is None) == (kind == "local")
    assert facts.reasons
    if code is not None:
        assert code in {reason.code for reason in facts.reasons}


def test_a_rating_by_itself_is_never_official() -> None:
    (rating,) = rate_scores([official_score()], FEBRUARY_2025)
    assert rating.official
    facts = label_facts(rating, None, LINK)
    assert (facts.kind, facts.link, facts.hardware, facts.scored) == ("local", None, None, None)
    assert facts.reasons[0].code == "unverified"
    with pytest.raises(ValueError, match="not of"):
        label_facts(rating, official_score("another/model"))


def test_a_local_star_says_among_how_many() -> None:
    facts = facts_of(local_score("one", 1.0), local_score("two", 5.0))
    assert wording.stars(facts) == "Local rating: 5 of 5 among 2 models"
    alone = facts_of(local_score("one", 1.0))
    assert wording.stars(alone).startswith("No star: it is the only model given")


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("a/b", ("a", "b")), ("a/b/c", ("a", "b/c")), ("tiny", (None, "tiny")), ("/b", (None, "/b")),
        ("a/", (None, "a/")), ("", (None, None)), (None, (None, None)),
    ],
)  # fmt: skip
def test_provider_and_name_part_at_the_first_slash(model: str | None, parts: tuple[str | None, str | None]) -> None:
    assert split_model(model) == parts


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "//example.org", "https://", "example.org", "https://e.org/a b",
        'https://e.org/"onload=x', "https://e.org/\u00e9", "https://user@e.org/", "https://e.org/\n", "https://[x",
        "ftp://e.org/1", "",
    ],
)  # fmt: skip
def test_a_link_that_is_no_plain_address_is_refused(link: str) -> None:
    with pytest.raises(UsageError, match="no plain web address"):
        checked_link(link)


@pytest.mark.parametrize(
    ("energy", "shown"),
    [
        (5.8231, "5.82"), (35.0, "35.0"), (0.0554, "0.0554"), (999.7, "1,000"), (3426.381777, "3,426"),
        (0.001, "0.00100"),
        (1e-6, "1.00 \u00d7 10\u207b\u2076"), (1.5e12, "1.50 \u00d7 10\u00b9\u00b2"), (9.999, "10.0"), (178.13, "178"),
        (None, "unknown"),
    ],
)  # fmt: skip
def test_figures_have_three_digits(energy: float | None, shown: str) -> None:
    assert wording.energy(official(energy_wh_per_1000=energy)) == shown


def test_tasks_and_gpus_in_words() -> None:
    assert task_title(official(task="asr", model_class=None)) == "Automatic speech recognition"
    assert task_title(official(task="t5_text_generation")) == "Text generation (T5), class A"
    assert task_title(official(task=None)) is None
    assert wording.hardware(official(gpu_count=8)) == "8 \u00d7 NVIDIA H100 80GB HBM3"
    assert wording.uncertainty(official(uncertainty_percent=None)) == "uncertainty unknown"


@given(st.text(max_size=80))
def test_cleaned_text_is_one_line_that_any_file_can_hold(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned == " ".join(cleaned.split())
    cleaned.encode("utf-8")
    assert not re.search("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]", cleaned)
    assert "".join(clusters(cleaned)) == cleaned


def test_piled_marks_and_joined_signs() -> None:
    assert clean("Z" + "\u0335" * 50) == "Z" + "\u0335" * 3
    assert clusters("e\u0301\U0001f469\u200d\U0001f680\U0001f1eb\U0001f1f7x") == [
        "e\u0301", "\U0001f469\u200d\U0001f680", "\U0001f1eb\U0001f1f7", "x",
    ]  # fmt: skip
    assert is_right_to_left("7-\u05d0bc")
    assert not is_right_to_left("abc-\u05d0")


def test_badges_of_each_kind() -> None:
    assert badge(official()) == {
        "schemaVersion": 1,
        "label": "AI energy score",
        "message": "\u2605\u2605\u2605\u2605\u2606 5.82 Wh per 1k queries (2025-02)",
        "color": "15803d",
    }
    assert "borderline" in badge(official(borderline=True))["message"]
    assert "\u2605" not in str([badge(local()), badge(unrated())])
    assert "local result, not comparable" in badge(local())["label"]
    assert badge(local(energy_wh_per_1000=None))["message"] == "energy unknown"
    assert len({badge(facts)["color"] for facts in (official(), local(), unrated())}) == 3


def test_a_card_has_what_the_hub_reads_and_what_people_read() -> None:
    text = card(official(name="model-1b|<b>", borderline=True))
    _, front, body = text.split("---\n", 2)
    (entry,) = yaml.safe_load(front)["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "model-1b|<b>"
    assert result["task"]["type"] == "text-generation"
    assert result["dataset"]["name"] == "AIEnergyScore/text_generation"
    assert (result["metrics"][0]["type"], result["metrics"][0]["value"]) == (METRIC, 5.8231)
    assert result["source"]["url"] == LINK
    assert "co2" not in text
    for part in (
        "5.82 Wh per 1,000 queries",
        "2025-02",
        "equal_width",
        "NVIDIA H100",
        "\u00b1 2.1 %",
        "Borderline",
        LINK,
    ):
        assert part in body.replace("\\", "")


def test_a_card_of_what_is_not_comparable_gives_the_hub_nothing() -> None:
    text = card(local())
    assert "model-index" not in text
    assert "Local result, not comparable" in text
    assert "no GPU was used" in text
    assert model_index(official(dataset=None)) is None
    assert model_index(official(energy_wh_per_1000=None)) is None


@given(st.text(max_size=60), st.text(max_size=60))
def test_cards_of_any_name_are_yaml_and_a_table(name: str, hardware: str) -> None:
    text = card(official(name=name, hardware=hardware))
    _, front, body = text.split("---\n", 2)
    assert yaml.safe_load(front)["model-index"][0]["name"] == clean(name)
    (row,) = [line for line in body.splitlines() if line.startswith("| Hardware |")]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 3
    assert not re.search(r"(?<!\\)(?:\\\\)*[<\[`]", row)


def test_the_fonts_that_come_along_are_small_and_have_their_licence() -> None:
    folder = Path(wording.__file__).parent / "fonts"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 150_000
    assert "SIL OPEN FONT LICENSE Version 1.1" in (folder / "OFL.txt").read_text(encoding="utf-8")


def test_the_badge_is_json() -> None:
    from scorekit.publish.label.badge import badge_text

    assert json.loads(badge_text(official())) == badge(official())
