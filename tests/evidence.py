"""The evidence of a made-up run on an H100 in which everything is as it should be, and ways to spoil it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import fields, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from scorekit.records import Check, CounterEvidence, Environment, GpuFacts, GpuState, MeterReading, Window
from scorekit.units import joules_to_wh
from scorekit.validity import CHECKS, DeviceTrace, Evidence, PowerTrace
from tests.bundles import H100, NVML_GPU, environment, reading, window

OTHER_GPU = "GPU-00000000-0000-0000-0000-000000000002"
RUNS = 10
TICK_S = 0.1
PERIOD_S = 0.1
IDLE_W, EMPTY_W, LOAD_W, LIMIT_W = 100.0, 70.0, 400.0, 700.0
IDLE_S, PREPARING_S, ANSWERING_S, PAUSE_S = 20.0, 20.0, 60.0, 5.0
FACTS = H100.model_copy(
    update={
        "power_limit_default_w": LIMIT_W,
        "mig": False,
        "virtualization": "none",
        "counter_scope": "gpu",
        "architecture": "hopper",
    }
)

RUN = {"meters": ("nvml", "codecarbon"), "min_window_s": 60.0, "phases": False, "torch_dtype": "float16"}

_COLUMNS = tuple(column.name for column in fields(DeviceTrace))

Change = Callable[[Evidence], Evidence]


@lru_cache(maxsize=1)
def good_evidence() -> Evidence:
    """An official run of text generation with nothing to object to."""
    load: list[tuple[float, float]] = [(0.0, EMPTY_W)]
    windows: list[Window] = []
    states: list[GpuState] = []
    now = 100.0

    def work(phase: str, repeat: int | None, seconds: float, power_w: float, **counts: Any) -> None:
        nonlocal now
        load.append((now, power_w))
        made = window(phase, repeat, _readings(power_w * seconds), start_monotonic_s=now, **_times(now, seconds))
        windows.append(made.model_copy(update=counts))
        now += seconds
        load.append((now, EMPTY_W if phase == "preprocess" else IDLE_W))
        now += PAUSE_S

    for repeat in range(RUNS):
        work("preprocess", repeat, PREPARING_S, EMPTY_W)
    work("idle_before", None, IDLE_S, IDLE_W, samples=None)
    states.append(_state("start", None, now))
    for repeat in range(RUNS):
        states.append(_state("repeat", repeat, now - 0.5))
        # Repeats differ by a little, with no trend over them.
        power_w = LOAD_W * (1 + 0.001 * (0, 2, -1, 1, -2, 2, 0, -1, 1, -2)[repeat])
        work("generate", repeat, ANSWERING_S, power_w, output_tokens=10_000, passes=1, truncated_inputs=0)
    work("idle_after", None, IDLE_S, IDLE_W * 1.01, samples=None)
    states.append(_state("end", None, now))
    facts = environment(gpus=(FACTS,), run=RUN)
    return Evidence(
        environment=facts.model_copy(update={"torch_gpus": (NVML_GPU,), "model_gpus": (NVML_GPU,)}),
        windows=tuple(windows),
        states=tuple(states),
        trace=PowerTrace({NVML_GPU: _trace(load, now)}, PERIOD_S, sampler_cpu_s=0.5, sampler_wall_s=1000.0),
        run="good",
        star_probability=0.99,
    )


def cpu_evidence() -> Evidence:
    """A run of a tiny model on a CPU, as noisy as such runs are."""
    facts = environment(
        "text_classification",
        gpus=(),
        run={"num_samples": 20, "runs": 3},
        model={"local": True, "revision": None, "random_weights": True},
        dataset={"local": True, "revision": None, "rows": 20, "name": "text_classification"},
    )
    windows = []
    for repeat in range(3):
        prepared = [reading("cpu", 1e-6 * 3**repeat), reading("ram", 1e-7)]
        answered = [reading("cpu", 1e-4 * 1.6**repeat), reading("ram", 1e-5)]
        short = {"end_monotonic_s": 100.001, "end_utc": "2025-06-01T12:00:00.001+00:00", "samples": 20}
        windows.append(window("preprocess", repeat, prepared, **short))
        windows.append(window("forward", repeat, answered, samples=20, batches=20))
    return Evidence(facts, tuple(windows), run="cpu")


def change_windows(which: Callable[[Window], bool], **changes: Any) -> Change:
    """Facts of some windows changed, unchecked as a file may be."""

    def change(evidence: Evidence) -> Evidence:
        return replace(
            evidence, windows=tuple(w.model_copy(update=changes) if which(w) else w for w in evidence.windows)
        )

    return change


def change_readings(
    which: Callable[[Window], bool], meter: str | None = "nvml", of_gpu: str | None = None, **changes: Any
) -> Change:
    """Facts of GPUs' readings changed; a callable is given the old value.

    Args:
        which: windows.
        meter: whose readings; all meters' where None.
        of_gpu: the device whose readings; all GPUs' where None.
    """

    def changed(found: MeterReading) -> MeterReading:
        if found.component != "gpu" or meter not in (None, found.meter) or of_gpu not in (None, found.device):
            return found
        new = {key: value(getattr(found, key)) if callable(value) else value for key, value in changes.items()}
        return found.model_copy(update=new)

    def change(evidence: Evidence) -> Evidence:
        return replace(
            evidence,
            windows=tuple(
                w.model_copy(update={"readings": tuple(changed(found) for found in w.readings)}) if which(w) else w
                for w in evidence.windows
            ),
        )

    return change


def change_counter(which: Callable[[Window], bool], **changes: Any) -> Change:
    """Facts of how the counter was read changed."""
    return change_readings(which, counter=lambda old: old.model_copy(update=changes))


def change_energy(which: Callable[[Window], bool], factor: float) -> Change:
    """Every meter's energy of some windows multiplied."""

    def change(evidence: Evidence) -> Evidence:
        for meter in ("nvml", "codecarbon"):
            evidence = change_readings(which, meter, energy_wh=lambda old: old * factor)(evidence)
        return evidence

    return change


