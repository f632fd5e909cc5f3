"""Meters of another distribution: they read under their own names, and are named where they break their contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.errors import PluginError, UsageError
from scorekit.measuring import meters
from scorekit.measuring.meters import MeterRequest
from tests import plugin

METER = """
from scorekit.measuring.meters import MeterDevice
from scorekit.records import MeterReading

class Odd:
    name = "odd"
    said, device = "odd", "cpu"
    def __init__(self, request): pass
    def devices(self): return (MeterDevice("cpu", "cpu"),)
    def open(self, window): pass
    def close(self): pass
    def readings(self):
        return (MeterReading(meter=self.said, component="cpu", device=self.device, energy_wh=1.0, origin="measured"),)
    def trace(self): return ("not asked",)
    def stop(self): pass
"""


def odd_meter(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, body: str) -> meters.Meter:
    points = {"scorekit.meters": {"odd": f"{module}:Mine"}}
    plugin.install(
        folder / "site", monkeypatch, "odd-meter", points, {module: f"{METER}\nclass Mine(Odd):\n    {body}\n"}
    )
    assert meters.resolve(["codecarbon", "odd"], gpus=False) == ("codecarbon", "odd")
    (meter,) = meters.start(["odd"], MeterRequest((), "USA", folder))
    return meter


def test_a_meter_of_a_plugin_reads_under_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = odd_meter(tmp_path, monkeypatch, "odd_d", "pass")
    meter.open("generate")
    meter.close()
    assert [(found.meter, found.energy_wh) for found in meter.readings()] == [("odd", 1.0)]
    # power.parquet is evidence, and holds what scorekit's own meters sampled.
    assert meter.trace() == ()
    assert not isinstance(meter, meters.Aligning)
    meter.stop()


@pytest.mark.parametrize(
    ("module", "body", "told"),
    [
        ("odd_e", "said = 'nvml'", "gives a reading as one by 'nvml'"),
        ("odd_f", "device = 'GPU-1'", "reads 'GPU-1', which devices() does not name"),
        ("odd_g", "def readings(self): return (1,)", "gives a int for a reading"),
        ("odd_h", "def readings(self): return {}['gone']", "failed: KeyError: 'gone'"),
        ("odd_m", "def readings(self): return None", "failed: TypeError: 'NoneType'"),
        ("odd_n", "def devices(self): return ('cpu',)", "gives a str for a device"),
    ],
)
def test_a_meter_that_breaks_its_contract_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, body: str, told: str
) -> None:
    meter = odd_meter(tmp_path, monkeypatch, module, body)
    with pytest.raises(PluginError, match=r"the meter 'odd' of odd-meter 0\.1\.0 ") as caught:
        meter.readings()
    assert told in caught.value.message
    assert "leave it out of scenario.meters" in (caught.value.mend or "")


def test_a_meter_by_another_name_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="calls itself 'nvml'"):
        odd_meter(tmp_path, monkeypatch, "odd_i", "name = 'nvml'")


def test_a_meter_without_a_method_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PluginError, match="lacks a method"):
        odd_meter(tmp_path, monkeypatch, "odd_o", "stop = property()")


def test_a_meter_that_does_not_stop_hides_no_error_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = f"{METER}\nclass Mine(Odd):\n    def stop(self): raise KeyError('stop')\n"
    other = f"{METER}\nclass Mine(Odd):\n    name = 'nvml'\n"
    points = {"scorekit.meters": {"odd": "odd_q:Mine", "more": "odd_r:Mine"}}
    plugin.install(tmp_path / "site", monkeypatch, "two", points, {"odd_q": one, "odd_r": other})
    with pytest.raises(PluginError, match="calls itself 'nvml'"):
        meters.start(["odd", "more"], MeterRequest((), "USA", tmp_path))


def test_a_meter_that_is_nowhere_is_refused_with_those_of_plugins(example: None) -> None:
    with pytest.raises(UsageError, match=r"there is no meter 'cpu_tme'; valid: .*, cpu_time") as caught:
        meters.resolve(["cpu_tme"], gpus=False)
    assert caught.value.mend == "scenario.meters=[cpu_time]"
