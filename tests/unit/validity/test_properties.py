"""What holds of the checks for any evidence: none breaks, and no impossible energy passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.records import Check, MeterReading
from scorekit.validity import DeviceTrace, Evidence, PowerTrace, judge, star_probability
from scorekit.validity.sampled import span_around
from scorekit.validity.trace import AVERAGED_S
from tests.bundles import NVML_GPU
from tests.evidence import at, change_readings, cpu_evidence, good_evidence, of_phase
from tests.strategies import energies_wh, impossible_energies_wh

any_number = st.one_of(st.none(), st.floats(), st.floats(min_value=0, max_value=1e6))
powers_w = st.floats(min_value=0, max_value=700).map(lambda power_w: round(power_w, 3))
"""In mW, as drivers give it: of 1e-16 W, what a sum of floats has lost is more than 2 %."""


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_evidence_breaks_a_check(data: st.DataObject) -> None:
    windows = []
    for window in good_evidence().windows:
        drawn: tuple[MeterReading, ...] = tuple(
            found.model_copy(update={"energy_wh": data.draw(any_number)}) if data.draw(st.booleans()) else found
            for found in window.readings
        )
        length_s = data.draw(st.sampled_from([-1.0, 0.0, 0.05, 3.0, 60.0]))
        samples = data.draw(st.sampled_from([None, 0, 1000, 2000]))
        changes = {"readings": drawn, "end_monotonic_s": window.start_monotonic_s + length_s, "samples": samples}
        windows.append(window.model_copy(update=changes))
    kept = data.draw(st.integers(0, len(windows)))
    evidence = replace(good_evidence(), windows=tuple(windows[:kept]))
    if data.draw(st.booleans()):
        evidence = replace(evidence, trace=None, states=None)
    validity = judge(evidence)
    assert [check.number for check in validity.checks] == list(range(1, 27))
    assert validity.valid == (not validity.failures)


@given(energy_wh=impossible_energies_wh, repeat=st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_no_impossible_energy_passes(energy_wh: float, repeat: int) -> None:
    evidence = change_readings(of_phase("generate", repeat), energy_wh=energy_wh)(good_evidence())
    check = judge(evidence).checks[0]
    assert (check.passed, check.severity) == (False, "fail")
    assert f"repeat {repeat}, phase generate" in check.message


@st.composite
def _loads(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Moments and the powers from each of them on."""
    lengths = draw(st.lists(st.floats(min_value=0.05, max_value=20), min_size=1, max_size=40))
    times = [-10.0]
    for length in lengths:
        times.append(times[-1] + length)
    return times, [draw(powers_w) for _ in times]


