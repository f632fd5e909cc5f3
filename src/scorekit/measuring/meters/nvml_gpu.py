"""One NVIDIA GPU, asked through NVML with as little work as can be: its answers are wanted while something is measured.

pynvml finds the library and its devices. The questions of the sampler go straight to the library's functions: pynvml
looks each one up under a lock and makes a new answer object every time, which takes several times as long as NVML.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from scorekit.errors import HardwareError
from scorekit.measuring.meters import PowerSample

_LIBRARY: Final = "libnvidia-ml.so.1"
_SUCCESS: Final = 0
_SM: Final = 1
_MEMORY: Final = 2
"""NVML's numbers of clock domains (nvml.h, nvmlClockType_enum)."""
_TEMPERATURE_GPU: Final = 0
_SLOW_SAMPLES: Final = 10
"""Memory clock and utilisation are asked for with every tenth sample only."""


class _Rates(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


class NvmlGpu:
    """One GPU.

    Args:
        pynvml: the library, initialised.
        gpu_id: UUID; an index is taken too.

    Attributes:
        uuid: which GPU.

    Raises:
        HardwareError: there is no such GPU.
    """

    def __init__(self, pynvml: Any, gpu_id: str) -> None:
        self._nvml = pynvml
        try:
            if gpu_id.isdigit():
                self._handle = pynvml.nvmlDeviceGetHandleByIndex(int(gpu_id))
            else:
                self._handle = pynvml.nvmlDeviceGetHandleByUUID(gpu_id)
            self.uuid = str(pynvml.nvmlDeviceGetUUID(self._handle))
        except pynvml.NVMLError as error:
            raise HardwareError(
                f"NVML does not give the GPU {gpu_id}: {error}", mend="compare scenario.gpus with `nvidia-smi -L`"
            ) from error
        # The library is loaded already; this finds it again by its name.
        library = ctypes.CDLL(_LIBRARY)
        self._energy = library.nvmlDeviceGetTotalEnergyConsumption
        self._power = library.nvmlDeviceGetPowerUsage
        self._temperature = library.nvmlDeviceGetTemperature
        self._clock = library.nvmlDeviceGetClockInfo
        self._utilization = library.nvmlDeviceGetUtilizationRates
        # Drivers before 535 know it by its older name only.
        newer = hasattr(library, "nvmlDeviceGetCurrentClocksEventReasons")
        self._reasons = (
            library.nvmlDeviceGetCurrentClocksEventReasons
            if newer
            else library.nvmlDeviceGetCurrentClocksThrottleReasons
        )
        self._number, self._long, self._rates = ctypes.c_uint(), ctypes.c_ulonglong(), _Rates()
        self._to_number, self._to_long = ctypes.byref(self._number), ctypes.byref(self._long)
        self._to_rates = ctypes.byref(self._rates)
        self._last_code = _SUCCESS
        self._samples = 0
        self._celsius: int | None = None
        self._sm_mhz: int | None = None
        self._memory_mhz: int | None = None
        self._used_percent: int | None = None

    @property
    def last_error(self) -> str | None:
        """What NVML last answered instead of the energy counter; None where it always gave it."""
        return None if self._last_code == _SUCCESS else str(self._nvml.NVMLError(self._last_code))

    def read_counter(self) -> int | None:
        """The energy counter [mJ]; None where NVML answers with an error."""
        code = self._energy(self._handle, self._to_long)
        if code != _SUCCESS:
            self._last_code = code
            return None
        return self._long.value

    def sample(self, t_s: float, counter_mj: int | None) -> PowerSample:
        """Power and throttle reasons at this moment; temperature and clock of the processors are asked in turn."""
        handle, number, to_number = self._handle, self._number, self._to_number
        power_mw = None if self._power(handle, to_number) else number.value
        reasons = None if self._reasons(handle, self._to_long) else self._long.value
        self._samples += 1
        if self._samples % 2:
            self._sm_mhz = None if self._clock(handle, _SM, to_number) else number.value
        else:
            self._celsius = None if self._temperature(handle, _TEMPERATURE_GPU, to_number) else number.value
        if self._samples % _SLOW_SAMPLES == 1:
            self._sample_slowly()
        return PowerSample(
            t_s,
            self.uuid,
            None if power_mw is None else power_mw / 1000,
            counter_mj,
            self._celsius,
            self._sm_mhz,
            self._memory_mhz,
            reasons,
            self._used_percent,
        )

    def _sample_slowly(self) -> None:
        handle, number, to_number = self._handle, self._number, self._to_number
        self._memory_mhz = None if self._clock(handle, _MEMORY, to_number) else number.value
        self._used_percent = None if self._utilization(handle, self._to_rates) else self._rates.gpu
        if self._samples == 1:
            self._celsius = None if self._temperature(handle, _TEMPERATURE_GPU, to_number) else number.value
