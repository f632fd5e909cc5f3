"""Exact edges of the checks of ticks: enough of them in each window (3), known and short enough (4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bundles import NVML_GPU
from tests.evidence import (
    OTHER_GPU,
    Change,
    change_counter,
    change_facts,
    change_readings,
    change_windows,
    check_of,
    good_evidence,
    of_phase,
    unofficial,
)
from tests.unit.validity.edges import beside, energies, findings, in_turn, of_device, without_windows
from tests.unit.validity.spoilt.changes import FOURTH, GENERATE, change_length

LENGTH = "window_length"
TICK = "counter_tick"
THIRD = of_phase("preprocess", 3)
PREPARING = of_phase("preprocess")
EIGHTH = change_counter(lambda _: True, tick_s=0.125)


def _found(*changes: Change, check: str = LENGTH) -> list[Any]:
    return findings(in_turn(*changes)(good_evidence()), check)


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    # 100 ticks of 0.125 s are 12.5 s; the calibrated tick is no surer than 5 %.
    [(12.5, None), (11.875, None), (11.75, 94)],
)
def test_an_answering_window_holds_a_hundred_ticks_less_five_percent(seconds: float, ticks: int | None) -> None:
    found = _found(EIGHTH, change_length(FOURTH, seconds), unofficial)
    assert [(each["severity"], each["repeat"], each["ticks"]) for each in found] == [("fail", 4, ticks)] * bool(ticks)
    assert all("11.75 s, 94 ticks of the counter, expected at least 100" in each["found"] for each in found)


@pytest.mark.parametrize(("seconds", "official", "told"), [(60.0, True, 0), (59.875, True, 1), (59.875, False, 0)])
def test_an_official_answering_window_lasts_a_minute(seconds: float, official: bool, told: int) -> None:
    found = _found(change_length(FOURTH, seconds), *([] if official else [unofficial]))
    assert [(each["severity"], each["repeat"], each["duration_s"]) for each in found] == [("warn", 4, seconds)] * told
    assert all("expected 60 s in an official run" in each["found"] for each in found)


@pytest.mark.parametrize(
    "change",
    [
        change_windows(FOURTH, readings=()),
        change_readings(FOURTH, counter=None),
        change_counter(FOURTH, tick_s=None),
        # Of two GPUs the tick of either must be known.
        beside(FOURTH, counter=None),
    ],
)
@pytest.mark.parametrize(("official", "severity"), [(True, "fail"), (False, "warn")])
def test_a_window_of_unknown_ticks_is_told(change: Change, official: bool, severity: str) -> None:
    (found,) = _found(change, *([] if official else [unofficial]))
    assert (found["severity"], found["cannot_be_judged"]) == (severity, True)
    assert "not recorded in repeat 4, phase generate" in found["found"]


def test_of_two_gpus_the_slower_counter_must_tick_often_enough() -> None:
    (found,) = _found(EIGHTH, _second_ticks(0.5), change_length(FOURTH, 40.0), unofficial)
    assert (found["severity"], found["repeat"], found["ticks"]) == ("fail", 4, 80)


def _second_ticks(tick_s: float) -> Change:
    """A second GPU, whose counter ticks otherwise; its second meter tells no ticks."""
    return in_turn(
        beside(),
        of_device(OTHER_GPU, counter=lambda old: old and old.model_copy(update={"tick_s": tick_s})),
    )


# Preparing takes nothing, answering 1,000 Wh for 1,000 queries: 2.5 Wh of uncertainty (k = 1) are 0.5 % at k = 2.
ROUND = in_turn(energies("preprocess", [0.0] * 10), energies("generate", [1000.0] * 10), change_length(THIRD, 1.0))


def _unsure(wh: float) -> Change:
    return change_readings(THIRD, standard_uncertainty_wh=wh)


@pytest.mark.parametrize(
    ("changes", "severity", "share"),
    [
        ([_unsure(2.5)], None, None),
        ([_unsure(2.6)], "fail", 0.0052),
        ([_unsure(2.5), unofficial], None, None),
        ([_unsure(2.6), unofficial], "warn", 0.0052),
        ([_unsure(25.0), unofficial], "warn", 0.05),
        ([_unsure(25.5), unofficial], "fail", 0.051),
        # The energy of GPUs beside a model on the CPU is none of the model's.
        ([_unsure(100.0), change_facts(run={"runs": 9, "device": "cpu"})], "warn", 0.2),
        # As many queries as were prepared; as were asked for where that was not counted.
        ([_unsure(1.25), change_windows(THIRD, samples=500)], None, None),
        ([_unsure(1.3), change_windows(THIRD, samples=500)], "fail", 0.0052),
        ([_unsure(2.5), change_windows(THIRD, samples=None)], None, None),
        ([_unsure(2.6), change_windows(THIRD, samples=None)], "fail", 0.0052),
        ([_unsure(500.0), change_windows(THIRD, samples=0), change_facts(run={"num_samples": 0})], None, None),
        # A hundred ticks leave little open, however unsure a meter says it is.
        ([_unsure(500.0), EIGHTH, change_length(THIRD, 12.5)], None, None),
        ([_unsure(500.0), EIGHTH, change_length(THIRD, 12.375)], "fail", 1.0),
        # Of two GPUs both leave something open.
        ([_unsure(2.5), beside()], None, None),
        ([_unsure(2.6), beside()], "fail", 0.0052),
        # What no repeat's energy is known of has no share in one.
        ([_unsure(500.0), change_readings(of_phase("generate", 3), energy_wh=None)], None, None),
        ([_unsure(500.0), change_counter(THIRD, tick_s=None)], None, None),
    ],
)
def test_preparing_may_leave_half_a_percent_of_its_repeat_open(
    changes: list[Change], severity: str | None, share: float | None
) -> None:
    found = _found(ROUND, *changes)
    if severity is None:
        assert found == []
        return
    (open_,) = found
    assert (open_["severity"], open_["phase"], open_["repeat"]) == (severity, "preprocess", 3)
    assert open_["share"] == pytest.approx(share)
    assert f"leaves {share:.1%} of the repeat's energy open, expected at most 0.5%" in open_["found"]


HALF = change_counter(lambda _: True, tick_s=0.5)
# Preparing takes 360 J, answering 3,600 J; the GPU idles at 100 W.
PLAIN = in_turn(
    energies("preprocess", [0.1] * 10),
    energies("generate", [1.0] * 10),
    change_readings(PREPARING, standard_uncertainty_wh=None),
    HALF,
)


@pytest.mark.parametrize(
    ("seconds", "changes", "open_j"),
    [
        # A tick of the window's own power, 72 W.
        (5.0, [], 36.0),
        (1.0, [], 180.0),
        # Within one tick the counter may not have moved: the window's own reading says nothing.
        (0.5, [], 50.0),
        (0.25, [], 50.0),
        # Nor does an idling that was not measured, however little the repeat took.
        (
            0.5,
            [
                without_windows(lambda w: w.phase.startswith("idle")),
                energies("preprocess", [0.001] * 10),
                energies("generate", [0.01] * 10),
            ],
            None,
        ),
    ],
)
@pytest.mark.parametrize("gpus", [1, 2])
def test_where_the_meter_does_not_tell_a_tick_is_left_open(
    seconds: float, changes: list[Change], open_j: float | None, gpus: int
) -> None:
    found = _found(PLAIN, change_length(THIRD, seconds), *changes, *([beside()] if gpus == 2 else []))
    shares = [each["share"] for each in found if each.get("phase") == "preprocess"]
    assert shares == ([] if open_j is None else [pytest.approx(open_j / 3960.0)])


def test_a_short_preparation_of_a_repeat_without_an_answer_is_not_told() -> None:
    unanswered = without_windows(of_phase("generate", 3))
    assert _found(ROUND, _unsure(500.0), unanswered) == []


@pytest.mark.parametrize(("tick_s", "told"), [(0.15, False), (0.151, True)])
def test_a_counter_ticks_at_least_every_150_ms(tick_s: float, told: bool) -> None:
    check = check_of(change_counter(FOURTH, tick_s=tick_s)(good_evidence()), TICK)
    assert (check.passed, check.details["slowest_tick_s"]) == (not told, tick_s)
    found = _found(change_counter(FOURTH, tick_s=tick_s), check=TICK)
    assert [(each["severity"], each["repeat"], each["tick_s"]) for each in found] == [("fail", 4, tick_s)] * told


def test_each_gpu_must_have_a_tick_of_its_own() -> None:
    found = _found(_second_ticks(0.2), of_device(NVML_GPU, counter=None), unofficial, check=TICK)
    assert [each["severity"] for each in found] == [*["fail"] * 10, "warn"]
    assert all(f"{OTHER_GPU} ticks every 0.200 s" in each["found"] for each in found[:10])
    assert "not recorded in repeat 0, phase generate" in found[10]["found"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (change_windows(FOURTH, readings=()), "in repeat 4, phase generate"),
        (without_windows(GENERATE), "in any window"),
    ],
)
@pytest.mark.parametrize(("official", "severity"), [(True, "fail"), (False, "warn")])
def test_a_tick_that_was_not_recorded_is_told(change: Change, place: str, official: bool, severity: str) -> None:
    (found,) = _found(change, *([] if official else [unofficial]), check=TICK)
    assert (found["severity"], found["cannot_be_judged"]) == (severity, True)
    assert f"tick was not recorded {place}" in found["found"]
