"""Probes: what machine, software, model and data a run had. They collect and never judge.

No user name, host name, home path or token is ever among the facts.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import scorekit
from scorekit import tasks
from scorekit.errors import HardwareError
from scorekit.measuring import file_system, gpus, hub, meters, placement
from scorekit.records import (
    ENVIRONMENT_SCHEMA,
    SERVING_ENVIRONMENT_SCHEMA,
    DatasetFacts,
    Environment,
    ModelFacts,
    RunFacts,
    ServingFacts,
)

_PACKAGES: Final = (
    "torch",
    "transformers",
    "diffusers",
    "datasets",
    "accelerate",
    "tokenizers",
    "huggingface-hub",
    "optimum-benchmark",
    "hydra-core",
    "codecarbon",
    "nvidia-ml-py",
    "numpy",
    "pyarrow",
    "zeus",
)
IMAGE: Final = "SCOREKIT_IMAGE"
_IMAGE_NAME: Final = re.compile(r"[\w.:/-]+(@sha256:[0-9a-f]{64})?")
_ENGINES: Final = re.compile(r"docker|kubepods|containerd|libpod|lxc")


def collect(
    run: RunFacts,
    model: ModelFacts,
    dataset: DatasetFacts,
    gpu_ids: tuple[str, ...],
    model_gpus: tuple[str, ...] | None = None,
    serving: ServingFacts | None = None,
) -> Environment:
    """All facts about this machine and run.

    Args:
        run, model, dataset: what is not about the machine.
        gpu_ids: UUIDs or indices of the GPUs that are measured.
        model_gpus: UUIDs of the GPUs that hold a part of the model; None where it is not known.
        serving: of a server that is measured; None where the model is loaded here.

    Raises:
        HardwareError: a GPU that is measured does not answer.
    """
    import psutil

    used = gpus.facts(gpu_ids)
    uuids = tuple(gpu.uuid for gpu in used if gpu.uuid is not None)
    return Environment(
        schema_version=ENVIRONMENT_SCHEMA if serving is None else SERVING_ENVIRONMENT_SCHEMA,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        scorekit_version=scorekit.__version__,
        git_commit=_git_commit(),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=cpu_name(),
        cpu_count=os.cpu_count(),
        ram_gib=round(psutil.virtual_memory().total / 2**30, 1),
        gpus=used,
        other_gpus=gpus.others(uuids),
        # Where torch computes in this process says nothing of a server.
        torch_gpus=torch_gpus() if serving is None else None,
        model_gpus=model_gpus,
        container_image=container_image(os.environ),
        in_container=in_container(),
        topology=gpus.topology(uuids),
        packages=_versions() | _plugins(run),
        run=run,
        model=model,
        dataset=dataset,
        serving=serving,
    )


def model_facts(backend: Any) -> ModelFacts:
    """What the loaded model is, read from the object and from the model's files.

    Args:
        backend: optimum-benchmark's backend after load().
    """
    config, model = backend.config, backend.pretrained_model
    kwargs = config.model_kwargs or {}
    files = hub.read_model(config.model, revision=kwargs.get("revision"), cache_dir=kwargs.get("cache_dir"))
    modules = _modules(model)
    model_config = getattr(model, "config", None)
    quantization = _quantization(model_config)
    parameters = _parameters(modules, quantized=quantization is not None or files.quantization is not None)
    return ModelFacts(
        name=files.name,
        local=files.local,
        revision=files.revision,
        library=files.loader,
        architecture=type(model).__name__,
        parameters=parameters,
        model_class=tasks.model_class(parameters),
        dtype=_dtype(modules),
        quantization=quantization,
        declared_quantization=files.quantization,
        attention=getattr(model_config, "_attn_implementation", None),
        random_weights=bool(config.no_weights) or files.random_weights,
    )


def _modules(model: Any) -> list[Any]:
    components = getattr(model, "components", None)
    if isinstance(components, dict):
        return [part for part in components.values() if hasattr(part, "parameters")]
    return [model]


def _parameters(modules: list[Any], *, quantized: bool) -> int | None:
    """Number of the model's parameters; None where it cannot be told.

    Packed weights hold several parameters in one number, or none that torch counts, so a quantised model is built once
    more without memory and without quantisation.
    """
    if not quantized:
        return sum(int(parameter.numel()) for module in modules for parameter in module.parameters())
    import torch

    total = 0
    for module in modules:
        try:
            config = copy.deepcopy(module.config)
            config.__dict__.pop("quantization_config", None)
            with torch.device("meta"):
                total += sum(int(parameter.numel()) for parameter in type(module)(config).parameters())
        except Exception:  # noqa: BLE001 - any model's own code runs here; unknown is a true answer
            return None
    return total


def _dtype(modules: list[Any]) -> str | None:
    sizes: Counter[str] = Counter()
    for module in modules:
        for parameter in module.parameters():
            sizes[str(parameter.dtype).removeprefix("torch.")] += int(parameter.numel())
    return sizes.most_common(1)[0][0] if sizes else None


def _quantization(model_config: Any) -> str | None:
    quantization = getattr(model_config, "quantization_config", None)
    if quantization is None:
        return None
    method = quantization.get("quant_method") if isinstance(quantization, dict) else quantization.quant_method
    return str(getattr(method, "value", method))


def check_gpus(gpu_ids: tuple[str, ...]) -> None:
    """Make sure that torch computes on the GPUs that are measured.

    Raises:
        HardwareError: torch sees other GPUs than those named, told by their UUIDs.
    """
    used = torch_gpus()
    if not gpu_ids or not used:
        return
    measured = {gpu.uuid for gpu in gpus.facts(gpu_ids)}
    if set(used) != measured:
        raise HardwareError(
            f"torch computes on the GPUs {sorted(used)}, but {sorted(map(str, measured))} are measured",
            mend="run each job in a process of its own (launcher=process) and check backend.device_ids",
        )


def check_placement(gpu_ids: tuple[str, ...], model: Any) -> None:
    """Make sure that the model lies on every GPU that is measured and nowhere else, before an hour is spent on it.

    Raises:
        HardwareError, ModelError: what lies where.
    """
    if placement.is_shared():
        return
    found = model_placement(model) if gpu_ids and torch_gpus() else None
    if found is not None:
        placement.check(tuple(str(gpu.uuid) for gpu in gpus.facts(gpu_ids)), found)


def model_placement(model: Any) -> placement.Placement | None:
    """Where the loaded model lies; None where torch does not tell which GPUs it sees."""
    seen = torch_gpus()
    return None if seen is None else placement.place(placement.devices_of(_modules(model), model), seen)


def model_gpus(model: Any) -> tuple[str, ...] | None:
    """UUIDs of the GPUs on which parts of the loaded model lie; None where torch does not tell."""
    found = model_placement(model)
    return None if found is None else found.gpus


def torch_gpus() -> tuple[str, ...] | None:
    """UUIDs of the GPUs that torch has in use, as NVML spells them; None where torch does not tell."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return ()
    try:
        found = [torch.cuda.get_device_properties(index).uuid for index in range(torch.cuda.device_count())]
    except AttributeError:
        # Builds for other makers' GPUs have no UUID.
        return None
    return tuple(f"GPU-{str(uuid).removeprefix('GPU-')}" for uuid in found)