@given(load=_loads(), start_s=st.floats(0, 5), length_s=st.floats(2.01, 60), averaged=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_true_energy_agrees_with_the_samples_of_any_power(
    load: tuple[list[float], list[float]], start_s: float, length_s: float, averaged: bool
) -> None:
    check = _check_of_a_true_energy(load, start_s, length_s, averaged)
    assert check.passed is True, check.message


@given(
    load=_loads(),
    start_s=st.floats(0, 5),
    length_s=st.floats(30, 60),
    averaged=st.booleans(),
    gaps=st.lists(st.tuples(st.floats(-10, 70), st.floats(1.05, 3)), min_size=1, max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_a_true_energy_agrees_whatever_happened_in_gaps_of_the_samples(
    load: tuple[list[float], list[float]],
    start_s: float,
    length_s: float,
    averaged: bool,
    gaps: list[tuple[float, float]],
) -> None:
    check = _check_of_a_true_energy(load, start_s, length_s, averaged, gaps)
    # A gap is longer than a second. Either it can be compared, and agrees, or nothing is said of its energy.
    assert check.passed is True or check.message.startswith("cannot be judged"), check.message
    assert "expected" not in check.message


def _check_of_a_true_energy(
    load: tuple[list[float], list[float]],
    start_s: float,
    length_s: float,
    averaged: bool,
    gaps: Sequence[tuple[float, float]] = (),
) -> Check:
    """Check 6 of a window of some power whose energy is true.

    Args:
        load: moments and the powers from each of them on.
        start_s: of the window.
        length_s: of the window.
        averaged: whether a sample is the mean over the last second.
        gaps: from when on the window's trace has no samples, and for how long.
    """
    times, powers = load
    sums = [0.0]
    for (t0, t1), power_w in zip(pairwise(times), powers, strict=False):
        sums.append(sums[-1] + (t1 - t0) * power_w)

    def energy_j(t_s: float) -> float:
        last = max(at for at, t in enumerate(times) if t <= t_s)
        return sums[last] + (t_s - times[last]) * powers[last]

    # Either the mean over the last second, as on Ampere and newer, or a power that is near enough to the moment's.
    lag_s = 1.0 if averaged else 0.02
    moments = [-5 + 0.02 * number for number in range(round((start_s + length_s + 8) / 0.02))]
    moments = [t for t in moments if not any(gap_s < t < gap_s + long_s for gap_s, long_s in gaps)]
    samples = DeviceTrace(
        moments,
        power_w=[(energy_j(t) - energy_j(t - lag_s)) / lag_s for t in moments],
        counter_mj=[1000 * energy_j(t) for t in moments],
    )
    answer = at("generate", 0)
    true_wh = (energy_j(start_s + length_s) - energy_j(start_s)) / 3600
    reading = answer.readings[0].model_copy(update={"energy_wh": true_wh, "standard_uncertainty_wh": 0.0})
    window = answer.model_copy(
        update={"readings": (reading,), "start_monotonic_s": start_s, "end_monotonic_s": start_s + length_s}
    )
    idle = tuple(
        found.model_copy(
            update={"readings": (found.readings[0].model_copy(update={"energy_wh": 0.0}),)},
        )
        for found in good_evidence().windows
        if found.phase.startswith("idle")
    )
    evidence = replace(good_evidence(), windows=(window, *idle), trace=PowerTrace({NVML_GPU: samples}, 0.02))
    return judge(evidence).checks[5]


@given(
    cuts=st.lists(st.floats(10, 90), min_size=1, max_size=5, unique=True),
    powers=st.lists(powers_w, min_size=201, max_size=201),
)
def test_the_integral_of_a_split_window_adds_up(cuts: list[float], powers: list[float]) -> None:
    trace = DeviceTrace([0.5 * number for number in range(201)], powers)
    edges = [5.0, *sorted(cuts), 95.0]
    parts = [trace.energy_ws(a, b) for a, b in pairwise(edges)]
    whole = trace.energy_ws(5.0, 95.0)
    assert whole == pytest.approx(sum(part for part in parts if part is not None), abs=1e-6)
    assert None not in parts
    assert whole is not None
    assert whole >= 0


@given(
    samples=st.lists(st.tuples(st.floats(0, 20), st.one_of(st.just(math.nan), powers_w)), max_size=40),
    edges=st.tuples(st.floats(-5, 25), st.floats(-5, 25)).map(sorted),
    longer_than_s=st.floats(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_waits_are_the_times_between_the_known_powers_of_a_stretch(
    samples: list[tuple[float, float]], edges: list[float], longer_than_s: float
) -> None:
    samples.sort(key=lambda sample: sample[0])
    trace = DeviceTrace([t_s for t_s, _ in samples], [power_w for _, power_w in samples])
    start_s, end_s = edges
    known = [t_s for t_s, power_w in samples if start_s <= t_s <= end_s and not math.isnan(power_w)]
    waits_s = [after - before for before, after in pairwise([start_s, *known, end_s])]
    assert trace.waits_s(start_s, end_s, longer_than_s) == [wait_s for wait_s in waits_s if wait_s > longer_than_s]


@given(
    read=st.lists(
        st.tuples(st.integers(60, 90), st.sampled_from([math.nan, 1.0, 2.0]), st.sampled_from([0.0, 0.5, 0.75])),
        min_size=50,
        max_size=50,
    )
)
@settings(max_examples=40, deadline=None)
def test_the_quietest_moment_has_the_least_and_steadiest_power_of_the_second_before(
    read: list[tuple[int, float, float]],
) -> None:
    times = list(accumulate(step_s for _, _, step_s in read))
    samples = [(t_s, power_w, counter_mj) for t_s, (power_w, counter_mj, _) in zip(times, read, strict=True)]
    trace = DeviceTrace(times, [power_w for _, power_w, _ in samples], [counter for _, _, counter in samples])
    answer = at("generate", 0).model_copy(update={"start_monotonic_s": 10.0, "end_monotonic_s": 10.0})
    span = span_around(trace, answer, tick_s=1.0, idle_w=None, widest_swing_w=0.0)

    def least(start_s: float, end_s: float) -> tuple[float, float, float] | None:
        """Power with its swing, the power, and the moment."""
        found = []
        for number, (t_s, power_w, _) in enumerate(samples):
            if start_s <= t_s <= end_s and any(t == t_s and not math.isnan(mj) for t, _, mj in samples):
                recent = [watts for t, watts, _ in samples[: number + 1] if t >= t_s - AVERAGED_S]
                found.append((power_w + max(recent) - min(recent), power_w, t_s))
        return min(found, default=None)

    before, after = least(0.0, 10.0), least(10.0, 20.0)
    if before is None or after is None or trace.energy_ws(before[2], after[2]) is None:
        assert span is None
    else:
        assert span is not None
        assert span.integral_j == trace.energy_ws(before[2], after[2])
        assert span.ticks_j == 2 * (before[1] + after[1])


@given(mean_wh=energies_wh, share=st.floats(0, 2), bounds=st.lists(energies_wh, min_size=4, max_size=4, unique=True))
def test_probabilities_of_all_stars_add_up_to_one(mean_wh: float, share: float, bounds: list[float]) -> None:
    edges = [None, *sorted(bounds), None]
    found = [star_probability(mean_wh, share * mean_wh, low, high) for low, high in pairwise(edges)]
    assert sum(found) == pytest.approx(1.0)
    assert all(0 <= value <= 1 for value in found)


def test_a_star_far_from_its_bounds_is_certain_and_one_at_a_bound_is_even() -> None:
    assert star_probability(10.0, 0.1, 5.0, 20.0) == pytest.approx(1.0)
    assert star_probability(10.0, 0.1, 5.0, 10.0) == pytest.approx(0.5)
    assert star_probability(10.0, 0.0, 5.0, 10.0) == 0.0
    # 1.96 standard deviations are the half-width: the bound lies at one of them.
    assert star_probability(10.0, 1.95996, None, 11.0) == pytest.approx(0.8413, abs=1e-4)
    with pytest.raises(ValueError, match="half-width"):
        star_probability(10.0, float("nan"), None, None)


@given(energies=st.lists(energies_wh, min_size=6, max_size=6))
def test_no_noise_of_a_cpu_makes_a_run_invalid(energies: list[float]) -> None:
    windows = list(cpu_evidence().windows)
    for index, energy_wh in enumerate(energies):
        cpu = windows[index].readings[0].model_copy(update={"energy_wh": energy_wh})
        windows[index] = windows[index].model_copy(update={"readings": (cpu, windows[index].readings[1])})
    evidence: Evidence = replace(cpu_evidence(), windows=tuple(windows))
    assert judge(evidence).failures == ()
