"""How many repeats and tokens a run may have that chooses them itself."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence import change_facts, change_windows, check_of, good_evidence
from tests.unit.validity.spoilt.changes import FOURTH


def test_adaptive_runs_may_end_early_but_not_before_three_repeats() -> None:
    adaptive = change_facts(run={"target_ci": 0.01, "runs": 20})
    assert check_of(adaptive(good_evidence()), "samples_complete").passed is True
    few = replace(good_evidence(), windows=tuple(w for w in good_evidence().windows if (w.repeat or 0) < 2))
    assert "3 to 20 repeats were asked for" in check_of(adaptive(few), "samples_complete").message


def test_tokens_of_a_limit_are_the_models_own_choice() -> None:
    free = change_facts(run={"new_tokens": None, "max_new_tokens": 8192})
    assert check_of(change_windows(FOURTH, output_tokens=77)(free(good_evidence())), "outputs_counted").passed is True
    none = change_windows(FOURTH, output_tokens=0)(free(good_evidence()))
    assert check_of(none, "outputs_counted").severity == "fail"
