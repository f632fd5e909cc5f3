"""When repeats may end: by the energies of the meter that makes the score, and never on an energy that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit.measuring import adaptive
from scorekit.records import MeterReading, Window
from tests.bundles import reading, window

NVML = {"meter": "nvml"}


def run(*answers_wh: float | None, phase: str = "forward", **changes: Any) -> list[Window]:
    """Repeats with half a watt-hour of preprocessing each, as the NVML meter saw them."""
    windows = []
    for repeat, energy_wh in enumerate(answers_wh):
        windows.append(window("preprocess", repeat, [reading("gpu", 0.5, **NVML)]))
        windows.append(window(phase, repeat, [reading("gpu", energy_wh, **NVML)], **changes))
    return windows


def enough(windows: list[Window], target: float = 0.01, *, gpu: bool = True) -> bool:
    why = adaptive.why_end(windows, "forward", target, gpu=gpu)
    return why is not None and "interval is within" in why


def hopeless(windows: list[Window]) -> bool:
    why = adaptive.why_end(windows, "forward", 0.99, gpu=True)
    return why is not None and "holds no energy" in why


def test_three_repeats_that_agree_are_enough_and_two_never_are() -> None:
    assert enough(run(9.5, 9.5, 9.5))
    assert not enough(run(9.5, 9.5))
    assert not enough([])


def test_the_interval_is_that_of_the_whole_energy_with_preprocessing() -> None:
    # As in the test of the rule: 9.97, 10 and 10.03 have 0.82 %.
    windows = run(9.47, 9.5, 9.53)
    assert enough(windows, 0.0083)
    assert not enough(windows, 0.0081)


def test_energy_is_taken_for_each_query_whatever_the_passes() -> None:
    windows = run(9.5, 9.5)
    windows += [
        window("preprocess", 2, [reading("gpu", 0.5, **NVML)]),
        window("forward", 2, [reading("gpu", 28.5, **NVML)], passes=3, samples=3000),
    ]
    assert enough(windows, 1e-6)


@pytest.mark.parametrize("fault", [None, 0.0, -3.0, float("nan")])
def test_after_a_repeat_without_a_true_energy_more_of_them_are_for_nothing(fault: float | None) -> None:
    assert hopeless(run(9.0, 9.0, fault, 9.0, 9.0))
    assert not hopeless(run(9.0, 9.0, 9.0))


def test_nor_does_one_whose_preprocessing_has_none() -> None:
    windows = run(9.5, 9.5, 9.5)
    windows[0] = window("preprocess", 0, [reading("gpu", None, **NVML)])  # type: ignore[arg-type]
    assert not enough(windows, 0.99)


def test_a_gpu_whose_reading_is_missing_among_several_is_not_taken_as_nothing() -> None:
    two = [reading("gpu", 4.0, device="GPU-a", **NVML), reading("gpu", None, device="GPU-b", **NVML)]  # type: ignore[arg-type]
    windows = run(9.5, 9.5, 9.5)
    windows[1] = window("forward", 0, two)
    assert not enough(windows, 0.99)


def test_only_the_first_meter_of_a_component_counts() -> None:
    windows = []
    for repeat, energy_wh in enumerate((9.5, 9.5, 9.5)):
        readings: list[MeterReading] = [
            reading("gpu", energy_wh, **NVML),
            # Another meter beside it, and what the processor took: both all over the place.
            reading("gpu", 1.0 + 5 * repeat),
            reading("cpu", 3.0 * repeat),
        ]
        windows += [window("preprocess", repeat, [reading("gpu", 0.5, **NVML)]), window("forward", repeat, readings)]
    assert enough(windows, 1e-6)


def test_the_energy_of_several_gpus_is_their_sum() -> None:
    windows = []
    for repeat, share in enumerate((1.0, 5.0, 8.0)):
        gpus = [reading("gpu", share, device="GPU-a", **NVML), reading("gpu", 10 - share, device="GPU-b", **NVML)]
        windows += [window("preprocess", repeat, [reading("gpu", 0.5, **NVML)]), window("forward", repeat, gpus)]
    assert enough(windows, 1e-6)


def test_prefill_loading_and_idling_are_no_part_of_it() -> None:
    windows = [window("load_model", None, [reading("gpu", 7.0)]), *run(9.5, 9.5, 9.5)]
    windows += [window("idle_before", None, [reading("gpu", None)])]  # type: ignore[arg-type]
    windows += [window("prefill", repeat, [reading("gpu", 4.0 * repeat)]) for repeat in range(3)]
    assert enough(windows, 1e-6)


def test_without_a_gpu_it_is_the_energy_of_processor_and_memory() -> None:
    windows = []
    for repeat, energy_wh in enumerate((9.47, 9.5, 9.53)):
        parts = [reading("cpu", energy_wh - 2), reading("ram", 2.0)]
        windows += [
            window("preprocess", repeat, [reading("cpu", 0.3), reading("ram", 0.2)]),
            window("forward", repeat, parts),
        ]
    assert enough(windows, 0.0083, gpu=False)
    assert not enough(windows, 0.0081, gpu=False)
    assert not enough(windows, 0.5, gpu=True), "no GPU was read"
