"""GPUs: what each one is (environment.json) and in what state it was (gpu_states.jsonl)."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record

GPU_STATE_SCHEMA: Final = "scorekit.gpu_state/1"
POWER_SCHEMA: Final = "scorekit.power/1"
"""power.parquet: one row a sample and GPU. Columns: t_s (double, monotonic clock), device (string, UUID), power_w
(double), counter_mj (int64), temperature_c (int32), sm_clock_mhz (int32), mem_clock_mhz (int32), reasons (int64, NVML's
bits of clocks event reasons), utilization_percent (int32); a null where NVML did not answer. The schema's metadata
holds this name under `schema_version` and the sampling period under `period_s`."""
LONGEST_UNWATCHED_S: Final = 5.0
"""A watch that does not look for longer may miss what comes and goes: it tells of that, and check 9 judges it."""
SHORTEST_PERIOD_S: Final = 1e-3
LONGEST_PERIOD_S: Final = 60.0
"""Of sampling. No driver has a new power every millisecond, and a sample tells of the second before it: one a minute
shows no trace of a power."""


class GpuFacts(Record):
    """One GPU: what does not change while it is measured. None where the driver does not tell."""

    index: int
    name: str
    uuid: str | None = None
    memory_mib: int | None = None
    driver: str | None = None
    vbios: str | None = None
    architecture: str | None = Field(default=None, description="NVML's name, e.g. hopper.")
    compute_capability: str | None = Field(default=None, description="Major and minor, e.g. 9.0.")
    power_limit_default_w: Finite | None = None
    power_limit_min_w: Finite | None = None
    power_limit_max_w: Finite | None = None
    sm_clock_max_mhz: int | None = None
    mem_clock_max_mhz: int | None = None
    mig: bool | None = Field(default=None, description="Whether MIG mode is on.")
    virtualization: str | None = Field(default=None, description="NVML's mode: none, passthrough, vgpu, ...")
    counter_scope: Literal["gpu", "module"] | None = Field(
        default=None, description="What the energy counter covers; module where CPU and GPU share one (GH200)."
    )
    nvlinks: Count | None = Field(default=None, description="Active NVLink links.")
    pcie: str | None = Field(default=None, description="Generation and width of the link, e.g. gen5 x16.")


class GpuState(Record):
    """One line of gpu_states.jsonl: the state of one used GPU at one moment."""

    schema_version: Literal["scorekit.gpu_state/1"] = GPU_STATE_SCHEMA
    when: Literal["start", "repeat", "end", "watch"] = Field(
        description="After the model was loaded, before the answering window of a repeat, after the last one; watch: "
        "a change that a look once a second saw, within windows too, a long time without a look, and at last how it "
        "ended."
    )
    repeat: Count | None = Field(default=None, description="Number of the repeat from 0.")
    monotonic_s: Finite
    utc: str
    device: str = Field(description="UUID.")
    driver: str | None = None
    temperature_c: int | None = None
    power_w: Finite | None = None
    power_limit_w: Finite | None = Field(default=None, description="Enforced limit.")
    sm_clock_mhz: int | None = None
    mem_clock_mhz: int | None = None
    clocks_locked: bool | None = Field(
        default=None, description="Whether application or locked clocks other than the default are set."
    )
    reasons: int | None = Field(default=None, description="NVML's bits of clocks event reasons.")
    utilization_percent: int | None = None
    persistence: bool | None = None
    ecc: bool | None = None
    mig: bool | None = None
    foreign_processes: Count | None = Field(
        default=None, description="Compute processes on the GPU that are not of this run; None where not told."
    )
    looks: Count | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="In the last line of a watch, how often it saw them; None in all others, and in files of before "
        "this was recorded. Where foreign_processes is None there, the watch ended before the run.",
    )
    unwatched_s: Finite | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description=f"In a line of a watch that had not seen them for over {LONGEST_UNWATCHED_S:g} s, how long until "
        "then; in its last line the longest such time, however short. None in all others, and in files of before this "
        "was recorded.",
    )
