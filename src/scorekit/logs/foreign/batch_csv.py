"""master_results.csv of AI Energy Score's batch runner, of all generations: a row is a run of one model.

The first has 19 columns, later ones tell the time to the first token and `wh_per_1000_queries` (20, 21 and 24 columns).
Rows that a newer runner added under an older header have their values in the wrong columns. Every energy is in Wh, of
the GPU; `wh_per_1000_queries` and `avg_energy_per_prompt_wh` are the energy over the answered prompts, rounded.

Source: scottcha/AIEnergyScore, results_aggregator and model_config_parser (for the names of tasks).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from scorekit import __version__
from scorekit.errors import LogError
from scorekit.logs.foreign.codecarbon_run import energy_faults
from scorekit.logs.foreign.csv_table import Row, Table, digest_of, half_last_place, header_of, number, quantity, told
from scorekit.logs.foreign.prompts import MOST_PROMPTS, Prompts
from scorekit.logs.foreign.results import Energies, Facts, foreign_result, task_named
from scorekit.logs.foreign.times import utc_and_local
from scorekit.logs.places import Place
from scorekit.records import Fault, Result, Source
from scorekit.units import per_1000, wh_to_joules, wh_to_kwh

FORMAT: Final = "ai-energy-score-batch-csv/1"
DESCRIPTION: Final = "a master_results.csv of AI Energy Score's batch runner"
TOLERANCE: Final = 1e-3
"""By how much columns may contradict each other beyond what rounding them explains."""

_ENERGY: Final = "gpu_energy_wh"
_TELLING: Final = ({"model_name", _ENERGY}, {"total_prompts", "successful_prompts", "failed_prompts"})
_COUNTS: Final = ("total_prompts", "successful_prompts", "failed_prompts")
_TOKENS: Final = ("total_tokens", "total_prompt_tokens", "total_completion_tokens")
_NUMBERS: Final = (
    *_COUNTS, *_TOKENS, "total_duration_seconds", "avg_latency_seconds", "avg_total_time", "avg_time_to_first_token",
    "throughput_tokens_per_second", "wh_per_1000_queries", "energy_per_prompt_min_wh", "energy_per_prompt_max_wh",
    "energy_per_prompt_std_wh", "co2_emissions_g", "tokens_per_joule", "avg_energy_per_prompt_wh",
)  # fmt: skip
_WHOLE: Final = (*_COUNTS, *_TOKENS)
_OWN_NAMES: Final = {"text_gen": "text_generation", "image_gen": "text_to_image"}
"""The runner's names of tasks, where they are not the leaderboard's."""


def recognises(place: Place) -> bool:
    """Whether its header has the runner's columns."""
    return not place.is_folder and any(names <= set(header_of(place.head)) for names in _TELLING)


def read(place: Place) -> Iterator[Result]:
    """One result a row.

    Raises:
        LogError: it is no such table, or has a line that cannot be read.
    """
    sha256 = digest_of(place)
    table = Table(place)
    if _ENERGY not in table.names:
        raise LogError(f"{place.label}, line 1: there is no column {_ENERGY}", mend="give the runner's own table")
    rows = 0
    for row in table:
        rows += 1
        yield _result(row, place.label, sha256)
    if not rows:
        raise LogError(f"{place.label} has no rows below its header", mend="give the table of runs that ended")


def _result(row: Row, name: str, sha256: str) -> Result:
    faults = list(_shifts(row))
    measured_utc, measured_local = (None, None) if faults else utc_and_local(row.text("timestamp"))
    source = Source(
        name=name,
        row=row.number,
        format=FORMAT,
        files={name.rsplit("/", 1)[-1]: sha256},
        tool="AI Energy Score batch runner",
        measured_utc=measured_utc,
        measured_local=measured_local,
        scorekit_version=__version__,
    )
    model = row.text("model_name")
    energy_wh = _energy_wh(row) if row.fits else None
    energies = Energies(None if energy_wh is None else wh_to_kwh(energy_wh), runs=1)
    if faults:
        # Which cell holds what is not known: no fact of this row can be trusted but the name that begins it.
        return foreign_result(source, Facts(model=model, domain="gpu"), energies, faults)
    prompts = Prompts(None, *(_whole(row, count) for count in _COUNTS))
    facts = Facts(
        model=model,
        task=_task(row.text("task"), row.text("reasoning_state")),
        model_class=_class(row.text("model_class")),
        domain="gpu",
        origin="measured",
        queries=prompts.queries,
        queries_from=prompts.queries_from,
        output_tokens=_whole(row, "total_completion_tokens") or None,
        duration_s=number(row.text("total_duration_seconds")),
    )
    faults = [*_run_faults(row), *energy_faults(energy_wh, "Wh", row.where(_ENERGY)), *prompts.faults(row.where)]
    faults += _contradictions(row, energy_wh, prompts.queries)
    return foreign_result(source, facts, energies, faults)


