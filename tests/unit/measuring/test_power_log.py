"""power.parquet and gpu_states.jsonl: what is written is what the checks read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from scorekit import bundle
from scorekit.logs.power_trace import read_power_trace
from scorekit.measuring import power_log
from scorekit.measuring.meters import SAMPLING_S, PowerSample, SamplerCost
from scorekit.measuring.meters.samples import SampleLog
from scorekit.records import POWER_SCHEMA, GpuState
from tests.fake_nvml import FakeNvml

FULL = PowerSample(10.0, "GPU-a", 312.5, 2**53 - 1, 61, 1980, 2619, 2**40 + 4, 97)
EMPTY = PowerSample(10.1, "GPU-a")
OTHER = PowerSample(10.05, "GPU-b", 70.0, 5, 33, 345, 2619, 1, 0)


def test_samples_are_read_back_as_they_were(tmp_path: Path) -> None:
    power_log.write_power(
        [FULL, OTHER, EMPTY], tmp_path, period_s=0.1, sampler_cpu_s=0.0125, sampler_wall_s=60.000000001
    )
    trace = read_power_trace(tmp_path / bundle.POWER)
    assert (trace.period_s, trace.sampler_cpu_s, trace.sampler_wall_s) == (0.1, 0.0125, 60.000000001)
    assert set(trace.devices) == {"GPU-a", "GPU-b"}
    first, second = trace.devices["GPU-a"], trace.devices["GPU-b"]
    assert list(first.t_s) == [10.0, 10.1]
    for name in PowerSample._fields[2:]:
        told, missing = getattr(first, name)
        assert told == getattr(FULL, name), name
        # What the driver did not tell is no number, and not 0.
        assert math.isnan(missing), name
        assert list(getattr(second, name)) == [getattr(OTHER, name)]


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    power_log.write_power([FULL], tmp_path, period_s=0.1, sampler_cpu_s=None, sampler_wall_s=None)
    table = pyarrow.parquet.read_table(tmp_path / bundle.POWER)
    assert {key.decode(): value.decode() for key, value in table.schema.metadata.items()} == {
        "schema_version": POWER_SCHEMA,
        "period_s": "0.1",
    }
    assert [str(kind) for kind in table.schema.types] == [
        "double", "string", "double", "int64", "int32", "int32", "int32", "int64", "int32",
    ]  # fmt: skip
    assert read_power_trace(tmp_path / bundle.POWER).sampler_cpu_s is None
    assert [path.name for path in tmp_path.iterdir()] == [bundle.POWER], "written in one step"


@pytest.mark.parametrize("rows", [1, 2, 1024])
def test_the_samples_of_a_log_are_written_as_those_of_a_list(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power_log, "_ROWS", rows)
    log = SampleLog()
    samples = [FULL, OTHER, EMPTY, FULL, EMPTY]
    for sample in samples:
        log.append(sample)
    for name, found in (("log", log), ("list", samples)):
        (tmp_path / name).mkdir()
        power_log.write_power(found, tmp_path / name, period_s=0.1, sampler_cpu_s=1.0, sampler_wall_s=60.0)
    ours, theirs = ((tmp_path / name / bundle.POWER).read_bytes() for name in ("log", "list"))
    assert ours == theirs
    table = pyarrow.parquet.read_table(tmp_path / "log" / bundle.POWER)
    assert [PowerSample(**row) for row in table.to_pylist()] == samples


class FakeMeter:
    def __init__(self, *samples: PowerSample) -> None:
        self.samples = samples

    def trace(self) -> tuple[PowerSample, ...]:
        return self.samples


class CostedMeter(FakeMeter):
    def cost(self) -> SamplerCost:
        return SamplerCost(cpu_s=0.5, window_s=100.0, missed_samples=0)


def test_the_first_meter_that_takes_samples_is_written_with_what_they_cost(tmp_path: Path) -> None:
    power_log.write_traces([FakeMeter(), CostedMeter(FULL), FakeMeter(OTHER)], tmp_path)
    trace = read_power_trace(tmp_path / bundle.POWER)
    assert set(trace.devices) == {"GPU-a"}
    assert (trace.period_s, trace.sampler_cpu_s, trace.sampler_wall_s) == (SAMPLING_S, 0.5, 100.0)


def test_a_meter_that_does_not_tell_its_cost_is_written_without(tmp_path: Path) -> None:
    power_log.write_traces([FakeMeter(OTHER)], tmp_path)
    assert read_power_trace(tmp_path / bundle.POWER).sampler_wall_s is None


def test_no_samples_are_no_file(tmp_path: Path) -> None:
    power_log.write_traces([FakeMeter(), FakeMeter()], tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fake(fake_nvml_here: FakeNvml) -> Iterator[FakeNvml]:
    yield fake_nvml_here
    assert fake_nvml_here.setter_calls() == []


def states(folder: Path) -> list[GpuState]:
    lines = (folder / bundle.GPU_STATES).read_text(encoding="utf-8").splitlines()
    return [GpuState.model_validate_json(line) for line in lines]


def test_a_state_is_one_line_for_each_gpu_as_it_is_now(fake: FakeNvml, tmp_path: Path) -> None:
    fake.set(gpus=3, temperature_c=41)
    log = power_log.StateLog((fake.uuid(2), fake.uuid(0)), tmp_path)
    log.record("start")
    fake.set(2, temperature_c=66)
    log.record("repeat", 0)
    log.record("end")
    found = states(tmp_path)
    assert [(state.when, state.repeat, state.device) for state in found] == [
        (when, repeat, fake.uuid(gpu)) for when, repeat in (("start", None), ("repeat", 0), ("end", None))
        for gpu in (2, 0)
    ]  # fmt: skip
    assert [state.temperature_c for state in found] == [41, 41, 66, 41, 66, 41]
    assert [state.foreign_processes for state in found] == [0] * 6


def test_a_run_without_gpus_has_no_states(tmp_path: Path) -> None:
    power_log.StateLog((), tmp_path).record("start")
    assert list(tmp_path.iterdir()) == []
