"""The meters, each used as its own documentation shows, behind one small face."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """What a meter said of a window: an energy in Wh, or why there is none. Either may be missing, never both."""

    energy_wh: float | None
    problem: str | None = None


class Tool(Protocol):
    """A meter that is made before a window and thrown away after it."""

    def open(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""

    def answer(self) -> Answer:
        """What was measured."""

    def stop(self) -> None:
        """Give everything back."""


class Scorekit:
    """scorekit's NVML meter on the GPUs that it finds in use, of CUDA_VISIBLE_DEVICES or backend.device_ids=0.

    An energy with a problem is as good as none, for no score takes it.
    """

    def __init__(self, folder: Path) -> None:
        from scorekit.measuring import gpus
        from scorekit.measuring.meters import MeterRequest
        from scorekit.measuring.meters.nvml import NvmlMeter

        device_ids = None if "CUDA_VISIBLE_DEVICES" in os.environ else 0
        used = gpus.resolve(gpus.AUTO, "cuda", device_ids, os.environ)
        self._meter = NvmlMeter(MeterRequest(gpu_ids=used, country_iso_code="USA", folder=folder))

    def open(self) -> None:
        self._meter.open("window")

    def close(self) -> None:
        self._meter.close()

    def answer(self) -> Answer:
        (reading,) = self._meter.readings()
        return Answer(reading.energy_wh if reading.problem is None else None, reading.problem)

    def stop(self) -> None:
        self._meter.stop()


class CodeCarbon:
    """CodeCarbon's offline tracker with tasks, over what it takes for the GPUs by itself; a first task goes before."""

    def __init__(self, folder: Path) -> None:
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.core import hardware_cache

        # Each of our trackers is to be like the first and only one of a program: in later ones it has another fault.
        hardware_cache.clear_cache()
        self._tracker = OfflineEmissionsTracker(
            country_iso_code="USA",
            allow_multiple_runs=True,
            save_to_file=False,
            output_dir=str(folder),
            log_level="critical",
        )
        self._tracker.start_task("first")
        self._tracker.stop_task("first")
        self._data: Any = None

    def open(self) -> None:
        self._tracker.start_task("window")

    def close(self) -> None:
        self._data = self._tracker.stop_task("window")

    def answer(self) -> Answer:
        return Answer(self._data.gpu_energy * 1000)

    def stop(self) -> None:
        self._tracker.stop()


class OptimumBenchmark:
    """optimum-benchmark's tracker for the GPU that its configs name (`device_ids=0`); loading the model goes before.

    With any other backend than PyTorch it does not ask torch to wait for a device that is not there.
    """

    def __init__(self, _: Path) -> None:
        from codecarbon.core import hardware_cache
        from optimum_benchmark.trackers.energy import EnergyTracker

        # As for CodeCarbon: the first and only one of a program. It writes where the program was started.
        hardware_cache.clear_cache()
        self._tracker = EnergyTracker(device="cuda", backend="none", device_ids="0")
        with self._tracker.track("load_model"):
            pass
        self._window = contextlib.ExitStack()

    def open(self) -> None:
        self._window.enter_context(self._tracker.track("generate"))

    def close(self) -> None:
        self._window.close()

    def answer(self) -> Answer:
        return Answer(self._tracker.get_energy().gpu * 1000)

    def stop(self) -> None:
        self._tracker.emission_tracker.stop()


class Zeus:
    """Zeus's monitor on the used GPU: its number within CUDA_VISIBLE_DEVICES, or the first where that is not set."""

    def __init__(self, _: Path) -> None:
        from zeus.monitor import ZeusMonitor

        self._monitor = ZeusMonitor(gpu_indices=[0], cpu_indices=[])
        self._measured: Any = None

    def open(self) -> None:
        # There is no device to wait for, and torch without CUDA would raise.
        self._monitor.begin_window("window", sync_execution=False)

    def close(self) -> None:
        self._measured = self._monitor.end_window("window", sync_execution=False)

    def answer(self) -> Answer:
        return Answer(sum(self._measured.gpu_energy.values()) / 3600)

    def stop(self) -> None:
        pass


class AiEnergyBenchmarks:
    """ai_energy_benchmarks' collector, as its runner makes it of a config that names no GPU: the first one.

    Its tracker is made when the window is opened.
    """

    def __init__(self, folder: Path) -> None:
        from ai_energy_benchmarks.metrics.codecarbon import CodeCarbonCollector

        self._collector = CodeCarbonCollector(output_dir=str(folder / "emissions"), gpu_ids=[0])
        self._data: dict[str, Any] = {}

    def open(self) -> None:
        self._collector.start()

    def close(self) -> None:
        self._data = self._collector.stop()

    def answer(self) -> Answer:
        if "error" in self._data:
            return Answer(None, str(self._data["error"]))
        return Answer(float(self._data["energy_wh"]))

    def stop(self) -> None:
        pass


AI_ENERGY_BENCHMARKS: Final = "ai_energy_benchmarks"
TOOLS: Final[Mapping[str, Callable[[Path], Tool]]] = {
    "scorekit": Scorekit,
    "codecarbon": CodeCarbon,
    "optimum-benchmark": OptimumBenchmark,
    "zeus": Zeus,
    AI_ENERGY_BENCHMARKS: AiEnergyBenchmarks,
}
OPENS_SLOWLY: Final = frozenset({AI_ENERGY_BENCHMARKS})
"""Opening takes seconds, so a window of the wanted length begins when it has returned. They are alone in a process."""


def quiet() -> None:
    """Keep the libraries' warnings out of the table."""
    warnings.simplefilter("ignore")
