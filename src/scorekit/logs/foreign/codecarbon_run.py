"""From what CodeCarbon tells of one run or task to a result: its CSV and its JSON hold the same fields. Pure.

Energies are in kWh, durations in seconds, powers in watts (CodeCarbon's documentation, "Output"). Every energy is
multiplied by `pue`, so it is the devices' own only where that is 1. `gpu_count` and `gpu_model` are of every GPU of the
machine, not of those whose energy is read, so the number of GPUs whose energy it is stays unknown. Powers are the last
reading in 2.x, and in 3.x a mean over the readings of the whole tracker, also in the data of a task.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from scorekit import __version__
from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.logs.foreign.times import utc_and_local
from scorekit.records import Fault, FaultCode, PhaseEnergy, Result, Source
from scorekit.units import joules_to_wh, wh_to_kwh

NUMBERS: Final = (
    "duration", "emissions", "cpu_power", "gpu_power", "ram_power", "cpu_energy", "gpu_energy", "ram_energy",
    "energy_consumed", "gpu_count", "pue",
)  # fmt: skip
"""Fields that are read as numbers."""
TEXTS: Final = ("timestamp", "task_name", "codecarbon_version", "cpu_model", "gpu_model")
"""Fields that are read as text."""
SUM_TOLERANCE: Final = 1e-3
"""By how much energy_consumed may differ from cpu + gpu + ram: they are sums of the same readings."""
POWER_TOLERANCE: Final = 2.0
"""Factor by which energy may differ from mean power x duration: the mean is over readings, not over time."""

_ONE_MODEL: Final = re.compile(r"(\d+) x ([^,]+)")


@dataclass(frozen=True, slots=True)
class Told:
    """What CodeCarbon tells of a run or task.

    Attributes:
        numbers: by field; None or absent where it tells none.
        texts: likewise.
        where: the place of a field, for messages.
    """

    numbers: dict[str, float | None]
    texts: dict[str, str | None]
    where: Callable[[str], str]


def result(
    told: Told,
    *,
    name: str,
    row: int | None,
    format_: str,
    sha256: str,
    faults: list[Fault],
    phase: str | None,
    counted: bool,
) -> Result:
    """The result of a run or task.

    Args:
        told: what CodeCarbon tells.
        name: of the log.
        row: of its table; None where it is none.
        format_: name and version of the format.
        sha256: of the file.
        faults: what is wrong already; where columns are shifted no more is looked for.
        phase: the task that it is of; None for a whole run.
        counted: whether that is a term of the score.
    """
    version = told.texts.get("codecarbon_version")
    measured_utc, measured_local = utc_and_local(told.texts.get("timestamp"))
    domain = _domain(told)
    energy_kwh = _of_cpu_and_ram(told) if domain == "cpu+ram" else told.numbers.get("gpu_energy")
    if not any(fault.code == "shifted_columns" for fault in faults):
        field = "cpu_energy + ram_energy" if domain == "cpu+ram" else "gpu_energy"
        faults = [*faults, *energy_faults(energy_kwh, "kWh", told.where(field)), *_faults(told, whole=phase is None)]
    duration_s = told.numbers.get("duration")
    facts = Facts(
        hardware=told.texts.get("cpu_model") if domain == "cpu+ram" else _gpu_name(told),
        domain=domain,
        # CodeCarbon does not tell whether it measured a CPU or looked it up; RAM it always models.
        origin="measured" if domain == "gpu" else "unknown",
        meter=f"codecarbon {version}" if version else "codecarbon",
        duration_s=duration_s,
    )
    part: tuple[PhaseEnergy, ...] = ()
    if phase is not None:
        told_s = duration_s if duration_s is not None and math.isfinite(duration_s) else None
        part = (PhaseEnergy(phase=phase, counted=counted, energy_kwh=energy_kwh, duration_s=told_s),)
    source = Source(
        name=name,
        row=row,
        format=format_,
        files={name.rsplit("/", 1)[-1]: sha256},
        tool=f"codecarbon {version}" if version else None,
        measured_utc=measured_utc,
        measured_local=measured_local,
        scorekit_version=__version__,
    )
    return foreign_result(source, facts, Energies(energy_kwh, phases=part), faults)


def energy_faults(energy: float | None, unit: Literal["kWh", "Wh"], where: str) -> Iterator[Fault]:
    """What cannot be true of one energy."""
    if energy is None:
        yield _fault("missing_energy", f"{where}: there is no energy", spoils=True)
    elif not math.isfinite(energy):
        yield _fault("not_a_number", f"{where}: an energy of {energy} {unit}", spoils=True)
    elif energy < 0:
        yield _fault("negative_energy", f"{where}: an energy of {energy:g} {unit}", spoils=True)
    elif energy == 0:
        yield _fault("zero_energy", f"{where}: an energy of 0 {unit}; the meter read nothing", spoils=True)


def _gpu_name(told: Told) -> str | None:
    """Name of the GPUs without their number where all are alike: which of them were tracked is not told."""
    model = told.texts.get("gpu_model")
    found = _ONE_MODEL.fullmatch(model) if model is not None else None
    return found[2].strip() if found is not None else model


def _of_cpu_and_ram(told: Told) -> float | None:
    cpu_kwh, ram_kwh = told.numbers.get("cpu_energy"), told.numbers.get("ram_energy")
    return None if cpu_kwh is None or ram_kwh is None else cpu_kwh + ram_kwh


def _domain(told: Told) -> Literal["gpu", "cpu+ram"] | None:
    """What the energy is of: the GPUs where any was tracked, and nothing where nothing is told."""
    if told.numbers.get("gpu_count") or told.texts.get("gpu_model") or told.numbers.get("gpu_energy"):
        return "gpu"
    return None if _of_cpu_and_ram(told) is None else "cpu+ram"


def overhead_counted(pue: float | None, where: str) -> Iterator[Fault]:
    """Whether energies hold the building's overhead: by a `pue` other than 1, found at a place."""
    if pue is not None and pue != 1:
        yield _fault(
            "overhead_counted",
            f"{where}: every energy is multiplied by {pue:g} for the building, expected 1; measure with pue=1",
            spoils=True,
        )


