"""Several passes in a window change no figure of one pass."""

from __future__ import annotations

import math

import pytest

from scorekit.errors import InvalidRunError
from tests.bundles import change_windows, environment, official_windows
from tests.unit.budget.made import scored, term_of, with_passes


@pytest.mark.parametrize("kind", ["generate", "forward", "call"])
@pytest.mark.parametrize("passes", [1, 2, 7])
def test_passes_change_no_figure_of_one_pass(kind: str, passes: int) -> None:
    task = {"generate": "text_generation", "forward": "text_classification", "call": "text_to_image"}[kind]
    facts = environment(task, run={"runs": 3})
    once, many = official_windows(kind, 3), with_passes(official_windows(kind, 3), passes)
    expected, found = scored(once, facts), scored(many, facts)
    assert found.model_dump(exclude={"uncertainty"}) == expected.model_dump(exclude={"uncertainty"})
    assert term_of(found, "repeats") == term_of(expected, "repeats")
    # 0.5 Wh of preprocessing and 9.5 Wh a pass, of 10 s each; only the edges of the whole window are off by a tick.
    one_wh = math.hypot(180.0, 3420.0 / passes) * 0.1 * math.sqrt(2 / 12) / 3600
    assert term_of(found, "tick").standard_percent == pytest.approx(100 * one_wh / 10)


def test_every_pass_must_hold_the_queries() -> None:
    windows = with_passes(official_windows(runs=2), 3)
    lost = change_windows(windows, lambda line: line.phase == "generate" and line.repeat == 1, samples=2999)
    with pytest.raises(InvalidRunError, match=r"repeat 1, phase generate: 2999 .* expected 3 passes of 1000"):
        scored(lost)
    unsaid = change_windows(windows, lambda line: line.phase == "generate", passes=None)
    with pytest.raises(InvalidRunError, match="3000 queries were counted, expected 1000 in every repeat"):
        scored(unsaid)


def test_tokens_that_passes_do_not_share_are_a_mean() -> None:
    windows = change_windows(
        with_passes(official_windows(runs=2), 2), lambda line: line.phase == "generate", output_tokens=15_001
    )
    score = scored(windows)
    assert score.output_tokens == pytest.approx(7500.5)
    assert score.wh_per_1000_output_tokens == pytest.approx(10_000 / 7500.5)
    assert [repeat.output_tokens for repeat in score.repeats] == [7500, 7500]


def test_images_that_a_pass_lost_are_seen() -> None:
    facts = environment("text_to_image", run={"runs": 10})
    windows = with_passes(official_windows("call"), 2)
    assert scored(windows, facts).comparable
    short = change_windows(windows, lambda line: line.phase == "call", images=1999)
    assert "images" in " ".join(reason.message for reason in scored(short, facts).not_comparable_because)
