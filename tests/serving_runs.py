"""Run folders of a server, made up: figures of its windows are chosen so that its score can be worked out by hand."""

from __future__ import annotations

from typing import Any

from scorekit.records import (
    SERVING_ENVIRONMENT_SCHEMA,
    SERVING_WINDOW_SCHEMA,
    Environment,
    Served,
    ServingFacts,
    Window,
)
from scorekit.tasks import SERVING, SERVING_PROTOCOL
from tests.bundles import NVML_GPU, environment, reading, window

CONCURRENCY = 8
RUNS = 10


def serving_facts(**changes: Any) -> ServingFacts:
    """Eight queries in flight at a server on one GPU, found by its port."""
    facts: dict[str, Any] = {
        "protocol": SERVING_PROTOCOL,
        "concurrency": CONCURRENCY,
        "api": "completions",
        "path": "/v1/completions",
        "told_owner": "vllm",
        "max_tokens": 100,
        "ignore_eos": True,
        "distinct_prompts": 1000,
        "no_cache": {"cache_salt": "SALT"},
        "tells_cached": True,
        "warmup_queries": 16,
        "timeout_s": 600.0,
        "gpus_from": "listening_process",
        "server_gpus": (NVML_GPU,),
        "server_processes": 2,
    }
    return ServingFacts(**facts | changes)


def serving_environment(
    model: str = "org/served", *, run: dict[str, Any] | None = None, gpus: Any = None, **serving: Any
) -> Environment:
    """The environment of a run that measures a server; keyword arguments change single facts of how it was asked."""
    base = environment() if gpus is None else environment(gpus=gpus)
    facts = serving_facts(**serving)
    told = {
        "task": SERVING,
        "config_name": SERVING,
        "kind": "serve",
        "phases": False,
        "new_tokens": None,
        "max_new_tokens": facts.max_tokens,
        "generate_kwargs": {"temperature": 0, "max_tokens": facts.max_tokens, "ignore_eos": facts.ignore_eos},
        "runs": RUNS,
        "min_window_s": 60.0,
    }
    unknown = {"revision": None, "library": "unknown", "architecture": "unknown", "parameters": None, "dtype": None}
    return Environment.model_validate(
        base.model_dump()
        | {
            "schema_version": SERVING_ENVIRONMENT_SCHEMA,
            "run": base.run.model_dump() | told | (run or {}),
            "model": base.model.model_dump() | {"name": model} | unknown,
            "serving": facts.model_dump(),
            "torch_gpus": None,
        }
    )


def served(queries: float = 1600.0, samples: int = 1000, **changes: Any) -> Served:
    """What a window served: answers of 100 tokens, eight at a time for 60 s."""
    facts: dict[str, Any] = {
        "queries": queries,
        "passes": queries / samples,
        "input_tokens": 400 * queries,
        "output_tokens": 100 * queries,
        "cached_input_tokens": 0.0,
        "begun": round(queries),
        "repeated_prompts": round(queries),
        "ended": round(queries),
        "mean_in_flight": 7.99,
        "mean_latency_s": 0.3,
    }
    return Served(**facts | changes)


def serving_window(repeat: int, energy_wh: float, found: Served | None = None, **changes: Any) -> Window:
    """A minute of a server's steady state."""
    found = found or served()
    facts: dict[str, Any] = {
        "schema_version": SERVING_WINDOW_SCHEMA,
        "start_monotonic_s": 100.0 + 70 * repeat,
        "end_monotonic_s": 160.0 + 70 * repeat,
        "samples": round(found.queries),
        "input_tokens": round(found.input_tokens),
        "output_tokens": round(found.output_tokens),
        "early_ends": 0,
        "failures": 0,
        "served": found,
    }
    readings = [reading("gpu", energy_wh), reading("cpu", 2.0), reading("ram", 1.0)]
    return window("serve", repeat, readings, **facts | changes)


def serving_windows() -> list[Window]:
    """12.0 Wh in even windows and 12.4 Wh in odd ones, for 1,600 queries each."""
    load = window("load_dataset", None, [reading("gpu", 5.0)], samples=None)
    return [load, *(serving_window(repeat, 12.4 if repeat % 2 else 12.0) for repeat in range(RUNS))]
