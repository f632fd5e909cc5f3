"""What can be known to be wrong before a process is started: answered at once, with the mend.

Also fills in what optimum-benchmark would otherwise look up online (library, model type, task), and makes paths
absolute, because a job runs in its own folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from scorekit.errors import HardwareError, ModelError, UsageError, nearest
from scorekit.measuring import bridge, configs, gpus, hub, several_gpus
from scorekit.measuring.serving import preflight as serving

DTYPES = ("float32", "float16", "bfloat16", "auto")
DEVICES = ("cuda", "cpu", "mps")

_SECRET = re.compile(r"token|api_key|password", re.IGNORECASE)

# What this process was started with: every job sets the variable for its own measuring process.
_VISIBLE_AT_START = os.environ.get("CUDA_VISIBLE_DEVICES")


def prepare(config: DictConfig, start_folder: Path) -> hub.ModelFiles | None:
    """Check the config and complete it in place.

    Args:
        config: the composed Hydra config; changed in place.
        start_folder: the folder that relative paths are meant from.

    Returns:
        What the model's files say; None for backends that load no model files themselves.

    Raises:
        UsageError, HardwareError, ModelError: what is wrong and how to mend it.
    """
    backend = config.get("backend")
    if not isinstance(backend, DictConfig) or config.get("scenario") is None or config.get("launcher") is None:
        raise UsageError(
            "the config has no backend, scenario and launcher",
            mend="begin it with the defaults of one of `scorekit tasks`, e.g. --config-name text_generation",
        )
    refuse_secrets(config)
    with open_dict(config):
        model = _model_name(backend)
        serves = serving.is_serving(config)
        if serves:
            serving.prepare(config, os.environ)
        else:
            _check_dtype(backend)
            _check_device(config)
            backend.model = _absolute(model, start_folder)
        if backend.get("processor") and not serves:
            backend.processor = _absolute(str(backend.processor), start_folder)
            if backend.processor != backend.model:
                hub.check_processor(backend.processor)
        dataset = config.scenario.get("dataset_name")
        if dataset:
            config.scenario.dataset_name = _absolute(str(dataset), start_folder)
        replay = config.scenario.get("replay")
        if replay:
            config.scenario.replay = _trace(str(replay), start_folder)
        if serves:
            return None
        if backend.get("name") != "pytorch":
            return None
        kwargs = OmegaConf.to_container(backend.get("model_kwargs") or OmegaConf.create({}))
        assert isinstance(kwargs, dict)
        files = hub.read_model(backend.model, revision=kwargs.get("revision"), cache_dir=kwargs.get("cache_dir"))
        _complete(backend, files)
        configs.check_extra_task(config)
        several_gpus.check(config, files)
        return files


def refuse_secrets(config: DictConfig) -> None:
    """Refuse a token in the config, which is written into the run's files.

    Raises:
        UsageError: names the setting.
    """
    for part in ("model_kwargs", "processor_kwargs"):
        for key in config.backend.get(part) or {}:
            if _SECRET.search(str(key)):
                raise UsageError(
                    f"backend.{part}.{key} would be written into the run's files",
                    mend="take it out of the config and set it in the environment: HF_TOKEN=... scorekit bench ...",
                )


def _model_name(backend: DictConfig) -> str:
    if OmegaConf.is_missing(backend, "model") or not backend.get("model"):
        raise UsageError("no model is given", mend="add backend.model=ORG/NAME, or a folder: backend.model=./FOLDER")
    return str(backend.model)


def _trace(value: str, start_folder: Path) -> str:
    """The recorded trace, by its whole path."""
    path = Path(os.path.abspath(start_folder / Path(value).expanduser()))
    if not path.is_file():
        raise UsageError(f"there is no trace {value}", mend="scenario.replay=FILE.csv or a power.parquet")
    return str(path)


def _absolute(value: str, start_folder: Path) -> str:
    if not hub.is_folder(value) and not (start_folder / value).is_dir():
        return value
    # Links are kept: a link's name may be the model's, and the folder behind it be called anything.
    return os.path.abspath(start_folder / Path(value).expanduser())


def _check_dtype(backend: DictConfig) -> None:
    dtype = backend.get("torch_dtype")
    if dtype is None or dtype in DTYPES:
        return
    close = nearest(str(dtype), list(DTYPES))
    raise UsageError(
        f"there is no dtype '{dtype}'; valid: {', '.join(DTYPES)}",
        mend=f"backend.torch_dtype={close or 'float32'}",
    )


def _check_device(config: DictConfig) -> None:
    backend = config.backend
    device = backend.get("device")
    if device is not None and ":" in str(device):
        name, index = str(device).split(":", 1)
        raise UsageError(
            f"backend.device={device} names a device and its number in one",
            mend=f"backend.device={name} backend.device_ids={index}",
        )
    if device is not None and device not in DEVICES:
        raise UsageError(f"there is no device '{device}'; valid: {', '.join(DEVICES)}", mend="backend.device=cuda")
    if device == "cuda":
        _check_cuda()
        gpus.require_given(backend.get("device_ids"), _VISIBLE_AT_START)
    elif device is not None and "device_isolation" in config.launcher:
        # There is no GPU whose other users could disturb the run. The inline launcher refuses even the action.
        config.launcher.device_isolation = False
        config.launcher.device_isolation_action = None


def _check_cuda() -> None:
    import torch

    mend = "on a machine without an NVIDIA GPU add backend.device=cpu (not comparable with official scores)"
    # Both optimum-benchmark and CodeCarbon take this command for the proof of an NVIDIA system.
    found = shutil.which("nvidia-smi")
    if found is None or subprocess.run([found], capture_output=True, check=False).returncode != 0:
        raise HardwareError("backend.device=cuda, but nvidia-smi finds no NVIDIA GPU on this machine", mend=mend)
    if torch.version.cuda is None:
        raise HardwareError(
            f"backend.device=cuda, but torch {torch.__version__} was built without CUDA",
            mend="install a CUDA build of torch, or add backend.device=cpu",
        )


def _complete(backend: DictConfig, files: hub.ModelFiles) -> None:
    from optimum_benchmark import task_utils

    if backend.get("library") in (None, "sentence-transformers"):
        backend["library"] = files.loader
    elif backend["library"] != files.loader:
        raise ModelError(
            f"{files.name} is a {files.loader} model, but {_override('library', backend['library'])}",
            mend=_override("library", files.loader),
        )
    if backend.get("task") is None:
        backend.task = _task_of(files)
    if backend.get("model_type") is None:
        backend.model_type = files.model_type
    if files.loader == "timm":
        raise ModelError(
            f"{files.name} is a timm model, whose image processing optimum-benchmark does not load",
            mend="choose the same architecture from transformers",
        )
    if not backend.get("no_weights"):
        check_architecture(str(backend.task), files)
    if backend.get("torch_dtype") is None and files.loader == "transformers" and files.quantization is None:
        # Without a dtype transformers 5 takes the checkpoint's and 4.57 float32; the protocol says float32.
        backend.torch_dtype = "float32"
    if files.loader == "diffusers":
        if backend.task not in task_utils.TASKS_TO_AUTO_PIPELINE_CLASS_NAMES:
            raise ModelError(
                f"{files.name} is an image generator ({files.architecture}), which does not do {backend.task}",
                mend="use --config-name text_to_image, or another model",
            )
        if backend.get("no_weights"):
            raise UsageError(
                "backend.no_weights=true is not possible for diffusers pipelines",
                mend="backend.no_weights=false",
            )


def _override(setting: str, value: object) -> str:
    """A setting of the backend as the command line takes it."""
    return f"backend.{setting}={value}"


def _task_of(files: hub.ModelFiles) -> str:
    tasks = [task for task, names in _class_names(files.loader).items() if files.architecture in names]
    if files.loader == "timm":
        return "image-classification"
    if files.loader == "diffusers" and "text-to-image" in tasks:
        return "text-to-image"
    if not tasks:
        raise ModelError(
            f"the task of {files.name} cannot be told from its class {files.architecture}",
            mend="name it: backend.task=text-generation, for example",
        )
    return tasks[0]


def check_architecture(task: str, files: hub.ModelFiles) -> None:
    """Refuse a model whose class is known to do another task.

    transformers would load it all the same and put random weights where the task's head is missing.

    Raises:
        ModelError: names what the model does, and the config to use.
    """
    from optimum_benchmark import task_utils

    from scorekit.tasks import TASKS

    if files.architecture is None or files.loader == "timm":
        return
    by_task = _class_names(files.loader)
    loaded_as = task_utils.map_from_synonym_task(task)
    if files.architecture in by_task.get(loaded_as, ()) or loaded_as == "feature-extraction":
        return
    does = sorted(other for other, names in by_task.items() if files.architecture in names)
    if not does and files.architecture not in _base_classes():
        return  # A class of its own (remote code): nothing is known against it.
    configs = [name for name, entry in TASKS.items() if task_utils.map_from_synonym_task(entry.hf_task) in does]
    raise ModelError(
        f"{files.name} is a {files.architecture}"
        + (f", which does {', '.join(does)}" if does else ", which has no head for a task")
        + f": not a model for {task}",
        mend=(f"use --config-name {configs[0]}, or " if configs else "") + f"choose a model for {task}",
    )


def _class_names(library: str) -> dict[str, set[str]]:
    """For each task the names of the classes that do it, from the installed libraries' own tables."""
    from optimum_benchmark import task_utils

    if library == "diffusers":
        tables: dict[str, Any] = task_utils.TASKS_TO_PIPELINE_TYPES_TO_PIPELINE_CLASS_NAMES
    else:
        bridge.apply()
        tables = {
            task: names
            for task, names in task_utils.TASKS_TO_MODEL_TYPES_TO_MODEL_CLASS_NAMES.items()
            if task not in ("feature-extraction", "mask-generation")
        }
    return {
        task: {name for value in table.values() for name in ((value,) if isinstance(value, str) else tuple(value))}
        for task, table in tables.items()
    }


def _base_classes() -> set[str]:
    from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

    return {
        name
        for value in MODEL_MAPPING_NAMES.values()
        for name in ((value,) if isinstance(value, str) else tuple(value))
    }
