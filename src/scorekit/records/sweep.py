"""The files of a sweep: its plan, and how each attempt at a job went."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record

PLAN_SCHEMA: Final = "scorekit.plan/1"
ATTEMPT_SCHEMA: Final = "scorekit.attempt/1"
SWEEP_STATE_SCHEMA: Final = "scorekit.sweep_state/1"

EstimateFrom = Literal["same model", "nearest by parameters"]


class Estimate(Record):
    """What a job will take, as far as earlier results tell."""

    device_hours: Finite | None = Field(
        default=None,
        description="Hours of the counted phases of all repeats, times the GPUs; loading, idle baselines and waits "
        "come on top. None where no earlier result tells.",
    )
    device_hours_from: EstimateFrom | None = None
    model: str | None = Field(default=None, description="The model of the earlier result.")
    parameters: Count | None = Field(default=None, description="Of the job's model, from earlier results or the list.")
    weights_bytes: Count | None = Field(
        default=None, description="Parameters times the size of the dtype; None where either is not known."
    )


class SweepJob(Record):
    """One job of a sweep: one model on one task."""

    id: str = Field(description="First 16 digits of the sha256 of what follows, up to `overrides`.")
    model: str = Field(description="Hub id, or the whole path of a folder.")
    revision: str | None = Field(default=None, description="Commit, branch or tag on the Hub; None takes the newest.")
    task: str = Field(description="Config name.")
    model_class: Literal["A", "B", "C"] | None = Field(default=None, description="As the list says.")
    reasoning: str | None = Field(default=None, description="The reasoning state, as the list calls it.")
    protocol: str
    overrides: tuple[str, ...] = Field(description="Hydra overrides of the task's config.")
    as_asked: bool = Field(description="Whether nothing but the model and its revision differs from the task's config.")
    priority: Count = Field(description="1 comes first.")
    gpus: Count | None = Field(default=None, description="GPUs that it uses; 0 for the CPU, None where not told.")
    estimate: Estimate = Estimate()


class Plan(Record):
    """plan.json: the jobs of a sweep, in the order in which they are to be measured."""

    schema_version: Literal["scorekit.plan/1"] = PLAN_SCHEMA
    created_utc: str
    scorekit_version: str
    jobs: tuple[SweepJob, ...]
    hardware: str | None = Field(
        default=None, description="Part of the name that the measured hardware must have; None for any."
    )
    notes: tuple[str, ...] = Field(default=(), description="What is out of the ordinary in the list.")


class Attempt(Record):
    """attempt-N.json: one attempt at a job; without `ended_utc` it goes on, or its process is gone."""

    schema_version: Literal["scorekit.attempt/1"] = ATTEMPT_SCHEMA
    job: str = Field(description="Id of the job.")
    number: Count
    host: str
    pid: Count
    process_started_s: Finite | None = Field(
        default=None, description="When that process started, in s since 1970: another one may get its number later."
    )
    restart_count: Count | None = Field(default=None, description="How often its engine has started the job again.")
    engine: str | None = Field(default=None, description="The engine that started the process; None without one.")
    engine_job: str | None = Field(
        default=None,
        description="What the engine calls the job, e.g. SLURM_JOB_ID (of an array its id, _ and the number).",
    )
    started_utc: str
    ended_utc: str | None = None
    duration_s: Finite | None = None
    exit_code: int | None = None
    error: str | None = Field(default=None, description="Class of the error; None where there was none.")
    message: str | None = None
    mend: str | None = None
    run: str | None = Field(default=None, description="Name of the run folder that it wrote; None where none is left.")
    last_lines: tuple[str, ...] = Field(default=(), description="Of the run's log.")


class JobTold(Record):
    """One job of a plan, and what has become of it."""

    index: Count = Field(description="Place in the plan, from 0: what `--only-job` takes.")
    id: str
    model: str
    revision: str | None = None
    task: str
    state: Literal["done", "invalid", "failed", "lost", "running", "missing"] = Field(
        description="`lost` is an attempt whose process is gone; `missing` is a job that was never tried."
    )
    why: str | None = Field(default=None, description="Class of the failure; None of what is done, goes on or missing.")
    message: str | None = None
    mend: str | None = None
    attempts: Count = Field(description="Number of the last attempt; 0 where there was none.")
    run: str | None = Field(default=None, description="Folder of the accepted run; None without one.")
    wh_per_1000_queries: Finite | None = Field(default=None, description="Of the accepted run.")


class SweepState(Record):
    """How far a plan is."""

    schema_version: Literal["scorekit.sweep_state/1"] = SWEEP_STATE_SCHEMA
    runs: str = Field(description="The runs folder.")
    jobs: tuple[JobTold, ...]
