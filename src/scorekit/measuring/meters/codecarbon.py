"""CodeCarbon as a meter: offline, in a stated country, primed, and over only the GPUs in use.

Traps of CodeCarbon 3.3.2 that this module stands between: its own configuration files and variables change what it
reports (a PUE multiplies every energy); the online tracker looks up the location inside the first task; without ids
it sums every GPU of the machine; ids that it does not find read 0 J without an error; CPU energy without RAPL, and RAM
energy always, are models.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from scorekit import atomic
from scorekit.bundle import CODECARBON_SUFFIX
from scorekit.errors import HardwareError, UsageError
from scorekit.measuring import gpus
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.records import MeterReading
from scorekit.units import kwh_to_wh

_SAMPLING_S: Final = 1
_SENSORS: Final = ("rapl", "power_gadget", "powermetrics", "windows_emi")
"""Parts of CodeCarbon's names for CPU modes that read a sensor; all others are models."""


class CodeCarbonMeter:
    """A meter over CodeCarbon's offline tracker.

    Raises:
        UsageError: the country code is unknown.
        HardwareError: CodeCarbon does not find the GPUs that the model uses.
    """

    name = "codecarbon"

    def __init__(self, request: MeterRequest) -> None:
        if not re.fullmatch(r"[A-Z]{3}", request.country_iso_code):
            raise UsageError(
                f"'{request.country_iso_code}' is not a three-letter country code (ISO 3166-1)",
                mend="scenario.country_iso_code=USA, FRA, DEU, ...",
            )
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.core import hardware_cache

        # Its cache of the hardware takes "no GPU" for "all of them" from the second tracker of a process on.
        hardware_cache.clear_cache()
        # Its settings are echoed at import level before `log_level` is heeded.
        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self._request = request
        self._window: str | None = None
        self._closed: tuple[str, Any] | None = None
        self._tracker: Any = OfflineEmissionsTracker(
            country_iso_code=request.country_iso_code,
            # An empty list means no GPU; None would mean all of them.
            gpu_ids=_indices(request.gpu_ids),
            tracking_mode="machine",
            measure_power_secs=_SAMPLING_S,
            allow_multiple_runs=True,
            output_methods=[],
            # A configuration file or environment variable of CodeCarbon's must not scale an energy or call home.
            pue=1.0,
            force_cpu_power=None,
            force_ram_power=None,
            force_mode_cpu_load=False,
            rapl_include_dram=False,
            rapl_prefer_psys=False,
            electricitymaps_api_token=None,
            emissions_endpoint=None,
            output_handlers=[],
            output_dir=str(request.folder),
            log_level="error",
        )
        self._prime()

    def _prime(self) -> None:
        """Run one task for nothing: the first one pays for looking at the hardware and loading tables."""
        self._tracker.start_task("prime")
        data = self._tracker.stop_task("prime")
        if not getattr(data, "country_name", None):
            raise UsageError(
                f"CodeCarbon does not know the country {self._request.country_iso_code}",
                mend="scenario.country_iso_code=USA",
            )
        if self._request.gpu_ids:
            watched = self._watched_gpus()
            if len(watched) != len(self._request.gpu_ids):
                raise HardwareError(
                    f"CodeCarbon watches the GPUs {watched}, but the model uses {list(self._request.gpu_ids)}",
                    mend="check backend.device_ids against `nvidia-smi -L`",
                )

    def _watched_gpus(self) -> list[int]:
        hardware = self._gpu_hardware()
        return [] if hardware is None else list(hardware.gpu_ids or [])

    def _gpu_hardware(self) -> Any:
        return next((found for found in self._tracker._hardware if type(found).__name__ == "GPU"), None)

    def devices(self) -> tuple[MeterDevice, ...]:
        """The GPUs in use, by UUID, and the machine's CPU and RAM."""
        gpus = tuple(MeterDevice("gpu", _name(device)) for device in self._devices())
        return (*gpus, MeterDevice("cpu", "cpu"), MeterDevice("ram", "ram"))

    def open(self, window: str) -> None:
        """Start a CodeCarbon task of that name."""
        self._window = window
        self._tracker.start_task(window)

    def close(self) -> None:
        """Stop the task."""
        assert self._window is not None
        window, self._window = self._window, None
        self._closed = window, self._tracker.stop_task(window)

    def readings(self) -> tuple[MeterReading, ...]:
        """Keep CodeCarbon's own file of the window and return its energies."""
        assert self._closed is not None
        window, data = self._closed
        path = self._request.folder / f"{window}{CODECARBON_SUFFIX}"
        atomic.write_text(path, json.dumps(dataclasses.asdict(data), indent=4) + "\n")
        readings = [
            self._reading("cpu", "cpu", data.cpu_energy, *self._cpu_origin()),
            # CodeCarbon has no sensor for RAM outside of some boards' RAPL domains, which it counts as CPU.
            self._reading("ram", "ram", data.ram_energy, "modelled", "ram_power_model"),
        ]
        return (*self._gpu_readings(), *readings)

    def _gpu_readings(self) -> list[MeterReading]:
        """One reading a GPU in use: CodeCarbon's own file holds only their sum.

        Where a counter went backwards or could not be read CodeCarbon puts an estimate; here there is no energy then.
        """
        readings = []
        for device in self._devices():
            name = _name(device)
            if device._has_counter and device._use_power_fallback:
                problem = "the energy counter went backwards or could not be read during the window"
                readings.append(self._reading("gpu", name, None, "measured", "nvml", problem))
                continue
            source = "nvml" if device._has_counter else "nvml_power"
            readings.append(self._reading("gpu", name, device.energy_delta.kWh, "measured", source))
        return readings

    def _devices(self) -> list[Any]:
        watched = self._watched_gpus() if self._request.gpu_ids else []
        return (
            [found for found in self._gpu_hardware().devices.devices if found.gpu_index in watched] if watched else []
        )

    def trace(self) -> Sequence[PowerSample]:
        """None: CodeCarbon keeps no samples."""
        return ()

    def stop(self) -> None:
        """Stop CodeCarbon's threads."""
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            if self._window is not None:
                tracker.stop_task(self._window)
                self._window = None
            tracker.stop()

    def _cpu_origin(self) -> tuple[Literal["measured", "modelled"], str]:
        for hardware in self._tracker._hardware:
            if type(hardware).__name__ in ("CPU", "AppleSiliconChip"):
                source = str(getattr(hardware, "_mode", "powermetrics"))
                measured = any(word in source for word in _SENSORS)
                return ("measured" if measured else "modelled"), source
        return "modelled", "unspecified"

    def _reading(
        self,
        component: Literal["gpu", "cpu", "ram"],
        device: str,
        energy_kwh: float | None,
        origin: Literal["measured", "modelled"],
        source: str,
        problem: str | None = None,
    ) -> MeterReading:
        return MeterReading(
            meter=self.name,
            component=component,
            device=device,
            energy_wh=None if energy_kwh is None else kwh_to_wh(energy_kwh),
            origin=origin,
            source=source,
            problem=problem,
        )


def _name(device: Any) -> str:
    return str(getattr(device, "_uuid", None) or device.gpu_index)


def _indices(gpu_ids: Sequence[str]) -> list[int]:
    """NVML's indices of the GPUs: CodeCarbon reads 0 J for a UUID that it does not take."""
    return list(gpus.indices(gpu_ids)) if gpu_ids else []
