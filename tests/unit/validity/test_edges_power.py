"""Exact edges of the checks of power between idling and limit (5), and of GPUs that the model uses (10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.bundles import NVML_GPU
from tests.evidence import (
    OTHER_GPU,
    Change,
    change_facts,
    change_readings,
    change_states,
    check_of,
    good_evidence,
    of_phase,
    unofficial,
)
from tests.serving_runs import serving_facts
from tests.unit.validity.edges import beside, findings, in_turn, of_device, without_windows
from tests.unit.validity.spoilt.changes import FOURTH, change_length, without

POWER = "power_plausible"
USED = "only_used_gpus"
THIRD = of_phase("preprocess", 3)


def _idle(window: Any) -> bool:
    return window.phase.startswith("idle")


def _watts(which: Any, power_w: float, seconds: float = 3600.0) -> Change:
    """A mean power that is round: of an hour, where nothing else is asked for."""
    return in_turn(change_length(which, seconds), change_readings(which, energy_wh=power_w * seconds / 3600))


HUNDRED = _watts(_idle, 100.0)


def _found(*changes: Change, check: str = POWER) -> list[Any]:
    return findings(in_turn(*changes)(good_evidence()), check)


@pytest.mark.parametrize(
    ("which", "power_w", "limit_w", "bound"),
    [
        # 1.02 times the limit.
        (FOURTH, 714.0, 700.0, None),
        (FOURTH, 714.5, 700.0, "limit"),
        (FOURTH, 357.0, 350.0, None),
        (FOURTH, 358.0, 350.0, "limit"),
        (THIRD, 714.5, 700.0, "limit"),
        # 0.95 times idle; an empty GPU may take less before the model is loaded.
        (FOURTH, 95.0, 700.0, None),
        (FOURTH, 94.5, 700.0, "idle"),
        (THIRD, 94.5, 700.0, None),
    ],
)
def test_mean_power_lies_between_idling_and_limit(
    which: Any, power_w: float, limit_w: float, bound: str | None
) -> None:
    limit = change_states(lambda _: True, power_limit_w=limit_w)
    # The others take what any such GPU may.
    others = change_readings(of_phase("generate"), energy_wh=5.0)
    found = _found(HUNDRED, limit, others, _watts(which, power_w))
    if bound is None:
        assert found == []
        return
    (wrong,) = found
    place = ("generate", 4) if which is FOURTH else ("preprocess", 3)
    assert (wrong["severity"], wrong["phase"], wrong["repeat"]) == ("fail", *place)
    assert (wrong["power_w"], wrong["limit_w" if bound == "limit" else "idle_w"]) == (
        power_w,
        limit_w if bound == "limit" else 100.0,
    )
    assert ("enforced limit of" if bound == "limit" else "idle power of 100.0 W") in wrong["found"]


@pytest.mark.parametrize(("seconds", "told"), [(1.0, 1), (0.99, 0)])
def test_the_power_of_a_window_of_ten_ticks_is_judged(seconds: float, told: int) -> None:
    assert len(_found(_watts(FOURTH, 2000.0, seconds))) == told


def test_the_highest_limit_of_the_run_is_what_it_is_held_to() -> None:
    lowered = change_states(lambda s: s.when == "end", power_limit_w=300.0)
    assert _found(lowered) == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (without(states=None), f"the power limit of {NVML_GPU} at the start, repeat 0, "),
        (
            change_states(lambda s: s.repeat == 4, power_limit_w=None),
            f": the power limit of {NVML_GPU} at repeat 4 was not recorded",
        ),
        (without_windows(_idle), f": the idle power of {NVML_GPU} was not recorded"),
    ],
)
@pytest.mark.parametrize(("official", "severity"), [(True, "fail"), (False, "warn")])
def test_what_power_is_held_to_must_be_known(change: Change, text: str, official: bool, severity: str) -> None:
    evidence = in_turn(change, *([] if official else [unofficial]))(good_evidence())
    (found,) = findings(evidence, POWER)
    assert (found["severity"], found["cannot_be_judged"]) == (severity, True)
    assert text in found["found"]
    assert check_of(evidence, POWER).mends == ("Measure with scenario.meters=[nvml,codecarbon]",)


def test_an_idle_power_that_nobody_asked_for_need_not_be_known() -> None:
    evidence = without_windows(_idle)(good_evidence())
    assert findings(replace(evidence, idle_asked=False), POWER) == []


def test_a_limit_holds_without_an_idle_power_and_the_other_way_round() -> None:
    over, dark = _found(without_windows(_idle), _watts(FOURTH, 800.0))
    assert (over["power_w"], "idle power" in dark["found"]) == (800.0, True)
    under, dark = _found(without(states=None), HUNDRED, _watts(FOURTH, 90.0))
    assert (under["power_w"], "power limit" in dark["found"]) == (90.0, True)


def test_an_energy_that_is_missing_has_no_power() -> None:
    assert _found(change_readings(FOURTH, energy_wh=None)) == []


def test_each_of_two_gpus_is_judged() -> None:
    spoilt = in_turn(beside(), of_device(OTHER_GPU, energy_wh=lambda old: old * 2))(good_evidence())
    found = findings(spoilt, POWER)
    assert [each["repeat"] for each in found] == list(range(10))
    assert all(each["found"].startswith(f"{OTHER_GPU} took ") for each in found)


@pytest.mark.parametrize(
    ("changes", "severity", "text"),
    [
        ([], None, "only GPUs that the model uses are counted (2)"),
        ([change_facts(torch_gpus=(NVML_GPU,))], "fail", "the model does not use it"),
        ([change_facts(torch_gpus=(NVML_GPU,), run={"gpus_by_hand": True})], "fail", "the model does not use it"),
        (
            [change_facts(torch_gpus=(NVML_GPU,), run={"gpus_by_hand": True, "device": "cpu"})],
            "warn",
            "the model does not use it",
        ),
        ([change_facts(model_gpus=(NVML_GPU,))], "fail", "it holds no part of the model"),
        ([change_facts(model_gpus=(NVML_GPU,), run={"gpus_by_hand": True})], "warn", "it holds no part of the model"),
    ],
)
def test_a_gpu_that_is_counted_works_for_the_model(changes: list[Change], severity: str | None, text: str) -> None:
    evidence = in_turn(beside(), *changes)(good_evidence())
    if severity is None:
        assert check_of(evidence, USED).message == text
        return
    (found,) = findings(evidence, USED)
    assert (found["severity"], found["device"]) == (severity, OTHER_GPU)
    counted = "counted in repeats 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert found["found"] == f"the energy of {OTHER_GPU} is {counted}, but {text}"


def test_a_gpu_of_which_nothing_else_is_known_is_not_the_models() -> None:
    (found,) = _found(change_readings(lambda _: True, device="GPU-unheard-of"), check=USED)
    assert (found["severity"], found["device"]) == ("fail", "GPU-unheard-of")


@pytest.mark.parametrize(("device", "told"), [("cuda", 1), ("cpu", 0)])
def test_which_gpus_hold_the_model_must_be_known_where_it_is_on_one(device: str, told: int) -> None:
    found = _found(change_facts(model_gpus=None, run={"device": device}), check=USED)
    assert [(each["severity"], each["cannot_be_judged"]) for each in found] == [("warn", True)] * told
    assert all("the GPUs that hold parts of the model were not recorded" in each["found"] for each in found)


def test_which_gpus_torch_computes_on_must_be_known() -> None:
    check = check_of(change_facts(torch_gpus=None)(good_evidence()), USED)
    assert (check.passed, check.severity) == (False, "warn")
    assert check.message.startswith("cannot be judged: the GPUs that torch computes on were not recorded")
    assert check.mends == ("Measure again with this version of scorekit",)


def test_the_gpus_of_a_server_are_judged_elsewhere() -> None:
    served = check_of(change_facts(serving=serving_facts(), torch_gpus=None)(good_evidence()), USED)
    assert (served.passed, served.severity) == (None, "info")
    assert served.message.startswith("check 8 compares the GPUs of a server")


@pytest.mark.parametrize("name", [POWER, USED])
def test_without_a_gpu_there_is_nothing_to_judge(name: str) -> None:
    check = check_of(replace(good_evidence(), windows=()), name)
    assert (check.passed, check.severity) == (None, "info")
    assert check.message.startswith("no GPU was measured")
