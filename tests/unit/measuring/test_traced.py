"""Samples that cannot be written leave no meter running, and hide no error of the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scorekit import bundle
from scorekit.errors import BundleError, DatasetError
from scorekit.measuring import meters, power_log, scenario
from scorekit.measuring.meters import PowerSample
from scorekit.measuring.scenario import EnergyStarScenario
from scorekit.measuring.serving import scenario as serving
from scorekit.measuring.serving.settings import ServingSettings
from scorekit.measuring.settings import EnergyStarSettings

SAMPLE = PowerSample(10.0, "GPU-a", 312.5)
FAILURES = pytest.mark.parametrize(
    "failure", [BundleError("the disk is full"), MemoryError("no room"), OSError(28, "No space left on device")]
)


class Sampling:
    """A meter that has taken a sample."""

    def __init__(self) -> None:
        self.stopped = 0

    def trace(self) -> tuple[PowerSample, ...]:
        assert not self.stopped, "a meter that has been stopped may hold no samples any more"
        return (SAMPLE,)

    def stop(self) -> None:
        self.stopped += 1
        raise RuntimeError("neither does this hide anything")


@pytest.fixture
def active() -> list[Any]:
    return [Sampling(), Sampling()]


def fail_to_write(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def write(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(power_log, "write_power", write)


def stopped(active: list[Any]) -> bool:
    return [meter.stopped for meter in active] == [1, 1]


def test_samples_are_written_before_the_meters_are_stopped(tmp_path: Path, active: list[Any]) -> None:
    with power_log.traced(active, tmp_path):
        assert not any(meter.stopped for meter in active)
    assert (tmp_path / bundle.POWER).is_file()
    assert stopped(active)


def test_those_of_a_run_that_did_not_end_well_too(tmp_path: Path, active: list[Any]) -> None:
    with pytest.raises(KeyboardInterrupt), power_log.traced(active, tmp_path):
        raise KeyboardInterrupt
    assert (tmp_path / bundle.POWER).is_file()
    assert stopped(active)


@FAILURES
def test_a_trace_that_cannot_be_written_is_the_error_where_there_is_no_other(
    tmp_path: Path, active: list[Any], monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    fail_to_write(monkeypatch, failure)
    with pytest.raises(type(failure)) as caught, power_log.traced(active, tmp_path):
        pass
    assert caught.value is failure
    assert stopped(active)


def of_a_model(config: dict[str, Any]) -> Callable[[], object]:
    made = EnergyStarScenario.__new__(EnergyStarScenario)
    made.config = EnergyStarSettings(**config)
    backend = SimpleNamespace(task="text-generation", device="cpu", device_ids=None, seed=0)
    return lambda: made.run(SimpleNamespace(config=backend, automodel_loader=None))


def of_a_server(config: dict[str, Any]) -> Callable[[], object]:
    made = serving.ServingScenario.__new__(serving.ServingScenario)
    made.config = ServingSettings(**config, concurrency=1)
    backend = SimpleNamespace(url="http://127.0.0.1:8000", api="completions", device="cpu", seed=0)
    return lambda: made.run(SimpleNamespace(config=backend))


@FAILURES
@pytest.mark.parametrize(("made", "module"), [(of_a_model, scenario), (of_a_server, serving)])
def test_either_scenario_tells_its_own_error_and_stops_its_meters(
    tmp_path: Path,
    active: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
    made: Callable[[dict[str, Any]], Callable[[], object]],
    module: Any,
) -> None:
    def ends_badly(*_: object) -> None:
        raise DatasetError("there is no such dataset", mend="choose another")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(meters, "start", lambda *_: active)
    monkeypatch.setattr(module, "Recorder", ends_badly)
    fail_to_write(monkeypatch, failure)
    run = made({"dataset_name": "org/data", "meters": ["codecarbon"]})
    with caplog.at_level(logging.WARNING), pytest.raises(DatasetError, match="no such dataset"):
        run()
    assert stopped(active)
    assert f"power.parquet could not be written: {failure}" in caplog.text
