"""Writes the JSON of ai_energy_benchmarks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.strategies import energies_wh


@dataclass(frozen=True)
class Report:
    """What one report says."""

    model: str = "openai/gpt-oss-20b"
    name: str = "text_generation"
    asked: int = 1000
    successful: int = 1000
    failed: int = 0
    gpu_wh: float = 25.5
    cpu_wh: float = 3.0
    ram_wh: float = 1.5
    duration_s: float = 300.0
    completion_tokens: int = 10_000
    dtype: str = "bfloat16"
    gpus: int = 1
    meter_version: str = "3.0.2"


def content(report: Report) -> dict[str, Any]:
    """The report as the tool builds it, to change single fields of."""
    parts = {"gpu": report.gpu_wh, "cpu": report.cpu_wh, "ram": report.ram_wh}
    energy = {f"{name}_energy_wh": wh for name, wh in parts.items()}
    energy |= {f"{name}_energy_kwh": wh / 1000 for name, wh in parts.items()}
    whole_wh = sum(parts.values())
    return {
        "config": {
            "name": report.name,
            "backend": "pytorch",
            "model": report.model,
            "dataset": "EnergyStarAI/text_generation",
            "num_samples": report.asked,
        },
        "summary": {
            "total_prompts": report.successful + report.failed,
            "successful_prompts": report.successful,
            "failed_prompts": report.failed,
            "total_duration_seconds": report.duration_s,
            "avg_latency_seconds": 0.3,
            "total_tokens": 2 * report.completion_tokens,
            "total_prompt_tokens": report.completion_tokens,
            "total_completion_tokens": report.completion_tokens,
            "throughput_tokens_per_second": 2 * report.completion_tokens / report.duration_s,
        },
        "energy": {
            "emissions_kg_co2eq": 0.01,
            "emissions_g_co2eq": 10.0,
            "energy_kwh": report.gpu_wh / 1000,
            "energy_wh": report.gpu_wh,
            **energy,
            "total_energy_kwh": whole_wh / 1000,
            "total_energy_wh": whole_wh,
            "duration_seconds": report.duration_s,
            "country": "USA",
            "region": None,
        },
        "backend_info": {
            "backend": "pytorch",
            "model": report.model,
            "device": "cuda",
            "device_ids": list(range(report.gpus)),
            "torch_dtype": report.dtype,
            "device_map": "auto",
            "initialized": True,
            "healthy": True,
        },
        "metrics_metadata": {"name": "codecarbon", "version": report.meter_version, "project_name": "benchmark"},
    }


def write(report: Report) -> bytes:
    """The report as a file."""
    return json.dumps(content(report), indent=2).encode()


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Reports of runs in which every prompt was answered."""
    prompts = draw(st.integers(1, 100_000))
    return Report(
        model=draw(st.sampled_from(["openai/gpt-oss-20b", "org/modèle", 'quo"te'])),
        name=draw(st.sampled_from(["text_generation", "reasoning", "asr"])),
        asked=prompts,
        successful=prompts,
        gpu_wh=draw(energies_wh),
        cpu_wh=draw(energies_wh),
        ram_wh=draw(energies_wh),
        duration_s=draw(st.floats(0.1, 1e6)),
        completion_tokens=draw(st.integers(0, 10**9)),
        dtype=draw(st.sampled_from(["float16", "bfloat16", "auto"])),
        gpus=draw(st.integers(1, 8)),
    )


def example() -> dict[str, bytes]:
    """One valid log: file name -> content."""
    return {"benchmark_report.json": write(Report())}