def _energy_wh(row: Row) -> float | None:
    found = quantity(row.text(_ENERGY) or "")
    return found[0] if found is not None and found[1] in (None, "Wh") else None


def _whole(row: Row, column: str) -> int | None:
    value = number(row.text(column))
    return None if value is None else int(value)


def _shifts(row: Row) -> Iterator[Fault]:
    """Cells that hold what belongs into another column, or are in another unit."""
    if not row.fits:
        found = f"expected {len(row.positions)} cells as in the header, found {len(row.cells)}"
        message = f"{row.where()}: {found}, so which cell is the energy is not known"
        yield Fault(code="shifted_columns", message=message, spoils=True)
        return
    cell = row.text(_ENERGY)
    found_energy = None if cell is None else quantity(cell)
    if cell is not None and found_energy is None:
        message = f"{row.where(_ENERGY)}: expected an energy, found '{told(cell)}'"
        yield Fault(code="shifted_columns", message=message, spoils=True)
    if cell is not None and found_energy is not None and found_energy[1] not in (None, "Wh"):
        message = f"{row.where(_ENERGY)}: expected Wh, found '{told(cell)}'"
        yield Fault(code="mixed_units", message=message, spoils=True)
    for column in _NUMBERS:
        cell = row.text(column)
        if cell is None:
            continue
        value = number(cell)
        if value is None or (column in _WHOLE and not (0 <= value <= MOST_PROMPTS and value == int(value))):
            kind = "a count" if column in _WHOLE else "a number"
            message = f"{row.where(column)}: expected {kind}, found '{told(cell)}'"
            yield Fault(code="shifted_columns", message=message, spoils=True)
    stamp = row.text("timestamp")
    if stamp is not None and utc_and_local(stamp) == (None, None):
        message = f"{row.where('timestamp')}: expected a time, found '{told(stamp)}'"
        yield Fault(code="shifted_columns", message=message, spoils=True)


def _run_faults(row: Row) -> Iterator[Fault]:
    error = row.text("error_message")
    if error is not None:
        shown = " ".join(error.split())[:200]
        yield Fault(code="invalid_run", message=f"{row.where('error_message')}: the run failed: {shown}", spoils=True)


def _task(name: str | None, reasoning: str | None) -> str | None:
    """The task's config name; None where the names tell none."""
    task = task_named(None if name is None else _OWN_NAMES.get(name, name))
    if task != "text_generation" or reasoning is None:
        return task
    state = reasoning.split()[0].lower()
    return {"on": "reasoning", "off": task}.get(state)


def _class(name: str | None) -> Literal["A", "B", "C"] | None:
    return name if name in ("A", "B", "C") else None  # type: ignore[return-value]


def _contradictions(row: Row, energy_wh: float | None, answered: int | None) -> Iterator[Fault]:
    """Columns that are worked out from the energy and do not fit to it."""
    if energy_wh is None or not 0 < energy_wh < float("inf") or answered is None:
        return
    tokens = number(row.text("total_tokens"))
    expected = {
        "wh_per_1000_queries": per_1000(energy_wh, answered),
        "avg_energy_per_prompt_wh": energy_wh / answered,
        "tokens_per_joule": tokens / wh_to_joules(energy_wh) if tokens else None,
    }
    unlike = [(column, value) for column, value in expected.items() if value and not _fits(row, column, value)]
    if not unlike:
        return
    column, value = unlike[0]
    message = f"{row.where(column)}: {row.text(column)}, but {_ENERGY} {energy_wh:g} makes {value:.6g}"
    if _is_throughput(row, energy_wh, tokens):
        shifted = f"{row.where(_ENERGY)}: {energy_wh:g} is the throughput in tokens per second, no energy; {message}"
        yield Fault(code="shifted_columns", message=shifted, spoils=True)
    else:
        yield Fault(code="contradiction", message=message, spoils=True)


def _fits(row: Row, column: str, expected: float) -> bool:
    """Whether a rounded cell fits to what the rounded energy makes of it; a missing one does."""
    cell, energy = row.text(column), row.text(_ENERGY)
    value = number(cell)
    if cell is None or energy is None or value is None:
        return True
    written = quantity(energy)
    if written is None:
        return True
    rounded = half_last_place(energy.split()[0]) / written[0]
    return abs(value - expected) <= half_last_place(cell) * 1.001 + abs(expected) * (rounded + TOLERANCE)


def _is_throughput(row: Row, energy_wh: float, tokens: float | None) -> bool:
    duration_s = number(row.text("total_duration_seconds"))
    stated = number(row.text("throughput_tokens_per_second"))
    worked_out = tokens / duration_s if tokens and duration_s else None
    return any(rate and abs(energy_wh - rate) <= 0.005 * rate for rate in (stated, worked_out))
