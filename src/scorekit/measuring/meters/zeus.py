"""Zeus as a meter over the GPUs in use.

Traps of Zeus 0.16 that this module stands between: it depends on `amdsmi`, with which optimum-benchmark does not import
on a machine without AMD's library, so it is installed without its dependencies (`INSTALL`); it reads
CUDA_VISIBLE_DEVICES itself and fails on UUIDs and on MIG; a counter that starts again gives a negative energy, one that
stands still gives 0 J; where a GPU has no counter it polls power from a process that imports the main module anew.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

from scorekit.errors import HardwareError, UsageError, install_line
from scorekit.measuring import gpus
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.records import MeterReading
from scorekit.units import joules_to_wh

INSTALL: Final = f'{install_line("zeus")} && pip install --no-deps "zeus==0.16.0"'

_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"


class ZeusMeter:
    """A meter over Zeus's monitor, for the GPUs in use alone.

    Raises:
        UsageError: Zeus is not installed.
        HardwareError: no GPU is used, or NVML cannot be used or does not know one that is.
    """

    name = "zeus"

    def __init__(self, request: MeterRequest) -> None:
        if not request.gpu_ids:
            raise HardwareError("Zeus measures GPUs, and the model uses none", mend="scenario.meters=[auto]")
        module = _zeus()
        self._gpus = request.gpu_ids
        self._window: str | None = None
        # Of each GPU that cannot be measured, why.
        self._unable: dict[str, str] = {gpu: "Zeus does not measure MIG" for gpu in request.gpu_ids if _is_mig(gpu)}
        indices = {gpu: _index(gpu) for gpu in request.gpu_ids if gpu not in self._unable}
        self._error: type[Exception] = module.exception.ZeusBaseError
        try:
            with _all_gpus_visible():
                found = module.device.get_gpus()
            for gpu, index in list(indices.items()):
                if not found.supports_get_total_energy_consumption(index):
                    self._unable[gpu] = "the GPU has no energy counter"
                    del indices[gpu]
        except self._error as error:
            raise HardwareError(f"Zeus cannot use NVML: {error}", mend="check that `nvidia-smi` works here") from error
        self._indices = indices
        # GPUs alone: its CPU reading needs root, and is another meter's work.
        self._monitor: Any = module.monitor.ZeusMonitor(gpu_indices=list(indices.values()), cpu_indices=[])
        self._energies_j: dict[int, float] = {}
        self._failure: str | None = None

    def devices(self) -> tuple[MeterDevice, ...]:
        """The GPUs in use."""
        return tuple(MeterDevice("gpu", gpu) for gpu in self._gpus)

    def open(self, window: str) -> None:
        """Begin a window of Zeus's."""
        self._window, self._energies_j, self._failure = window, {}, None
        try:
            # The device was waited for; and Zeus's own waiting fails where torch has no CUDA.
            self._monitor.begin_window(window, sync_execution=False, restart=True)
        except self._error as error:
            self._failure = f"Zeus could not begin the window: {error or type(error).__name__}"

    def close(self) -> None:
        """End it."""
        window, self._window = self._window, None
        if self._failure is not None:
            return
        try:
            with warnings.catch_warnings():
                # It warns of a zero, which `readings` tells.
                warnings.simplefilter("ignore")
                measured = self._monitor.end_window(window, sync_execution=False)
        except self._error as error:
            self._failure = f"Zeus could not end the window: {error or type(error).__name__}"
        else:
            self._energies_j = dict(measured.gpu_energy)

    def readings(self) -> tuple[MeterReading, ...]:
        """One reading a GPU; without an energy where Zeus gave none, or one that cannot be."""
        return tuple(self._reading(gpu) for gpu in self._gpus)

    def _reading(self, gpu: str) -> MeterReading:
        energy_j = self._energies_j.get(self._indices[gpu]) if gpu in self._indices else None
        problem = self._unable.get(gpu) or self._failure
        if problem is None and energy_j is None:
            problem = "Zeus gave no energy of this GPU"
        elif problem is None and energy_j is not None and energy_j < 0:
            problem = f"Zeus gave {energy_j:.1f} J: the energy counter started again in the window"
        elif problem is None and energy_j == 0:
            problem = "Zeus gave 0 J: the energy counter stood still over the whole window"
        return MeterReading(
            meter=self.name,
            component="gpu",
            device=gpu,
            energy_wh=joules_to_wh(energy_j) if problem is None and energy_j is not None else None,
            origin="measured",
            source="nvml",
            problem=problem,
        )

    def trace(self) -> Sequence[PowerSample]:
        """None: Zeus reads the counter at the edges alone."""
        return ()

    def stop(self) -> None:
        """Forget the window, if one is open."""
        if self._window is not None:
            with contextlib.suppress(self._error):
                self._monitor.end_window(self._window, sync_execution=False, cancel=True)
            self._window = None


def _zeus() -> Any:
    """The package, with the parts that are used here imported.

    Raises:
        UsageError: it, or what it needs, is not installed.
    """
    try:
        for part in ("device", "exception", "monitor"):
            importlib.import_module(f"zeus.{part}")
        return importlib.import_module("zeus")
    except ImportError as error:
        raise UsageError(f"the meter zeus needs Zeus: {error}", mend=INSTALL) from error


@contextlib.contextmanager
def _all_gpus_visible() -> Iterator[None]:
    # Zeus would number the GPUs by this variable, and only reads whole numbers in it; we number them as NVML does.
    hidden = os.environ.pop(_VISIBLE, None)
    try:
        yield
    finally:
        if hidden is not None:
            os.environ[_VISIBLE] = hidden


def _is_mig(gpu: str) -> bool:
    return gpu.startswith("MIG")


def _index(gpu: str) -> int:
    """NVML's index of a GPU.

    Raises:
        HardwareError: NVML does not know it.
    """
    return int(gpu) if gpu.isdecimal() else gpus.indices([gpu])[0]
