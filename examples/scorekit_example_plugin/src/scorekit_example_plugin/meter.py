"""The meter cpu_time: what this process should take by its CPU time and its memory. It models, and says so."""

import os
import time
from pathlib import Path

from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.records import Component, MeterReading
from scorekit.units import joules_to_wh

CORE_W = 5.0
"""Power of one busy core, assumed; put your machine's here."""
RAM_W_PER_GIB = 0.4
"""Power of memory, assumed."""


class CpuTimeMeter:
    """A meter of this process's CPU time and memory."""

    name = "cpu_time"

    def __init__(self, request: MeterRequest) -> None:
        self._started_s = self._cpu_s = self._wall_s = 0.0
        self._started_cpu_s = 0.0

    def devices(self) -> tuple[MeterDevice, ...]:
        """The CPU and the memory, each as one device."""
        return (MeterDevice("cpu", "cpu"), MeterDevice("ram", "ram"))

    def open(self, window: str) -> None:
        """Remember both clocks."""
        self._started_s, self._started_cpu_s = time.monotonic(), time.process_time()

    def close(self) -> None:
        """See how far they have gone: at once, for what follows is not the window's."""
        self._wall_s = time.monotonic() - self._started_s
        self._cpu_s = time.process_time() - self._started_cpu_s

    def readings(self) -> tuple[MeterReading, ...]:
        """The energy of both over the window that was just closed."""
        ram_wh = joules_to_wh(RAM_W_PER_GIB * _memory_gib() * self._wall_s)
        return (self._reading("cpu", joules_to_wh(CORE_W * self._cpu_s)), self._reading("ram", ram_wh))

    def trace(self) -> tuple[PowerSample, ...]:
        """None: no power is sampled, and of a plugin it is not asked for."""
        return ()

    def stop(self) -> None:
        """Nothing is held that would have to be given back."""

    def _reading(self, part: Component, energy_wh: float) -> MeterReading:
        return MeterReading(
            meter=self.name, component=part, device=part, energy_wh=energy_wh, origin="modelled", source="cpu_time"
        )


def _memory_gib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30
