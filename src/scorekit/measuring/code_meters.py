"""What a machine has for measuring any code: its GPUs and meters, as far as nobody names others."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scorekit.errors import HardwareError, MissingExtraError, UsageError
from scorekit.measuring import driver, gpus, meters
from scorekit.measuring.meters import rapl

AUTO: Final = "auto"
EXTRA: Final = "measure"
_RECORDED: Final = "replay"
_NO_LIBRARY: Final = 12
"""NVML's code where its library is not found (nvml.h, nvmlReturn_t)."""
_ROOT = Path("/")
"""Where the file system begins; another one in tests."""
_OF_A_DRIVER: Final = ("dev/nvidia*", "proc/driver/nvidia")
"""What a loaded driver of NVIDIA's shows, in a container too."""


def gpus_of(setting: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """UUIDs of the GPUs to measure; by `auto` those that CUDA_VISIBLE_DEVICES leaves, none where there is no driver.

    Raises:
        UsageError: one is named that is not there.
        HardwareError: there is a driver, and it cannot be used. What ran on a GPU is not measured by the CPU instead.
        MissingExtraError: it cannot be asked without a package that is not installed.
    """
    if setting is None:
        return ()
    if setting != AUTO:
        try:
            return gpus.resolve(list(setting) if isinstance(setting, tuple) else setting, None, None, os.environ)
        except ModuleNotFoundError as error:
            raise MissingExtraError("pynvml", EXTRA) from error
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and not gpus.visible_ids(visible):
        return ()
    try:
        with driver.session() as pynvml:
            machine = driver.listing(pynvml)
    except ModuleNotFoundError as error:
        if _shows_a_driver():
            raise MissingExtraError("pynvml", EXTRA) from error
        return ()
    except driver.NoDriverError as error:
        # A container may have the devices, and what computes on them, without NVML.
        if error.code == _NO_LIBRARY and not _shows_a_driver():
            return ()
        mend = f"{error.mend}; gpus=None measures without GPUs"
        raise driver.NoDriverError(error.message, mend=mend, code=error.code) from error
    return gpus.resolve(AUTO, "cuda", None, os.environ) if machine else ()


def _shows_a_driver() -> bool:
    return any(True for pattern in _OF_A_DRIVER for _ in _ROOT.glob(pattern))


def meters_of(names: Sequence[str], gpu_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the meters, `auto` replaced by those that this machine has.

    Raises:
        UsageError: an unknown name, or none.
        MissingExtraError: nothing here can tell an energy without a package that is not installed.
    """
    found: list[str] = []
    for name in names:
        found += _of_this_machine(gpu_ids) if name == AUTO else [name]
    resolved = meters.resolve(found, gpus=bool(gpu_ids))
    if _RECORDED in resolved:
        raise UsageError(
            f"the meter {_RECORDED} reads a recorded run, and measures nothing", mend="scenario.meters=[auto]"
        )
    if "codecarbon" in resolved and not is_installed("codecarbon"):
        raise MissingExtraError("codecarbon", EXTRA)
    return resolved


def _of_this_machine(gpu_ids: tuple[str, ...]) -> list[str]:
    found = ["nvml"] if gpu_ids else []
    counted = set()
    with contextlib.suppress(HardwareError):
        counted = {domain.component for domain in rapl.find_domains(rapl.POWERCAP)}
        found.append("rapl")
    if is_installed("codecarbon"):
        found.append("codecarbon")
    elif not gpu_ids and counted != {"cpu", "ram"}:
        raise MissingExtraError("codecarbon", EXTRA)
    return found


def is_installed(package: str) -> bool:
    """Whether a package could be imported."""
    return importlib.util.find_spec(package) is not None