def change_states(which: Callable[[GpuState], bool], **changes: Any) -> Change:
    """Facts of some states changed."""

    def change(evidence: Evidence) -> Evidence:
        states = evidence.states or ()
        return replace(evidence, states=tuple(s.model_copy(update=changes) if which(s) else s for s in states))

    return change


def change_trace(quantity: str, value: Callable[[float, float], float], device: str = NVML_GPU) -> Change:
    """One quantity of the samples changed; the callable is given time and old value."""

    def change(evidence: Evidence) -> Evidence:
        trace = evidence.trace
        assert trace is not None
        old = trace.devices[device]
        values = tuple(value(t, v) for t, v in zip(old.t_s, getattr(old, quantity), strict=True))
        return replace(evidence, trace=replace(trace, devices={device: replace(old, **{quantity: values})}))

    return change


def gain(factor: float) -> Change:
    """A counter that counts too much or too little all the time, in the readings and in the samples."""

    def change(evidence: Evidence) -> Evidence:
        return change_trace("counter_mj", lambda _t, v: v * factor)(change_energy(lambda _: True, factor)(evidence))

    return change


def unofficial(evidence: Evidence) -> Evidence:
    """The same run with nine repeats asked for: one that claims no protocol."""
    return change_facts(run={"runs": 9})(evidence)


def drop_samples(start_s: float, end_s: float) -> Change:
    """An outage of the sampler."""

    def change(evidence: Evidence) -> Evidence:
        trace = evidence.trace
        assert trace is not None
        old = trace.devices[NVML_GPU]
        kept = [at for at, t_s in enumerate(old.t_s) if not start_s <= t_s <= end_s]
        columns = {name: tuple(getattr(old, name)[at] for at in kept) for name in _COLUMNS if getattr(old, name)}
        return replace(evidence, trace=replace(trace, devices={NVML_GPU: DeviceTrace(**columns)}))

    return change


def change_facts(**changes: Any) -> Change:
    """Facts of the environment changed."""

    def change(evidence: Evidence) -> Evidence:
        return replace(evidence, environment=_updated(evidence.environment, changes))

    return change


