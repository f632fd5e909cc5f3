"""score.json: the energy of one model on one task, with its uncertainty and where it comes from."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record

SCORE_SCHEMA: Final = "scorekit.score/2"
SERVING_SCORE_SCHEMA: Final = "scorekit.score/3"
"""Of runs that measure a server. Others are still written as version 2, which they are."""

UNTOLD_DATASET: Final = "withheld"
"""The fingerprint of a data set of which none may be told: two of them are not known to be alike. Foreign logs, which
know none, have another text."""


class Reason(Record):
    """Why a score is not comparable with the official ones."""

    code: str
    message: str


class PhaseScore(Record):
    """Energy of one phase over the repeats. None where a repeat does not have it."""

    phase: Literal["preprocess", "prefill", "decode", "generate", "forward", "call", "serve"]
    counted: bool = Field(description="Whether it is a term of the score; prefill and decode split generate.")
    energy_wh: float | None = Field(
        description="Mean over the repeats that have it; of decode, over those in which generate and prefill do."
    )
    energy_wh_by_repeat: tuple[float | None, ...]
    duration_s_by_repeat: tuple[float | None, ...]
    output_tokens_by_repeat: tuple[int | None, ...] = Field(description="Tokens generated, as counted.")
    duration_s: float | None = Field(default=None, description="Mean, over the repeats as for the energy.")
    output_tokens: float | None = Field(default=None, description="Mean tokens generated, over the repeats likewise.")
    note: str | None = None


class RepeatScore(Record):
    """One repeat of the whole task."""

    repeat: Count
    samples: int
    duration_s: float
    gpu_wh: float | None
    cpu_wh: float | None
    ram_wh: float | None
    wh_per_1000_queries: float
    output_tokens: int | None = None


class UncertaintyTerm(Record):
    """One source of uncertainty of a score's mean, as one standard deviation (k = 1)."""

    name: Literal["repeats", "tick", "aliasing", "sampling", "board_gain"]
    kind: Literal["A", "B"] = Field(description="A from statistics over repeats, B from knowledge (GUM, JCGM 100).")
    standard_percent: Finite | None = Field(description="Relative to the score; None where it cannot be told.")
    half_width_95_percent: Finite | None = Field(description="What it adds to either side at 95 % confidence.")
    degrees_of_freedom: int | None = Field(default=None, description="Of kind A: repeats less one.")
    source: str = Field(description="What it is and where the figure comes from.")


class Uncertainty(Record):
    """How far a score may be from what was to be measured, each source apart."""

    terms: tuple[UncertaintyTerm, ...]
    interval_95_wh_per_1000: tuple[Finite, Finite] | None = Field(
        description="Student t over the repeats, wider where each resembles the one before: what repeating on the same "
        "board would show. None for one repeat."
    )
    half_width_95_percent: Finite | None = Field(description="Half of that interval, relative to the mean.")
    combined_95_percent: Finite | None = Field(
        description="All terms but the board's gain in quadrature. None where the repeats' cannot be told, or another "
        "one of a sensor's energy; of modelled energy the repeats alone."
    )
    with_board_gain_95_percent: Finite | None = Field(
        description="The same with the board's gain, which all readings of one board share: for other boards' scores."
    )
    cov_percent: Finite | None = Field(description="Coefficient of variation: standard deviation over mean.")
    trend_percent_per_repeat: Finite | None = Field(description="Slope over the repeats, relative to the mean.")
    trend_significant: bool | None = Field(
        description="Whether the slope is sure (p < 0.01) and makes more than 0.5 % from the first repeat to the last."
    )
    outliers: tuple[int, ...] = Field(
        description="Repeats that stand out (generalized ESD test; 1 % of good runs have one): flagged, never left out."
    )


class Conditions(Record):
    """What was asked of the model beside its task: scores measured under unlike conditions are not rated together."""

    dataset: str
    dataset_fingerprint: str
    batch_size: int
    new_tokens: int | None = None
    max_new_tokens: int | None = None
    image_steps: int | None = None
    concurrency: int | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Queries in flight at a server, from version 3 on; None where a model was loaded and called.",
    )
    inputs: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda value: not value,
        description="Settings by which inputs were made otherwise than the task asks, `name=value` each; in no file "
        "where there are none.",
    )


class Provenance(Record):
    """From what a score was computed."""

    run: str = Field(description="The run folder's last part.")
    created_utc: str
    scorekit_version: str
    log_format: str
    protocol: str
    files: dict[str, str] = Field(description="sha256 of each file that was read.")


class Score(Record):
    """score.json: the energy of one model on one task, in Wh per 1,000 queries."""

    schema_version: Literal["scorekit.score/1", "scorekit.score/2", "scorekit.score/3"] = SCORE_SCHEMA
    model: str
    model_revision: str | None = None
    task: str | None = Field(description="Config name; None when the log does not tell.")
    cohort: str | None = Field(description="Leaderboard name of the task.")
    model_class: Literal["A", "B", "C"] | None = None
    parameters: int | None = None
    hardware: str = Field(description="The GPU's name, or the CPU's when no GPU was used; 'unknown' if not logged.")
    domain: Literal["gpu", "cpu+ram"] = Field(description="What the score's energy covers; official ones: gpu.")
    origin: Literal["measured", "modelled", "mixed", "unknown"]
    meter: str
    wh_per_1000_queries: float
    wh_per_1000_queries_std: float | None = Field(description="Sample standard deviation over repeats; None for one.")
    wh_per_1000_output_tokens: float | None = None
    energy_kwh: float = Field(description="Mean over the repeats, of the domain, for the queries of one repeat.")
    gpu_kwh: float | None
    cpu_kwh: float | None
    ram_kwh: float | None
    cpu_origin: Literal["measured", "modelled", "unknown"] | None = None
    ram_origin: Literal["measured", "modelled", "unknown"] | None = None
    queries: int = Field(description="Queries in one repeat, as counted.")
    conditions: Conditions | None = Field(default=None, description="None where the log does not tell.")
    output_tokens: float | None = Field(default=None, description="Mean tokens generated in one repeat, as counted.")
    runs: int
    phases: tuple[PhaseScore, ...]
    repeats: tuple[RepeatScore, ...]
    uncertainty: Uncertainty | None = Field(default=None, description="None where a log holds too little for it.")
    idle_power_w: Finite | None = Field(
        default=None, description="Mean power with the model loaded and nothing asked, before and after the repeats."
    )
    wh_per_1000_queries_net: Finite | None = Field(
        default=None,
        description="Without the idle power for the time of answering, in which the model was loaded; beside the "
        "score, never in its place.",
    )
    valid: bool | None = Field(default=None, description="Whether no check failed; None where none could be made.")
    invalid_because: tuple[Reason, ...] = Field(
        default=(), description="Checks that failed, where a score was asked for all the same."
    )
    warnings: tuple[Reason, ...] = Field(default=(), description="Checks that warn.")
    comparable: bool
    not_comparable_because: tuple[Reason, ...]
    provenance: Provenance
