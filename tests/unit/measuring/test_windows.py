"""A measured window: meters around the work and nothing else, one line for it, and none where the work failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import bundle
from scorekit.errors import BundleError
from scorekit.measuring import windows
from scorekit.measuring.meters import MeterDevice, PowerSample
from scorekit.measuring.windows import Counts, Recorder
from scorekit.records import MeterReading, Window


class Clock:
    """A monotonic clock that moves by one second at each look."""

    def __init__(self, events: list[str]) -> None:
        self.now = 100.0
        self.events = events

    def monotonic(self) -> float:
        self.now += 1.0
        self.events.append("clock")
        return self.now


class FakeMeter:
    def __init__(self, name: str, events: list[str]) -> None:
        self.name = name
        self.events = events
        self.windows: list[str] = []

    def open(self, window: str) -> None:
        self.windows.append(window)
        self.events.append(f"open {self.name}")

    def devices(self) -> tuple[MeterDevice, ...]:
        return (MeterDevice("cpu", "cpu"),)

    def close(self) -> None:
        self.events.append(f"close {self.name}")

    def trace(self) -> tuple[PowerSample, ...]:
        return ()

    def readings(self) -> tuple[MeterReading, ...]:
        self.events.append(f"read {self.name}")
        return (MeterReading(meter=self.name, component="cpu", device="cpu", energy_wh=1.5, origin="modelled"),)

    def stop(self) -> None:
        self.events.append(f"stop {self.name}")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(windows, "time", Clock(seen))
    return seen


def recorder(events: list[str], folder: Path, *names: str) -> tuple[Recorder, list[FakeMeter]]:
    meters = [FakeMeter(name, events) for name in names]
    return Recorder(meters, folder, lambda: events.append("synchronize")), meters


def lines(folder: Path) -> list[Window]:
    path = folder / bundle.WINDOWS
    if not path.exists():
        return []
    return [Window.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_first_meters_window_is_the_tightest_and_counting_comes_after(tmp_path: Path, events: list[str]) -> None:
    found, _ = recorder(events, tmp_path, "first", "second")

    def count(result: str) -> Counts:
        events.append(f"count {result}")
        return Counts()

    result = found.measure("forward", 0, lambda: events.append("work") or "done", count)
    assert result == "done"
    assert events == [
        "synchronize",
        "open second",
        "open first",
        "clock",
        "work",
        "synchronize",
        "clock",
        "close first",
        "close second",
        "count done",
        "read first",
        "read second",
    ]


def test_a_meter_that_waits_for_its_moment_does_so_before_any_is_opened(tmp_path: Path, events: list[str]) -> None:
    class Waiting(FakeMeter):
        def align(self) -> None:
            self.events.append(f"align {self.name}")

    meters = [Waiting("first", events), FakeMeter("second", events)]
    Recorder(meters, tmp_path, lambda: None).measure("forward", 0, lambda: None)
    assert events[:3] == ["align first", "open second", "open first"]


def test_a_line_holds_times_counts_and_every_meters_reading(tmp_path: Path, events: list[str]) -> None:
    found, _ = recorder(events, tmp_path, "first", "second")
    counts = Counts(samples=4, batches=2, failures=0, input_tokens=30, output_tokens=20, images=1)
    found.measure("generate", 1, lambda: None, lambda _: counts)
    (window,) = lines(tmp_path)
    assert found.windows == [window]
    assert (window.phase, window.repeat) == ("generate", 1)
    assert (window.start_monotonic_s, window.end_monotonic_s, window.duration_s) == (101.0, 102.0, 1.0)
    assert window.start_utc <= window.end_utc
    assert window.start_utc.endswith("+00:00")
    assert [reading.meter for reading in window.readings] == ["first", "second"]
    assert (window.samples, window.batches, window.failures) == (4, 2, 0)
    assert (window.input_tokens, window.output_tokens, window.images) == (30, 20, 1)


def test_a_line_is_on_the_disk_as_soon_as_its_window_has_ended(tmp_path: Path, events: list[str]) -> None:
    found, _ = recorder(events, tmp_path, "first")
    for repeat in range(3):
        found.measure("forward", repeat, lambda: None)
        assert [window.repeat for window in lines(tmp_path)] == list(range(repeat + 1))


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt()])
def test_work_that_raises_leaves_no_line_and_closes_every_meter(
    tmp_path: Path, events: list[str], failure: BaseException
) -> None:
    found, _ = recorder(events, tmp_path, "first", "second")

    def work() -> None:
        raise failure

    with pytest.raises(type(failure)):
        found.measure("forward", 0, work)
    assert [event for event in events if event.startswith("close")] == ["close first", "close second"]
    assert lines(tmp_path) == []
    assert found.windows == []


def test_a_meter_that_does_not_open_closes_those_that_did_and_the_work_is_not_done(
    tmp_path: Path, events: list[str]
) -> None:
    found, (first, _) = recorder(events, tmp_path, "first", "second")

    def broken(_window: str) -> None:
        raise OSError("no sensor")

    first.open = broken  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no sensor"):
        found.measure("forward", 0, lambda: events.append("work"))
    assert "work" not in events
    assert events[-1] == "close second"


def test_counting_that_fails_leaves_no_line(tmp_path: Path, events: list[str]) -> None:
    found, _ = recorder(events, tmp_path, "first")

    def count(_: None) -> Counts:
        raise ValueError("no ids")

    with pytest.raises(ValueError, match="no ids"):
        found.measure("generate", 0, lambda: None, count)
    assert lines(tmp_path) == []


def test_each_window_has_a_name_of_its_own_for_the_meters_files(tmp_path: Path, events: list[str]) -> None:
    found, (meter,) = recorder(events, tmp_path, "first")
    found.measure("load_model", None, lambda: None)
    for repeat in range(3):
        found.measure("preprocess", repeat, lambda: None, log_name="preprocess_dataset")
    found.measure("forward", 0, lambda: None)
    assert meter.windows == [
        "load_model",
        # optimum-benchmark's own name for the one repeat that it makes.
        "preprocess_dataset",
        "preprocess_dataset_repeat1",
        "preprocess_dataset_repeat2",
        "forward",
    ]


def test_a_line_that_cannot_be_written_is_told(tmp_path: Path, events: list[str]) -> None:
    found, _ = recorder(events, tmp_path / "nowhere", "first")
    with pytest.raises(BundleError, match=bundle.WINDOWS):
        found.measure("forward", 0, lambda: None)
