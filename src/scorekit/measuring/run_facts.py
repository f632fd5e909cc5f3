"""What was asked of a run, as environment.json keeps it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from scorekit import bundle
from scorekit.measuring import data, hub
from scorekit.measuring.kinds import task_name
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.records import InputFacts, RunFacts
from scorekit.tasks import Kind

_TOLD_ELSEWHERE = frozenset(
    {"name", "version", "_target_", "model", "processor", "task", "library", "model_type", "device", "device_ids"}
    | {"seed", "no_weights", "torch_dtype", "device_map", "model_kwargs", "processor_kwargs"}
)
_LAUNCHER_THAT_WATCHES = "process"
_WHERE_FROM = frozenset({"cache_dir", "force_download", "local_files_only", "token"})
"""Options of loading a processor that say where it comes from and not what it is."""


def run_facts(
    settings: EnergyStarSettings,
    backend_config: Any,
    kind: Kind,
    *,
    folder: Path,
    num_samples: int,
    meters: tuple[str, ...],
    min_window_s: float | None,
    gpus_by_hand: bool,
) -> RunFacts:
    """All options that decide what is measured.

    Args:
        settings: the scenario's.
        backend_config: optimum-benchmark's.
        kind: how the model is called.
        folder: the run folder, where the whole config lies.
        num_samples: samples in one pass, after empty ones were left out.
        meters: names, the score's first.
        min_window_s: length to which answering windows are drawn out; None where they are not.
        gpus_by_hand: whether scenario.gpus names the GPUs.
    """
    generates = kind == "generate"
    config = _whole_config(folder)
    return RunFacts(
        task=task_name(str(backend_config.task), settings),
        config_name=str(config.get("name") or backend_config.task),
        hf_task=str(backend_config.task),
        kind=kind,
        device=str(backend_config.device),
        num_samples=num_samples,
        batch_size=int(settings.input_shapes["batch_size"]),
        torch_dtype=None if backend_config.torch_dtype is None else str(backend_config.torch_dtype),
        runs=settings.runs,
        phases=settings.phases and generates,
        seed=backend_config.seed,
        new_tokens=settings.exact_new_tokens if generates else None,
        max_new_tokens=settings.generate_kwargs.get("max_new_tokens") if generates else None,
        image_steps=settings.call_kwargs.get("num_inference_steps") if kind == "call" else None,
        warmup_runs=settings.warmup_runs,
        generate_kwargs=_plain(settings.generate_kwargs) if generates else {},
        call_kwargs=_plain(settings.call_kwargs) if kind == "call" else {},
        forward_kwargs=_plain(settings.forward_kwargs) if kind == "forward" else {},
        backend_switches={
            **backend_switches(backend_config),
            **({} if settings.truncation is True else {"scenario.truncation": str(settings.truncation)}),
        },
        inputs=input_facts(settings, backend_config),
        meters=meters,
        country_iso_code=settings.country_iso_code,
        gpus_by_hand=gpus_by_hand,
        gpus_watched=_watched(config.get("launcher", {})),
        min_window_s=min_window_s,
        target_ci=settings.target_ci,
    )


def input_facts(settings: EnergyStarSettings, backend_config: Any) -> InputFacts:
    """How inputs are made of the samples.

    Args:
        settings: the scenario's.
        backend_config: optimum-benchmark's.
    """
    task = str(backend_config.task)
    model, processor = str(backend_config.model), str(backend_config.processor or backend_config.model)
    # As `preprocess` asks: other tasks have no template, and plugins encode by themselves.
    in_template = task == "text-generation" and bool(settings.reasoning) and settings.extra_task is None
    own = processor == model or (hub.is_folder(processor) and os.path.realpath(processor) == os.path.realpath(model))
    return InputFacts(
        columns=data.columns_of(task, settings),
        dataset_config=settings.dataset_config or None,
        own_processor=own,
        processor=None if own else Path(processor).name if hub.is_folder(processor) else processor,
        processor_kwargs=_plain(_processor_options(backend_config)),
        prefixes=_prefixes(task, settings),
        chat_template=in_template,
        reasoning_params=_plain(settings.reasoning_params) if in_template else {},
    )


def _prefixes(task: str, settings: EnergyStarSettings) -> tuple[str, ...]:
    if task != "text2text-generation" or settings.extra_task is not None:
        return ()
    both = (settings.dataset_prefix1, settings.dataset_prefix2)
    return both if settings.t5_task == "question_answering" else both[:1]


def _processor_options(config: Any) -> dict[str, Any]:
    """Options that the processor is loaded with and the model is not."""
    of_model, of_processor = config.model_kwargs or {}, config.processor_kwargs or {}
    # Where none are given, optimum-benchmark takes the model's.
    if not of_processor or of_processor == of_model:
        return {}
    # A revision of the model's that the processor was not given makes it another one, too.
    names = {*of_processor, *({"revision"} & {*of_model})} - _WHERE_FROM
    return {name: of_processor.get(name) for name in sorted(names) if of_processor.get(name) != of_model.get(name)}


def backend_switches(config: Any) -> dict[str, Any]:
    """Options of the backend that differ from its defaults and change how a model runs."""
    switches = {}
    for field in dataclasses.fields(config):
        default = field.default if field.default is not dataclasses.MISSING else None
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        value = getattr(config, field.name)
        if field.name not in _TOLD_ELSEWHERE and value != default:
            switches[field.name] = value
    extra = {key: value for key, value in (config.model_kwargs or {}).items() if key not in ("revision", "cache_dir")}
    return _plain({**switches, **({"model_kwargs": extra} if extra else {})})


def _watched(launcher: Mapping[str, Any]) -> bool | None:
    """Whether others on the GPUs are looked for; None where the config does not tell."""
    asked: bool | None = launcher.get("device_isolation")
    # Other launchers take the setting too, and leave no evidence.
    return asked and launcher.get("name", _LAUNCHER_THAT_WATCHES) == _LAUNCHER_THAT_WATCHES


def _whole_config(folder: Path) -> dict[str, Any]:
    # The launcher gives the scenario its own part of the config only; the whole lies in the run folder.
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((folder / bundle.CONFIG).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    return {}


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON has them; of a path of this machine only its last part."""
    plain: dict[str, Any] = _without_paths(json.loads(json.dumps(dict(options), default=str)))
    return plain


def _without_paths(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_paths(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_paths(part) for part in value]
    if isinstance(value, str) and (value.startswith(("/", "~")) or PureWindowsPath(value).drive):
        # Windows' reading takes both kinds of separators.
        return PureWindowsPath(value).name
    return value
