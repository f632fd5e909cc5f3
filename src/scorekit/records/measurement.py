"""One file a measurement: the energy of any code, as `scorekit.measure` found it and `save` wrote it."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record
from scorekit.records.score import Uncertainty
from scorekit.records.validity import Check
from scorekit.records.windows import Component

MEASUREMENT_SCHEMA: Final = "scorekit.measurement/1"


class DeviceEnergy(Record):
    """What one meter saw of one device."""

    component: Component
    device: str = Field(description="A GPU's UUID or index, else the component's name.")
    meter: str
    source: str | None = Field(default=None, description="The sensor or model behind it.")
    origin: Literal["measured", "modelled", "unknown"] = Field(description="Whether a sensor was read.")
    energy_wh: Finite | None = Field(
        description="Of one pass: the mean over the repeats. None where a repeat has none that can be true."
    )
    counted: bool = Field(description="Whether it is a term of `energy_wh` of the whole; others stand beside that.")
    problem: str | None = Field(default=None, description="Why there is no energy, as the meter tells it.")


class WindowEnergy(Record):
    """One window, which is one repeat."""

    repeat: Count = Field(description="Number, from 0.")
    start_utc: str = Field(description="ISO 8601 with UTC offset.")
    duration_s: Finite = Field(description="Of the window.")
    passes: int = Field(ge=1, description="Passes over the samples in it.")
    energy_wh: Finite | None = Field(description="Of one pass; None where there is none that can be true.")


class Measurement(Record):
    """The energy of one pass of some code, and how sure it is."""

    schema_version: Literal["scorekit.measurement/1"] = MEASUREMENT_SCHEMA
    name: str | None = Field(description="What was measured, as its user calls it.")
    task: str | None = Field(default=None, description="What it did, in the user's word; none of the protocol's tasks.")
    created_utc: str
    scorekit_version: str
    hardware: str | None = Field(description="Name of the GPUs, or of the CPU where none was measured.")
    gpu_count: int | None = Field(default=None, ge=1, description="GPUs whose energy it is.")
    samples: int | None = Field(ge=1, description="Samples of one pass, as the user told; None where nobody did.")
    domain: Literal["gpu", "cpu+ram"] | None = Field(description="What `energy_wh` covers; None where nothing does.")
    origin: Literal["measured", "modelled", "mixed", "unknown"]
    meters: tuple[str, ...] = Field(description="Meters that ran, the most trusted first.")
    energy_wh: Finite | None = Field(gt=0, description="Of one pass over the samples: the mean over the repeats.")
    wh_per_1000_samples: Finite | None = Field(gt=0, description="The same for 1,000 samples.")
    duration_s: Finite | None = Field(description="Mean length of one pass.")
    uncertainty: Uncertainty | None = Field(
        description="Of `energy_wh`, each source apart. Its interval is that of 1,000 samples, and None without them."
    )
    meters_95_percent: Finite | None = Field(
        default=None,
        description="What the meters alone leave open at 95 %, without the repeats' spread and the board's gain; None "
        "where a part of it cannot be told.",
    )
    idle_power_w: Finite | None = Field(default=None, description="With nothing asked; None where not measured.")
    energy_net_wh: Finite | None = Field(
        default=None, description="`energy_wh` without the idle power for as long; beside it, never in its place."
    )
    devices: tuple[DeviceEnergy, ...]
    windows: tuple[WindowEnergy, ...] = Field(description="One a repeat, in their order.")
    checks: tuple[Check, ...] = Field(description="Those of a run's checks that hold for any code.")
    valid: bool = Field(description="Whether there is an energy and no check failed.")
    refused: str | None = Field(default=None, description="Why there is no energy.")
    notes: tuple[str, ...] = Field(default=(), description="What else a reader should know.")
