"""Samples that are kept in little room are those that were given."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.measuring.meters import PowerSample
from scorekit.measuring.meters.samples import SampleLog

whole = st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1))
numbers = st.floats(allow_nan=False)
samples = st.builds(
    PowerSample,
    numbers,
    st.sampled_from(["GPU-a", "GPU-b", ""]),
    st.one_of(st.none(), numbers),
    *[whole] * len(PowerSample._fields[3:]),
)


def _log(given_samples: list[PowerSample]) -> SampleLog:
    log = SampleLog()
    for sample in given_samples:
        log.append(sample)
    return log


@given(st.lists(samples, max_size=12), st.integers(-15, 15), st.integers(-15, 15))
def test_a_log_holds_the_samples_in_their_order(given_samples: list[PowerSample], start: int, stop: int) -> None:
    log = _log(given_samples)
    assert (len(log), bool(log), list(log)) == (len(given_samples), bool(given_samples), given_samples)
    assert log[start:stop] == given_samples[start:stop]
    assert log[start:stop:2] == given_samples[start:stop:2]
    for number in range(-len(log), len(log)):
        assert log[number] == given_samples[number]
    low, high = sorted((abs(start), abs(stop)))
    for at, name in enumerate(PowerSample._fields):
        assert log.column(name, low, high) == [sample[at] for sample in given_samples[low:high]]
    with pytest.raises(IndexError):
        log[len(log)]


def test_a_sample_takes_less_than_a_hundred_bytes() -> None:
    log = SampleLog()
    tracemalloc.start()
    try:
        for number in range(20_000):
            log.append(PowerSample(number / 10, f"GPU-{number % 8}", 300.5, 10**9 + number, 61, 1980, 2619, 4, 97))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 100 * len(log)


def test_a_number_that_no_driver_gives_is_missing_and_ends_no_sampling() -> None:
    log = _log([PowerSample(1.0, "GPU-a")])
    log.append(PowerSample(2.0, "GPU-a", 5.0, 2**63, 61))
    log.append(PowerSample(3.0, "GPU-b", 5.0, 2**63 - 1))
    assert list(log) == [
        PowerSample(1.0, "GPU-a"),
        PowerSample(2.0, "GPU-a", 5.0, None, 61),
        PowerSample(3.0, "GPU-b", 5.0, 2**63 - 1),
    ]