def _faults(told: Told, *, whole: bool) -> Iterator[Fault]:
    yield from overhead_counted(told.numbers.get("pue"), told.where("pue"))
    whole_kwh = told.numbers.get("energy_consumed")
    parts_kwh = [told.numbers.get(f"{part}_energy") for part in ("cpu", "gpu", "ram")]
    known_kwh = [part for part in parts_kwh if part is not None]
    if whole_kwh is None or len(known_kwh) != len(parts_kwh) or not all(map(math.isfinite, [whole_kwh, *known_kwh])):
        return
    sum_kwh = math.fsum(known_kwh)
    if abs(whole_kwh - sum_kwh) > SUM_TOLERANCE * max(abs(whole_kwh), abs(sum_kwh)):
        yield _fault(
            "contradiction",
            f"{told.where('energy_consumed')}: {whole_kwh:g} kWh, but cpu + gpu + ram are {sum_kwh:g} kWh",
            spoils=True,
        )
    if whole:
        yield from _against_power(told, whole_kwh)


def _against_power(told: Told, whole_kwh: float) -> Iterator[Fault]:
    powers_w = [told.numbers.get(f"{part}_power") for part in ("cpu", "gpu", "ram")]
    known_w = [power for power in powers_w if power is not None]
    duration_s = told.numbers.get("duration")
    if duration_s is None or len(known_w) != len(powers_w):
        return
    by_power_kwh = wh_to_kwh(joules_to_wh(math.fsum(known_w) * duration_s))
    if not (math.isfinite(by_power_kwh) and by_power_kwh > 0 and whole_kwh > 0):
        return
    ratio = whole_kwh / by_power_kwh
    if not 1 / POWER_TOLERANCE <= ratio <= POWER_TOLERANCE:
        mean = (told.texts.get("codecarbon_version") or "2").split(".")[0] not in ("1", "2")
        yield _fault(
            "contradiction",
            f"{told.where('energy_consumed')}: {whole_kwh:g} kWh, but cpu, gpu and ram power x duration are "
            f"{by_power_kwh:g} kWh, a factor of {ratio:.3g}"
            + ("" if mean else "; powers of this version are the last reading, so the energy may still be right"),
            spoils=mean,
        )


def _fault(code: FaultCode, message: str, *, spoils: bool) -> Fault:
    return Fault(code=code, message=message, spoils=spoils)
