"""Meters: which are taken, that they start together or not at all, and CodeCarbon on a machine without a GPU."""

from __future__ import annotations

import json
import logging
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import codecarbon
import pytest

from scorekit.errors import HardwareError, UsageError
from scorekit.measuring import meters
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.measuring.meters.codecarbon import CodeCarbonMeter
from scorekit.records import MeterReading
from tests.fake_nvml.fake import FakeNvml


def request_for(folder: Path, country: str = "FRA", gpus: tuple[str, ...] = ()) -> MeterRequest:
    return MeterRequest(gpu_ids=gpus, country_iso_code=country, folder=folder)


def work() -> int:
    # Long enough for the processor's load to be seen: the kernel counts in ticks of some milliseconds.
    return sum(number * number for number in range(2_000_000))


@pytest.mark.parametrize(
    ("names", "gpus", "expected"),
    [
        (["auto"], False, ("codecarbon",)),
        (["auto"], True, ("nvml", "codecarbon")),
        (["codecarbon"], True, ("codecarbon",)),
        (["codecarbon", "auto", "codecarbon"], False, ("codecarbon",)),
        (["codecarbon", "auto"], True, ("codecarbon", "nvml")),
        (["replay", "rapl"], False, ("replay", "rapl")),
    ],
    ids=str,
)
def test_auto_is_what_suits_the_run_and_no_meter_is_taken_twice(
    names: list[str], gpus: bool, expected: tuple[str, ...]
) -> None:
    assert meters.resolve(names, gpus=gpus) == expected


def test_an_unknown_meter_lists_the_valid_ones_and_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="no meter 'codecarbn'; valid: auto, codecarbon") as caught:
        meters.resolve(["auto", "codecarbn"], gpus=False)
    assert caught.value.mend == "scenario.meters=[codecarbon]"


def test_no_meter_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="names no meter"):
        meters.resolve([], gpus=False)


class Fake:
    name = "fake"

    def __init__(self) -> None:
        self.stops = 0

    def open(self, window: str) -> None: ...

    def devices(self) -> tuple[MeterDevice, ...]:
        return ()

    def close(self) -> None:
        pass

    def readings(self) -> tuple[MeterReading, ...]:
        return ()

    def trace(self) -> tuple[PowerSample, ...]:
        return ()

    def stop(self) -> None:
        self.stops += 1


def test_when_one_does_not_start_those_before_it_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Fake()

    def broken(_: MeterRequest) -> Fake:
        raise HardwareError("no sensor")

    monkeypatch.setitem(meters._FACTORIES, "first", lambda _: first)
    monkeypatch.setitem(meters._FACTORIES, "broken", broken)
    with pytest.raises(HardwareError, match="no sensor"):
        meters.start(("first", "broken"), request_for(tmp_path))
    assert first.stops == 1


def test_meters_start_in_the_order_of_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes = {"a": Fake(), "b": Fake()}
    for name, fake in fakes.items():
        monkeypatch.setitem(meters._FACTORIES, name, lambda _, fake=fake: fake)
    assert meters.start(("b", "a"), request_for(tmp_path)) == [fakes["b"], fakes["a"]]


@pytest.mark.parametrize("country", ["", "US", "usa", "USAA", "U5A"])
def test_what_is_no_country_code_is_refused(tmp_path: Path, country: str) -> None:
    with pytest.raises(UsageError, match="not a three-letter country code"):
        CodeCarbonMeter(request_for(tmp_path, country))


def test_a_country_that_codecarbon_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not know the country XXX"):
        CodeCarbonMeter(request_for(tmp_path, "XXX"))


def test_gpus_that_codecarbon_does_not_find_are_refused_and_not_read_as_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_nvml_here: FakeNvml
) -> None:
    monkeypatch.setattr(CodeCarbonMeter, "_watched_gpus", lambda _: [])
    with pytest.raises(HardwareError, match="but the model uses") as caught:
        CodeCarbonMeter(request_for(tmp_path, gpus=(fake_nvml_here.uuid(0),)))
    assert "nvidia-smi -L" in str(caught.value.mend)


class GPU:
    """Named as CodeCarbon's own class, by which the meter finds it."""

    def __init__(self, gpu_ids: list[str] | None) -> None:
        self.gpu_ids = gpu_ids


