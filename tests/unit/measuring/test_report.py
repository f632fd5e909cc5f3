"""optimum-benchmark's report from our windows: means over the repeats, in its units, and read by its own reader."""

from __future__ import annotations

import json

import pytest

from scorekit.measuring import report
from scorekit.records import MeterReading, Window
from tests.bundles import reading, window

METER = "codecarbon"


def repeats(phase: str, *energies_wh: float, seconds: float = 10.0, **changes: object) -> list[Window]:
    return [
        window(phase, number, [reading("gpu", energy)], end_monotonic_s=100.0 + seconds, **changes)
        for number, energy in enumerate(energies_wh)
    ]


def generation(prefill: list[Window], generate: list[Window]) -> list[Window]:
    return [*repeats("preprocess", 0.5, 0.5), *prefill, *generate]


def test_energy_is_the_mean_over_the_repeats_in_kwh() -> None:
    found = report.build(repeats("forward", 1.0, 3.0), "forward", [METER]).forward
    assert found.energy.unit == "kWh"
    assert found.energy.gpu == found.energy.total == pytest.approx(2.0e-3)
    assert (found.energy.cpu, found.energy.ram) == (0, 0)
    assert found.latency.mean == pytest.approx(10.0)
    assert found.latency.count == 2


def test_components_are_added_and_another_meters_readings_are_not() -> None:
    other = MeterReading(meter="other", component="gpu", device="0", energy_wh=100.0, origin="measured")
    readings = [reading("gpu", 2.0), reading("gpu", 3.0), reading("cpu", 0.5), reading("ram", 0.25), other]
    found = report.build([window("forward", 0, readings)], "forward", [METER]).forward.energy
    assert (found.gpu, found.cpu, found.ram) == (pytest.approx(5e-3), pytest.approx(0.5e-3), pytest.approx(0.25e-3))
    assert found.total == pytest.approx(5.75e-3)


def test_decode_is_generate_less_prefill_with_the_tokens_that_are_left() -> None:
    windows = generation(
        repeats("prefill", 4.0, 4.0, seconds=2.0, output_tokens=1000),
        repeats("generate", 9.0, 11.0, seconds=10.0, output_tokens=10_000),
    )
    found = report.build(windows, "generate", [METER])
    assert set(found.to_dict()) == {"load_dataset", "preprocess_dataset", "load_model", "prefill", "decode"}
    assert found.decode.energy.gpu == pytest.approx(6.0e-3)
    assert found.decode.latency.mean == pytest.approx(8.0)
    assert found.decode.throughput.value == pytest.approx(9000 / 8)
    assert found.decode.efficiency.value == pytest.approx(9000 / 6.0e-3)
    assert (found.decode.throughput.unit, found.decode.efficiency.unit) == ("tokens/s", "tokens/kWh")
    # Prefill makes one token a sample, but what it is about is samples.
    assert found.prefill.throughput.unit == "samples/s"


@pytest.mark.parametrize(
    ("prefill", "generate"),
    [
        (repeats("prefill", 4.0, 12.0), repeats("generate", 5.0, 10.0, seconds=20.0)),
        (repeats("prefill", 4.0, 9.0), repeats("generate", 4.0, 9.0, seconds=20.0)),
        (repeats("prefill", 4.0, 4.0, seconds=10.0), repeats("generate", 9.0, 9.0, seconds=9.9)),
    ],
    ids=["negative-on-average", "zero-on-average", "shorter-than-its-prefill"],
)
def test_decode_stays_empty_where_noise_leaves_nothing_of_it(prefill: list[Window], generate: list[Window]) -> None:
    found = report.build(generation(prefill, generate), "generate", [METER])
    assert found.decode.energy is None
    assert found.decode.latency is None
    assert found.prefill.energy is not None


def test_decode_is_the_mean_over_all_pairs_also_those_that_noise_made_negative() -> None:
    """Leaving them out would make decode larger than generate less prefill."""
    windows = generation(repeats("prefill", 4.0, 12.0), repeats("generate", 9.0, 11.0, seconds=20.0))
    assert report.build(windows, "generate", [METER]).decode.energy.gpu == pytest.approx(2.0e-3)


def test_a_repeat_without_its_prefill_is_left_out_of_decode() -> None:
    found = report.build(
        generation(repeats("prefill", 4.0), repeats("generate", 9.0, 100.0, seconds=20.0)), "generate", [METER]
    )
    assert found.decode.energy.gpu == pytest.approx(5.0e-3)


def test_without_a_prefill_pass_the_whole_stands_under_its_own_name() -> None:
    found = report.build(generation([], repeats("generate", 9.0, 9.0, output_tokens=10_000)), "generate", [METER])
    assert set(found.to_dict()) == {"load_dataset", "preprocess_dataset", "load_model", "generate"}
    assert found.generate.throughput.value == pytest.approx(1000.0)


