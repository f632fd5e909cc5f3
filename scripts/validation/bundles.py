"""What the bundle of a run tells for the report: energy, spread, idle power, and its meters beside each other."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scorekit import bundle, logs, uncertainty
from scorekit.errors import ScorekitError
from scorekit.logs.power_trace import read_power_trace
from scorekit.logs.run_bundle import read_windows
from scorekit.records import Environment, Window

ANSWERS = ("prefill", "generate", "forward", "call")


def read(run: Path) -> dict[str, Any]:
    """All that the report tells of a run.

    Raises:
        ScorekitError: the bundle is not whole, or its energies make no score.
    """
    score = logs.read_score(run, allow_invalid=True)
    validity = logs.read_validity(run)
    windows = read_windows(run)
    environment = Environment.model_validate_json((run / bundle.ENVIRONMENT).read_text(encoding="utf-8"))
    energies = [repeat.wh_per_1000_queries for repeat in score.repeats]
    answered = [window for window in windows if window.phase in ANSWERS]
    return {
        "hardware": score.hardware,
        "parameters": environment.model.parameters,
        "dtype": environment.model.dtype,
        "attention": environment.model.attention,
        "wh_per_1000": score.wh_per_1000_queries,
        "by_repeat": energies,
        "cov_percent": _percent(uncertainty.coefficient_of_variation(energies)),
        "half_width_95_percent": _percent(uncertainty.half_width_95(energies), of=score.wh_per_1000_queries),
        "trend_percent": None if score.uncertainty is None else score.uncertainty.trend_percent_per_repeat,
        "outliers": [*uncertainty.outliers(energies)],
        "input_tokens": _mean(window.input_tokens / window.samples for window in answered if window.input_tokens),
        "window_s": _mean(window.duration_s for window in answered),
        "valid": validity.valid,
        "failed": [f"{check.name}: {check.message}" for check in validity.failures],
        "warned": [f"{check.name}: {check.message}" for check in validity.warnings],
        "idle_w": {phase: _idle_w(windows, phase) for phase in ("idle_before", "idle_after")},
        "meters": meters(answered, power_of(run)),
    }


def power_of(run: Path) -> dict[str, list[tuple[float, float]]]:
    """The sampled power of each GPU: monotonic time [s] and power [W]; empty where none was sampled."""
    if not (run / bundle.POWER).is_file():
        return {}
    devices = read_power_trace(run / bundle.POWER).devices
    return {
        name: [(at, watts) for at, watts in zip(trace.t_s, trace.power_w, strict=True) if not math.isnan(watts)]
        for name, trace in devices.items()
    }


def meters(windows: Iterable[Window], power: dict[str, list[tuple[float, float]]]) -> list[dict[str, Any]]:
    """For each answering window the GPU's energy by every meter, and by its sampled power [Wh]."""
    found = []
    for window in windows:
        row: dict[str, Any] = {"phase": window.phase, "repeat": window.repeat, "duration_s": window.duration_s}
        for reading in window.readings:
            if reading.component == "gpu":
                row[reading.meter] = reading.energy_wh
                trace = power.get(reading.device)
                if trace and reading.meter == "nvml":
                    row["sampled_power"] = integral_wh(trace, window.start_monotonic_s, window.end_monotonic_s)
        found.append(row)
    return found


def integral_wh(trace: Sequence[tuple[float, float]], start_s: float, end_s: float) -> float | None:
    """Energy under a power trace between two times [Wh], by trapezoids; None where it does not reach over both."""
    if not trace or trace[0][0] > start_s or trace[-1][0] < end_s:
        return None
    area = 0.0
    for (t0, w0), (t1, w1) in itertools.pairwise(trace):
        low, high = max(t0, start_s), min(t1, end_s)
        if high > low:
            slope = (w1 - w0) / (t1 - t0)
            area += (high - low) * (w0 + slope * ((low + high) / 2 - t0))
    return area / 3600


def differences(rows: Iterable[dict[str, Any]], other: str) -> list[float]:
    """How far another meter lies from the counter in each window, in percent of the counter."""
    return [100 * (row[other] / row["nvml"] - 1) for row in rows if row.get("nvml") and row.get(other) is not None]


def _idle_w(windows: Iterable[Window], phase: str) -> float | None:
    for window in windows:
        if window.phase == phase:
            for reading in window.readings:
                if reading.meter == "nvml" and reading.energy_wh is not None:
                    return 3600 * reading.energy_wh / window.duration_s
    return None


def _percent(value: float | None, of: float = 1.0) -> float | None:
    return None if value is None else 100 * value / of


def _mean(values: Iterable[float]) -> float | None:
    known = [*values]
    return statistics.fmean(known) if known else None


def readable(run: Path) -> tuple[dict[str, Any] | None, str | None]:
    """`read`, or why it cannot be."""
    try:
        return read(run), None
    except (ScorekitError, OSError, ValueError) as error:
        return None, str(error)
