"""A score carries what the checks of its run found."""

from __future__ import annotations

import pytest

from scorekit.logs.outputs import gpu_summary, gpu_wh_text
from scorekit.records import Check, Validity
from tests.bundles import official_windows
from tests.unit.budget.made import scored


def _judged(*, valid: bool) -> Validity:
    checks = (
        Check(number=1, name="energy_positive", passed=valid, severity="info" if valid else "fail", message="0 Wh"),
        Check(number=9, name="foreign_processes", passed=False, severity="warn", message="another process"),
        Check(number=2, name="counter_monotonic", passed=True, severity="info", message="fine"),
    )
    return Validity(run="run", scorekit_version="0.1.0", checks=checks, valid=valid)


def test_a_score_carries_what_the_checks_found() -> None:
    score = scored(official_windows(), validity=_judged(valid=True))
    assert (score.valid, score.invalid_because, score.comparable) == (True, (), True)
    assert [(warning.code, warning.message) for warning in score.warnings] == [("foreign_processes", "another process")]
    assert scored(official_windows()).valid is None


def test_an_invalid_run_is_marked_and_never_comparable() -> None:
    score = scored(official_windows(), validity=_judged(valid=False))
    assert (score.valid, score.comparable) == (False, False)
    assert [reason.code for reason in score.invalid_because] == ["energy_positive"]
    assert [reason.code for reason in score.not_comparable_because] == ["invalid"]
    text = gpu_wh_text(score)
    with pytest.raises(ValueError, match="the run is invalid: energy_positive"):
        float(text)
    summary = gpu_summary(score)
    assert (summary["valid"], summary["note"]) == (False, "the run is invalid: energy_positive")
