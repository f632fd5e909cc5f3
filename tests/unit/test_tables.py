"""Tables stay readable in a narrow terminal, in a pipe, and with names that a stranger chose."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.editions import FEBRUARY_2025
from scorekit.layout import Column, Layout, layout_for, render
from scorekit.rating import rate_scores
from scorekit.records import Reason, Score, Uncertainty, UncertaintyTerm
from scorekit.tables.scores import demo_table, rating_table, score_table
from scorekit.tables.tasks import task_table
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
        "demo": lambda: demo_table(scores, ratings, NARROW),
        "score": lambda: score_table(scores, NARROW),
        "rating": lambda: rating_table(ratings, NARROW),
        "task": lambda: task_table(NARROW),
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
    text = demo_table(scores, rate_scores(scores, FEBRUARY_2025), PIPED)
    assert text.isascii()
    (line,) = [line for line in text.splitlines() if line.startswith("text_generation")]
    assert LONG in line
    assert "****- 4" in line
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_stars_are_signs_and_a_number() -> None:
    scores = _scores()
    text = rating_table(rate_scores(scores, FEBRUARY_2025), NARROW)
    assert "★★★★☆ 4" in text
    assert "★★★★★ 5" in text
    assert "★☆☆☆☆ 1" in text


def test_each_reason_stands_once_with_the_models_it_holds_for() -> None:
    scores = _scores()
    text = rating_table(rate_scores(scores, FEBRUARY_2025), PIPED)
    assert text.count("no GPU was used") == 1
    assert "no GPU was used [tiny-whisper, tiny-wav2vec2]" in text
    both = rating_table(rate_scores(scores[1:], FEBRUARY_2025), PIPED)
    assert "no GPU was used [all 2]" in both


def test_a_model_is_told_apart_by_task_where_a_reason_holds_for_one_of_them() -> None:
    scores = [
        local_score("tiny", 1.0),
        official_score("tiny", 2.0, task="reasoning"),
        official_score("other", 3.0),
    ]
    text = score_table(scores, PIPED)
    assert "no GPU was used [tiny on text_generation]" in text


def test_the_rule_the_edition_and_the_range_are_told() -> None:
    text = rating_table(rate_scores([official_score("one", 0.001)], FEBRUARY_2025), PIPED)
    assert "Rule equal_width" in text
    assert "Edition 2025-02" in text
    assert "below the range of the cohort, 1.313 to 28.74 Wh per 1,000 queries" in text


def test_one_run_shows_its_phases() -> None:
    text = score_table([official_score()], PIPED)
    for name in (
        "preprocess",
        "generate",
        "prefill",
        "decode",
        "Wh per 1,000 output tokens",
        "hardware: NVIDIA",
    ):
        assert name in text


def _with_budget(**changes: object) -> Score:
    score = official_score(energy_wh=7.512)
    terms = tuple(
        UncertaintyTerm(name=name, kind="B", standard_percent=half, half_width_95_percent=half, source=f"why {name}")
        for name, half in (
            ("repeats", 0.6),
            ("tick", 0.01),
            ("aliasing", None),
            ("sampling", 0.0),
            ("board_gain", 4.75),
        )
    )
    facts: dict[str, object] = {
        "terms": terms,
        "interval_95_wh_per_1000": (7.467, 7.557),
        "half_width_95_percent": 0.6,
        "combined_95_percent": 0.6,
        "with_board_gain_95_percent": 4.79,
        "cov_percent": 0.84,
        "trend_percent_per_repeat": 0.21,
        "trend_significant": True,
        "outliers": (3, 7),
    }
    return score.model_copy(update={"uncertainty": Uncertainty.model_validate(facts)} | changes)


def test_where_no_gpu_was_its_energy_is_not_called_unknown() -> None:
    on_cpu, on_gpu = (score.model_copy(update={"gpu_kwh": None}) for score in (local_score(), official_score()))
    assert "one repeat: no GPU, CPU " in " ".join(score_table([on_cpu], PIPED).split())
    assert "one repeat: GPU unknown, " in " ".join(score_table([on_gpu], PIPED).split())


def test_an_energy_stands_with_its_interval() -> None:
    score = _with_budget()
    assert "7.512 +- 0.6 %" in score_table([score, score], PIPED)
    assert "7.512 ± 0.6 %" in score_table([score, score], NARROW)
    without = score_table([score.model_copy(update={"uncertainty": None})] * 2, PIPED)
    assert "7.512 " in without
    assert "+-" not in without


def test_one_run_shows_the_sources_of_its_uncertainty() -> None:
    text = score_table([_with_budget()], PIPED)
    rows = {line.split()[0]: line.split()[1:3] for line in text.splitlines() if "why " in line}
    assert rows == {
        "repeats": ["B", "0.6"],
        "tick": ["B", "0.01"],
        "aliasing": ["B", "unknown"],
        "sampling": ["B", "0"],
        "board_gain": ["B", "4.8"],
    }
    assert "all that is known but board_gain: +- 0.6 %; with it, against scores of other boards: +- 4.8 %" in text
    assert "standard deviation over mean 0.8 %; a trend of +0.21 % a repeat" in text
    assert "far from the others, and counted: repeat 3, 7" in " ".join(text.split())
    assert "why tick" not in score_table([_with_budget()] * 2, PIPED)


def test_net_stands_beside_gross_and_only_where_it_is_known() -> None:
    text = score_table([_with_budget(idle_power_w=71.25, wh_per_1000_queries_net=6.25)], PIPED)
    assert "gross 7.512 Wh per 1,000 queries, which is the score; net of idling at 71.25 W: 6.250 Wh" in " ".join(
        text.split()
    )
    assert "net of idling" not in score_table([_with_budget()], PIPED)


def test_an_invalid_run_and_warnings_are_told() -> None:
    score = _with_budget(
        valid=False,
        invalid_because=(Reason(code="energy_positive", message="repeat 1 took 0 Wh"),),
        warnings=(Reason(code="spread", message="the repeats spread by 3 %"),),
    )
    text = score_table([score], PIPED)
    assert "Invalid, and no result:\n  - repeat 1 took 0 Wh" in text
    assert "Warnings:\n  - the repeats spread by 3 %" in text


def test_a_borderline_star_is_told_with_its_probability() -> None:
    # The first bound of text generation, class A, lies 0.43 standard deviations above 6.79 Wh.
    near, far = _with_budget(wh_per_1000_queries=6.79, model="near"), _with_budget(model="far")
    ratings = rate_scores([near, far], FEBRUARY_2025)
    text = rating_table(ratings, PIPED)
    assert "Borderline:\n  - the star is right with a probability of 66 % by the interval of its energy [near]" in text
    (row,) = [line for line in text.splitlines() if " far " in line]
    assert " 4   " in row
    assert " 99 " in row


def test_of_a_modelled_energy_it_is_told_that_nobody_knows_how_sure_its_star_is() -> None:
    words = "How sure a star is, is not known:\n  - the energy is modelled, or may be"
    modelled = [local_score(f"org/{wh}", wh) for wh in (1.0, 9.0)]
    assert words in rating_table(rate_scores(modelled, None), PIPED)
    assert words not in rating_table(rate_scores([_with_budget(model="far")], FEBRUARY_2025), PIPED)
    without = [score.model_copy(update={"uncertainty": None}) for score in modelled]
    assert words not in rating_table(rate_scores(without, None), PIPED)


def test_tables_of_full_scores_fit_80_columns() -> None:
    score = _with_budget(model=LONG, wh_per_1000_queries=123_456.7, idle_power_w=71.25, wh_per_1000_queries_net=6.25)
    for text in (
        score_table([score], NARROW),
        rating_table(rate_scores([score, _with_budget()], None), NARROW),
    ):
        assert max(len(line) for line in text.splitlines()) <= 80


def test_names_cannot_steer_the_terminal() -> None:
    scores = [local_score("\x1b[2Jevil\nname")]
    for layout in (NARROW, PIPED):
        text = demo_table(scores, rate_scores(scores, None), layout)
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


def test_sentences_take_the_width_that_is_left_and_what_is_below_them_is_indented() -> None:
    columns = (Column("no", numeric=True), Column("check"), Column("found", prose=True))
    cell = NARROW.finding("the energies vary by 6.7%, expected at most 2% " * 4, "mend: find out what else ran " * 4)
    lines = render(columns, [("23", "repeats_agree", cell)], NARROW).splitlines()
    assert max(map(len, lines)) <= 80
    at = lines[0].index("found")
    (mend,) = [number for number, line in enumerate(lines) if line[at:].startswith("  mend: ")]
    assert mend > 3
    assert all(line[at:].startswith("    ") for line in lines[mend + 1 :])
    # Without a width nothing is wrapped, and nothing is filled up to the longest sentence.
    head, rule, long, short = render(
        columns, [("23", "repeats_agree", "word " * 100), ("24", "steady", "yes")], PIPED
    ).splitlines()
    assert len(long) > 500
    assert max(map(len, (head, short))) < 40
    assert len(rule) == 120