class FakeTracker:
    asked: ClassVar[dict[str, Any]] = {}

    def __init__(self, **options: Any) -> None:
        FakeTracker.asked = options
        self._hardware = [GPU(options["gpu_ids"])]

    def start_task(self, name: str) -> None: ...

    def stop_task(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(country_name="France")


@pytest.mark.parametrize("used", [(), (0,), (3, 1)], ids=str)
def test_codecarbon_is_asked_for_the_gpus_in_use_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_nvml_here: FakeNvml, used: tuple[int, ...]
) -> None:
    monkeypatch.setattr(codecarbon, "OfflineEmissionsTracker", FakeTracker)
    fake_nvml_here.set(gpus=4)
    CodeCarbonMeter(request_for(tmp_path, gpus=tuple(fake_nvml_here.uuid(index) for index in used)))
    # By index, for it reads nothing of a UUID; and None would be all GPUs of the machine.
    assert FakeTracker.asked["gpu_ids"] == list(used)
    assert FakeTracker.asked["country_iso_code"] == "FRA"


def test_codecarbon_reads_the_cpu_and_ram_of_a_machine_without_a_gpu(tmp_path: Path) -> None:
    meter = CodeCarbonMeter(request_for(tmp_path))
    try:
        for window in ("forward", "forward_repeat1"):
            meter.open(window)
            work()
            meter.close()
            readings = meter.readings()
            assert [reading.component for reading in readings] == ["cpu", "ram"]
            assert all(reading.energy_wh > 0 for reading in readings)
            assert {reading.meter for reading in readings} == {"codecarbon"}
            # There is no sensor for RAM, and for the CPU only where the processor tells its energy (RAPL).
            assert readings[1].origin == "modelled"
            assert readings[0].source
    finally:
        meter.stop()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["forward_codecarbon.json", "forward_repeat1_codecarbon.json"]
    own = json.loads((tmp_path / names[0]).read_text(encoding="utf-8"))
    assert (own["country_iso_code"], own["gpu_energy"]) == ("FRA", 0)
    assert own["cpu_energy"] > 0


def test_codecarbons_own_file_and_the_reading_are_one_energy(tmp_path: Path) -> None:
    meter = CodeCarbonMeter(request_for(tmp_path))
    try:
        meter.open("forward")
        work()
        meter.close()
        cpu, ram = meter.readings()
    finally:
        meter.stop()
    own = json.loads((tmp_path / "forward_codecarbon.json").read_text(encoding="utf-8"))
    assert cpu.energy_wh == pytest.approx(own["cpu_energy"] * 1000)
    assert ram.energy_wh == pytest.approx(own["ram_energy"] * 1000)


def test_stopping_ends_codecarbons_threads_even_with_a_window_open(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    meter = CodeCarbonMeter(request_for(tmp_path))
    meter.open("forward")
    meter.stop()
    meter.stop()
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(timeout=30)
    assert not [thread for thread in left if thread.is_alive()]
    assert list(tmp_path.iterdir()) == []


def test_codecarbon_looks_nothing_up_and_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import socket

    asked: list[object] = []

    def connect(_self: socket.socket, address: object) -> None:
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", connect)
    meter = CodeCarbonMeter(request_for(tmp_path))
    meter.open("forward")
    meter.close()
    meter.stop()
    assert asked == []
    assert logging.getLogger("codecarbon").level == logging.ERROR
    assert "codecarbon" not in capfd.readouterr().err


def test_codecarbons_own_settings_do_not_scale_an_energy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARBON_PUE", "1000")
    monkeypatch.setenv("CODECARBON_FORCE_RAM_POWER", "100000")
    (meter,) = meters.start(["codecarbon"], request_for(tmp_path))
    try:
        meter.open("pue")
        time.sleep(0.05)
        meter.close()
        readings = {reading.component: reading for reading in meter.readings()}
    finally:
        meter.stop()
    hours = json.loads((tmp_path / "pue_codecarbon.json").read_text(encoding="utf-8"))["duration"] / 3600
    # No board's memory takes a kilowatt.
    assert readings["ram"].energy_wh < 1000 * hours
