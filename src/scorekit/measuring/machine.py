"""What is on this machine, collected without loading anything heavy and without changing anything."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import scorekit
from scorekit.errors import HardwareError, ScorekitError, install_line
from scorekit.measuring import driver, environment, file_system, gpus
from scorekit.records.machine import Machine, ProbedGpu

_RAPL: Final = Path("/sys/class/powercap")
_ON: Final = ("1", "ON", "YES", "TRUE")  # as huggingface_hub reads it
_REQUIREMENT: Final = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*);\s*extra\s*==\s*['\"](\w+)['\"]")
_GIB: Final = 2**30


def probe(
    *,
    device: str = "cuda",
    device_ids: str | int | None = None,
    environ: Mapping[str, str] = os.environ,
    ask_torch: bool = False,
    runs: Path | None = None,
) -> Machine:
    """Look at the machine.

    Args:
        device: backend.device of the run that is thought of.
        device_ids: its backend.device_ids; None stands for CUDA_VISIBLE_DEVICES, and without that for the first GPU.
        environ: the process's variables.
        ask_torch: load torch and ask it for its GPUs, which takes seconds.
        runs: a folder for runs whose file system is to be tried; None for none.
    """
    found, problem = _gpus(device, device_ids, environ)
    required = _required("bench")
    versions = {name: version for name in required or {} if (version := _version(name)) is not None}
    cuda, seen = _torch(versions.get("torch"), ask_torch)
    return Machine(
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        scorekit_version=scorekit.__version__,
        cpu=environment.cpu_name(),
        cpu_count=os.cpu_count(),
        ram_gib=_ram_gib(),
        in_container=environment.in_container(),
        container_image=environment.container_image(environ),
        rapl=rapl(_RAPL),
        gpus=found,
        gpu_problem=None if problem is None else problem.message,
        gpu_mend=None if problem is None else problem.mend,
        nvidia_smi=shutil.which("nvidia-smi", path=environ.get("PATH")) is not None,
        visible=environ.get("CUDA_VISIBLE_DEVICES"),
        packages=versions,
        missing=None if required is None else tuple(name for name in required if name not in versions),
        wrong=tuple(
            f"{name} {versions[name]} (needed: {wanted.removeprefix('==')})"
            for name, wanted in (required or {}).items()
            if wanted.startswith("==") and name in versions and versions[name] != wanted.removeprefix("==")
        ),
        torch_cuda=cuda,
        torch_gpus=seen,
        hub_offline=environ.get("HF_HUB_OFFLINE", "").upper() in _ON,
        hub_token=_has_token(environ),
        free_here_gib=_free_gib(Path.cwd()),
        free_cache_gib=_free_gib(_hub_folder(environ)),
        runs_folder=None if runs is None else file_system.probe(runs),
    )


def rapl(folder: Path) -> Literal["readable", "unreadable", "absent"]:
    """Whether the CPU's energy counters can be read.

    Args:
        folder: /sys/class/powercap.
    """
    counters = sorted(folder.glob("*-rapl:*/energy_uj"))
    if not counters:
        return "absent"
    try:
        counters[0].read_text(encoding="ascii")
    except OSError:
        return "unreadable"
    return "readable"


def _gpus(
    device: str, device_ids: str | int | None, environ: Mapping[str, str]
) -> tuple[tuple[ProbedGpu, ...], ScorekitError | None]:
    problem: ScorekitError | None = None
    used: tuple[str, ...] = ()
    try:
        with driver.session() as pynvml:
            listed = driver.listing(pynvml)
            wanted = device_ids if device_ids is not None or "CUDA_VISIBLE_DEVICES" in environ else "0"
            try:
                used = gpus.resolve(gpus.AUTO, device, wanted, environ)
                if used:
                    gpus.require_given(wanted, environ.get("CUDA_VISIBLE_DEVICES"))
            except ScorekitError as error:
                problem = error
            return tuple(_probed(pynvml, gpu, used) for gpu in listed), problem
    except ModuleNotFoundError:
        return (), HardwareError(
            "the package nvidia-ml-py is not installed, so no GPU can be seen", mend=install_line("bench")
        )
    except ScorekitError as error:
        return (), error


def _probed(pynvml: Any, gpu: driver.Listed, used: tuple[str, ...]) -> ProbedGpu:
    if gpu.uuid is None:
        return ProbedGpu(index=gpu.index, used=False, problem=gpu.error)
    is_used = gpu.uuid in used
    try:
        (facts,) = gpus.facts([gpu.uuid])
        handle = driver.handle(pynvml, gpu.uuid)
    except ScorekitError as error:
        return ProbedGpu(index=gpu.index, used=is_used, problem=error.message)
    counter_problem = counter_code = None
    try:
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except pynvml.NVMLError as error:
        counter_problem, counter_code = str(error), int(error.value)
    return ProbedGpu(
        index=gpu.index,
        used=is_used,
        facts=facts,
        state=gpus.state(gpu.uuid, "start", None, {os.getpid()}),
        counter_problem=counter_problem,
        counter_code=counter_code,
    )


def _required(extra: str) -> dict[str, str] | None:
    """Packages of an extra with the versions wanted, from scorekit's own metadata; None where there is none."""
    try:
        lines = importlib.metadata.requires("scorekit") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    matches = [match for line in lines if (match := _REQUIREMENT.match(line)) is not None and match[3] == extra]
    return {match[1]: match[2].strip() for match in matches}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _torch(version: str | None, ask: bool) -> tuple[str | None, int | None]:
    """CUDA that torch was built for ("none" without), and the GPUs that it sees."""
    if ask and importlib.util.find_spec("torch") is not None:
        import torch

        return torch.version.cuda or "none", torch.cuda.device_count()
    if version is None or "+" not in version:
        return None, None
    build = version.split("+", 1)[1]
    return ("none" if build == "cpu" else build), None


def _ram_gib() -> float | None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1)
    return None


def _hub_folder(environ: Mapping[str, str]) -> Path:
    """Where huggingface_hub keeps its files, by its own rules."""
    if found := environ.get("HF_HUB_CACHE"):
        return Path(found)
    return _hf_home(environ) / "hub"


def _hf_home(environ: Mapping[str, str]) -> Path:
    if found := environ.get("HF_HOME"):
        return Path(found).expanduser()
    return Path(environ.get("XDG_CACHE_HOME") or Path("~/.cache")).expanduser() / "huggingface"


def _has_token(environ: Mapping[str, str]) -> bool:
    if environ.get("HF_TOKEN") or environ.get("HUGGING_FACE_HUB_TOKEN"):
        return True
    with contextlib.suppress(OSError):
        return Path(environ.get("HF_TOKEN_PATH") or _hf_home(environ) / "token").expanduser().stat().st_size > 0
    return False


def _free_gib(folder: Path) -> float | None:
    """Free space where a folder lies, or would."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return round(shutil.disk_usage(place).free / _GIB, 1)
    return None
