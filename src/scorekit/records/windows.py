"""windows.jsonl: stretches of time in which energy was measured, with what each meter saw and how it saw it."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from scorekit.records.base import Count, Finite, Record

WINDOW_SCHEMA: Final = "scorekit.window/2"
SERVING_WINDOW_SCHEMA: Final = "scorekit.window/3"
"""Of runs that measure a server. Others are still written as version 2, which they are."""

Component = Literal["gpu", "cpu", "ram"]
Phase = Literal[
    "load_dataset",
    "load_model",
    "preprocess",
    "prefill",
    "generate",
    "forward",
    "call",
    "serve",
    "idle_before",
    "idle_after",
]
"""What a window holds. `generate` is prefill and decode together; decode alone is never a window. The idle windows
hold nothing but the loaded model, before the first repeat and after the last. `serve` is a stretch of a server's steady
state."""


class CounterEvidence(Record):
    """How one energy counter was read around one window, so that others can see whether its difference can be true.

    Times are of the monotonic clock [s], energies as NVML gives them [mJ].
    """

    tick_s: Finite | None = Field(description="Refresh period, calibrated in the run; None where it could not be.")
    tick_spread_s: Finite | None = Field(default=None, description="Standard deviation of the periods seen.")
    ticks_seen: Count = Field(description="Periods that the calibration rests on.")
    before_start: tuple[tuple[Finite, int], ...] = Field(
        description="Tick edges before the start: time, counter; none where no energy is known there."
    )
    after_start: tuple[tuple[Finite, int], ...] = Field(
        description="The first tick edges after the start; none where they were not seen."
    )
    before_end: tuple[tuple[Finite, int], ...] = Field(
        description="The last tick edges before the end, or at it; none as for the start."
    )
    after_end: tuple[tuple[Finite, int], ...] = Field(
        description="Tick edges after the end; none where they were not seen."
    )
    decreased: bool = Field(description="Whether the counter went backwards between start and end.")
    failed_reads: Count = Field(description="Reads from start to end that NVML answered with an error.")
    reads: Count = Field(description="Reads from start to end, failed ones included.")
    longest_gap_s: Finite = Field(description="Longest time from start to end without a good read.")
    longest_still_s: Finite = Field(description="Longest time from start to end over which the counter stood still.")


class MeterReading(Record):
    """What one meter saw of one device over one window."""

    meter: str = Field(description="Name of the meter, e.g. nvml.")
    component: Component = Field(description="What the device is.")
    device: str = Field(description="Which one: a GPU's UUID or index, else the component's name.")
    energy_wh: float | None = Field(
        description="Energy in Wh, as the meter gave it, even where it cannot be true; None where it gave none."
    )
    origin: Literal["measured", "modelled", "unknown"] = Field(description="Whether a sensor was read.")
    source: str | None = Field(default=None, description="The sensor or model behind it, e.g. nvml_counter.")
    standard_uncertainty_wh: Finite | None = Field(
        default=None,
        description="One standard deviation (k = 1) of the energy from how it was read at the window's edges; None "
        "where the meter does not tell.",
    )
    problem: str | None = Field(default=None, description="Why there is no energy, or why it cannot be true.")
    counter: CounterEvidence | None = Field(default=None, description="How the counter was read, where one was.")


class Served(Record):
    """What a server did in a window of phase `serve`.

    A query counts by the share of its time, from the request to the end of its answer, that lies in the window; so do
    its tokens. Summed over windows, each query counts once.
    """

    queries: Finite = Field(gt=0, description="Queries served.")
    passes: Finite = Field(gt=0, description="The same in passes over the samples.")
    input_tokens: Finite = Field(ge=0, description="Tokens of their prompts, as the server counted them.")
    output_tokens: Finite = Field(ge=0, description="Tokens of their answers, as the server counted them.")
    cached_input_tokens: Finite | None = Field(
        default=None,
        ge=0,
        description="Of the prompts' tokens, those that the server took from its cache, as it counted them; None where "
        "it does not tell.",
    )
    begun: Count = Field(description="Queries that were begun in the window.")
    repeated_prompts: Count | None = Field(
        default=None,
        description="Of these, those whose prompt had been asked before in the steady state; None in files of before "
        "this was recorded.",
    )
    ended: Count = Field(description="Queries whose answers ended in the window.")
    mean_in_flight: Finite = Field(ge=0, description="Queries that the server worked on or kept waiting, on average.")
    mean_latency_s: Finite | None = Field(description="Of the queries that ended in the window; None where none did.")


class Window(Record):
    """One line of windows.jsonl: one stretch of time in which energy was measured."""

    schema_version: Literal["scorekit.window/1", "scorekit.window/2", "scorekit.window/3"] = WINDOW_SCHEMA
    phase: Phase
    repeat: Count | None = Field(
        description="Number of the repeat from 0; None for loading and idling, which are not repeated."
    )
    start_monotonic_s: Finite
    end_monotonic_s: Finite
    start_utc: str = Field(description="Wall clock at the start, ISO 8601 with UTC offset.")
    end_utc: str
    start_boottime_s: Finite | None = Field(
        default=None, description="A clock that, unlike the monotonic one, goes on while the machine sleeps."
    )
    end_boottime_s: Finite | None = None
    readings: tuple[MeterReading, ...]
    passes: Count | None = Field(
        default=None,
        description="Passes over the samples in the window, of which short tasks take several. None for loading and "
        "idling, and in files of version 1, where it was one.",
    )
    samples: Count | None = Field(default=None, description="Queries counted in the window; None for loading.")
    batches: Count | None = Field(default=None, description="Calls of the model; None where it is not called.")
    failures: Count | None = Field(default=None, description="Queries that failed; None where none are asked.")
    input_tokens: Count | None = Field(default=None, description="Tokens given to a text model.")
    output_tokens: Count | None = Field(default=None, description="Tokens counted in what was generated.")
    early_ends: Count | None = Field(
        default=None, description="Answers that ended before the length that was asked for; None where none is asked."
    )
    truncated_inputs: Count | None = Field(
        default=None, description="Queries whose input was cut at what the model holds; None where it is not known."
    )
    images: Count | None = Field(default=None, description="Images made.")
    served: Served | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Of phase `serve` alone, from version 3 on; `samples` and the tokens beside it are the same to the "
        "nearest one.",
    )

    @model_validator(mode="after")
    def _served_where_a_server_is_measured(self) -> Window:
        serves = (self.phase == "serve", self.served is not None)
        if any(serves) and not (all(serves) and self.schema_version == SERVING_WINDOW_SCHEMA):
            raise ValueError(f"phase serve and served stand together, in {SERVING_WINDOW_SCHEMA}")
        return self

    @property
    def duration_s(self) -> float:
        """Length by the monotonic clock."""
        return self.end_monotonic_s - self.start_monotonic_s