def change_gpu(**changes: Any) -> Change:
    """Facts of the GPU changed."""

    def change(evidence: Evidence) -> Evidence:
        gpus: tuple[GpuFacts, ...] = tuple(g.model_copy(update=changes) for g in evidence.environment.gpus)
        return replace(evidence, environment=evidence.environment.model_copy(update={"gpus": gpus}))

    return change


def _updated(facts: Environment, changes: dict[str, Any]) -> Environment:
    update = {
        key: getattr(facts, key).model_copy(update=value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    return facts.model_copy(update=update)


def of_phase(phase: str, *repeats: int) -> Callable[[Window], bool]:
    """Windows of a phase, of all repeats where none is named."""
    return lambda found: found.phase == phase and (not repeats or found.repeat in repeats)


def at(phase: str, repeat: int | None) -> Window:
    """One window of the good run."""
    (found,) = [w for w in good_evidence().windows if w.phase == phase and w.repeat == repeat]
    return found


def check_of(evidence: Evidence, name: str) -> Check:
    """What one check says of a run."""
    (check,) = [check for check in CHECKS if check.__name__ == name]
    return check(evidence)


def _readings(energy_j: float) -> list[MeterReading]:
    energy_wh = joules_to_wh(energy_j)
    counter = CounterEvidence(
        tick_s=TICK_S,
        tick_spread_s=0.001,
        ticks_seen=30,
        before_start=(),
        after_start=(),
        before_end=(),
        after_end=(),
        decreased=False,
        failed_reads=0,
        reads=600,
        longest_gap_s=0.1,
        longest_still_s=0.2,
    )
    own = reading("gpu", energy_wh, meter="nvml", source="nvml_counter", standard_uncertainty_wh=1e-4, counter=counter)
    return [own, reading("gpu", energy_wh * 1.002), reading("cpu", 0.2), reading("ram", 0.1)]


def _times(start_s: float, seconds: float) -> dict[str, Any]:
    def utc(t_s: float) -> str:
        minutes, rest = divmod(t_s, 60)
        return f"2025-06-01T{12 + int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{rest:06.3f}+00:00"

    end_s = start_s + seconds
    return {
        "end_monotonic_s": end_s,
        "start_utc": utc(start_s),
        "end_utc": utc(end_s),
        "start_boottime_s": start_s + 5000,
        "end_boottime_s": end_s + 5000,
    }


def _state(when: Any, repeat: int | None, t_s: float) -> GpuState:
    return GpuState(
        when=when,
        repeat=repeat,
        monotonic_s=t_s,
        utc="2025-06-01T12:00:00+00:00",
        device=NVML_GPU,
        driver="570.0",
        temperature_c=40,
        power_w=IDLE_W,
        power_limit_w=LIMIT_W,
        sm_clock_mhz=1980,
        mem_clock_mhz=2619,
        clocks_locked=False,
        reasons=1,
        utilization_percent=0,
        persistence=True,
        ecc=True,
        mig=False,
        foreign_processes=0,
    )


def _trace(load: list[tuple[float, float]], end_s: float) -> DeviceTrace:
    """Samples of a power that changes in steps; each is the mean over the last second, as drivers give it."""
    starts = [t_s for t_s, _ in load]
    sums = [0.0]
    for (t0, power_w), (t1, _) in pairwise(load):
        sums.append(sums[-1] + (t1 - t0) * power_w)

    def energy(t_s: float) -> float:
        at = bisect_right(starts, t_s) - 1
        return sums[at] + (t_s - starts[at]) * load[at][1]

    times = [90.0 + PERIOD_S * number for number in range(math.ceil((end_s - 90.0) / PERIOD_S))]
    busy = [load[bisect_right(starts, t_s) - 1][1] > 2 * IDLE_W for t_s in times]
    return DeviceTrace(
        t_s=times,
        power_w=[energy(t_s) - energy(t_s - 1.0) for t_s in times],
        counter_mj=[math.floor(energy(t_s) * 1000) for t_s in times],
        temperature_c=[60.0 if works else 40.0 for works in busy],
        sm_clock_mhz=[1755.0 if works else 1980.0 for works in busy],
        mem_clock_mhz=[2619.0] * len(times),
        reasons=[4.0 if works else 1.0 for works in busy],
        utilization_percent=[100.0 if works else 0.0 for works in busy],
    )
