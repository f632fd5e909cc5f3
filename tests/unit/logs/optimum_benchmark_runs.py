"""Runs of optimum-benchmark in which something went wrong, read back, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scorekit.logs.foreign import optimum_benchmark, optimum_benchmark_v0
from scorekit.records import Fault, Result
from tests.log_writers import optimum_benchmark as writer
from tests.log_writers import optimum_benchmark_v0 as writer_v0
from tests.log_writers.optimum_benchmark_parts import Run, encode
from tests.unit.logs.written import read_folder

PREFILL, DECODE = 0.001, 0.002
SPREAD = (0.99, 1.0, 1.01, 1.0, 0.98, 1.02, 1.0, 1.0, 0.99, 1.01)
RUN = Run(
    answers_kwh={
        "prefill": tuple(PREFILL * factor for factor in SPREAD),
        "decode": tuple(DECODE * factor for factor in SPREAD),
    }
)
FORWARD = Run(task="text_classification", answers_kwh={"forward": tuple(0.003 * factor for factor in SPREAD)})
ONE_PASS = Run(answers_kwh={"prefill": (PREFILL,), "decode": (DECODE,)})

Told = tuple[str, str | None, int | None, bool]
"""Code, phase, repeat, and whether the energy is spoilt."""
Edit = Callable[[dict[str, Any], dict[str, Any]], None]
"""A change of the report and the config."""


def told_of(found: list[Fault] | tuple[Fault, ...]) -> list[Told]:
    """What faults say, without their messages."""
    return [(fault.code, fault.phase, fault.repeat, fault.spoils) for fault in found]


def read_v0(run: Run = RUN, *, edit: Edit | None = None) -> Result:
    """The result of a run as the first generation logs it, with the energies of each repeat."""
    report, config = writer_v0.report(run), writer_v0.config(run)
    if edit is not None:
        edit(report, config)
    return read_folder(
        optimum_benchmark_v0, {"benchmark_report.json": encode(report), "experiment_config.json": encode(config)}
    )


def read_v06(run: Run = ONE_PASS, *, edit: Edit | None = None, beside: dict[str, Any] | None = None) -> Result:
    """The result of a run as 0.6 logs it; `beside` is the file of CodeCarbon for the whole pass."""
    report, config = writer.report(run), writer.config(run)
    if edit is not None:
        edit(report, config)
    files = {"benchmark_report.json": encode(report), "benchmark_config.json": encode(config)}
    if beside is not None:
        files["generate_codecarbon.json"] = encode(beside)
    return read_folder(optimum_benchmark, files)


def passes(prefill: list[float], generate: list[float]) -> Run:
    """A run as the tool writes it: decode is generate - prefill, whatever the passes read."""
    decode = [whole - first for whole, first in zip(generate, prefill, strict=True)]
    return Run(answers_kwh={"prefill": tuple(prefill), "decode": tuple(decode)})
