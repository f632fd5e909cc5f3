"""optimum-benchmark's own report, from our windows: the mean over the repeats, under its names and in its units."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from scorekit.measuring import bridge
from scorekit.records import MeterReading, Window
from scorekit.tasks import Kind
from scorekit.units import wh_to_kwh

bridge.apply()

from optimum_benchmark import BenchmarkReport  # noqa: E402
from optimum_benchmark.trackers.energy import Efficiency, Energy  # noqa: E402
from optimum_benchmark.trackers.latency import Latency, Throughput  # noqa: E402

_NAMES = {"preprocess": "preprocess_dataset"}
_UNITS = {"generate": "tokens", "decode": "tokens", "call": "images"}


def build(windows: Sequence[Window], kind: Kind, meters: Sequence[str], memory: Any = None) -> Any:
    """The report over all windows.

    Decode is generate minus prefill in each repeat. Where noise leaves nothing of it, decode stays empty: a negative
    energy is never written.

    Args:
        windows: of the whole run.
        kind: how the model was called.
        meters: names, the score's first; each component is reported by the first that reads it.
        memory: optimum-benchmark's record of the highest use of memory, where it was tracked.
    """
    windows = [window for window in windows if window.phase not in ("idle_before", "idle_after")]
    split = kind == "generate" and any(window.phase == "prefill" for window in windows)
    # A server has loaded its model and prepares its inputs by itself.
    targets = ["load_dataset"] if kind == "serve" else ["load_dataset", "preprocess_dataset", "load_model"]
    targets += ["prefill", "decode"] if split else [kind]
    if memory is not None:
        # Not under a phase's name: what was watched is the warm-up.
        targets.append("warmup")
    report = BenchmarkReport.from_list(targets=targets)
    by_phase: dict[str, list[Window]] = {}
    for window in windows:
        by_phase.setdefault(window.phase, []).append(window)
    for phase, group in by_phase.items():
        name = _NAMES.get(phase, phase)
        if name in targets and all(_is_whole(window, meters) for window in group):
            _fill(
                getattr(report, name),
                [_energy(window, meters) for window in group],
                [_duration_s(window) for window in group],
                _volume(group[0]),
                _UNITS.get(phase, "samples"),
            )
    if split:
        _fill_decode(report.decode, by_phase["generate"], by_phase["prefill"], meters)
    if memory is not None:
        report.warmup.memory = memory
    return report


def _fill_decode(target: Any, generate: list[Window], prefill: list[Window], meters: Sequence[str]) -> None:
    prefills = {window.repeat: window for window in prefill}
    pairs = [(window, prefills[window.repeat]) for window in generate if window.repeat in prefills]
    if not all(_is_whole(window, meters) for pair in pairs for window in pair):
        return
    energies = [_energy(whole, meters) - _energy(part, meters) for whole, part in pairs]
    durations = [_duration_s(whole) - _duration_s(part) for whole, part in pairs]
    # The mean over all pairs, also those that noise made negative: leaving them out would bias it upwards.
    if not pairs or sum(energy.total for energy in energies) <= 0 or sum(durations) <= 0:
        return
    whole, part = pairs[0]
    volume = (_per_pass(whole, whole.output_tokens) or 0) - (_per_pass(part, part.output_tokens) or 0)
    _fill(target, energies, durations, volume, "tokens")


def _fill(target: Any, energies: list[Any], durations: list[float], volume: int | None, unit: str) -> None:
    count = len(energies)
    mean = Energy(
        unit="kWh",
        cpu=sum(energy.cpu for energy in energies) / count,
        ram=sum(energy.ram for energy in energies) / count,
        gpu=sum(energy.gpu for energy in energies) / count,
        total=sum(energy.total for energy in energies) / count,
    )
    target.energy = mean
    target.latency = Latency.from_values(durations, unit="s")
    if volume:
        target.efficiency = Efficiency.from_energy(mean, volume, unit=f"{unit}/kWh")
        target.throughput = Throughput(value=volume / fmean(durations), unit=f"{unit}/s")


def _energy(window: Window, meters: Sequence[str]) -> Any:
    """The energy of one pass: a window may hold several."""

    def of(component: str) -> float:
        # The format has no word for "not there"; optimum-benchmark writes 0 for a machine without a GPU.
        total_wh = sum(reading.energy_wh or 0.0 for reading in _counted(window, component, meters))
        return wh_to_kwh(total_wh) / (window.passes or 1)

    gpu, cpu, ram = of("gpu"), of("cpu"), of("ram")
    return Energy(unit="kWh", cpu=cpu, ram=ram, gpu=gpu, total=cpu + ram + gpu)


def _counted(window: Window, component: str, meters: Sequence[str]) -> list[MeterReading]:
    """Readings of a component by the first meter that reads it."""
    found = [reading for reading in window.readings if reading.component == component]
    meter = next((name for name in meters if any(reading.meter == name for reading in found)), None)
    return [reading for reading in found if reading.meter == meter]


def _is_whole(window: Window, meters: Sequence[str]) -> bool:
    """Whether every reading that counts holds an energy: one that does not must not enter a mean as 0."""
    counted = [reading for component in ("gpu", "cpu", "ram") for reading in _counted(window, component, meters)]
    return all(reading.energy_wh is not None for reading in counted)


def _duration_s(window: Window) -> float:
    return window.duration_s / (window.passes or 1)


def _volume(window: Window) -> int | None:
    if window.phase == "generate":
        return _per_pass(window, window.output_tokens)
    return _per_pass(window, window.images if window.phase == "call" else window.samples)


def _per_pass(window: Window, count: int | None) -> int | None:
    return None if count is None else round(count / (window.passes or 1))
