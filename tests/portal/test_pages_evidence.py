"""A run beside what is known, states in words, and messages as HTML."""

from __future__ import annotations

import pytest

from scorekit import editions
from scorekit.portal.web.pages import paging, wording
from scorekit.portal.web.pages.evidence import examine
from scorekit.portal.web.pages.paging import Paging
from scorekit.portal.web.rendering import environment
from scorekit.portal.web.sentences import sentence, told, words
from scorekit.records import Reason, VerdictReason, VerifiedRun
from tests.sites import HOSTILE
from tests.web.portal_states import reason, verdict

EDITION = editions.find(editions.LATEST)


def test_a_run_stands_among_its_neighbours_and_the_ends_of_the_range() -> None:
    found = examine(verdict(1).runs[0], EDITION)
    energies = [row.wh_per_1000_queries for row in found.beside]
    assert energies == sorted(energies)
    assert [row.kind for row in found.beside].count("range") == 2
    own = next(row for row in found.beside if row.kind == "run")
    assert own.times is None
    for row in found.beside:
        assert 0 < row.bar <= 100
        if row.times is not None:
            assert row.times == pytest.approx(row.wh_per_1000_queries / own.wh_per_1000_queries)
    assert found.beside[0].bar < found.beside[-1].bar == 100
    assert found.rating is not None
    assert (found.rating.stars, found.rating.edition) == (4, EDITION.name)
    assert len(found.failed) + len(found.warned) + len(found.passed) + len(found.unjudged) == 26


def test_what_is_missing_is_said() -> None:
    empty = examine(VerifiedRun(folder="runs/1", score=None, validity=None, evidence=None), EDITION)
    assert (empty.beside, empty.rating, empty.why_no_range) == ((), None, "it has no score")
    run = verdict(1).runs[0]
    assert run.score is not None
    alone = examine(run.model_copy(update={"neighbours": ()}), None)
    assert [row.kind for row in alone.beside] == ["run"]
    assert alone.why_no_range == "there is no edition to hold it against"
    unknown = run.model_copy(update={"score": run.score.model_copy(update={"cohort": None, "comparable": False})})
    assert examine(unknown, EDITION).why_no_range == "its log does not name the task"
    # A refused submission may hold any figure.
    for energy in (0.0, -1.0, float("inf"), float("nan")):
        odd = run.model_copy(update={"score": run.score.model_copy(update={"wh_per_1000_queries": energy})})
        assert examine(odd, EDITION).rating is None


def test_reasons_come_by_their_weight() -> None:
    found = verdict(1, reason("note", "a", "x"), reason("refuse", "b", "x"), reason("note", "c", "x"))
    groups = wording.by_weight(found)
    assert [(group.weight, [one.code for one in group.reasons]) for group in groups] == [
        ("refuse", ["b"]),
        ("note", ["a", "c"]),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_messages_hold_no_markup_but_their_commands(name: str) -> None:
    made = str(told(f"run `scorekit pack {name}` again")) + str(words(f"{name}\n`{name}`\t"))
    for tag in ("<bdi>", "</bdi>", "<code>", "</code>", "<br>"):
        made = made.replace(tag, "")
    assert "<" not in made
    assert ">" not in made


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("no result is there yet", "No result is there yet."),
        ("it is there: mend it!", "It is there: mend it!"),
        ("pack it by `scorekit pack`", "Pack it by <code>scorekit pack</code>."),
        ("`scorekit pack` writes it", "<code>scorekit pack</code> writes it."),
        ("scorekit portal migrate --data x", "scorekit portal migrate --data x"),
        ("windows.jsonl is missing", "windows.jsonl is missing."),
        ("add --force", "Add --force"),
        ("gpu_count is 2", "gpu_count is 2."),
        ("", ""),
    ],
)
def test_a_message_is_shown_as_a_sentence(message: str, shown: str) -> None:
    assert str(sentence(message)) == f"<bdi>{shown}</bdi>"


def test_reasons_that_begin_alike_are_one_list() -> None:
    alike = [
        VerdictReason(code=code, weight="review", message=f"not comparable with official scores: {code} differs")
        for code in ("a", "b")
    ]
    (group,) = wording.by_weight(verdict(1, *alike, reason("review", "c", "not comparable at all")))
    assert [(one.title, [each.code for each in one.reasons]) for one in group.together] == [
        ("Not comparable with official scores", ["a", "b"])
    ]
    assert [one.code for one in group.apart] == ["c"]


def test_a_run_shows_how_its_figure_came_about_and_repeats_no_reason() -> None:
    run = verdict(1).runs[0]
    assert run.score is not None
    reasons = tuple(Reason(code=code, message=f"the {code} is off") for code in ("device", "task"))
    score = run.score.model_copy(
        update={"origin": "modelled", "comparable": False, "not_comparable_because": reasons, "cohort": None}
    )
    template = environment().get_template("desk_run.html").make_module({"root": "", "csrf": "", "actor": None})
    shown = examine(run.model_copy(update={"score": score}), EDITION)
    page = str(template.run_evidence(shown, 1, ["device"]))  # type: ignore[attr-defined]
    assert "\N{WHITE DIAMOND}</span> modelled</span></span> <span" in page
    assert "the task is off" in page
    assert "the device is off" not in page
    assert "none here: stars come with the edition" in page


def test_a_state_behind_a_number_is_in_the_plural() -> None:
    assert wording.SUBMISSION["waiting"].of_many == "waiting for an operator"
    assert wording.JOB["failed"].of_many == "failed"


def test_a_backtick_alone_is_a_sign() -> None:
    assert str(told("a ` b")) == "<bdi>a ` b</bdi>"
    assert str(told("a `b` c")) == "<bdi>a <code>b</code> c</bdi>"
    assert str(words("a\n\nb")) == "<bdi>a</bdi><br><bdi></bdi><br><bdi>b</bdi>"


@pytest.mark.parametrize(
    ("given", "number"), [(None, 1), ("1", 1), ("12", 12), ("0", 1), ("-3", 1), ("x", 1), ("\u0663", 1), ("9" * 50, 1)]
)
def test_the_number_of_a_page_is_one(given: str | None, number: int) -> None:
    assert paging.number(given) == number


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (25, 1), (26, 2), (50, 2), (51, 3)])
def test_pages_hold_all(count: int, pages: int) -> None:
    found = Paging(1, count, "x", {"subject": "a b"})
    assert found.pages == pages
    assert found.query(2) == "?subject=a+b&page=2"
    assert paging.offset(pages) <= max(count - 1, 0)