def container_image(environ: Mapping[str, str]) -> str | None:
    """The image that SCOREKIT_IMAGE names, where it is written as one: NAME[:TAG][@sha256:...]."""
    value = environ.get(IMAGE, "")
    return value if _IMAGE_NAME.fullmatch(value) else None


def in_container(root: Path = Path("/")) -> bool | None:
    """Whether this process runs in a container; None on systems where it cannot be told.

    Args:
        root: where the file system begins; another one in tests.
    """
    if platform.system() != "Linux":
        return None
    if any((root / marker).exists() for marker in (".dockerenv", "run/.containerenv")):
        return True
    with contextlib.suppress(OSError):
        if _ENGINES.search((root / "proc/1/cgroup").read_text(encoding="utf-8")):
            return True
    with contextlib.suppress(OSError):
        text = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        # An engine lays its image's layers over each other for the root; a machine's own root is one file system.
        return any(mount.place == "/" and mount.type == "overlay" for mount in file_system.mounts(text))
    return None


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _plugins(run: RunFacts) -> dict[str, str]:
    """Versions of the distributions that brought the run's task and meters, other than scorekit."""
    found = [tasks.REGISTRY.origin(run.task or ""), *(meters.REGISTRY.origin(name) for name in run.meters)]
    return {origin.distribution: origin.version for origin in found if origin is not None}


def cpu_name() -> str | None:
    """The processor's name, as its maker writes it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or None


def _git_commit() -> str | None:
    """Commit of the checkout that scorekit runs from; None for an installed package."""
    folder = Path(__file__).resolve().parents[3]
    # An installed package may lie inside somebody else's repository, whose commit says nothing of ours.
    if not (folder / ".git").exists() or not (folder / "src" / "scorekit").is_dir():
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        changed = subprocess.run(
            ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return done.stdout.strip() + ("-dirty" if changed.stdout.strip() else "")
    return None
