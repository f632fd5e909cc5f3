"""optimum-benchmark's own report, from our windows: the mean over the repeats, under its names and in its units."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from scorekit.measure import bridge
from scorekit.records import Window
from scorekit.tasks import Kind
from scorekit.units import wh_to_kwh

bridge.apply()

from optimum_benchmark import BenchmarkReport  # noqa: E402
from optimum_benchmark.trackers.energy import Efficiency, Energy  # noqa: E402
from optimum_benchmark.trackers.latency import Latency, Throughput  # noqa: E402

_NAMES = {"preprocess": "preprocess_dataset"}
_UNITS = {"generate": "tokens", "decode": "tokens", "call": "images"}


def build(windows: Sequence[Window], kind: Kind, meter: str, memory: Any = None) -> Any:
    """The report over all windows.

    Decode is generate minus prefill in each repeat. Where noise leaves nothing of it, decode stays empty: a negative
    energy is never written.

    Args:
        windows: of the whole run.
        kind: how the model was called.
        meter: the meter whose readings are reported.
        memory: optimum-benchmark's record of the highest use of memory, where it was tracked.
    """
    split = kind == "generate" and any(window.phase == "prefill" for window in windows)
    targets = ["load_dataset", "preprocess_dataset", "load_model"]
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
        if name in targets:
            _fill(
                getattr(report, name),
                [_energy(window, meter) for window in group],
                [window.duration_s for window in group],
                _volume(group[0]),
                _UNITS.get(phase, "samples"),
            )
    if split:
        _fill_decode(report.decode, by_phase["generate"], by_phase["prefill"], meter)
    if memory is not None:
        report.warmup.memory = memory
    return report


def _fill_decode(target: Any, generate: list[Window], prefill: list[Window], meter: str) -> None:
    prefills = {window.repeat: window for window in prefill}
    pairs = [(window, prefills[window.repeat]) for window in generate if window.repeat in prefills]
    energies = [_energy(whole, meter) - _energy(part, meter) for whole, part in pairs]
    durations = [whole.duration_s - part.duration_s for whole, part in pairs]
    # The mean over all pairs, also those that noise made negative: leaving them out would bias it upwards.
    if not pairs or sum(energy.total for energy in energies) <= 0 or sum(durations) <= 0:
        return
    whole, part = pairs[0]
    volume = (whole.output_tokens or 0) - (part.output_tokens or 0)
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


def _energy(window: Window, meter: str) -> Any:
    def of(component: str) -> float:
        # The format has no word for "not there"; optimum-benchmark writes 0 for a machine without a GPU.
        found = (r.energy_wh for r in window.readings if r.meter == meter and r.component == component)
        return wh_to_kwh(sum(energy_wh for energy_wh in found if energy_wh is not None))

    gpu, cpu, ram = of("gpu"), of("cpu"), of("ram")
    return Energy(unit="kWh", cpu=cpu, ram=ram, gpu=gpu, total=cpu + ram + gpu)


def _volume(window: Window) -> int | None:
    if window.phase == "generate":
        return window.output_tokens
    return window.images if window.phase == "call" else window.samples
