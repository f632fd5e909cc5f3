"""The files of a submission: who hands in what, its manifest, and evidence as it is packed."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record
from scorekit.records.gpus import LONGEST_PERIOD_S, SHORTEST_PERIOD_S
from scorekit.records.manifest import ManifestEntry

SUBMISSION_SCHEMA: Final = "scorekit.submission/1"
SUBMISSION_MANIFEST_SCHEMA: Final = "scorekit.submission_manifest/1"
PACKED_POWER_SCHEMA: Final = "scorekit.packed_power/1"
PACKED_REPORT_SCHEMA: Final = "scorekit.packed_report/1"
PACKED_CODECARBON_SCHEMA: Final = "scorekit.packed_codecarbon/1"

Text = Annotated[str, Field(max_length=300)]
"""Names of people, models and files; longer ones are none."""


Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Submitter(Record):
    """Who hands in, in their own words."""

    name: Text = Field(min_length=1)
    organisation: Text | None = None
    contact: Text | None = Field(default=None, description="Where they can be reached, e.g. an e-mail address.")


class AcceptedClause(Record):
    """One clause of the attestation, as the submitter saw and accepted it."""

    name: Literal["public_data", "integrity", "representation"]
    accepted: bool
    text_sha256: str = Field(description="Of the clause's text in UTF-8.")


class Attestation(Record):
    """What the submitter stands for."""

    version: Text = Field(description="Of the clauses' texts.")
    clauses: tuple[AcceptedClause, ...]


class SubmittedRun(Record):
    """One run of a submission, as packing found it; verifying works all of it out again."""

    folder: Text = Field(description="Where its files lie in the archive, e.g. runs/1.")
    model: Text = Field(min_length=1)
    task: Text | None
    cohort: Text | None
    model_class: Literal["A", "B", "C"] | None = None
    wh_per_1000_queries: Finite | None = Field(description="None for an invalid run that cannot be scored.")
    valid: bool = Field(description="False where a check failed and it was packed all the same.")
    comparable: bool
    source_files: dict[Text, Sha256] = Field(
        default_factory=dict,
        description="sha256 of the raw files of the run, by which the submitter can show them later; none in the "
        "confidential form.",
    )


class Submission(Record):
    """submission.json: who hands in what, when, and under which terms."""

    schema_version: Literal["scorekit.submission/1"] = SUBMISSION_SCHEMA
    form: Literal["open", "confidential"]
    created_utc: Text
    scorekit_version: Text
    protocol: Text
    edition: Text = Field(description="Edition that the submitter wants to be rated in.")
    submitter: Submitter
    attestation: Attestation
    runs: tuple[SubmittedRun, ...] = Field(min_length=1, max_length=32)


class SubmissionManifest(Record):
    """manifest.json of a submission: every other file but the signature, which is over this one."""

    schema_version: Literal["scorekit.submission_manifest/1"] = SUBMISSION_MANIFEST_SCHEMA
    files: dict[Text, ManifestEntry]


Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class PackedDevice(Record):
    """The samples of one GPU, in the order of time; None where the driver did not answer."""

    t_s: list[Finite] = Field(description="Monotonic clock, as in windows.jsonl.")
    power_w: list[Finite | None]
    counter_mj: list[Whole | None]
    temperature_c: list[Whole | None]
    sm_clock_mhz: list[Whole | None]
    mem_clock_mhz: list[Whole | None]
    reasons: list[Whole | None]
    utilization_percent: list[Whole | None]


MOST_LEFT_OUT: Final = 10
"""Of so many samples at most one is kept."""


class PackedPower(Record):
    """power.json: the samples of power.parquet by GPU, as text that is read within bounds."""

    schema_version: Literal["scorekit.packed_power/1"] = PACKED_POWER_SCHEMA
    period_s: Finite | None = Field(
        ge=SHORTEST_PERIOD_S,
        le=MOST_LEFT_OUT * LONGEST_PERIOD_S,
        description="Time between the samples that are here.",
    )
    sampler_cpu_s: Finite | None = None
    sampler_wall_s: Finite | None = None
    kept_one_of: int = Field(ge=1, le=MOST_LEFT_OUT, description="Of how many samples one was kept.")
    devices: dict[Text, PackedDevice]


class PackedEnergy(Record):
    """Energies in kWh, as the report gives them."""

    cpu_kwh: float | None
    ram_kwh: float | None
    gpu_kwh: float | None
    total_kwh: float | None


class PackedPhase(Record):
    """One phase of optimum-benchmark's report."""

    energy_kwh: PackedEnergy | None
    mean_s: float | None = Field(description="Mean length.")


class PackedReport(Record):
    """report.json: the energies and lengths of benchmark_report.json, and nothing else of it."""

    schema_version: Literal["scorekit.packed_report/1"] = PACKED_REPORT_SCHEMA
    phases: dict[Text, PackedPhase]


class PackedCodecarbon(Record):
    """One line of codecarbon.jsonl: the energies of one `*_codecarbon.json`."""

    schema_version: Literal["scorekit.packed_codecarbon/1"] = PACKED_CODECARBON_SCHEMA
    phase: Text = Field(description="As in windows.jsonl.")
    repeat: Count | None
    duration_s: float | None
    cpu_kwh: float | None
    gpu_kwh: float | None
    ram_kwh: float | None
    codecarbon_version: Text | None = None
