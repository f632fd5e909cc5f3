"""Checks that hold for any code, at their bounds: the length of windows (3), GPUs at work (10), idling (17)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from scorekit.records import MeterReading
from scorekit.validity import DeviceTrace, Evidence, PowerTrace, code
from tests.bundles import H100, NVML_GPU, environment, reading, window
from tests.evidence import OTHER_GPU, change_windows, good_evidence, of_phase, unofficial


def _on_cpu(duration_s: float, *readings: MeterReading, meters: tuple[str, ...]) -> Evidence:
    """One window from the moment 0 on, whose length so has no rounding."""
    facts = environment(run={"kind": "call", "device": "cpu", "meters": meters}, gpus=())
    one = window("call", 0, readings, start_monotonic_s=0.0, end_monotonic_s=duration_s)
    return Evidence(facts, (one,))


@pytest.mark.parametrize(
    ("meter", "source", "duration_s", "needs_s"),
    [
        # RAPL is refreshed about once a millisecond, and a hundred refreshes are asked for.
        ("rapl", "rapl", 0.1, None),
        ("rapl", "rapl", math.nextafter(0.1, 0), "0.1"),
        ("rapl", "rapl", 0.05, "0.1"),
        ("codecarbon", "rapl", 0.5, None),
        ("codecarbon", "rapl", 0.05, "0.1"),
        # CodeCarbon's models look once a second.
        ("codecarbon", "cpu_load", 1.0, None),
        ("codecarbon", "cpu_load", math.nextafter(1.0, 0), "1"),
        ("codecarbon", None, 0.5, "1"),
        # What another meter needs is not known here.
        ("somebodys", "other", 0.5, None),
        ("somebodys", None, 0.001, None),
        ("somebodys", "RAPL", 0.001, None),
    ],
)
def test_a_window_is_as_long_as_its_meter_needs(
    meter: str, source: str | None, duration_s: float, needs_s: str | None
) -> None:
    cpu = reading("cpu", 0.1, meter=meter, source=source)
    check = code.window_length(_on_cpu(duration_s, cpu, meters=(meter,)))
    if needs_s is None:
        assert (check.passed, check.message) == (True, "every window is long enough for its meters")
        return
    assert (check.number, check.name, check.passed, check.severity) == (3, "window_length", False, "warn")
    assert f"repeat 0, phase call: the window is shorter than {needs_s} s, which {meter} needs" in check.message
    (found,) = check.details["findings"]
    assert (found["duration_s"], found["least_s"]) == (duration_s, float(needs_s))
    (mend,) = check.mends
    assert "scenario.min_window_s" in mend


def test_each_meter_of_a_window_is_told_once() -> None:
    cpu = reading("cpu", 0.1, meter="rapl", source="rapl")
    ram = reading("ram", 0.1, meter="codecarbon", source="constant")
    check = code.window_length(_on_cpu(0.05, cpu, cpu, ram, ram, meters=("rapl", "codecarbon")))
    assert [(found["least_s"], found["repeat"]) for found in check.details["findings"]] == [(0.1, 0), (1.0, 0)]


def test_where_a_gpu_is_read_its_ticks_count_and_nothing_else() -> None:
    first = good_evidence().answers[0].start_monotonic_s
    short = change_windows(of_phase("generate", 0), end_monotonic_s=first + 5.0)(unofficial(good_evidence()))
    check = code.window_length(short)
    assert (check.passed, check.severity) == (False, "fail")
    assert "50 ticks of the counter, expected at least 100" in check.message
    assert code.window_length(good_evidence()).passed is True


def _at_work(
    percents: dict[str, Sequence[float]],
    seconds: Sequence[float] = (10.0,),
    *,
    count: int = 2,
    by_hand: bool | None = True,
) -> Evidence:
    """GPUs that are read, with their utilisation at 1, 2, ... s; the first window begins at 0 s."""
    readings = [reading("gpu", 1.0, device=device) for device in (NVML_GPU, OTHER_GPU)[:count]]
    windows, now = [], 0.0
    for repeat, length_s in enumerate(seconds):
        times = {"start_monotonic_s": now, "end_monotonic_s": now + length_s}
        windows.append(window("generate", repeat, readings, **times))
        now += length_s + 100.0
    traces = {
        device: DeviceTrace([1.0 + at for at in range(len(found))], utilization_percent=found)
        for device, found in percents.items()
    }
    gpus = (H100, H100.model_copy(update={"index": 1, "uuid": OTHER_GPU}))[:count]
    facts = environment(gpus=gpus, run={"gpus_by_hand": by_hand})
    return Evidence(facts, tuple(windows), trace=PowerTrace(traces))


@pytest.mark.parametrize(
    ("percents", "severity", "idle"),
    [
        ({NVML_GPU: [0.0, 1.0], OTHER_GPU: [100.0, 0.0]}, "info", []),
        # A percent is work.
        ({NVML_GPU: [1.0], OTHER_GPU: [1.0]}, "info", []),
        ({NVML_GPU: [90.0], OTHER_GPU: [0.0, 0.0]}, "warn", [OTHER_GPU]),
        ({NVML_GPU: [0.0], OTHER_GPU: [90.0]}, "warn", [NVML_GPU]),
        # Of one nothing is known: the other is judged alone.
        ({NVML_GPU: [0.0]}, "warn", [NVML_GPU]),
        ({OTHER_GPU: [0.0]}, "warn", [OTHER_GPU]),
        ({NVML_GPU: [50.0]}, "info", []),
        ({OTHER_GPU: [50.0]}, "info", []),
        ({NVML_GPU: [50.0], OTHER_GPU: [math.nan]}, "info", []),
        # None did anything.
        ({NVML_GPU: [0.0, 0.0], OTHER_GPU: [0.0]}, "fail", []),
        # What was seen outside of the window does not count.
        ({NVML_GPU: [0.0] * 10 + [80.0], OTHER_GPU: [0.0] * 10 + [80.0]}, "fail", []),
        ({NVML_GPU: [0.0] * 9 + [80.0], OTHER_GPU: [0.0] * 9 + [80.0]}, "info", []),
    ],
)
def test_a_gpu_that_did_nothing_warns_and_fails_where_none_did_anything(
    percents: dict[str, list[float]], severity: str, idle: list[str]
) -> None:
    check = code.only_used_gpus(_at_work(percents))
    assert (check.number, check.name, check.severity) == (10, "only_used_gpus", severity)
    assert check.passed is (severity == "info")
    if severity == "info":
        assert check.message == "every GPU that is counted was in use (2)"
        return
    found: Any = check.details["findings"]
    assert [one["device"] for one in found if "device" in one] == idle
    told = [f"{device} did nothing in all windows" for device in idle] or ["no GPU that is counted had anything to do"]
    assert all(text in check.message for text in told)
    assert "scenario.gpus=[0]" in check.mends[0]


@pytest.mark.parametrize(
    ("by_hand", "seconds", "severity"),
    # Who names GPUs by hand may count one that serves the code; and in less than a second work need not show.
    [(True, 10.0, "warn"), (False, 10.0, "fail"), (None, 10.0, "fail"), (False, 1.5, "fail"), (False, 0.99, "warn")],
)
def test_one_of_several_gpus_that_did_nothing_fails_where_nobody_chose_it(
    by_hand: bool | None, seconds: float, severity: str
) -> None:
    found = _at_work({}, (seconds,), by_hand=by_hand)
    samples = {NVML_GPU: [90.0], OTHER_GPU: [0.0]}
    trace = PowerTrace({device: DeviceTrace([0.5], utilization_percent=used) for device, used in samples.items()})
    check = code.only_used_gpus(Evidence(found.environment, found.windows, trace=trace))
    assert (check.passed, check.severity) == (False, severity)
    (told,) = check.details["findings"]
    assert (told["device"], told["severity"]) == (OTHER_GPU, severity)


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [
        # A driver tells the utilisation of up to a second at once: in a shorter window work need not show.
        ((1.0,), "fail"),
        ((math.nextafter(1.0, 0),), "warn"),
        ((0.5, 0.5), "warn"),
        ((0.5, 1.0), "fail"),
    ],
)
def test_work_need_not_show_in_less_than_a_second(seconds: tuple[float, ...], severity: str) -> None:
    evidence = _at_work({}, seconds, count=1)
    trace = PowerTrace({NVML_GPU: DeviceTrace([0.25, 100.75, 101.0], utilization_percent=[0.0, 0.0, 0.0])})
    check = code.only_used_gpus(Evidence(evidence.environment, evidence.windows, trace=trace))
    assert (check.passed, check.severity) == (False, severity)


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (_at_work({}), "was not recorded"),
        (_at_work({NVML_GPU: [math.nan], OTHER_GPU: []}), "was not recorded"),
        (Evidence(_at_work({}).environment, _at_work({}).windows), "was not recorded"),
        (_on_cpu(5.0, reading("cpu", 0.1), meters=("codecarbon",)), "no GPU was measured"),
    ],
)
def test_without_a_gpu_or_its_utilisation_there_is_nothing_to_judge(evidence: Evidence, told: str) -> None:
    check = code.only_used_gpus(evidence)
    assert (check.passed, check.severity) == (None, "info")
    assert told in check.message


def test_idling_is_judged_where_it_was_to_be_measured() -> None:
    good = good_evidence()
    kept = tuple(one for one in good.windows if not one.phase.startswith("idle"))
    asked = Evidence(good.environment, kept, good.states, good.trace)
    unasked = Evidence(good.environment, kept, good.states, good.trace, idle_asked=False)
    assert code.idle_steady(good).passed is True
    assert code.idle_steady(asked).passed is False
    check = code.idle_steady(unasked)
    assert (check.number, check.name, check.passed) == (17, "idle_steady", None)
    assert "no idle baseline was asked for" in check.message


@pytest.mark.parametrize(
    ("percents", "without_context", "left_out"),
    [
        ({NVML_GPU: [90.0], OTHER_GPU: [0.0, 0.0]}, {OTHER_GPU}, {OTHER_GPU}),
        ({NVML_GPU: [0.0], OTHER_GPU: [0.0]}, {NVML_GPU, OTHER_GPU}, {NVML_GPU, OTHER_GPU}),
        # A process was there, or work was seen, or nobody looked: it may have been the code's.
        ({NVML_GPU: [90.0], OTHER_GPU: [0.0]}, set(), set()),
        ({NVML_GPU: [90.0], OTHER_GPU: [0.0, 0.5]}, {OTHER_GPU}, set()),
        ({NVML_GPU: [90.0], OTHER_GPU: [1.0]}, {OTHER_GPU}, set()),
        ({NVML_GPU: [90.0]}, {OTHER_GPU}, set()),
        ({NVML_GPU: [90.0], OTHER_GPU: [math.nan]}, {OTHER_GPU}, set()),
    ],
)
def test_a_gpu_is_left_out_where_neither_a_process_nor_work_was_seen_on_it(
    percents: dict[str, list[float]], without_context: set[str], left_out: set[str]
) -> None:
    evidence = _at_work(percents)
    kept, out = code.of_used_gpus(evidence, without_context)
    assert {found.uuid for found in out} == left_out
    assert {found.uuid for found in kept.environment.gpus} == {NVML_GPU, OTHER_GPU} - left_out
    assert set(kept.devices) == {NVML_GPU, OTHER_GPU} - left_out
    assert kept.trace is evidence.trace
    if not left_out:
        assert kept is evidence


def test_a_gpu_that_is_left_out_is_known_by_its_number_too_and_takes_nothing_else_along() -> None:
    first, second, numbered = (reading("gpu", 1.0, device=device) for device in (NVML_GPU, OTHER_GPU, "1"))
    cpu = reading("cpu", 1.0, device="1")
    times = {"start_monotonic_s": 0.0, "end_monotonic_s": 10.0}
    both, alone = window("generate", 0, [first, second, numbered, cpu], **times), window("generate", 1, [first, cpu])
    kept = list(code.without_gpus([both, alone], {OTHER_GPU, "1"}))
    less = both.model_copy(update={"readings": (first, cpu)})
    assert kept == [less, alone]
    assert kept[1] is alone
    idle = _at_work({NVML_GPU: [90.0], OTHER_GPU: [0.0]})
    evidence, _ = code.of_used_gpus(Evidence(idle.environment, (both,), trace=idle.trace), {OTHER_GPU})
    assert evidence.windows == (less,)
