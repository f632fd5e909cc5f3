"""What is known of a run that measures a server, as environment.json keeps it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from scorekit import tasks
from scorekit.measuring import environment, gpus
from scorekit.measuring.serving import server_gpus
from scorekit.measuring.serving.address import Endpoint
from scorekit.measuring.serving.probing import Probed
from scorekit.measuring.serving.settings import OpenAISettings, ServingSettings
from scorekit.records import (
    DatasetFacts,
    Environment,
    ModelFacts,
    RunFacts,
    ServingFacts,
)

_UNKNOWN = "unknown"


def collect(
    settings: ServingSettings,
    backend: OpenAISettings,
    endpoint: Endpoint,
    dataset: DatasetFacts,
    *,
    prompts: Sequence[str],
    gpu_ids: tuple[str, ...],
    meters: tuple[str, ...],
    probed: Probed,
) -> Environment:
    """All facts about the machine, the server and the run.

    Args:
        settings, backend: the config.
        endpoint: the server's.
        dataset: the samples.
        prompts: of one pass.
        gpu_ids: UUIDs of the GPUs that are measured.
        meters: names, the score's first.
        probed: what the server takes and tells.
    """
    computing, processes = server_gpus.look(settings.server_pids or ())
    serving = ServingFacts(
        protocol=tasks.SERVING_PROTOCOL,
        concurrency=settings.concurrency,
        api="chat" if endpoint.api == "chat" else "completions",
        path=endpoint.path,
        told_owner=probed.owner,
        max_tokens=settings.max_tokens,
        ignore_eos=probed.ignore_eos,
        distinct_prompts=len(set(prompts)),
        no_cache=dict(probed.no_cache),
        tells_cached=probed.tells_cached,
        warmup_queries=settings.warmup,
        timeout_s=backend.timeout_s,
        gpus_from=_gpus_from(settings) if gpu_ids else None,
        server_gpus=computing,
        server_processes=processes,
    )
    return environment.collect(
        _run(settings, backend, len(prompts), gpu_ids, meters, ignore_eos=probed.ignore_eos),
        _model(str(backend.model)),
        dataset,
        gpu_ids,
        serving=serving,
    )


def _gpus_from(settings: ServingSettings) -> Any:
    return "listening_process" if settings.gpus_from == "listening_process" else "by_hand"


def _run(
    settings: ServingSettings,
    backend: OpenAISettings,
    num_samples: int,
    gpu_ids: tuple[str, ...],
    meters: tuple[str, ...],
    *,
    ignore_eos: bool,
) -> RunFacts:
    return RunFacts(
        task=tasks.SERVING,
        config_name=tasks.SERVING,
        hf_task="text-generation",
        kind="serve",
        device=str(backend.device),
        num_samples=num_samples,
        batch_size=1,
        runs=settings.runs,
        phases=False,
        seed=backend.seed,
        max_new_tokens=settings.max_tokens,
        warmup_runs=settings.warmup,
        generate_kwargs={"temperature": 0, "max_tokens": settings.max_tokens, "ignore_eos": ignore_eos},
        meters=meters,
        country_iso_code=settings.country_iso_code,
        gpus_by_hand=None if not gpu_ids else settings.gpus_from != "listening_process",
        gpus_watched=bool(gpu_ids and settings.server_pids),
        min_window_s=settings.min_window_s if gpu_ids else None,
    )


def _model(name: str) -> ModelFacts:
    """A server's model: its name alone is known. Of a path of this machine only the last part is told."""
    local = os.path.isabs(name) or name.startswith((".", "~"))
    return ModelFacts(
        name=PurePosixPath(name).name if local else name,
        local=local,
        library=_UNKNOWN,
        architecture=_UNKNOWN,
        random_weights=False,
    )


def own_processes(pids: tuple[int, ...]) -> set[int]:
    """The processes of the run: the server's, and this one with its own."""
    return server_gpus.family(pids) | gpus.family(os.getpid())