def test_images_are_counted_and_not_samples() -> None:
    found = report.build(repeats("call", 2.0, images=3000), "call", [METER]).call
    assert (found.throughput.value, found.throughput.unit) == (pytest.approx(300.0), "images/s")


def test_what_was_not_counted_has_no_throughput() -> None:
    found = report.build([window("load_model", None, [reading("gpu", 1.0)])], "forward", [METER])
    assert found.load_model.energy.gpu == pytest.approx(1e-3)
    assert found.load_model.throughput is None
    assert found.forward.energy is None


def test_a_window_of_several_passes_is_reported_as_one_pass() -> None:
    windows = [
        *repeats("prefill", 12.0, seconds=6.0, passes=3, samples=3000, output_tokens=3000),
        *repeats("generate", 60.0, seconds=60.0, passes=6, samples=6000, output_tokens=60_000),
    ]
    found = report.build(generation(windows[:1], windows[1:]), "generate", [METER])
    # One pass of prefill: 4 Wh in 2 s with 1,000 tokens. One of generation: 10 Wh in 10 s with 10,000.
    assert found.prefill.energy.gpu == pytest.approx(4.0e-3)
    assert found.prefill.latency.mean == pytest.approx(2.0)
    assert found.prefill.throughput.value == pytest.approx(500)
    assert found.decode.energy.gpu == pytest.approx(6.0e-3)
    assert found.decode.latency.mean == pytest.approx(8.0)
    assert found.decode.throughput.value == pytest.approx(9000 / 8)


def test_repeats_may_hold_different_numbers_of_passes() -> None:
    windows = [
        *repeats("forward", 2.0, seconds=10.0, passes=2, samples=2000),
        window("forward", 1, [reading("gpu", 3.0)], passes=3, samples=3000, end_monotonic_s=115.0),
    ]
    found = report.build(windows, "forward", [METER]).forward
    assert found.energy.gpu == pytest.approx(1.0e-3)
    assert found.latency.mean == pytest.approx(5.0)
    assert found.throughput.value == pytest.approx(200)


def gone(component: str = "gpu", **changes: object) -> MeterReading:
    return reading(component, None, problem="the counter went backwards", **changes)  # type: ignore[arg-type]


def test_a_reading_without_an_energy_is_not_averaged_in_as_nothing() -> None:
    windows = [*repeats("forward", 2.0, 2.0), window("forward", 2, [gone()])]
    found = report.build(windows, "forward", [METER])
    assert found.forward.energy is None
    assert found.forward.latency is None
    # Another phase is whole.
    found = report.build([*windows, *repeats("preprocess", 0.5)], "forward", [METER])
    assert found.preprocess_dataset.energy.gpu == pytest.approx(0.5e-3)


@pytest.mark.parametrize("lost", ["prefill", "generate"])
def test_decode_is_empty_where_one_of_its_windows_has_no_energy(lost: str) -> None:
    prefill, generate = repeats("prefill", 4.0, 4.0), repeats("generate", 9.0, 9.0, seconds=20.0)
    group = prefill if lost == "prefill" else generate
    group[1] = window(lost, 1, [gone()])
    found = report.build(generation(prefill, generate), "generate", [METER])
    assert found.decode.energy is None


def test_one_gpu_of_several_that_has_no_energy_leaves_none() -> None:
    found = report.build([window("forward", 0, [reading("gpu", 2.0), gone(device="GPU-b")])], "forward", [METER])
    assert found.forward.energy is None


def test_a_meter_that_does_not_count_may_have_none() -> None:
    beside = [reading("gpu", 2.0, meter="nvml"), gone()]
    found = report.build([window("forward", 0, beside)], "forward", ["nvml", METER])
    assert found.forward.energy.gpu == pytest.approx(2.0e-3)
    # But nothing steps in for the one that counts.
    beside = [gone(meter="nvml"), reading("gpu", 2.0)]
    assert report.build([window("forward", 0, beside)], "forward", ["nvml", METER]).forward.energy is None


def test_idling_is_no_phase_of_the_report() -> None:
    idle = [window("idle_before", None, [reading("gpu", 0.2)]), window("idle_after", None, [gone()])]
    found = report.build([*repeats("forward", 1.0), *idle], "forward", [METER])
    assert set(found.to_dict()) == {"load_dataset", "preprocess_dataset", "load_model", "forward"}
    assert found.forward.energy.gpu == pytest.approx(1e-3)


def test_optimum_benchmarks_own_reader_takes_it_back() -> None:
    from optimum_benchmark import BenchmarkReport

    built = report.build(
        generation(
            repeats("prefill", 4.0, 4.0, seconds=2.0, output_tokens=1000),
            repeats("generate", 9.0, 11.0, output_tokens=10_000),
        ),
        "generate",
        [METER],
    )
    written = json.loads(json.dumps(built.to_dict()))
    again = BenchmarkReport.from_dict(written)
    assert again.to_dict() == built.to_dict()
    assert again.decode.energy.gpu == pytest.approx(6.0e-3)
    assert "decode" in again.to_plain_text()
