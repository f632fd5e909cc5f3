"""Each of the 26 checks passes on a good run, and finds what it is there for.

The runs that it must find are the tables in `tests/unit/validity/spoilt`. What takes more than a row stands in
`test_checks_*.py`, by the module of `scorekit.validity` that the check is in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorekit.records import Validity
from scorekit.validity import CHECKS, judge
from tests.evidence import (
    Change,
    at,
    change_counter,
    change_facts,
    change_readings,
    change_windows,
    check_of,
    cpu_evidence,
    good_evidence,
    of_phase,
    unofficial,
)
from tests.golden import checks
from tests.unit.validity.spoilt import CASES
from tests.unit.validity.spoilt.changes import Case

NAMES = [check.__name__ for check in CHECKS]


def _failed(cases: Sequence[Case]) -> set[str]:
    return {name for name, _, severity, _ in cases if severity in ("warn", "fail")}


def test_there_are_26_checks_in_the_order_of_their_numbers() -> None:
    checks = judge(good_evidence()).checks
    assert [check.number for check in checks] == list(range(1, 27))
    assert [check.name for check in checks] == NAMES
    assert len(set(NAMES)) == 26


def test_the_page_of_checks_tells_every_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "validity.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, flags=re.MULTILINE)
    assert rows == [(str(number), name) for number, name in enumerate(NAMES, start=1)]


def test_every_check_passes_on_a_good_run() -> None:
    assert {check.name: check.message for check in judge(good_evidence()).checks if check.passed is not True} == {}
    assert judge(good_evidence()).valid


def test_every_check_has_a_run_that_does_not_pass_it() -> None:
    assert _failed(CASES) == set(NAMES)


@pytest.mark.parametrize(("name", "change", "severity", "message"), CASES)
def test_a_check_finds_what_it_is_there_for(name: str, change: Change, severity: str, message: str) -> None:
    check = check_of(change(good_evidence()), name)
    if severity == "none":
        assert check.passed is True
        return
    assert (check.passed, check.severity) == (False, severity), check.message
    assert re.search(message, check.message), check.message


@pytest.mark.parametrize("name", NAMES)
def test_what_a_check_says_is_what_its_golden_file_says(name: str) -> None:
    golden = [row for row in json.loads(checks.FILE.read_text(encoding="utf-8")) if row["check"] == name]
    assert checks.said(name) == golden, "if it shall say so: python -m tests.golden.checks"


@pytest.mark.parametrize(("name", "change", "severity", "message"), CASES)
def test_whatever_was_found_can_be_written_and_read_again(
    name: str, change: Change, severity: str, message: str
) -> None:
    validity = judge(change(good_evidence()))
    text = validity.model_dump_json()
    assert "NaN" not in text.replace('"NaN"', "").replace("Nan", "")
    assert Validity.model_validate_json(text) == validity
    json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert validity.valid == (not validity.failures)


def test_a_noisy_run_on_a_cpu_is_valid() -> None:
    validity = judge(cpu_evidence())
    assert validity.failures == ()
    passed = {check.name: check.passed for check in validity.checks}
    for name in ("counter_tick", "power_plausible", "not_throttled", "whole_gpu", "sampler_kept_up", "gpus_matched"):
        assert passed[name] is None


def test_a_run_of_before_gpus_were_watched_is_valid_but_much_cannot_be_judged() -> None:
    evidence = replace(good_evidence(), states=None, trace=None)
    evidence = change_facts(torch_gpus=None)(change_readings(lambda _: True, counter=None)(evidence))
    official, validity = judge(evidence), judge(unofficial(evidence))
    assert {check.name for check in validity.failures} == {"samples_complete"}
    unknown = {check.name for check in validity.checks if "cannot be judged" in check.message}
    # A run of the protocol must show what it rests on.
    assert {check.number for check in official.failures} == {2, 3, 4, 5, 6, 9, 11, 12}
    assert unknown >= {"counter_tick", "not_throttled", "power_limit_default", "sampler_kept_up", "gpus_matched"}
    assert all(check.passed is False for check in validity.checks if check.name in unknown)


@pytest.mark.parametrize("phase", ["prefill", "load_model"])
@pytest.mark.parametrize(
    "change",
    [
        lambda which: change_counter(which, decreased=True, longest_still_s=5.0),
        lambda which: change_readings(which, energy_wh=lambda old: old * 0.8),
        lambda which: change_readings(which, energy_wh=lambda old: old * 2),
        lambda which: change_windows(which, failures=3, end_boottime_s=1e6),
    ],
)
def test_a_fault_in_a_window_that_is_no_term_of_the_score_is_told_and_does_not_fail(phase: str, change: Any) -> None:
    answer = at("generate", 4)
    repeat = 4 if phase == "prefill" else None
    extra = answer.model_copy(update={"phase": phase, "repeat": repeat})
    evidence = change(of_phase(phase))(replace(good_evidence(), windows=(extra, *good_evidence().windows)))
    validity = judge(evidence)
    assert validity.failures == ()
    told = [check.message for check in validity.warnings if f"phase {phase}" in check.message]
    assert told or phase == "load_model"
    assert all("cannot be trusted; the score can" in text or "no term of the score" in text or "x the" in text
               for text in told)  # fmt: skip
    failing = change(of_phase("generate", 4))(good_evidence())
    assert judge(failing).failures
