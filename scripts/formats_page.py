"""Write the field lists of docs/formats.md: `python -m scripts.formats_page`, from the root of the repository.

They stand between two marker lines and come from the records themselves; a test fails when they are stale. What is not
a record is described here, and the test compares the names.
"""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from scorekit import records
from scorekit.rating import Rating
from scorekit.records import Record

PAGE: Final = Path(__file__).parents[1] / "docs" / "formats.md"
BEGIN: Final = "<!-- Field lists: written by scripts/formats_page.py, do not edit. -->"
END: Final = "<!-- End of the field lists. -->"

FILES: Final[tuple[tuple[str, str, tuple[type[Record], ...]], ...]] = (
    (
        "windows.jsonl",
        "One `Window` a line, in the order in which they ended.",
        (records.Window, records.Served, records.MeterReading, records.CounterEvidence),
    ),
    ("gpu_states.jsonl", "One `GpuState` a line: of each used GPU at each moment.", (records.GpuState,)),
    (
        "environment.json",
        "One `Environment`.",
        (
            records.Environment, records.RunFacts, records.InputFacts, records.ModelFacts, records.DatasetFacts,
            records.ServingFacts, records.GpuFacts,
        ),
    ),
    (
        "score.json",
        "One `Score`.",
        (
            records.Score, records.Uncertainty, records.UncertaintyTerm, records.PhaseScore, records.RepeatScore,
            records.Conditions, records.Reason, records.Provenance,
        ),
    ),
    (
        "results",
        "One `Result` a log: what `scorekit parse --json` prints a list of, and what the results store keeps.",
        (records.Result, records.Figure, records.PhaseEnergy, records.Fault, records.Source),
    ),
    (
        "measurements",
        "One `Measurement`: what `scorekit.measure(...).save(PATH)` writes ([python](python.md)).",
        (records.Measurement, records.DeviceEnergy, records.WindowEnergy),
    ),
    (
        "_quality/MODEL--HASH.json of a results folder",
        "One `Quality`: figures of an evaluation beside a result ([quality](quality.md)).",
        (records.Quality, records.QualityFigure, records.QualitySource),
    ),
    ("validity.json", "One `Validity`.", (records.Validity, records.Check)),
    ("manifest.json", "One `Manifest`.", (records.Manifest, records.ManifestEntry)),
    ("rate --json", "`scorekit rate --json` prints a list of `Rating`.", (Rating,)),
    (
        "editions/NAME.json",
        "One `Edition`: frozen, or NAME.draft.json while it is a draft ([editions](editions.md)).",
        (records.Edition, records.EditionSource, records.Member, records.Thresholds, records.LeftOut),
    ),
    (
        "submission.json",
        "One `Submission`, in the zip that `scorekit pack` writes ([submissions](submissions.md)).",
        (
            records.Submission, records.Submitter, records.Attestation, records.AcceptedClause, records.SubmittedRun,
        ),
    ),
    ("manifest.json of a submission", "One `SubmissionManifest`.", (records.SubmissionManifest,)),
    ("power.json of a submission", "One `PackedPower`.", (records.PackedPower, records.PackedDevice)),
    (
        "report.json of a submission",
        "One `PackedReport`.",
        (records.PackedReport, records.PackedPhase, records.PackedEnergy),
    ),
    ("codecarbon.jsonl of a submission", "One `PackedCodecarbon` a line.", (records.PackedCodecarbon,)),
    (
        "verify --json",
        "`scorekit verify --json` prints one `Verdict`.",
        (
            records.Verdict, records.VerdictReason, records.Signed, records.VerifiedRun, records.RunPrint,
            records.Neighbour,
        ),
    ),
    (
        "plan.json of a sweep",
        "One `Plan`: what `scorekit sweep --save FILE` writes too ([sweeps](sweeps.md)).",
        (records.Plan, records.SweepJob, records.Estimate),
    ),
    ("attempt-N.json of a sweep", "One `Attempt`.", (records.Attempt,)),
    (
        "sweep --state --json",
        "`scorekit sweep --state --json` prints one `SweepState`.",
        (records.SweepState, records.JobTold),
    ),
    (
        "manifest.json of a portal's backup",
        "One `PortalBackup`; its files are `ManifestEntry`, as above ([portal](portal.md)).",
        (records.PortalBackup,),
    ),
    (
        "portal check --json",
        "`scorekit portal check --json` prints one `PortalCheck`.",
        (records.PortalCheck, records.PortalFinding),
    ),
)  # fmt: skip

