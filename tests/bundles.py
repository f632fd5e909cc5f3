"""Run folders made up for tests: a machine, windows and files in the shapes that measuring leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scorekit import bundle
from scorekit.logs.scoring import score_run
from scorekit.records import (
    DatasetFacts,
    Environment,
    GpuFacts,
    InputFacts,
    MeterReading,
    ModelFacts,
    Provenance,
    Reason,
    RunFacts,
    Score,
    Window,
)
from scorekit.tasks import OFFICIAL_IMAGE_STEPS, PROTOCOL, REASONING_NEW_TOKENS, TASKS

H100 = GpuFacts(
    index=0,
    name="NVIDIA H100 80GB HBM3",
    uuid="GPU-00000000-0000-0000-0000-000000000001",
    memory_mib=81559,
    driver="570.0",
)
NVML_GPU = "GPU-00000000-0000-0000-0000-000000000001"


ONE_IMAGE = {"num_inference_steps": OFFICIAL_IMAGE_STEPS, "num_images_per_prompt": 1}


def greedy(shortest: int = 10, longest: int | None = 10) -> dict[str, Any]:
    """What generate() is called with in an official run."""
    return {
        "num_return_sequences": 1,
        "max_new_tokens": longest,
        "min_new_tokens": shortest,
        "do_sample": False,
        "use_cache": True,
        "num_beams": 1,
    }


def official_inputs(task: str = "text_generation", **changes: Any) -> InputFacts:
    """How inputs are made in an official run of a task; keyword arguments change single facts."""
    found = TASKS[task]
    facts: dict[str, Any] = {"columns": found.columns, "prefixes": found.prefixes, "own_processor": True}
    return InputFacts(**facts | {"chat_template": found.chat_template} | changes)


def environment(
    task: str = "text_generation",
    *,
    gpus: Sequence[GpuFacts] = (H100,),
    run: dict[str, Any] | None = None,
    model: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
) -> Environment:
    """The environment of an official run of a task; keyword arguments change single facts of its parts."""
    found = TASKS[task]
    kind = (run or {}).get("kind", found.kind)
    longest = REASONING_NEW_TOKENS if task == "reasoning" else found.new_tokens
    run_facts: dict[str, Any] = {
        "task": task,
        "config_name": task,
        "hf_task": found.hf_task,
        "kind": kind,
        "device": "cuda" if gpus else "cpu",
        "num_samples": 1000,
        "batch_size": 1,
        "runs": 10,
        "phases": kind == "generate",
        "seed": 42,
        "new_tokens": found.new_tokens,
        "max_new_tokens": longest,
        "image_steps": OFFICIAL_IMAGE_STEPS if kind == "call" else None,
        "warmup_runs": 1,
        "generate_kwargs": greedy(found.new_tokens or 1, longest) if kind == "generate" else {},
        "call_kwargs": dict(ONE_IMAGE) if kind == "call" else {},
        "meters": ("codecarbon",),
    }
    model_facts: dict[str, Any] = {
        "name": "example/model-1b",
        "local": False,
        "revision": "0" * 40,
        "library": "transformers",
        "architecture": "ExampleModel",
        "parameters": 1_000_000_000,
        "dtype": found.dtype,
        "random_weights": False,
    }
    dataset_facts: dict[str, Any] = {
        "name": found.dataset,
        "local": False,
        "revision": "1" * 40,
        "split": "train",
        "rows": 1000,
        "columns": found.columns,
        "fingerprint": "2" * 64,
    }
    return Environment(
        created_utc="2025-06-01T12:00:00+00:00",
        scorekit_version="0.1.0",
        python="3.11.9",
        platform="Linux-6.1-x86_64",
        cpu="Example CPU 9000",
        cpu_count=16,
        ram_gib=128.0,
        gpus=tuple(gpus),
        packages={"torch": "2.9.0"},
        run=RunFacts(**run_facts | (run or {})),
        model=ModelFacts(**model_facts | (model or {})),
        dataset=DatasetFacts(**dataset_facts | (dataset or {})),
    )


def reading(component: str, energy_wh: float, **changes: Any) -> MeterReading:
    """One reading of CodeCarbon: the GPU measured, CPU and RAM modelled."""
    facts: dict[str, Any] = {
        "meter": "codecarbon",
        "component": component,
        "device": NVML_GPU if component == "gpu" else component,
        "energy_wh": energy_wh,
        "origin": "measured" if component == "gpu" else "modelled",
        "source": "nvml" if component == "gpu" else "constant",
    }
    return MeterReading(**facts | changes)


def window(phase: str, repeat: int | None, readings: Sequence[MeterReading], **changes: Any) -> Window:
    """One window of 10 s over 1,000 queries."""
    answers = phase in ("generate", "forward", "call")
    facts: dict[str, Any] = {
        "phase": phase,
        "repeat": repeat,
        "start_monotonic_s": 100.0,
        "end_monotonic_s": 110.0,
        "start_utc": "2025-06-01T12:00:00.000+00:00",
        "end_utc": "2025-06-01T12:00:10.000+00:00",
        "readings": tuple(readings),
        "samples": None if repeat is None else 1000,
        "batches": 1000 if answers else None,
        "failures": 0 if answers else None,
    }
    return Window(**facts | changes)


def official_windows(kind: str = "generate", runs: int = 10) -> list[Window]:
    """A run on a GPU: 0.5 Wh of preprocessing, 9.5 Wh of answering, 4 Wh of prefill, and loading."""
    windows = [
        window("load_dataset", None, [reading("gpu", 1.0)]),
        window("load_model", None, [reading("gpu", 2.0)]),
    ]
    for repeat in range(runs):
        windows.append(window("preprocess", repeat, [reading("gpu", 0.5), reading("cpu", 0.25), reading("ram", 0.125)]))
        if kind == "generate":
            windows.append(window("prefill", repeat, [reading("gpu", 4.0), reading("cpu", 1.0), reading("ram", 0.5)]))
        extra = {"output_tokens": 10_000} if kind == "generate" else {"images": 1000} if kind == "call" else {}
        windows.append(window(kind, repeat, [reading("gpu", 9.5), reading("cpu", 2.0), reading("ram", 1.0)], **extra))
    return windows


def write_bundle(folder: Path, facts: Environment, windows: Sequence[Window]) -> Path:
    """Write and seal a run folder."""
    write_unsealed(folder, facts, windows)
    bundle.seal(folder)
    return folder


def write_unsealed(folder: Path, facts: Environment, windows: Sequence[Window]) -> Path:
    """Write a run folder as it is just before its run ends."""
    claimed = bundle.claim(folder)
    assert claimed == folder
    (folder / bundle.ENVIRONMENT).write_text(facts.model_dump_json(indent=2) + "\n", encoding="utf-8")
    lines = "".join(line.model_dump_json() + "\n" for line in windows)
    (folder / bundle.WINDOWS).write_text(lines, encoding="utf-8")
    return folder


def change_windows(windows: Sequence[Window], which: Callable[[Window], bool], **changes: Any) -> list[Window]:
    """The windows with some facts of some of them changed, unchecked as a file may be."""
    return [line.model_copy(update=changes) if which(line) else line for line in windows]


def edit_json(path: Path, **changes: Any) -> None:
    """Change top-level keys of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | changes), encoding="utf-8")


def official_score(model: str = "example/model-1b", energy_wh: float = 10.0, **changes: Any) -> Score:
    """A comparable score of text generation, as if read from a run; keyword arguments change single facts."""
    provenance = Provenance(
        run="run",
        created_utc="2025-06-01T12:00:00+00:00",
        scorekit_version="0.1.0",
        log_format="scorekit.bundle/1",
        protocol=PROTOCOL,
        files={},
    )
    score = score_run(environment("text_generation"), official_windows(), provenance)
    told = {"model": model, "wh_per_1000_queries": energy_wh} | changes
    energy_kwh = energy_wh * told.get("queries", score.queries) / 1e6
    return score.model_copy(update={"energy_kwh": energy_kwh} | told)


def local_score(model: str = "tiny-llama", energy_wh: float = 1.0, **changes: Any) -> Score:
    """A score that is not comparable, for two reasons."""
    facts: dict[str, Any] = {
        "hardware": "Example CPU 9000",
        "domain": "cpu+ram",
        "origin": "modelled",
        "comparable": False,
        "not_comparable_because": (
            Reason(code="hardware", message="no GPU was used"),
            Reason(code="samples", message="20 queries a repeat, expected 1000"),
        ),
    }
    return official_score(model, energy_wh, **facts | changes)
