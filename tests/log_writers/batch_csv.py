"""Writes master_results.csv of AI Energy Score's batch runner, in its generations of 19, 20 and 24 columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

Generation = Literal[19, 20, 24]


@dataclass(frozen=True)
class Run:
    """What one row says."""

    model: str = "openai/gpt-oss-20b"
    model_class: str = "B"
    task: str = "text_gen"
    reasoning: str = "On (High)"
    successful: int = 1000
    failed: int = 0
    duration_s: float = 305.5
    prompt_tokens: int = 500_000
    completion_tokens: int = 1_000_000
    energy_wh: float = 254.5
    timestamp: str = "2025-10-21T14:03:11.123456"
    error: str = ""


def row(run: Run, generation: Generation = 24) -> dict[str, str]:
    """The row as the runner writes it, rounded, to change single cells of."""
    tokens = run.prompt_tokens + run.completion_tokens
    of_one_wh = run.energy_wh / run.successful if run.successful else 0.0
    latency = {"avg_latency_seconds": "0.3055"}
    normalised = {}
    if generation > 19:
        latency = {"avg_total_time": "0.3055", "avg_time_to_first_token": "0.1500"}
    if generation > 20:
        normalised = {"wh_per_1000_queries": f"{1000 * of_one_wh:.4f}"} | {
            f"energy_per_prompt_{name}_wh": "0.0000" for name in ("min", "max", "std")
        }
    return {
        "model_name": run.model,
        "model_class": run.model_class,
        "task": run.task,
        "reasoning_state": run.reasoning,
        "total_prompts": str(run.successful + run.failed),
        "successful_prompts": str(run.successful),
        "failed_prompts": str(run.failed),
        "total_duration_seconds": f"{run.duration_s:.2f}",
        **latency,
        "total_tokens": str(tokens),
        "total_prompt_tokens": str(run.prompt_tokens),
        "total_completion_tokens": str(run.completion_tokens),
        "throughput_tokens_per_second": f"{tokens / run.duration_s:.2f}",
        "gpu_energy_wh": f"{run.energy_wh:.4f}",
        **normalised,
        "co2_emissions_g": "12.3000",
        "tokens_per_joule": f"{tokens / (3600 * run.energy_wh) if run.energy_wh else 0:.4f}",
        "avg_energy_per_prompt_wh": f"{of_one_wh:.4f}",
        "timestamp": run.timestamp,
        "error_message": run.error,
    }


def table(rows: Sequence[dict[str, str]]) -> bytes:
    """Rows as a file, with the columns of the first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(rows[0])
    writer.writerows(cells.values() for cells in rows)
    return text.getvalue().encode()


def write(runs: Sequence[Run], generation: Generation = 24) -> bytes:
    """The table as a file."""
    return table([row(run, generation) for run in runs])


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Runs that ended, in which every prompt was answered. Energies have the four places that the runner writes."""
    return Run(
        model=draw(st.sampled_from(["openai/gpt-oss-20b", "org/with, comma", 'org/quo"te', "org/modèle"])),
        model_class=draw(st.sampled_from(["A", "B", "C"])),
        reasoning=draw(st.sampled_from(["On", "On (High)", "Off", "Off (N/A)"])),
        successful=draw(st.integers(1, 100_000)),
        duration_s=draw(st.integers(1, 10**7)) / 100,
        prompt_tokens=draw(st.integers(0, 10**8)),
        completion_tokens=draw(st.integers(0, 10**8)),
        energy_wh=draw(st.integers(1, 10**10)) / 10_000,
    )


def example() -> dict[str, bytes]:
    """One valid log: file name -> content."""
    return {"master_results.csv": write([Run(), Run(model="zai-org/GLM-4.6", model_class="C", reasoning="Off (N/A)")])}
