"""The config classes that scorekit adds to optimum-benchmark's, and their registration with Hydra.

`scenario: energy_star` and `launcher: process` in any YAML, optimum-benchmark's own included, give ours; every other
backend, scenario and launcher stays theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from scorekit import tasks
from scorekit.errors import UsageError
from scorekit.measuring import bridge, gpu_lock
from scorekit.tasks import DEFAULT_NEW_TOKENS, OFFICIAL_IMAGE_STEPS
from scorekit.uncertainty import LEAST_REPEATS

bridge.apply()

from optimum_benchmark import EnergyStarConfig, ProcessConfig  # noqa: E402

GENERATE_DEFAULTS: dict[str, Any] = {
    "num_return_sequences": 1,
    "max_new_tokens": DEFAULT_NEW_TOKENS,
    "min_new_tokens": DEFAULT_NEW_TOKENS,
    "do_sample": False,
    "use_cache": True,
    "num_beams": 1,
}
"""Greedy decoding of exactly 100 tokens, where a config names no length (the protocol's rule)."""

CALL_DEFAULTS: dict[str, Any] = {"num_inference_steps": OFFICIAL_IMAGE_STEPS, "num_images_per_prompt": 1}


@dataclass
class EnergyStarSettings(EnergyStarConfig):  # type: ignore[misc]
    """`scenario: energy_star`: optimum-benchmark's options and ours.

    Attributes:
        runs: repeats of the whole pass; each is kept. optimum-benchmark's own files make one.
        phases: measure prefill as a pass of its own, so that decode can be told apart.
        meters: which meters record each window, the first being the score's; `auto` takes what the machine has.
        gpus: which GPUs are measured: `auto` for those that the model uses, or a list of indices or UUIDs.
        min_window_s: short tasks repeat their pass over the samples until an answering window is so long. Where a GPU
            is measured; the energy of a CPU does not come in ticks.
        idle_s: length of the idle baseline before the first and after the last repeat, with the model loaded. Where a
            GPU is measured.
        max_gap_s: longest random gap before a window. Where a GPU is measured.
        cool_down_s: longest time to wait before a repeat for a GPU to come within 3 C of where it was at first.
        target_ci: relative half-width of the 95 % interval at which repeats end, after three at least and `runs` at
            most; None for exactly `runs`.
        replay: the recorded trace for the meter `replay`.
        country_iso_code: where the electricity comes from, for CodeCarbon's own files; never looked up online.
        dataset_revision: commit of the dataset on the Hub.
        extra_task: name of a plugin's task, which then tells how samples are encoded and the model is called; None for
            a task of the protocol.
    """

    _target_: str = "scorekit.measuring.scenario.EnergyStarScenario"

    runs: int = 1
    phases: bool = True
    meters: list[str] = field(default_factory=lambda: ["auto"])
    gpus: Any = "auto"
    min_window_s: float = 10.0
    idle_s: float = 10.0
    max_gap_s: float = 1.0
    cool_down_s: float = 120.0
    target_ci: float | None = None
    replay: str | None = None
    country_iso_code: str = "USA"
    dataset_revision: str | None = None
    extra_task: str | None = None
    generate_kwargs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.extra_task is not None:
            tasks.extra_task(self.extra_task)  # Refused here, before anything is loaded.
            if self.name != "energy_star":
                raise UsageError(
                    f"scenario.extra_task is for scenario energy_star, not {self.name}",
                    mend="leave scenario.extra_task out",
                )
            if self.reasoning:
                raise UsageError(
                    f"scenario.reasoning is for the task reasoning, not {self.extra_task}",
                    mend="leave scenario.reasoning out",
                )
        self._settle_lengths()
        lengths: dict[str, Any] = self.generate_kwargs
        if self.reasoning and lengths.get("min_new_tokens") != lengths.get("max_new_tokens"):
            # The parent class refuses a range; a reasoning model may end its answer when it is done.
            self.generate_kwargs = {}
            super().__post_init__()
            self.generate_kwargs = lengths
        else:
            super().__post_init__()
        if self.runs < 1:
            raise UsageError(
                f"scenario.runs={self.runs}, but at least one repeat must be measured", mend="scenario.runs=3"
            )
        if self.num_samples != -1 and self.num_samples < 1:
            raise UsageError(
                f"scenario.num_samples={self.num_samples} asks for no sample",
                mend="scenario.num_samples=10, or -1 for the whole dataset",
            )
        if int(self.input_shapes["batch_size"]) < 1:
            raise UsageError("scenario.input_shapes.batch_size must be at least 1")
        for name in ("min_window_s", "idle_s", "max_gap_s", "cool_down_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"scenario.{name}={getattr(self, name)} is no time", mend=f"scenario.{name}=0 or more")
        if self.target_ci is not None and not 0 < self.target_ci < 1:
            raise UsageError(
                f"scenario.target_ci={self.target_ci} is no relative half-width", mend="scenario.target_ci=0.01"
            )
        if self.target_ci is not None and self.runs < LEAST_REPEATS:
            raise UsageError(
                f"scenario.target_ci needs {LEAST_REPEATS} repeats, and scenario.runs={self.runs} allows fewer",
                mend="scenario.runs=30, the most that will be made",
            )
        if self.warmup_runs < 0:
            raise UsageError("scenario.warmup_runs must not be negative")
        if self.max_length != -1 or self.resize:
            raise UsageError(
                "scenario.max_length and scenario.resize are no part of the protocol, and nothing reads them",
                mend="leave them out: inputs are cut at what the model holds, and its processor sizes images",
            )
        if not self.energy:
            raise UsageError("scenario.energy=false leaves nothing to measure", mend="scenario.energy=true")
        if not self.dataset_name:
            raise UsageError("no dataset is named", mend="scenario.dataset_name=ORG/NAME or a folder")

    def _settle_lengths(self) -> None:
        # max_new_tokens decides in generate() whenever both are given; keeping max_length would only warn there.
        lengths = {key: value for key, value in self.generate_kwargs.items() if key != "max_length"}
        if "max_length" in self.generate_kwargs and not {"max_new_tokens", "min_new_tokens"} & set(lengths):
            # optimum-benchmark's summarization names its ten tokens so; the default of 100 would win over it.
            lengths["max_new_tokens"] = lengths["min_new_tokens"] = self.generate_kwargs["max_length"]
        if self.reasoning and "max_new_tokens" in lengths:
            # With the default of 100 a short answer would be drawn out.
            lengths.setdefault("min_new_tokens", 1)
        self.generate_kwargs = lengths
        low, high = lengths.get("min_new_tokens"), lengths.get("max_new_tokens")
        if low is not None and high is not None and low != high and not self.reasoning:
            raise UsageError(
                f"scenario.generate_kwargs asks for {low} to {high} new tokens; the protocol asks for an exact number",
                mend=f"set both min_new_tokens and max_new_tokens to {high}",
            )

    @property
    def exact_new_tokens(self) -> int | None:
        """Tokens that every query yields, or None where a query may end early (reasoning)."""
        low, high = self.generate_kwargs.get("min_new_tokens"), self.generate_kwargs.get("max_new_tokens")
        return int(high) if high is not None and low == high else None


@dataclass
class ProcessSettings(ProcessConfig):  # type: ignore[misc]
    """`launcher: process`: the measuring process, watched without using the CPU.

    Attributes:
        startup_timeout_s: seconds within which the process must report that it runs.
        stop_timeout_s: seconds that it gets to stop after a signal, before it is killed.
        gpu_wait_s: seconds to wait for GPUs that another measured run of this machine uses; 0 fails at once.
    """

    _target_: str = "scorekit.measuring.launcher.ProcessLauncher"

    startup_timeout_s: float = 300.0
    stop_timeout_s: float = 20.0
    gpu_wait_s: float = gpu_lock.WAIT_S
