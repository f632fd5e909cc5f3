"""All that the checks of a run may look at, and the views of it that they share."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from scorekit.records import Component, Environment, GpuFacts, GpuState, MeterReading, Window
from scorekit.units import wh_to_joules
from scorekit.validity.comparability import claims_protocol
from scorekit.validity.trace import DeviceTrace, PowerTrace

TICK_S: Final = 0.1
"""How often the counter of an A100 or H100 moves (arXiv 2312.02741): taken where a run did not find out."""
_COMPONENTS: Final[tuple[Component, ...]] = ("gpu", "cpu", "ram")


@dataclass(frozen=True)
class Evidence:
    """What a run left behind. Its views are worked out once: each of the 26 checks asks for them for every window.

    Attributes:
        environment: machine, software, model, data, and what was asked.
        windows: every window, in the order of measuring.
        states: states of the used GPUs between windows; None where none were recorded.
        trace: sampled power, clocks and temperature; None where none was recorded.
        run: the run's name, for the record.
        star_probability: how likely the score's star is; None where it has not been rated.
        idle_asked: whether an idle baseline was to be measured. It always is in a run; of any code it is a choice.
    """

    environment: Environment
    windows: tuple[Window, ...]
    states: tuple[GpuState, ...] | None = None
    trace: PowerTrace | None = None
    run: str = "run"
    star_probability: float | None = None
    idle_asked: bool = True

    @cached_property
    def answers(self) -> tuple[Window, ...]:
        """Windows in which the model answers, by repeat."""
        return self._of_phase(self.environment.run.kind)

    @cached_property
    def preparations(self) -> tuple[Window, ...]:
        """Windows in which inputs are prepared, by repeat."""
        return self._of_phase("preprocess")

    @cached_property
    def repeated(self) -> tuple[Window, ...]:
        """Every window of every repeat."""
        return tuple(window for window in self.windows if window.repeat is not None)

    def idle(self, phase: Literal["idle_before", "idle_after"]) -> tuple[Window, ...]:
        """Windows in which nothing was asked of the loaded model."""
        return tuple(window for window in self.windows if window.phase == phase)

    def _of_phase(self, phase: str) -> tuple[Window, ...]:
        found = [window for window in self.windows if window.phase == phase and window.repeat is not None]
        return tuple(sorted(found, key=lambda window: window.repeat or 0))

    def meter_of(self, component: Component) -> str | None:
        """The meter whose readings of a component make the score: the first in the run's order that has any."""
        return self._meters[component]

    @cached_property
    def _meters(self) -> dict[Component, str | None]:
        readers = {
            (reading.component, reading.meter)
            for window in (*self.preparations, *self.answers)
            for reading in window.readings
        }
        names = self.environment.run.meters
        return {part: next((name for name in names if (part, name) in readers), None) for part in _COMPONENTS}

    @cached_property
    def on_gpu(self) -> bool:
        """Whether the score is the energy of GPUs."""
        return self.meter_of("gpu") is not None

    @property
    def computes_on_gpu(self) -> bool:
        """Whether the model ran on them. GPUs may be named by hand beside a model on the CPU."""
        return self.on_gpu and not self.environment.run.device.startswith("cpu")

    @property
    def warm_up(self) -> str:
        """The setting of what comes before the first window."""
        return "scenario.warmup_runs" if self.environment.serving is None else "scenario.warmup_queries"

    @cached_property
    def official(self) -> bool:
        """Whether the run can only have been meant as an official one: queries, repeats and GPUs are the protocol's."""
        return claims_protocol(self.environment) and self.computes_on_gpu

    @property
    def must_tell(self) -> bool:
        """Whether what was not recorded fails: in an official run by our own meter, which records all of it.

        CodeCarbon records nothing of how it read its counter; such a run is valid, and not comparable instead
        (`comparability.untold`).
        """
        return self.official and self.meter_of("gpu") == "nvml"

    def readings(self, window: Window, component: Component = "gpu") -> tuple[MeterReading, ...]:
        """Readings of a component by the meter that makes the score."""
        found = self._readings.get(id(window)) or self._read(window)
        return found.get(component, ())

    @cached_property
    def _readings(self) -> dict[int, dict[Component, tuple[MeterReading, ...]]]:
        """Those of each window of the run; while it is held here, no other object has its id."""
        return {id(window): self._read(window) for window in self.windows}

    def _read(self, window: Window) -> dict[Component, tuple[MeterReading, ...]]:
        found: dict[Component, tuple[MeterReading, ...]] = {}
        for reading in window.readings:
            component = reading.component
            if reading.meter == self._meters[component]:
                found[component] = (*found.get(component, ()), reading)
        return found

    def scored(self, window: Window) -> list[MeterReading]:
        """Readings that make the score: those of the GPUs, or of CPU and RAM where no GPU was read."""
        components: tuple[Component, ...] = ("gpu",) if self.on_gpu else _COMPONENTS[1:]
        return [reading for component in components for reading in self.readings(window, component)]

    def energy_wh(self, window: Window) -> float | None:
        """Energy of the score's devices over a window; None where one of them has none that can be true."""
        energies = [reading.energy_wh for reading in self.scored(window)]
        known = [energy for energy in energies if energy is not None and math.isfinite(energy) and energy >= 0]
        return math.fsum(known) if known and len(known) == len(energies) else None

    def repeats_wh_per_query(self) -> dict[int, float]:
        """Energy of a query in each repeat whose energies are all there and positive."""
        found = {}
        if self.environment.serving is not None:
            energies = [(window, self.energy_wh(window)) for window in self.answers]
            return {
                window.repeat: energy_wh / window.served.queries
                for window, energy_wh in energies
                if energy_wh and window.served is not None and window.repeat is not None
            }
        if not self.preparations:
            # Of code as it is, one window is the whole repeat. A run without its preparations is refused for that.
            return {
                window.repeat: energy_wh / window.samples
                for window in self.answers
                if window.samples and window.repeat is not None and (energy_wh := self.energy_wh(window))
            }
        answers = {window.repeat: window for window in self.answers}
        for preparation in self.preparations:
            answer = answers.get(preparation.repeat)
            if answer is None or preparation.repeat is None:
                continue
            prepared_wh, answered_wh = self.energy_wh(preparation), self.energy_wh(answer)
            if prepared_wh is None or not answered_wh or not answer.samples:
                continue
            queries = preparation.samples or self.environment.run.num_samples
            found[preparation.repeat] = prepared_wh / max(queries, 1) + answered_wh / answer.samples
        return found

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """Every GPU whose energy is in the score, as the meter names it."""
        return tuple(sorted({found.device for window in self.repeated for found in self.readings(window)}))

    def facts(self, device: str) -> GpuFacts | None:
        """What a GPU is, by its UUID or index."""
        return next((gpu for gpu in self.environment.gpus if device in (gpu.uuid, str(gpu.index))), None)

    def states_of(self, device: str) -> tuple[GpuState, ...]:
        """States of one GPU, in the order of time."""
        return self._states.get(device, ())

    @cached_property
    def _states(self) -> dict[str, tuple[GpuState, ...]]:
        found: dict[str, list[GpuState]] = {}
        for state in self.states or ():
            found.setdefault(state.device, []).append(state)
        return {device: tuple(states) for device, states in found.items()}

    def window_at(self, t_s: float) -> Window | None:
        """The window that holds a moment."""
        return next((w for w in self.windows if w.start_monotonic_s <= t_s <= w.end_monotonic_s), None)

    def states_between(self, device: str) -> dict[str, GpuState | None]:
        """The states of a GPU that every run must have, by their moments; None for each that is missing."""
        states = {(state.when, state.repeat): state for state in self.states_of(device)}
        moments: dict[str, GpuState | None] = {"the start": states.get(("start", None))}
        for window in self.answers:
            moments[f"repeat {window.repeat}"] = states.get(("repeat", window.repeat))
        return moments | {"the end": states.get(("end", None))}

    def moments_without(self, device: str, *facts: str) -> list[str]:
        """Moments at which the state of a GPU lacks one of some facts."""
        return [
            moment
            for moment, state in self.states_between(device).items()
            if state is None or any(getattr(state, fact) is None for fact in facts)
        ]

    def limits_w(self, device: str) -> list[float]:
        """Enforced power limits of a GPU, in the order of time."""
        return [state.power_limit_w for state in self.states_of(device) if state.power_limit_w is not None]

    def trace_of(self, device: str) -> DeviceTrace | None:
        """Samples of one GPU."""
        return None if self.trace is None else self.trace.of(device)

    def tick_s(self, window: Window, device: str) -> float | None:
        """How often the GPU's counter moves, as found in the run; None where it was not."""
        for reading in self.readings(window):
            if reading.device == device and reading.counter is not None:
                return reading.counter.tick_s
        return None

    def idle_power_w(self, device: str) -> float | None:
        """The lower of a GPU's mean idle powers before and after the repeats."""
        if device not in self._idle_powers_w:
            found = [self.mean_idle_w("idle_before", device), self.mean_idle_w("idle_after", device)]
            self._idle_powers_w[device] = min((power for power in found if power is not None), default=None)
        return self._idle_powers_w[device]

    @cached_property
    def _idle_powers_w(self) -> dict[str, float | None]:
        """Those that were asked for: checks ask for each window."""
        return {}

    def mean_idle_w(self, phase: Literal["idle_before", "idle_after"], device: str) -> float | None:
        """Mean power of one GPU over its idle windows of a phase."""
        return mean(
            power
            for window in self.idle(phase)
            for reading in self.readings(window)
            if reading.device == device and (power := mean_power_w(window, reading)) is not None
        )


def mean_power_w(window: Window, reading: MeterReading) -> float | None:
    """Mean power [W] of a reading over its window; None where there is no finite energy or no time."""
    if reading.energy_wh is None or not math.isfinite(reading.energy_wh) or window.duration_s <= 0:
        return None
    return wh_to_joules(reading.energy_wh) / window.duration_s


def mean(values: Iterable[float]) -> float | None:
    """Arithmetic mean; None of nothing."""
    found = list(values)
    return statistics.fmean(found) if found else None
