"""Writes logs of optimum-benchmark 0.5 and 0.6: report, config, both together, and CodeCarbon's data of the passes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from scorekit import tasks
from tests.log_writers.optimum_benchmark_parts import (
    Run,
    backend,
    encode,
    energy,
    environment,
    phase,
    runs,
    scenario,
)

_UNITS = {"decode": "tokens/kWh", "call": "images/kWh"}


def report(run: Run, unit: str = "kWh") -> dict[str, Any]:
    """The report; its phases in the tool's order. Of each answering phase there is one energy."""
    phases: dict[str, Any] = {
        "load_dataset": phase(energy(0.5, unit)),
        "preprocess_dataset": phase(energy(run.preprocess_kwh, unit), run.queries),
        "load_model": phase(energy(2.0, unit)),
    }
    for name, (kwh,) in run.answers_kwh.items():
        volume = None if run.queries is None else run.queries * (9 if name == "decode" else 1)
        phases[name] = phase(energy(kwh, unit), volume, _UNITS.get(name, "samples/kWh"))
    return phases


def config(run: Run) -> dict[str, Any]:
    """The config."""
    target = "optimum_benchmark.scenarios.energy_star.scenario.EnergyStarScenario"
    return {
        "name": run.task,
        "backend": backend(run),
        "scenario": {**scenario(run), "_target_": target},
        "launcher": {"name": "process", "device_isolation": False, "start_method": "spawn"},
        "environment": environment(run, "0.6.0"),
        "print_report": True,
        "log_report": True,
    }


def codecarbon(gpu_kwh: float, gpus: int) -> dict[str, Any]:
    """CodeCarbon's data of one pass.

    Args:
        gpu_kwh: of the GPUs that are tracked.
        gpus: of the machine, tracked or not: CodeCarbon counts them all.
    """
    parts = energy(gpu_kwh)
    return {
        "timestamp": "2025-05-30T15:22:36",
        "project_name": "codecarbon",
        "run_id": "21974040-0000-0000-0000-000000000000",
        "duration": 60.0,
        "emissions": 0.01,
        "cpu_energy": parts["cpu"],
        "gpu_energy": parts["gpu"],
        "ram_energy": parts["ram"],
        "energy_consumed": parts["total"],
        "country_name": "France",
        "country_iso_code": "FRA",
        "codecarbon_version": "3.0.1",
        "gpu_count": gpus,
        "gpu_model": f"{gpus} x NVIDIA H100 80GB HBM3",
        "tracking_mode": "machine",
        "pue": 1.0,
    }


def write(run: Run) -> dict[str, bytes]:
    """The files of a log."""
    kind = tasks.TASKS[run.task].kind
    gpus = len(run.gpus)
    answering = sum(kwh for (kwh,) in run.answers_kwh.values())
    return {
        "benchmark_report.json": encode(report(run)),
        "benchmark_config.json": encode(config(run)),
        "benchmark.json": encode({"config": config(run), "report": report(run)}),
        "preprocess_dataset_codecarbon.json": encode(codecarbon(run.preprocess_kwh, gpus)),
        f"{kind}_codecarbon.json": encode(codecarbon(answering, gpus)),
    }


def logs() -> st.SearchStrategy[Run]:
    """What a log without faults tells."""
    return runs(st.just(1))


def example() -> dict[str, bytes]:
    """One valid log."""
    return write(Run(answers_kwh={"prefill": (0.001,), "decode": (0.002,)}))
