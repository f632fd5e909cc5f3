"""Replayed traces: exact integrals, windows that the trace does not cover, and files that are no trace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import InputError, UsageError
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.measuring.meters.replay import Curve, ReplayMeter, read_trace
from scorekit.records import MeterReading


class Clock:
    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def csv_of(folder: Path, rows: Sequence[tuple[object, object, object]]) -> Path:
    path = folder / "trace.csv"
    lines = ["t_s,device,power_w", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Run:
    """A meter that starts at second 1,000 of its clock."""

    def __init__(self, path: Path, gpus: tuple[str, ...] = ()) -> None:
        self.clock = Clock(1000.0)
        request = MeterRequest(gpu_ids=gpus, country_iso_code="USA", folder=path.parent, replay=path)
        self.meter = ReplayMeter(request, clock=self.clock)

    def window(self, start_s: float, end_s: float) -> tuple[MeterReading, ...]:
        self.clock.now_s = 1000 + start_s
        self.meter.open("generate")
        self.clock.now_s = 1000 + end_s
        self.meter.close()
        # Reading later changes nothing.
        self.clock.now_s += 7
        return self.meter.readings()


def test_a_window_is_the_exact_integral_on_every_device(tmp_path: Path) -> None:
    run = Run(csv_of(tmp_path, [(0, "GPU-a", 0), (10, "GPU-a", 100), (0, "GPU-b", 36), (20, "GPU-b", 36)]))
    assert run.meter.devices() == (MeterDevice("gpu", "GPU-a"), MeterDevice("gpu", "GPU-b"))
    first, second = run.window(2.5, 7.5)
    assert first.energy_wh == pytest.approx(250 / 3600, rel=1e-12)
    assert second.energy_wh == pytest.approx(0.05, rel=1e-12)
    assert {(one.meter, one.origin, one.source, one.problem) for one in (first, second)} == {
        ("replay", "measured", "replay", None)
    }


def test_only_the_gpus_in_use_are_read(tmp_path: Path) -> None:
    path = csv_of(tmp_path, [(0, "GPU-a", 1), (9, "GPU-a", 1), (0, "GPU-b", 2), (9, "GPU-b", 2)])
    run = Run(path, gpus=("GPU-b",))
    (reading,) = run.window(0, 9)
    assert reading.device == "GPU-b"
    assert {sample.device for sample in run.meter.trace()} == {"GPU-b"}
    with pytest.raises(UsageError, match=r"trace.csv holds GPU-a, GPU-b, but the model uses GPU-c"):
        Run(path, gpus=("GPU-c",))


@pytest.mark.parametrize(
    ("start_s", "end_s", "reason"),
    [
        (8, 10.5, "the trace ends at 10 s, the window at 10.5 s"),
        (0.5, 3, "the trace starts at 1 s, the window at 0.5 s"),
        (2, 5, "the trace has no power at 4 s"),
        (3.5, 3.7, "the trace has no power at 4 s"),
        (4, 6, "the trace has no power at 4 s"),
    ],
    ids=str,
)
def test_what_the_trace_does_not_cover_has_no_energy_and_the_reason(
    tmp_path: Path, start_s: float, end_s: float, reason: str
) -> None:
    path = csv_of(tmp_path, [(1, "a", 5), (3, "a", 5), (4, "a", ""), (5, "a", 5), (10, "a", 5)])
    (reading,) = Run(path).window(start_s, end_s)
    assert (reading.energy_wh, reading.problem) == (None, reason)


@pytest.mark.parametrize(("start_s", "end_s"), [(1, 3), (5, 10), (6, 8)], ids=str)
def test_a_hole_does_not_touch_windows_beside_it(tmp_path: Path, start_s: float, end_s: float) -> None:
    path = csv_of(tmp_path, [(1, "a", 5), (3, "a", 5), (4, "a", ""), (5, "a", 5), (10, "a", 5)])
    (reading,) = Run(path).window(start_s, end_s)
    assert reading.energy_wh == pytest.approx(5 * (end_s - start_s) / 3600)


LOGGED = [(0, "a", 5), (1, "a", 5), (2, "a", 5), (3, "a", 5), (600, "a", 5), (601, "a", 5), (602, "a", 5)]


@pytest.mark.parametrize(("start_s", "end_s"), [(0, 602), (2, 4), (3, 600), (10, 70), (2.5, 3.01), (599, 601)], ids=str)
def test_a_logger_that_dropped_out_leaves_a_hole(tmp_path: Path, start_s: float, end_s: float) -> None:
    (reading,) = Run(csv_of(tmp_path, LOGGED)).window(start_s, end_s)
    assert reading.energy_wh is None
    assert reading.problem == "the trace has no sample from 3 s to 600 s; its usual step is 1 s"


@pytest.mark.parametrize(("start_s", "end_s"), [(0, 3), (0.5, 2.5), (600, 602), (600.5, 601)], ids=str)
def test_what_a_logger_has_seen_beside_a_hole_is_measured(tmp_path: Path, start_s: float, end_s: float) -> None:
    (reading,) = Run(csv_of(tmp_path, LOGGED)).window(start_s, end_s)
    assert (reading.energy_wh, reading.problem) == (pytest.approx(5 * (end_s - start_s) / 3600), None)


def test_a_step_of_a_few_usual_ones_is_no_hole_of_the_device_that_has_it(tmp_path: Path) -> None:
    # A device of its own period, beside one that is sampled ten times as often.
    often = [(number / 10, "b", 5) for number in range(91)]
    for late_s, known in ((5, True), (5.01, False)):
        rows = [(0, "a", 5), (1, "a", 5), (2, "a", 5), (2 + late_s, "a", 5), (3 + late_s, "a", 5), *often]
        slow, fast = Run(csv_of(tmp_path, rows)).window(0, 8)
        assert (slow.energy_wh is not None) is known
        assert fast.energy_wh is not None


@pytest.mark.parametrize(("late_s", "known"), [(0.6, True), (1.0, True), (1.01, False)])
def test_a_second_without_a_sample_is_no_hole_for_each_tells_the_mean_of_the_last(
    tmp_path: Path, late_s: float, known: bool
) -> None:
    times_s = [*(number / 8 for number in range(80)), *(10 - 1 / 8 + late_s + number / 8 for number in range(80))]
    (reading,) = Run(csv_of(tmp_path, [(t_s, "a", 300) for t_s in times_s])).window(5, 15)
    assert (reading.energy_wh is not None) is known


def test_a_parquet_file_starts_at_its_first_sample_and_keeps_its_columns(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "t_s": [5000.0, 5001.0, 5002.0],
            "device": ["GPU-a"] * 3,
            "power_w": [100.0, 300.0, 100.0],
            "counter_mj": [1, 2, None],
            "temperature_c": [40, 41, 42],
        }
    )
    path = tmp_path / "power.parquet"
    pyarrow.parquet.write_table(table, path)
    run = Run(path)
    (reading,) = run.window(0, 1)
    assert reading.energy_wh == pytest.approx(200 / 3600)
    run.clock.now_s = 1001.5
    # What has not come yet is not told.
    assert run.meter.trace() == (
        PowerSample(t_s=1000.0, device="GPU-a", power_w=100.0, counter_mj=1, temperature_c=40),
        PowerSample(t_s=1001.0, device="GPU-a", power_w=300.0, counter_mj=2, temperature_c=41),
    )


times = st.lists(st.integers(100, 500), min_size=1, max_size=30).map(lambda steps: [*accumulate(steps, initial=0)])
"""Of samples that are late by any time which makes no hole."""


@given(
    times.flatmap(lambda at: st.tuples(st.just(at), st.lists(st.floats(0, 1000), min_size=len(at), max_size=len(at))))
)
def test_parts_of_a_window_add_up_and_none_is_negative(trace: tuple[list[int], list[float]]) -> None:
    at, powers = trace
    curve = Curve.through([PowerSample(t / 7, "a", power) for t, power in zip(at, powers, strict=True)])
    start, end = at[0] / 7, at[-1] / 7
    cuts = [start + (end - start) * part / 11 for part in range(12)]
    cuts[-1] = end
    parts = [curve.energy_j(low, high) for low, high in pairwise(cuts)]
    whole = curve.energy_j(start, end)
    assert math.fsum(parts) == pytest.approx(whole, rel=1e-9, abs=1e-6)
    assert min(parts) >= -1e-9 * max(1.0, whole)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t_s,device\n0,a\n", "no column power_w"),
        ("t_s,device,power_w\n", "is empty"),
        ("t_s,device,power_w\n0,a,5\n", "one sample of a"),
        ("t_s,device,power_w\n0,a,5\n0,a,6\n", "two samples of a at 0 s"),
        ("t_s,device,power_w\n0,a,5\n1,a,x\n", "not a table of numbers"),
        ("t_s,device,power_w\n0,a,5\n1,a\n", "not a table of numbers"),
        ("t_s,device,power_w\n0,a,5\n1,a,-1\n", "-1.0 W at 1.0 s"),
        ("t_s,device,power_w\n0,a,5\n1,a,nan\n", "nan W at 1.0 s"),
        ("t_s,device,power_w\n0,a,5\ninf,a,1\n", "at inf s"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_trace(path)


def test_a_trace_that_is_missing_or_not_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no trace"):
        read_trace(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="needs a recorded trace"):
        ReplayMeter(MeterRequest(gpu_ids=(), country_iso_code="USA", folder=tmp_path))
    broken = tmp_path / "power.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_trace(broken)
