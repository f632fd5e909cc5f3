"""Results as the store's tests need them."""

from __future__ import annotations

from typing import Any

from scorekit.records import Fault, Figure, PhaseEnergy, Reason, Result, Source


def make(model: str | None = "org/model", energy_kwh: float = 0.002, *, usable: bool = True, **changes: Any) -> Result:
    """A result of a foreign log."""
    figure = Figure(energy_kwh=energy_kwh, wh_per_1000_queries=energy_kwh * 1000, runs=3)
    fields: dict[str, Any] = {
        "model": model,
        "task": "summarization",
        "cohort": "summarization",
        "parameters": 139_420_416,
        "hardware": "NVIDIA H100 80GB HBM3",
        "gpu_count": 1,
        "domain": "gpu",
        "origin": "measured",
        "meter": "codecarbon",
        "queries": 1000,
        "queries_from": "config",
        "published": figure,
        "energy_kwh": energy_kwh if usable else None,
        "wh_per_1000_queries": energy_kwh * 1000 if usable else None,
        "duration_s": 12.5,
        "phases": (PhaseEnergy(phase="prefill", counted=True, energy_kwh=energy_kwh / 4),),
        "comparable": False,
        "not_comparable_because": (Reason(code="foreign_log", message="read from another tool's log"),),
        "source": Source(
            name="logs/benchmark_report.json",
            format="optimum-benchmark 0.6",
            files={"benchmark_report.json": "0" * 64},
            measured_utc="2025-02-11T10:00:00+02:00",
            scorekit_version="0.1.0",
        ),
    }
    return Result(**{**fields, **changes})


def corrected(model: str = "org/faulty") -> Result:
    """A result with a fault, of which one repeat was left out."""
    return make(
        model,
        0.002,
        corrected=Figure(energy_kwh=0.0021, wh_per_1000_queries=2.1, runs=2, excluded_repeats=(1,)),
        difference_percent=5.0,
        faults=(Fault(code="lost_prefill", message="no energy", phase="prefill", repeat=1, spoils=True),),
    )


def refused(model: str = "org/broken") -> Result:
    """A result without a figure that can be used."""
    return make(
        model,
        published=Figure(energy_kwh=float("nan"), wh_per_1000_queries=float("nan"), runs=None),
        usable=False,
        hardware=None,
        gpu_count=None,
        unknown=("hardware",),
        refused="an energy of nan kWh cannot be true",
        faults=(Fault(code="not_a_number", message="NaN", spoils=True),),
    )
