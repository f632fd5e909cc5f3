"""What a GPU is and in what state it is, as NVML tells it. Every question that goes unanswered is None."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, Final, Literal

from scorekit.errors import HardwareError
from scorekit.measuring import driver, strangers
from scorekit.measuring.driver import ask, text
from scorekit.records import GpuFacts, GpuState

# Numbers of NVML's enumerations (nvml.h).
_SM, _MEMORY = 1, 2
_SENSOR_GPU: Final = 0
_POWER_INSTANT: Final = 186
_SCOPE_MODULE: Final = 1
_P2P_NVLINK: Final = 2
_MAX_NVLINKS: Final = 18
_APPLICATIONS_CLOCKS: Final = 0x2
_NOT_THERE: Final = frozenset({2, 3, 6})
"""Codes by which NVML says that there is no such value: invalid argument, not supported, not found."""
_ARCHITECTURES: Final = {
    2: "kepler",
    3: "maxwell",
    4: "pascal",
    5: "volta",
    6: "turing",
    7: "ampere",
    8: "ada",
    9: "hopper",
    10: "blackwell",
    13: "rubin",
}
_VIRTUALIZATION: Final = {0: "none", 1: "passthrough", 2: "vgpu", 3: "host_vgpu", 4: "host_vsga"}
_PATHS: Final = {
    0: "one board",
    10: "pcie, one switch",
    20: "pcie, several switches",
    30: "pcie, one host bridge",
    40: "pcie, one cpu socket",
    50: "pcie, across cpu sockets",
}
"""What two GPUs have in common on their way to each other (nvmlGpuTopologyLevel_t)."""
_ENDING_S: Final = 0.2
"""A process that has just ended may still be listed for this long."""


def facts(gpu_ids: Iterable[str]) -> tuple[GpuFacts, ...]:
    """What each GPU is, in the order given.

    Args:
        gpu_ids: UUIDs or indices; for none NVML is not asked.

    Raises:
        HardwareError: NVML cannot be used, or a GPU does not answer.
    """
    wanted = tuple(gpu_ids)
    if not wanted:
        return ()
    with driver.session() as pynvml:
        return tuple(_facts(pynvml, driver.handle(pynvml, gpu_id)) for gpu_id in wanted)


def others(uuids: Collection[str]) -> tuple[GpuFacts, ...]:
    """What the machine's other GPUs are; none where NVML cannot be asked, for a machine need not have it."""
    try:
        with driver.session() as pynvml:
            return tuple(
                _facts_or_name(pynvml, gpu)
                for gpu in driver.listing(pynvml)
                if gpu.uuid is None or gpu.uuid not in uuids
            )
    except (driver.NoDriverError, ModuleNotFoundError):
        return ()


def computing_by_torch() -> int:
    """How many processes of a run compute on a GPU, as far as torch in this process tells: one or none."""
    return int(_torch_computes())


def state(
    uuid: str,
    when: Literal["start", "repeat", "end", "watch"],
    repeat: int | None,
    own_pids: Collection[int],
    computing: Callable[[], int | None] = computing_by_torch,
) -> GpuState:
    """In what state a GPU is now. A GPU that has gone, or a driver, leaves a state of which nothing is known.

    Args:
        uuid: the GPU.
        when: moment of the run.
        repeat: number of the repeat that follows.
        own_pids: processes of this run: `family(pid)`.
        computing: how many of them may compute there; None where that is not known.
    """
    told: dict[str, Any] = {}
    with contextlib.suppress(HardwareError, ModuleNotFoundError), driver.session() as pynvml:
        told["driver"] = text(ask(pynvml.nvmlSystemGetDriverVersion))
        told |= _state(pynvml, driver.handle(pynvml, uuid), own_pids, computing())
    return GpuState(
        when=when,
        repeat=repeat,
        monotonic_s=time.monotonic(),
        utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
        device=uuid,
        **told,
    )


def temperature_c(uuid: str) -> int | None:
    """Temperature of a GPU now; None where it is not told."""
    with contextlib.suppress(HardwareError, ModuleNotFoundError), driver.session() as pynvml:
        gpu = driver.handle(pynvml, uuid)
        found = ask(pynvml.nvmlDeviceGetTemperature, gpu, pynvml.NVML_TEMPERATURE_GPU)
        return None if found is None else int(found)
    return None