POWER_COLUMNS: Final = (
    ("t_s", "double", "Monotonic clock, as in windows.jsonl."),
    ("device", "string", "UUID."),
    ("power_w", "double", "As the driver gives it: on Ampere and newer the mean over the last second."),
    ("counter_mj", "int64", "The energy counter."),
    ("temperature_c", "int32", "Of the GPU."),
    ("sm_clock_mhz", "int32", ""),
    ("mem_clock_mhz", "int32", ""),
    ("reasons", "int64", "NVML's bits of clocks event reasons."),
    ("utilization_percent", "int32", "Of the compute units."),
)
"""Columns of power.parquet."""

SUMMARY_KEYS: Final = (
    ("units", "Always `Wh`."),
    ("total", "GPU energy of one repeat; null where no GPU was read."),
    ("PHASE_wh", "The same of each phase: `preprocess_wh`, `generate_wh`, ... Prefill and decode split generate."),
    ("format", "`scorekit.gpu-energy/1`; from here on the keys are ours."),
    ("total_kwh", "As `total`, in kWh."),
    ("PHASE_kwh", "As `PHASE_wh`, in kWh."),
    ("counted_phases", "Phases whose energy makes `total`."),
    ("total_by_repeat_wh", "`total` of each repeat."),
    ("wh_per_1000_queries", "The score; null where no GPU was read."),
    ("queries", "Queries in one repeat."),
    ("repeats", "Number of repeats."),
    ("model", ""),
    ("task", ""),
    ("valid", "Whether no check failed; null where none was made."),
    ("note", "Why `total` is null, or that the run is invalid."),
)
"""Keys of GPU_ENERGY_SUMMARY.json; PHASE stands for the name of each phase."""


def field_lists() -> str:
    """All field lists, with the marker lines around them."""
    parts = [BEGIN, "## Fields", _LEGEND]
    for name, what, found in FILES:
        parts += [f"### {name}", what]
        for record in found:
            parts += [f"`{record.__name__}`: {_sentence(record.__doc__)}", _record_table(record)]
    parts += [
        "### power.parquet",
        "One row a sample and GPU; null where NVML did not answer. The schema's metadata holds `schema_version` "
        "(`scorekit.power/1`) and `period_s`, the sampling period.",
        _table(("column", "type", "meaning"), [(f"`{name}`", kind, text) for name, kind, text in POWER_COLUMNS]),
        "### GPU_ENERGY_SUMMARY.json",
        "One object. The first keys are those that AI Energy Score's own tools write.",
        _table(("key", "meaning"), [(f"`{name}`", text) for name, text in SUMMARY_KEYS]),
        END,
    ]
    return "\n\n".join(parts) + "\n"


_LEGEND: Final = (
    "A field that may be null is null where its value is not known, and never 0. Fields of a record that a file of an "
    "older version does not have are null or empty when it is read."
)


def renewed(page: str) -> str:
    """The page with its field lists as they should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END + "\n")
    return before + field_lists() + after


def type_text(annotation: Any) -> str:
    """A field's type in words of JSON."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is type(None):
        return "null"
    if origin is Annotated:
        return type_text(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(argument) for argument in arguments)
    if origin is Literal:
        return ", ".join(f"`{argument}`" for argument in arguments)
    if origin is list:
        return f"list of {type_text(arguments[0])}"
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"list of {type_text(arguments[0])}"
        return "[" + ", ".join(type_text(argument) for argument in arguments) + "]"
    if origin is dict:
        return f"object of {type_text(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return f"`{annotation.__name__}`"
    return {float: "number", int: "integer", str: "string", bool: "true or false"}.get(annotation, "any")


def _record_table(record: type[Record]) -> str:
    rows = [
        (f"`{name}`", type_text(field.annotation), re.sub(r"\bNone\b", "null", field.description or ""))
        for name, field in record.model_fields.items()
    ]
    return _table(("field", "type", "meaning"), rows)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _sentence(docstring: str | None) -> str:
    text = " ".join((docstring or "").split("\n\n")[0].split())
    text = text.partition(": ")[2] if ".json" in text.partition(":")[0] else text
    return re.sub(r"\bNone\b", "null", text[:1].lower() + text[1:])


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
