"""One result: the energy of one model on one task as any log tells it, with all that is wrong with it or unknown.

A reader of a log never guesses and never repairs. What the log does not tell is None and named in `unknown`; what is
wrong with it is a `Fault`, named by place; the figure as published stays as it is, beside the one that can be used.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from pydantic import Field, model_validator

from scorekit.records.base import Count, Finite, Record
from scorekit.records.score import Conditions, Reason, Score, Uncertainty

RESULT_SCHEMA: Final = "scorekit.result/1"
SERVING_RESULT_SCHEMA: Final = "scorekit.result/2"
"""Of runs that measure a server. Others are still written as version 1, which they are."""
CONFIDENTIAL: Final = " confidential"
"""Ends the format of a result that is what may be public of a confidential submission."""
_SERVING, _SERVING_PROTOCOL = "serving", "serving-1"
_OWN_FORMATS: Final = ("scorekit.bundle/", "scorekit.submission/")
"""Of runs of ours: as they were measured, and as they were packed and worked out again."""
_WH_OF_1000_IN_KWH: Final = 1e6
"""What kWh of one query are multiplied by for Wh of 1,000; records stand below the module of units."""
_ROUNDING: Final = 1e-9
_SMALLEST: Final = 1e-300
"""Below it a float has too few digits to hold two energies against each other."""
_OF_SCORE: Final = (
    "model",
    "model_revision",
    "task",
    "cohort",
    "model_class",
    "parameters",
    "hardware",
    "domain",
    "origin",
    "meter",
    "queries",
    "conditions",
    "energy_kwh",
    "wh_per_1000_queries",
    "uncertainty",
)
"""What a star hangs on: a comparable result says the same of it as the score that it was made from."""

FaultCode = Literal[
    "zero_energy",
    "negative_energy",
    "not_a_number",
    "missing_energy",
    "lost_prefill",
    "lost_generate",
    "doubled_window",
    "unit_missing",
    "unit_unknown",
    "mixed_units",
    "failed_prompts",
    "too_few_prompts",
    "idle_gpus",
    "shifted_columns",
    "contradiction",
    "time_gap",
    "clock_jump",
    "overhead_counted",
    "invalid_run",
]


class Fault(Record):
    """One thing that is wrong in a log."""

    code: FaultCode = Field(
        description="What it is. lost_prefill: a zero prefill, and a decode that holds it too. lost_generate: a "
        "negative decode, whose generate pass was lost. idle_gpus: energy of GPUs that the model did not use. "
        "shifted_columns: a figure stands in the wrong column. time_gap, clock_jump: of a power log. "
        "overhead_counted: the energy is not the devices' alone, but multiplied for the building. invalid_run: the run "
        "failed, or a check of it."
    )
    message: str = Field(description="What was found and what was expected, with the field of the log.")
    phase: str | None = Field(default=None, description="As the log calls it; None for what holds for the whole log.")
    repeat: Count | None = Field(default=None, description="Number of the repeat from 0.")
    spoils: bool = Field(
        description="Whether the energy of that repeat, or of the log where no repeat is named, cannot be used."
    )


class Figure(Record):
    """An energy as it was worked out from some or all repeats of a log."""

    energy_kwh: float | None = Field(description="Of one repeat, as the mean over the repeats; may be no number.")
    wh_per_1000_queries: float | None = Field(description="None where the number of queries is not known.")
    runs: Count | None = Field(description="Repeats that it is the mean of; None where the log does not tell.")
    excluded_repeats: tuple[Count, ...] = Field(default=(), description="Repeats left out, each for a spoiling fault.")


class PhaseEnergy(Record):
    """Energy of one phase as the log gives it."""

    phase: str
    counted: bool = Field(description="Whether it is a term of the score; loading never is.")
    energy_kwh: float | None = Field(description="As published: the mean over the repeats; may be no number.")
    energy_kwh_by_repeat: tuple[float | None, ...] = Field(default=(), description="Empty where there are no repeats.")
    duration_s: float | None = Field(default=None, description="Mean over the repeats.")


class Source(Record):
    """Where a result comes from."""

    name: str = Field(description="Path below what was named, e.g. logs.zip!/model/benchmark_report.json.")
    row: Count | None = Field(default=None, description="Line of a table, from 1 for the first below the header.")
    format: str = Field(
        description="Name and version of the log's format. After that of a confidential submission stands "
        "` confidential`: times, counts of tokens and powers are withheld."
    )
    files: dict[str, str] = Field(description="sha256 of each file that was read, by name.")
    tool: str | None = Field(default=None, description="What wrote the log, with its version; None where not told.")
    device: str | None = Field(default=None, description="Of a log of several GPUs: which, as the log calls it.")
    measured_utc: str | None = Field(default=None, description="When it was measured, ISO 8601; None where not told.")
    measured_local: str | None = Field(
        default=None, description="When, by a clock of which the log does not tell the time zone; ISO 8601 without one."
    )
    scorekit_version: str


class Result(Record):
    """The energy of one model on one task, from one log."""

    schema_version: Literal["scorekit.result/1", "scorekit.result/2"] = RESULT_SCHEMA
    model: str | None
    model_revision: str | None = None
    task: str | None = Field(description="Config name.")
    cohort: str | None = Field(description="Leaderboard name of the task.")
    model_class: Literal["A", "B", "C"] | None = Field(default=None, description="Of tasks with classes only.")
    parameters: int | None = None
    hardware: str | None = Field(description="Name of the GPU, or of the CPU where the energy is a CPU's.")
    gpu_count: Count | None = Field(default=None, description="GPUs whose energy it is.")
    domain: Literal["gpu", "cpu+ram"] | None = Field(description="What the energy covers.")
    origin: Literal["measured", "modelled", "mixed", "unknown"] = "unknown"
    meter: str | None = None
    queries: int | None = Field(gt=0, description="Queries of one repeat.")
    queries_from: Literal["counted", "config", "summary"] | None = Field(
        description="Counted from what was answered, or what the config or the log's own summary says."
    )
    conditions: Conditions | None = None
    dtype: str | None = None
    published: Figure = Field(description="The figure that the log gives, faults and all.")
    corrected: Figure | None = Field(
        default=None, description="The figure without repeats that a fault spoils; None where none had to be left out."
    )
    difference_percent: Finite | None = Field(
        default=None, description="Corrected less published figure, relative to the published one."
    )
    energy_kwh: Finite | None = Field(gt=0, description="What can be used: corrected, else published, else None.")
    wh_per_1000_queries: Finite | None = Field(gt=0, description="The same, for 1,000 queries.")
    wh_per_1000_output_tokens: Finite | None = None
    output_tokens: Finite | None = Field(default=None, description="Mean tokens generated in one repeat.")
    duration_s: Finite | None = Field(default=None, description="Mean length of the counted phases of one repeat.")
    uncertainty: Uncertainty | None = None
    phases: tuple[PhaseEnergy, ...] = ()
    faults: tuple[Fault, ...] = ()
    unknown: tuple[str, ...] = Field(default=(), description="Facts that the log does not tell, e.g. hardware.")
    refused: str | None = Field(
        default=None,
        description="Why no energy of 1,000 queries: the log's energy cannot be used, or the queries are not known.",
    )
    valid: bool | None = Field(default=None, description="Of our own runs: whether no check failed.")
    invalid_because: tuple[Reason, ...] = ()
    comparable: bool
    not_comparable_because: tuple[Reason, ...]
    score: Score | None = Field(default=None, description="Of our own runs: all that was worked out.")
    source: Source

    @property
    def confidential(self) -> bool:
        """Whether it is what may be public of a confidential submission: what is None there was known, and withheld."""
        return self.source.format.endswith(CONFIDENTIAL)

    @model_validator(mode="after")
    def _energies_agree(self) -> Result:
        energy_kwh, per_1000_wh, queries = self.energy_kwh, self.wh_per_1000_queries, self.queries
        if energy_kwh is None or per_1000_wh is None or queries is None:
            return self
        expected_wh = energy_kwh * _WH_OF_1000_IN_KWH / queries
        if not math.isclose(per_1000_wh, expected_wh, rel_tol=_ROUNDING, abs_tol=_SMALLEST):
            raise ValueError(
                f"wh_per_1000_queries is {per_1000_wh:g}, expected {expected_wh:g}: energy_kwh {energy_kwh:g} for "
                f"{queries} queries"
            )
        return self

    @model_validator(mode="after")
    def _comparable_as_scored(self) -> Result:
        """Only a run of ours can be comparable, and only as its score says: any other would get an official star."""
        if not self.comparable:
            return self
        score = self.score
        if score is None or not score.comparable:
            raise ValueError("comparable is true, but there is no comparable score that it was made from")
        reasons = self.not_comparable_because or score.not_comparable_because
        if reasons:
            raise ValueError(f"comparable is true, but not_comparable_because has {reasons[0].code}")
        if score.provenance.protocol == _SERVING_PROTOCOL or score.task == _SERVING:
            raise ValueError(
                f"comparable is true, but the protocol is {_SERVING_PROTOCOL}: none of the official scores'"
            )
        if self.valid is False or score.valid is False:
            raise ValueError("comparable is true, but a check of the run failed")
        for found in (self.source.format, score.provenance.log_format):
            if not found.startswith(_OWN_FORMATS):
                expected = " or ".join(f"{name}*" for name in _OWN_FORMATS)
                raise ValueError(f"comparable is true, but the format is {found}, expected {expected}")
        for name in _OF_SCORE:
            told, scored = getattr(self, name), getattr(score, name)
            if told != scored:
                raise ValueError(f"comparable is true, but {name} is {told!r}, and {scored!r} in its score")
        return self
