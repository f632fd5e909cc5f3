"""Submissions of every version that is read: the same verdict and score for ever."""

from __future__ import annotations

import pytest

from tests.golden.submissions.make import HERE, made
from tests.unit.submission.made import codes, files_of, judge


@pytest.mark.parametrize(("name", "model"), [("open.zip", "example/model-1b"), ("confidential.zip", "Hidden 1")])
def test_a_golden_submission_is_accepted_with_its_score(name: str, model: str) -> None:
    verdict = judge((HERE / name).read_bytes())
    assert verdict.verdict == "accepted", verdict.reasons
    (run,) = verdict.runs
    assert run.score is not None
    assert run.score.wh_per_1000_queries == pytest.approx(7.6, rel=1e-12)
    assert run.score.model == model
    assert "unsigned" in codes(verdict, "note")


def test_packing_still_makes_the_same_files() -> None:
    # Not the same bytes on every machine: zlib decides how text is deflated.
    for name, content in made().items():
        assert files_of(content) == files_of((HERE / name).read_bytes()), name
