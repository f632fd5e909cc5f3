"""Several GPUs for one model: what can be known to be wrong of it, before the model is loaded wherever that is told.

The protocol gives one GPU to models of class A and B (`scorekit.tasks`); only class C may be spread over more. The size
of a pipeline, and of a model with code of its own, is known only when it is loaded: such a run ends then, before
anything is measured.
"""

from __future__ import annotations

import copy
import os
from typing import Any

from omegaconf import DictConfig, OmegaConf

from scorekit import tasks
from scorekit.errors import ScorekitError, UsageError
from scorekit.measuring import gpus, hub
from scorekit.records import ModelFacts

_ONE_GPU = "backend.device_ids=0"


def check(config: DictConfig, files: hub.ModelFiles) -> None:
    """Refuse several GPUs where the model would use one of them, and where the protocol gives it one.

    Args:
        config: the composed config, with its task and library filled in.
        files: what the model's files say.

    Raises:
        UsageError: GPUs are named that the model would not be spread over, or more than the protocol allows.
    """
    count = _count(config.backend)
    if count < 2:
        return
    if not _spreads(config):
        raise UsageError(
            f"{count} GPUs are to be used, but nothing spreads the model over them: it would lie on the first alone",
            mend=f"{_ONE_GPU}, or backend.device_map=auto for a model that is too large for one",
        )
    if is_official(config.scenario, config.backend):
        _refuse_small(files.name, parameters_of(config.backend, files), count)


def check_loaded(scenario: Any, backend: Any, model: ModelFacts, count: int) -> None:
    """The same of a loaded model.

    Args:
        scenario, backend: the config.
        model: as it was loaded.
        count: GPUs that hold it.

    Raises:
        UsageError: they are more than the protocol allows.
    """
    if count > 1 and is_official(scenario, backend):
        _refuse_small(model.name, model.parameters, count)


def is_official(scenario: Any, backend: Any) -> bool:
    """Whether a config asks for the queries and repeats of the protocol, of a model with its own weights."""
    runs = getattr(scenario, "runs", None)
    return (
        getattr(scenario, "dataset_name", None) is not None
        and getattr(scenario, "num_samples", None) in (tasks.OFFICIAL_SAMPLES, -1)
        and isinstance(runs, int)
        and runs >= tasks.OFFICIAL_RUNS
        and not getattr(backend, "no_weights", None)
    )


def _refuse_small(name: str, parameters: int | None, count: int) -> None:
    size = tasks.model_class(parameters)
    if parameters is not None and size != "C":
        raise UsageError(
            f"{name} is of class {size} ({parameters / 1e9:.3g} B parameters), which the protocol measures on "
            f"one GPU: {count} are asked for in a run of its queries and repeats",
            mend=f"{_ONE_GPU}; a run that is not official may use more: scenario.num_samples=100",
        )


def parameters_of(backend: DictConfig, files: hub.ModelFiles) -> int | None:
    """How many parameters a transformers model will have: built from its config alone, without memory for them.

    Args:
        backend: with model, task and model_kwargs.
        files: what the model's files say.

    Returns:
        None where it cannot be told: of a pipeline, or of a class that needs code of its own.
    """
    if files.loader != "transformers":
        return None
    import torch
    import transformers
    from optimum_benchmark.task_utils import TASKS_TO_AUTO_MODEL_CLASS_NAMES, map_from_synonym_task

    given = OmegaConf.to_container(backend.get("model_kwargs") or OmegaConf.create({}))
    assert isinstance(given, dict)
    kwargs = {key: given[key] for key in ("revision", "cache_dir", "trust_remote_code") if key in given}
    try:
        config = copy.deepcopy(transformers.AutoConfig.from_pretrained(str(backend.model), **kwargs))
        config.__dict__.pop("quantization_config", None)
        loaders = TASKS_TO_AUTO_MODEL_CLASS_NAMES[map_from_synonym_task(str(backend.task))]
        with torch.device("meta"):
            model = getattr(transformers, loaders if isinstance(loaders, str) else loaders[0]).from_config(config)
        return sum(int(parameter.numel()) for parameter in model.parameters())
    except Exception:  # noqa: BLE001 - any model's own code runs here; unknown is a true answer
        return None


def _count(backend: Any) -> int:
    """How many GPUs the run would use; 0 where it cannot be told, which is refused elsewhere with the reason."""
    try:
        return len(gpus.resolve(gpus.AUTO, backend.get("device"), backend.get("device_ids"), os.environ))
    except (ScorekitError, ModuleNotFoundError):
        return 0


def _spreads(config: DictConfig) -> bool:
    """Whether something lays the model on more than one GPU: a device map, or processes that share it."""
    backend = config.backend
    settings = ("device_map", "tp_plan", "deepspeed_inference")
    return any(backend.get(setting) for setting in settings) or config.launcher.get("name") == "torchrun"
