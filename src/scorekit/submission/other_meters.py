"""What other tools wrote beside a run, packed by allow-list: the energies of the report and of CodeCarbon's files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scorekit import bundle
from scorekit.logs.fields import Field
from scorekit.logs.places import Place
from scorekit.records import PackedCodecarbon, PackedEnergy, PackedPhase, PackedReport

_PHASES: Final = {
    "load_dataset": "load_dataset", "load_model": "load_model", "preprocess_dataset": "preprocess",
    "prefill": "prefill", "decode": "decode", "generate": "generate", "forward": "forward", "call": "call",
    "idle_before": "idle_before", "idle_after": "idle_after",
}  # fmt: skip
"""Names of optimum-benchmark's phases, and ours."""
_NAME: Final = re.compile(r"([a-z_]+?)(?:_repeat([0-9]+))?" + re.escape(bundle.CODECARBON_SUFFIX))
_VERSION: Final = re.compile(r"[0-9A-Za-z.+-]{1,30}")


def read_report(folder: Path) -> PackedReport | None:
    """The energies of benchmark_report.json; None where there is none.

    Raises:
        LogError: it is not what it claims to be.
    """
    path = folder / bundle.REPORT
    if not path.is_file():
        return None
    content, _ = Place.of_file(path).read_json()
    report = Field(content, bundle.REPORT)
    phases = {ours: _phase(report[theirs]) for theirs, ours in _PHASES.items() if not report[theirs].missing}
    return PackedReport(phases=phases)


def read_codecarbon(folder: Path) -> tuple[PackedCodecarbon, ...]:
    """The energies of CodeCarbon's own files, in the order of phases and repeats.

    Raises:
        LogError: one is not what it claims to be.
    """
    found = list(_codecarbon(folder))
    order = list(_PHASES.values())
    return tuple(sorted(found, key=lambda line: (order.index(line.phase), line.repeat or 0)))


def _codecarbon(folder: Path) -> Iterator[PackedCodecarbon]:
    for path in folder.glob(f"*{bundle.CODECARBON_SUFFIX}"):
        match = _NAME.fullmatch(path.name)
        phase = None if match is None else _PHASES.get(match[1])
        if match is None or phase is None or phase == "decode":
            continue
        once = phase.startswith(("load_", "idle_"))
        content, _ = Place.of_file(path).read_json()
        log = Field(content, path.name)
        version = log["codecarbon_version"].text()
        yield PackedCodecarbon(
            phase=phase,
            repeat=None if once else int(match[2] or 0),
            duration_s=log["duration"].number(),
            cpu_kwh=log["cpu_energy"].number(),
            gpu_kwh=log["gpu_energy"].number(),
            ram_kwh=log["ram_energy"].number(),
            codecarbon_version=version if version is not None and _VERSION.fullmatch(version) else None,
        )


def _phase(phase: Field) -> PackedPhase:
    energy, latency = phase["energy"], phase["latency"]
    return PackedPhase(
        energy_kwh=None
        if energy.missing
        else PackedEnergy(
            cpu_kwh=energy["cpu"].number(),
            ram_kwh=energy["ram"].number(),
            gpu_kwh=energy["gpu"].number(),
            total_kwh=energy["total"].number(),
        ),
        mean_s=None if latency.missing else latency["mean"].number(),
    )
