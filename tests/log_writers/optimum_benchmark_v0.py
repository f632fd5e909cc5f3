"""Writes logs of optimum-benchmark v0: a report with the energies of ten repeats, and its config."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.log_writers.optimum_benchmark_parts import (
    Run,
    backend,
    encode,
    energy,
    environment,
    mean_energy,
    phase,
    runs,
    scenario,
)


def report(run: Run, unit: str = "kWh") -> dict[str, Any]:
    """The report; its phases in the tool's order."""
    phases: dict[str, Any] = {
        "preprocess": {**phase(energy(run.preprocess_kwh, unit), run.queries), "measures": None},
    }
    for name, repeats in run.answers_kwh.items():
        measures = [energy(kwh, unit) for kwh in repeats]
        phases[name] = {**phase(mean_energy(measures)), "measures": measures}
    if "prefill" in run.answers_kwh:
        phases["per_token"] = {**phase(None), "measures": None}
    return phases


def config(run: Run) -> dict[str, Any]:
    """The config: its section of the samples was called benchmark."""
    return {
        "experiment_name": run.task,
        "backend": backend(run),
        "launcher": {"name": "process", "device_isolation": False},
        "benchmark": {
            **scenario(run),
            "_target_": "optimum_benchmark.benchmarks.energy_star.benchmark.EnergyStarBenchmark",
            "iterations": len(next(iter(run.answers_kwh.values()))),
        },
        "environment": environment(run, "0.2.1"),
    }


def write(run: Run) -> dict[str, bytes]:
    """The files of a log."""
    return {"benchmark_report.json": encode(report(run)), "experiment_config.json": encode(config(run))}


def logs() -> st.SearchStrategy[Run]:
    """What a log without faults tells."""
    return runs(st.integers(1, 12))


def example() -> dict[str, bytes]:
    """One valid log."""
    return write(Run())
