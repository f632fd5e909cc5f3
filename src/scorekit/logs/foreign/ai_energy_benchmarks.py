"""The JSON of ai_energy_benchmarks: {config, summary, energy, backend_info, metrics_metadata}.

It is what AI Energy Score's own scripts leave as benchmark_report.json where they run that tool. The energy is
CodeCarbon's, of all prompts together, failed ones included; loading lies before it. The tool names no GPU.

Source: neuralwatt/ai_energy_benchmarks, runner and CodeCarbon collector.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from scorekit import __version__
from scorekit.errors import LogError
from scorekit.logs.fields import Field
from scorekit.logs.foreign.codecarbon_run import energy_faults
from scorekit.logs.foreign.prompts import MOST_PROMPTS, Prompts
from scorekit.logs.foreign.results import Energies, Facts, foreign_result, task_named
from scorekit.logs.places import Place
from scorekit.records import Fault, Result, Source
from scorekit.units import kwh_to_wh, wh_to_kwh

FORMAT: Final = "ai-energy-benchmarks/1"
DESCRIPTION: Final = "a benchmark_report.json of ai_energy_benchmarks (config, summary, energy)"
TOLERANCE: Final = 1e-3
"""By how much figures of one energy may differ: they are written from the same number."""

_TELLING: Final = (b'"gpu_energy_wh"', b'"successful_prompts"', b'"total_prompts"')
_ANY_DTYPE: Final = "auto"


def recognises(place: Place) -> bool:
    """Whether it is JSON with the tool's names of energies or prompts."""
    head = place.head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith(b"{") and any(name in head for name in _TELLING)


def read(place: Place) -> Iterator[Result]:
    """The result of the run.

    Raises:
        LogError: it is no such JSON, or a field is not of its kind.
    """
    content, sha256 = place.read_json()
    root = Field(content, place.label)
    if "energy" not in root and "summary" not in root:
        raise LogError(f"{place.label}: there is neither summary nor energy", mend="give the report of a run")
    config, summary, backend = root["config"], root["summary"], root["backend_info"]
    prompts = Prompts(
        _count(config["num_samples"]),
        _count(summary["total_prompts"]),
        _count(summary["successful_prompts"]),
        _count(summary["failed_prompts"]),
    )
    on_cpu = backend["device"].text() == "cpu"
    energy_wh = _of_cpu_and_ram_wh(root["energy"]) if on_cpu else _energy_wh(root["energy"], "gpu")
    devices = list(backend["device_ids"].items()) if not on_cpu else []
    facts = Facts(
        model=config["model"].text() or backend["model"].text(),
        # Its dataset may be that of several tasks.
        task=task_named(config["name"].text()),
        gpu_count=len(devices) or None,
        domain="cpu+ram" if on_cpu else "gpu",
        origin="unknown" if on_cpu else "measured",
        meter=_meter(root["metrics_metadata"]),
        queries=prompts.queries,
        queries_from=prompts.queries_from,
        dtype=_dtype(backend["torch_dtype"].text()),
        output_tokens=_count(summary["total_completion_tokens"]) or None,
        duration_s=summary["total_duration_seconds"].number(),
    )
    source = Source(
        name=place.label,
        format=FORMAT,
        files={place.label.rsplit("/", 1)[-1]: sha256},
        tool="ai_energy_benchmarks",
        scorekit_version=__version__,
    )
    faults = [*_energy_faults(root["energy"], energy_wh, on_cpu), *prompts.faults(lambda name: _where(summary[name]))]
    energy_kwh = None if energy_wh is None else wh_to_kwh(energy_wh)
    yield foreign_result(source, facts, Energies(energy_kwh, runs=1), faults)


def _where(found: Field) -> str:
    return f"{found.file}: {found.path}"


def _count(found: Field) -> int | None:
    count = found.integer()
    if count is not None and not 0 <= count <= MOST_PROMPTS:
        found.refuse("a count")
    return count


def _energy_wh(energy: Field, part: str) -> float | None:
    """Energy of a part; both names tell their unit."""
    energy_wh, energy_kwh = energy[f"{part}_energy_wh"].number(), energy[f"{part}_energy_kwh"].number()
    return kwh_to_wh(energy_kwh) if energy_wh is None and energy_kwh is not None else energy_wh


def _of_cpu_and_ram_wh(energy: Field) -> float | None:
    cpu_wh, ram_wh = _energy_wh(energy, "cpu"), _energy_wh(energy, "ram")
    return None if cpu_wh is None or ram_wh is None else cpu_wh + ram_wh


def _meter(metadata: Field) -> str | None:
    name, version = metadata["name"].text(), metadata["version"].text()
    return f"{name} {version}" if name is not None and version not in (None, "unknown") else name


def _dtype(name: str | None) -> str | None:
    return None if name == _ANY_DTYPE else name


def _energy_faults(energy: Field, energy_wh: float | None, on_cpu: bool) -> Iterator[Fault]:
    error = energy["error"].text()
    if error is not None:
        message = f"{_where(energy['error'])}: the meter failed: {' '.join(error.split())[:200]}"
        yield Fault(code="invalid_run", message=message, spoils=True)
    path = "energy.cpu_energy_wh + ram_energy_wh" if on_cpu else "energy.gpu_energy_wh"
    yield from energy_faults(energy_wh, "Wh", f"{energy.file}: {path}")
    for part in ("gpu", "cpu", "ram", "total"):
        one, same = energy[f"{part}_energy_wh"].number(), energy[f"{part}_energy_kwh"].number()
        if one is not None and same is not None:
            yield from _unlike(energy[f"{part}_energy_kwh"], kwh_to_wh(same), one, f"{part}_energy_wh is {one:g} Wh")
    parts = [_energy_wh(energy, part) for part in ("gpu", "cpu", "ram")]
    known = [part for part in parts if part is not None]
    total = energy["total_energy_wh"].number()
    if total is not None and len(known) == len(parts):
        whole = sum(known)
        yield from _unlike(energy["total_energy_wh"], total, whole, f"gpu, cpu and ram make {whole:g} Wh")


def _unlike(found: Field, value_wh: float, other_wh: float, other: str) -> Iterator[Fault]:
    if not (math.isfinite(value_wh) and math.isfinite(other_wh)):
        return
    if abs(value_wh - other_wh) > TOLERANCE * max(abs(value_wh), abs(other_wh)):
        yield Fault(code="contradiction", message=f"{_where(found)}: is {value_wh:g} Wh, but {other}", spoils=True)