def topology(uuids: Iterable[str]) -> tuple[str, ...]:
    """How GPUs are linked, one pair a line: '0-1: nvlink'. Empty for fewer than two, or where NVML does not tell."""
    wanted = tuple(uuids)
    lines = []
    with contextlib.suppress(HardwareError, ModuleNotFoundError), driver.session() as pynvml:
        handles = [driver.handle(pynvml, gpu_id) for gpu_id in wanted]
        gpus = {driver.index_of(pynvml, gpu): gpu for gpu in handles}
        for (one, first), (other, second) in combinations(sorted(gpus.items()), 2):
            path = _path(pynvml, first, second)
            if path is not None:
                lines.append(f"{one}-{other}: {path}")
    return tuple(lines)


def family(pid: int) -> set[int]:
    """A measuring process, its descendants, and this process."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        return {os.getpid(), pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    return {os.getpid(), pid}


def compute_pids(pynvml: Any, gpu: Any) -> set[int] | None:
    """Compute processes on a GPU; None where the driver does not tell."""
    found = ask(pynvml.nvmlDeviceGetComputeRunningProcesses, gpu)
    return None if found is None else {int(entry.pid) for entry in found}


def _facts_or_name(pynvml: Any, gpu: driver.Listed) -> GpuFacts:
    if gpu.error is None:
        with contextlib.suppress(HardwareError):
            return _facts(pynvml, driver.handle(pynvml, str(gpu.index)))
    return GpuFacts(index=gpu.index, name=gpu.name or "unknown: it does not answer", uuid=gpu.uuid)


def _facts(pynvml: Any, gpu: Any) -> GpuFacts:
    memory = ask(pynvml.nvmlDeviceGetMemoryInfo, gpu)
    capability = ask(pynvml.nvmlDeviceGetCudaComputeCapability, gpu)
    limits = ask(pynvml.nvmlDeviceGetPowerManagementLimitConstraints, gpu)
    generation = ask(pynvml.nvmlDeviceGetMaxPcieLinkGeneration, gpu)
    width = ask(pynvml.nvmlDeviceGetCurrPcieLinkWidth, gpu)
    mig = ask(pynvml.nvmlDeviceGetMigMode, gpu)
    return GpuFacts(
        index=driver.index_of(pynvml, gpu),
        name=text(ask(pynvml.nvmlDeviceGetName, gpu)) or "unknown",
        uuid=text(ask(pynvml.nvmlDeviceGetUUID, gpu)),
        memory_mib=None if memory is None else int(memory.total) // 2**20,
        driver=text(ask(pynvml.nvmlSystemGetDriverVersion)),
        vbios=text(ask(pynvml.nvmlDeviceGetVbiosVersion, gpu)),
        architecture=_ARCHITECTURES.get(ask(pynvml.nvmlDeviceGetArchitecture, gpu) or -1),
        compute_capability=None if capability is None else f"{capability[0]}.{capability[1]}",
        power_limit_default_w=_thousandth(ask(pynvml.nvmlDeviceGetPowerManagementDefaultLimit, gpu)),
        power_limit_min_w=None if limits is None else _thousandth(limits[0]),
        power_limit_max_w=None if limits is None else _thousandth(limits[1]),
        sm_clock_max_mhz=ask(pynvml.nvmlDeviceGetMaxClockInfo, gpu, _SM),
        mem_clock_max_mhz=ask(pynvml.nvmlDeviceGetMaxClockInfo, gpu, _MEMORY),
        # A board that cannot be sliced says "not supported".
        mig=None if mig is None else bool(mig[0]),
        virtualization=_VIRTUALIZATION.get(ask(pynvml.nvmlDeviceGetVirtualizationMode, gpu)),
        counter_scope=_counter_scope(pynvml, gpu),
        nvlinks=_nvlinks(pynvml, gpu),
        # The generation that is in use falls while the GPU idles.
        pcie=None if generation is None or width is None else f"gen{generation} x{width}",
    )


def _counter_scope(pynvml: Any, gpu: Any) -> Literal["gpu", "module"] | None:
    """What the energy counter covers.

    A board on which CPU and GPU share one module gives the module's power as a field of its own (NVML API reference,
    nvmlFieldValue_t, scopeId); on all others that field is not supported.
    """
    if ask(pynvml.nvmlDeviceGetTotalEnergyConsumption, gpu) is None:
        return None
    fields = ask(pynvml.nvmlDeviceGetFieldValues, gpu, [(_POWER_INSTANT, _SCOPE_MODULE)])
    if not fields:
        return None
    field = fields[0]
    if field.nvmlReturn == 0:
        return "module" if field.value.uiVal > 0 else "gpu"
    return "gpu" if field.nvmlReturn in _NOT_THERE else None


def _nvlinks(pynvml: Any, gpu: Any) -> int | None:
    states = [ask(pynvml.nvmlDeviceGetNvLinkState, gpu, link) for link in range(_MAX_NVLINKS)]
    return None if states[0] is None else sum(bool(found) for found in states)


def _path(pynvml: Any, one: Any, other: Any) -> str | None:
    if ask(pynvml.nvmlDeviceGetP2PStatus, one, other, _P2P_NVLINK) == 0:
        return "nvlink"
    return _PATHS.get(ask(pynvml.nvmlDeviceGetTopologyCommonAncestor, one, other))


def _state(pynvml: Any, gpu: Any, own_pids: Collection[int], computing: int | None) -> dict[str, Any]:
    reasons = ask(pynvml.nvmlDeviceGetCurrentClocksEventReasons, gpu)
    if reasons is None:
        # Drivers before 535 know it by its older name only.
        reasons = ask(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons, gpu)
    rates = ask(pynvml.nvmlDeviceGetUtilizationRates, gpu)
    ecc, mig = ask(pynvml.nvmlDeviceGetEccMode, gpu), ask(pynvml.nvmlDeviceGetMigMode, gpu)
    persistence = ask(pynvml.nvmlDeviceGetPersistenceMode, gpu)
    return {
        "temperature_c": ask(pynvml.nvmlDeviceGetTemperature, gpu, _SENSOR_GPU),
        "power_w": _thousandth(ask(pynvml.nvmlDeviceGetPowerUsage, gpu)),
        "power_limit_w": _thousandth(ask(pynvml.nvmlDeviceGetEnforcedPowerLimit, gpu)),
        "sm_clock_mhz": ask(pynvml.nvmlDeviceGetClockInfo, gpu, _SM),
        "mem_clock_mhz": ask(pynvml.nvmlDeviceGetClockInfo, gpu, _MEMORY),
        "clocks_locked": _clocks_locked(pynvml, gpu, reasons),
        "reasons": reasons,
        "utilization_percent": None if rates is None else int(rates.gpu),
        "persistence": None if persistence is None else bool(persistence),
        "ecc": None if ecc is None else bool(ecc[0]),
        "mig": None if mig is None else bool(mig[0]),
        "foreign_processes": _foreign_processes(pynvml, gpu, own_pids, computing),
    }


def _clocks_locked(pynvml: Any, gpu: Any, reasons: int | None) -> bool | None:
    """Whether somebody set clocks. NVML has no getter for locked clocks; it names them as a reason where they bind."""
    if reasons is not None and reasons & _APPLICATIONS_CLOCKS:
        return True
    pairs = [
        (
            ask(pynvml.nvmlDeviceGetApplicationsClock, gpu, kind),
            ask(pynvml.nvmlDeviceGetDefaultApplicationsClock, gpu, kind),
        )
        for kind in (_SM, _MEMORY)
    ]
    known = [(set_mhz, default_mhz) for set_mhz, default_mhz in pairs if None not in (set_mhz, default_mhz)]
    if not known:
        return None if reasons is None else False
    return any(set_mhz != default_mhz for set_mhz, default_mhz in known)


def _foreign_processes(pynvml: Any, gpu: Any, own_pids: Collection[int], computing: int | None) -> int | None:
    """How many compute processes on a GPU are not of this run.

    Where torch computes on a GPU in this process, the run's own may go by any number that is listed, also by another
    process's here; else by one that nobody has here. Where torch computes and none is listed, the driver hides
    processes, others' too, and nothing can be told.
    """
    import psutil

    found = compute_pids(pynvml, gpu)
    if found is not None and any(not psutil.pid_exists(pid) for pid in found):
        time.sleep(_ENDING_S)
        found = compute_pids(pynvml, gpu)
    if found is None:
        return None
    if not _torch_computes():
        return strangers.count(found, own_pids, {pid for pid in found if not psutil.pid_exists(pid)}, computing)
    return strangers.count(found, own_pids, found, computing) if found else None


def _torch_computes() -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
