"""How a check tells its result, and how results make a judgement: exact at every turn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from scorekit import __version__
from scorekit.records import Check, Severity, Window
from scorekit.validity import OF_CODE, Evidence, judge
from scorekit.validity.verdicts import (
    Finding,
    Rule,
    fail,
    fail_if,
    finite,
    gpu,
    names,
    repeats,
    untold,
    warn,
    where,
)
from tests.bundles import environment, window
from tests.evidence import change_energy, good_evidence, of_phase, unofficial

RULE = Rule(7, "something_holds")
ANSWER = window("generate", 3, [])
PREPARING = window("preprocess", 3, [])
PREFILL = window("prefill", 3, [])
LOADING = window("load_model", None, [])


@pytest.mark.parametrize(
    ("make", "severity", "text", "at", "details"),
    [
        (lambda: fail("lost", ANSWER, joules=2.0), "fail", "lost", ANSWER, {"joules": 2.0}),
        (lambda: fail("lost", None, joules=2.0), "fail", "lost", None, {"joules": 2.0}),
        (lambda: fail("lost"), "fail", "lost", None, {}),
        (lambda: warn("odd", ANSWER, joules=2.0), "warn", "odd", ANSWER, {"joules": 2.0}),
        (lambda: fail_if(True, "lost", ANSWER, joules=2.0), "fail", "lost", ANSWER, {"joules": 2.0}),
        (lambda: fail_if(False, "odd", ANSWER, joules=2.0), "warn", "odd", ANSWER, {"joules": 2.0}),
        (lambda: fail_if(True, "lost", PREPARING), "fail", "lost", PREPARING, {}),
    ],
)
def test_a_finding_keeps_its_severity_place_and_figures(
    make: Callable[[], Finding], severity: Severity, text: str, at: Window | None, details: dict[str, Any]
) -> None:
    assert make() == Finding(severity, text, at, details)


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (PREFILL, "prefill is no term of it"),
        (LOADING, "loading is no term of the score"),
        (window("load_dataset", None, []), "loading is no term of the score"),
    ],
)
def test_a_fault_in_what_does_not_count_warns_with_all_of_its_figures(at: Window, why: str) -> None:
    for made in (fail("lost", at, joules=2.0), fail_if(True, "lost", at, joules=2.0)):
        assert (made.severity, made.window, made.details, made.mend) == ("warn", at, {"joules": 2.0}, None)
        assert made.text.startswith("lost (")
        assert why in made.text


def test_what_is_not_known_warns_and_fails_only_where_it_must_be_shown() -> None:
    mild, severe = untold("the limit was not recorded", "record it"), untold("the limit", "record it", severe=True)
    assert (mild.severity, severe.severity) == ("warn", "fail")
    assert mild.text == "cannot be judged: the limit was not recorded"
    assert (mild.window, mild.details, mild.mend) == (None, {"cannot_be_judged": True}, "record it")


def test_a_finding_as_json_has_its_place_only_where_there_is_one() -> None:
    assert fail("lost", ANSWER, joules=2.0).as_json() == {
        "severity": "fail", "phase": "generate", "repeat": 3, "found": "lost", "joules": 2.0,
    }  # fmt: skip
    assert warn("odd").as_json() == {"severity": "warn", "found": "odd"}


def test_what_passed_has_its_message_its_figures_and_no_mend() -> None:
    assert RULE.judged([], passing="all is well", mend="mend it", details={"worst": 0.5}) == Check(
        number=7, name="something_holds", passed=True, severity="info", message="all is well", details={"worst": 0.5}
    )
    assert RULE.judged(iter(()), passing="all is well", mend="mend it").details == {}


def test_there_is_nothing_to_judge_is_neither_passed_nor_failed() -> None:
    assert RULE.nothing("no GPU was measured") == Check(
        number=7, name="something_holds", passed=None, severity="info", message="no GPU was measured", details={}
    )


@pytest.mark.parametrize(("severe", "severity"), [(False, "warn"), (True, "fail")])
def test_what_was_not_recorded_at_all_is_no_pass(severe: bool, severity: str) -> None:
    check = RULE.unknown("power was not sampled", "sample it", severe=severe)
    assert (check.passed, check.severity, check.mends) == (False, severity, ("Sample it",))
    assert check.message == "cannot be judged: power was not sampled. Sample it"
    assert RULE.unknown("power was not sampled", "sample it").severity == "warn"


def test_what_fails_is_told_before_what_warns_whatever_came_first() -> None:
    found = [warn("odd"), fail("lost"), warn("strange"), fail("broken")]
    check = RULE.judged(found, passing="well", mend="mend it", details={"worst": 0.5})
    assert (check.passed, check.severity) == (False, "fail")
    assert check.message == "lost; broken; odd; strange. Mend it"
    assert [told["found"] for told in check.details["findings"]] == ["lost", "broken", "odd", "strange"]
    assert check.details["worst"] == 0.5
    assert RULE.judged([warn("odd")], passing="well", mend="mend it").severity == "warn"


def test_each_next_step_is_told_once_those_of_what_fails_first() -> None:
    found = [untold("one", "record it"), fail("lost"), untold("two", "record it"), fail("broken")]
    check = RULE.judged(found, passing="well", mend="mend it")
    assert check.mends == ("Mend it", "Record it")
    assert check.message.endswith("cannot be judged: two. Mend it. Record it")


@pytest.mark.parametrize(
    ("mend", "told"),
    [
        ("find out what ran", "Find out what ran"),
        ("scorekit doctor tells", "scorekit doctor tells"),
        ("scenario.runs=10 measures ten", "scenario.runs=10 measures ten"),
        ("backend.device_ids=0 does", "backend.device_ids=0 does"),
        # Something else than a setting or a command that only begins like one.
        ("scenarios differ", "Scenarios differ"),
        ("`nvidia-smi` shows it", "`nvidia-smi` shows it"),
    ],
)
def test_a_step_begins_with_a_capital_but_a_command_as_it_is_typed(mend: str, told: str) -> None:
    assert RULE.judged([fail("lost")], passing="well", mend=mend).mends == (told,)


def test_what_was_found_alike_is_told_once_for_its_repeats_and_apart_for_each_phase() -> None:
    again = window("generate", 1, [])
    found = [fail("lost", ANSWER), fail("lost", PREPARING), fail("lost", again), fail("lost")]
    message = RULE.judged(found, passing="well", mend="mend it").message
    assert message == "repeats 1, 3, phase generate: lost; repeat 3, phase preprocess: lost; lost. Mend it"
    idle = [warn("busy", window("idle_before", None, [])), warn("busy", window("idle_before", None, []))]
    for busy in (idle, idle[:1]):
        assert RULE.judged(busy, passing="well", mend="mend it").message == "phase idle_before: busy. Mend it"


def test_places_and_things_are_named_as_people_say_them() -> None:
    assert (where(ANSWER), where(LOADING)) == ("repeat 3, phase generate", "phase load_model")
    assert where(window("generate", 0, [])) == "repeat 0, phase generate"
    assert [gpu(device) for device in ("0", "GPU-1", "MIG-1", "gpu-1")] == ["GPU 0", "GPU-1", "MIG-1", "GPU gpu-1"]
    assert [names([]), names([1]), names(["a", "b"])] == ["none", "1", "a, b"]
    assert [repeats([2]), repeats([4, 1, 4]), repeats([])] == ["repeat 2", "repeats 1, 4", "repeats "]


def test_a_figure_that_is_no_number_is_told_as_text_and_every_other_as_it_is() -> None:
    given = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 0.5, "e": 7, "f": None, "g": True, "h": "nan"}
    assert finite(given) == given | {"a": "nan", "b": "inf", "c": "-inf"}
    for made in (fail("lost", ratio=math.nan), warn("odd", ratio=math.nan)):
        assert made.details == {"ratio": "nan"}
    assert RULE.judged([], passing="well", mend="mend it", details={"ratio": math.inf}).details == {"ratio": "inf"}


def _says(passed: bool | None, severity: str) -> Any:
    made = Check(number=1, name="one", passed=passed, severity=severity, message="told")  # type: ignore[arg-type]
    return lambda _: made


@pytest.mark.parametrize(
    ("said", "valid"),
    [
        ([], True),
        ([(True, "info"), (None, "info")], True),
        ([(False, "warn"), (False, "warn")], True),
        ([(False, "fail")], False),
        ([(True, "info"), (False, "fail"), (None, "info")], False),
        # A severity of what passed or was not judged says nothing.
        ([(True, "fail"), (None, "fail")], True),
    ],
)
def test_a_run_is_invalid_where_a_check_failed_and_not_where_one_warns(
    said: list[tuple[bool | None, str]], valid: bool
) -> None:
    evidence = Evidence(environment(), (), run="mine")
    validity = judge(evidence, [_says(passed, severity) for passed, severity in said])
    assert (validity.valid, validity.run, validity.scorekit_version) == (valid, "mine", __version__)
    assert [(check.passed, check.severity) for check in validity.checks] == said


def test_checks_of_a_run_are_made_where_none_are_named() -> None:
    assert judge(good_evidence()).valid
    warned = judge(change_energy(of_phase("generate", 4), 1.1)(unofficial(good_evidence())))
    assert {check.name for check in warned.warnings} >= {"repeats_agree"}


def test_checks_of_any_code_have_the_numbers_and_names_of_those_of_a_run() -> None:
    whole = {check.number: check.name for check in judge(good_evidence()).checks}
    found = [(check.number, check.name) for check in judge(good_evidence(), OF_CODE).checks]
    # None of those that look at a model, its data, the protocol, or a star.
    assert found == [(number, whole[number]) for number in range(1, 27) if number not in {8, 18, 19, 20, 21, 22, 26}]
    assert [check.__name__ for check in OF_CODE] == [name for _, name in found]
