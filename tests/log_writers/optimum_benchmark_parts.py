"""Parts that both generations of optimum-benchmark's logs are written from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from scorekit import tasks

CPU_SHARE, RAM_SHARE = 0.1, 0.05
"""Energy of CPU and RAM relative to the GPU's."""
ANSWERS: dict[str, tuple[str, ...]] = {
    "generate": ("prefill", "decode"),
    "forward": ("forward",),
    "call": ("call",),
}


@dataclass(frozen=True)
class Run:
    """What a log tells of a run: exactly what its reader must give back.

    Attributes:
        model, model_revision, dtype: as in the config; None where it does not tell.
        task: config name.
        queries: samples of a pass; None for -1, which means all.
        batch_size: samples in one call.
        gpus: names of the machine's GPUs, one entry each.
        device_ids: GPUs used, as the config spells them.
        preprocess_kwh: of the GPU.
        answers_kwh: of the GPU, by phase; one entry a repeat.
    """

    model: str = "openai-community/gpt2"
    model_revision: str | None = None
    task: str = "text_generation"
    queries: int | None = 1000
    batch_size: int = 1
    dtype: str | None = "float16"
    gpus: tuple[str, ...] = ("NVIDIA H100 80GB HBM3",)
    device_ids: str = "0"
    preprocess_kwh: float = 0.0001
    answers_kwh: dict[str, tuple[float, ...]] = field(
        default_factory=lambda: {"prefill": (0.001,) * 10, "decode": (0.002,) * 10}
    )


def energy(gpu_kwh: float, unit: str = "kWh") -> dict[str, Any]:
    """An energy of the log, with parts of CPU and RAM that go with it."""
    cpu, ram = gpu_kwh * CPU_SHARE, gpu_kwh * RAM_SHARE
    return {"unit": unit, "cpu": cpu, "ram": ram, "gpu": gpu_kwh, "total": cpu + ram + gpu_kwh}


def mean_energy(energies: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean over the repeats, as the tool aggregates it."""
    parts = {part: sum(one[part] for one in energies) / len(energies) for part in ("cpu", "ram", "gpu", "total")}
    return {"unit": energies[0]["unit"], **parts}


def phase(published: dict[str, Any] | None, volume: int | None = None, unit: str = "samples/kWh") -> dict[str, Any]:
    """A phase with an energy and, where its volume is told, an efficiency."""
    efficiency = None
    if published is not None and volume is not None:
        total = published["total"]
        efficiency = {"unit": unit, "value": volume / total if total > 0 else 0}
    return {"memory": None, "latency": None, "throughput": None, "energy": published, "efficiency": efficiency}


def backend(run: Run) -> dict[str, Any]:
    """The config's section of the model and its device."""
    return {
        "name": "pytorch",
        "version": "2.5.1",
        "_target_": "optimum_benchmark.backends.pytorch.backend.PyTorchBackend",
        "task": tasks.TASKS[run.task].hf_task,
        "library": "transformers",
        "model": run.model,
        "device": "cuda",
        "device_ids": run.device_ids,
        "model_kwargs": {} if run.model_revision is None else {"revision": run.model_revision},
        "no_weights": False,
        "device_map": None if "," not in run.device_ids else "auto",
        "torch_dtype": run.dtype,
    }


def scenario(run: Run) -> dict[str, Any]:
    """The config's section of dataset and samples."""
    task = tasks.TASKS[run.task]
    return {
        "name": "energy_star",
        "dataset_name": task.dataset,
        "num_samples": -1 if run.queries is None else run.queries,
        "input_shapes": {"batch_size": run.batch_size},
        "t5_task": run.task.removeprefix("t5_") if run.task.startswith("t5_") else "",
        "reasoning": run.task == "reasoning",
        "energy": True,
        "generate_kwargs": {"max_new_tokens": 10, "min_new_tokens": 10} if task.kind == "generate" else {},
        "call_kwargs": {"num_inference_steps": 30} if task.kind == "call" else {},
    }


def environment(run: Run, version: str) -> dict[str, Any]:
    """The config's section of machine and versions."""
    return {
        "cpu": " AMD EPYC 7R13 Processor",
        "cpu_count": 96,
        "gpu": list(run.gpus),
        "gpu_count": len(run.gpus),
        "optimum_benchmark_version": version,
        "transformers_version": "4.44.2",
    }


def encode(content: Any) -> bytes:
    """JSON as the tool writes it."""
    return json.dumps(content, indent=4).encode()


@st.composite
def runs(draw: st.DrawFn, repeats: st.SearchStrategy[int]) -> Run:
    """Runs without faults: repeats differ by some percent."""
    task = draw(st.sampled_from(sorted(tasks.TASKS)))
    count = draw(repeats)
    gpus = draw(st.integers(1, 4))
    used = draw(st.integers(1, gpus))
    base = draw(st.floats(1e-6, 1e3))
    answers = {}
    for name in ANSWERS[tasks.TASKS[task].kind]:
        share = draw(st.floats(0.05, 1))
        spread = draw(st.lists(st.floats(0.97, 1.03), min_size=count, max_size=count))
        answers[name] = tuple(base * share * factor for factor in spread)
    return Run(
        model=draw(st.sampled_from(["openai-community/gpt2", "org/modèle", "./local folder"])),
        model_revision=draw(st.sampled_from([None, "main", "0f1e2d"])),
        task=task,
        queries=draw(st.one_of(st.none(), st.integers(1, 100_000))),
        batch_size=draw(st.integers(1, 64)),
        dtype=draw(st.sampled_from([None, "float16", "bfloat16"])),
        gpus=(draw(st.sampled_from(["NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB"])),) * gpus,
        device_ids=", ".join(map(str, range(used))),
        preprocess_kwh=base * draw(st.floats(0.001, 0.5)),
        answers_kwh=answers,
    )
