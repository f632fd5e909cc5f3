"""Tables stay readable in a narrow terminal, in a pipe, and with names that a stranger chose."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit import tables
from scorekit.editions import FEBRUARY_2025
from scorekit.layout import Column, Layout, layout_for, render
from scorekit.rating import rate_scores
from scorekit.records import Score
from tests.bundles import local_score, official_score

NARROW = Layout(width=80, unicode=True)
PIPED = Layout()
LONG = "an-organisation-with-a-long-name/A-Model-with-a-Very-Long-Name-and-Version-3.1-405B-Instruct"


def _scores() -> list[Score]:
    return [
        official_score(LONG, 8.0),
        local_score("tiny-whisper", 0.0001234, task="automatic_speech_recognition", cohort="asr", energy_kwh=1.2e-9),
        local_score("tiny-wav2vec2", 123_456.7, task="automatic_speech_recognition", cohort="asr"),
    ]


@pytest.mark.parametrize("table", ["demo", "score", "rating", "task"])
def test_tables_fit_80_columns_and_lose_no_name(table: str) -> None:
    scores = _scores()
    ratings = rate_scores(scores, FEBRUARY_2025)
    text = {
        "demo": lambda: tables.demo_table(scores, ratings, NARROW),
        "score": lambda: tables.score_table(scores, NARROW),
        "rating": lambda: tables.rating_table(ratings, NARROW),
        "task": lambda: tables.task_table(NARROW),
    }[table]()
    assert max(len(line) for line in text.splitlines()) <= 80
    if table != "task":
        header, _, body = text.partition("──")
        assert "Wh per" in header
        start = next(line.index("model") for line in header.splitlines() if "model" in line)
        joined = "".join(line[start:].split("  ")[0] for line in body.splitlines() if not line.startswith("─"))
        assert LONG in joined.replace(" ", "")


def test_piped_tables_are_plain_and_whole() -> None:
    scores = _scores()
    text = tables.demo_table(scores, rate_scores(scores, FEBRUARY_2025), PIPED)
    assert text.isascii()
    (line,) = [line for line in text.splitlines() if line.startswith("text_generation")]
    assert LONG in line
    assert "****- 4" in line
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_stars_are_signs_and_a_number() -> None:
    scores = _scores()
    text = tables.rating_table(rate_scores(scores, FEBRUARY_2025), NARROW)
    assert "★★★★☆ 4" in text
    assert "★★★★★ 5" in text
    assert "★☆☆☆☆ 1" in text


def test_each_reason_stands_once_with_the_models_it_holds_for() -> None:
    scores = _scores()
    text = tables.rating_table(rate_scores(scores, FEBRUARY_2025), PIPED)
    assert text.count("no GPU was used") == 1
    assert "no GPU was used [tiny-whisper, tiny-wav2vec2]" in text
    both = tables.rating_table(rate_scores(scores[1:], FEBRUARY_2025), PIPED)
    assert "no GPU was used [all 2]" in both


def test_a_model_is_told_apart_by_task_where_a_reason_holds_for_one_of_them() -> None:
    scores = [
        local_score("tiny", 1.0),
        official_score("tiny", 2.0, task="reasoning"),
        official_score("other", 3.0),
    ]
    text = tables.score_table(scores, PIPED)
    assert "no GPU was used [tiny on text_generation]" in text


def test_the_rule_the_edition_and_the_range_are_told() -> None:
    text = tables.rating_table(rate_scores([official_score("one", 0.001)], FEBRUARY_2025), PIPED)
    assert "Rule equal_width" in text
    assert "Edition 2025-02" in text
    assert "below the range of the cohort, 1.313 to 28.74 Wh per 1,000 queries" in text


def test_one_run_shows_its_phases() -> None:
    text = tables.score_table([official_score()], PIPED)
    for name in (
        "preprocess",
        "generate",
        "prefill",
        "decode",
        "Wh per 1,000 output tokens",
        "hardware: NVIDIA",
    ):
        assert name in text


def test_names_cannot_steer_the_terminal() -> None:
    scores = [local_score("\x1b[2Jevil\nname")]
    for layout in (NARROW, PIPED):
        text = tables.demo_table(scores, rate_scores(scores, None), layout)
        assert "\x1b" not in text
        assert "evil" in text


@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=9)), max_size=4),
    st.integers(min_value=1, max_value=90),
)
def test_render_keeps_every_sign_at_any_width(rows: list[tuple[str, str]], width: int) -> None:
    layout = Layout(width=width)
    columns = (Column("name", flexible=True), Column("n", numeric=True))
    safe = [(layout.text(name), layout.text(number)) for name, number in rows]
    text = render(columns, safe, layout)
    for name, number in safe:
        for sign in set(name + number) - {" "}:
            assert text.count(sign) >= (name + number).count(sign)


def test_the_layout_follows_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    # What goes into a pipe keeps one row a line, in however narrow a window it was started.
    assert layout_for(io.StringIO()) == Layout(width=None, unicode=False)

    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    assert layout_for(Terminal()) == Layout(width=70, unicode=True)
