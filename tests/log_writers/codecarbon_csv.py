"""Writes CodeCarbon's emissions.csv, with the columns of 2.x and of 3.x."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from hypothesis import strategies as st

from tests.strategies import energies_wh

Generation = Literal[2, 3]


@dataclass(frozen=True)
class Run:
    """What one row, or one JSON, says."""

    run_id: str = "cc2e23fa-52a8-4ea3-a4dc-f039451bcdc4"
    version: str = "3.3.2"
    timestamp: str = "2025-10-09T11:25:18"
    duration_s: float = 1800.0
    gpu_kwh: float = 0.25
    cpu_kwh: float = 0.05
    ram_kwh: float = 0.01
    gpu_count: int | None = 1
    gpu_model: str = "1 x NVIDIA H100 80GB HBM3"
    cpu_model: str = "AMD EPYC 7643"
    pue: float = 1.0


def fields(run: Run, generation: Generation = 3) -> dict[str, Any]:
    """The row as CodeCarbon writes it, to change single cells of."""
    hours = run.duration_s / 3600
    parts = {"cpu": run.cpu_kwh, "gpu": run.gpu_kwh, "ram": run.ram_kwh}
    energies = {f"{name}_energy": kwh for name, kwh in parts.items()}
    found = {
        "timestamp": run.timestamp,
        "project_name": "codecarbon",
        "run_id": run.run_id,
        "experiment_id": "5b0fa12a-3dd7-45bb-9766-cc326314d9f1",
        "duration": run.duration_s,
        "emissions": 0.02,
        "emissions_rate": 1e-5,
        **{f"{name}_power": 1000 * kwh / hours for name, kwh in parts.items()},
        **energies,
        "energy_consumed": sum(parts.values()),
    }
    if generation == 3:
        found["water_consumed"] = 0.0
    found |= {
        "country_name": "France",
        "country_iso_code": "FRA",
        "region": "",
        "cloud_provider": "",
        "cloud_region": "",
        "os": "Linux-6.8.0-47-generic-x86_64-with-glibc2.35",
        "python_version": "3.12.11",
        "codecarbon_version": run.version,
        "cpu_count": 96,
        "cpu_model": run.cpu_model,
        "gpu_count": "" if run.gpu_count is None else run.gpu_count,
        "gpu_model": run.gpu_model,
        "longitude": 2.3,
        "latitude": 48.9,
        "ram_total_size": 503.5,
        "tracking_mode": "machine",
    }
    if generation == 3:
        percents = {f"{name}_utilization_percent": 12.5 for name in ("cpu", "gpu", "ram")}
        found |= {**percents, "ram_used_gb": 0.5}
    found |= {"on_cloud": "N", "pue": run.pue}
    return found | ({"wue": 0.0} if generation == 3 else {})


def table(rows: Sequence[dict[str, Any]]) -> bytes:
    """Rows as a file, with the columns of the first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(cells.values() for cells in rows)
    return text.getvalue().encode()


def write(runs: Sequence[Run], generation: Generation = 3) -> bytes:
    """The table as a file."""
    return table([fields(run, generation) for run in runs])


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Runs on one or more GPUs of one kind, each with an id of its own."""
    gpus = draw(st.integers(1, 8))
    return Run(
        run_id=str(draw(st.uuids())),
        version=draw(st.sampled_from(["2.3.4", "2.7.1", "3.0.7", "3.3.2"])),
        duration_s=draw(st.floats(0.1, 1e6)),
        gpu_kwh=draw(energies_wh) / 1000,
        cpu_kwh=draw(energies_wh) / 1000,
        ram_kwh=draw(energies_wh) / 1000,
        gpu_count=gpus,
        gpu_model=f"{gpus} x NVIDIA A100-SXM4-80GB",
    )


def on_cpu(run: Run) -> Run:
    """The same without a GPU."""
    return replace(run, gpu_kwh=0, gpu_count=None, gpu_model="")


def example() -> dict[str, bytes]:
    """One valid log: file name -> content."""
    return {"emissions.csv": write([Run(), Run(run_id="1e726540-b723-49cc-a778-b22599ff4894", gpu_kwh=0.5)])}
