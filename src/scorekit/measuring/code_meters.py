"""What a machine has for measuring any code: its GPUs and meters, as far as nobody names others."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Sequence
from typing import Final

from scorekit.errors import HardwareError, MissingExtraError, UsageError
from scorekit.measuring import driver, gpus, meters
from scorekit.measuring.meters import rapl

AUTO: Final = "auto"
EXTRA: Final = "measure"
_RECORDED: Final = "replay"


def gpus_of(setting: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """UUIDs of the GPUs to measure; by `auto` those that CUDA_VISIBLE_DEVICES leaves, none where NVML finds none."""
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
    except (driver.NoDriverError, ModuleNotFoundError):
        return ()
    return gpus.resolve(AUTO, "cuda", None, os.environ) if machine else ()


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
