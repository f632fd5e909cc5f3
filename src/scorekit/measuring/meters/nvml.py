"""Our own meter of NVIDIA GPUs: NVML's energy counter, read at its ticks and worked out for the edges of each window.

NVML's counter gives mJ since the driver was loaded (Volta and newer; NVIDIA's NVML API reference,
nvmlDeviceGetTotalEnergyConsumption). Nothing is set on a GPU, ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from scorekit.errors import HardwareError, UsageError
from scorekit.measuring.meters import SAMPLING_S, MeterDevice, MeterRequest, PowerSample, SamplerCost
from scorekit.measuring.meters.counter import Estimate, energy_after_tick, energy_at, energy_between
from scorekit.measuring.meters.nvml_gpu import NvmlGpu
from scorekit.measuring.meters.rhythm import PRECISE_S, Edge, Read, Tick
from scorekit.measuring.meters.sampler import Sampler, Schedule
from scorekit.measuring.meters.samples import SampleLog
from scorekit.measuring.meters.track import Track
from scorekit.records import CounterEvidence, MeterReading
from scorekit.units import millijoules_to_wh

_NO_ACCESS: Final = "check that `nvidia-smi` works here (in a container: docker run --gpus all)"
_NO_COUNTER: Final = "GPUs before Volta have none; there, scenario.meters=[codecarbon] estimates from power"
_CALIBRATION_S: Final = 2.5
"""Within this time a working counter ticks at least five times (the slowest known one every 500 ms)."""
_JUST_NOW_S: Final = 0.02
"""A tick is so fresh that a window may begin: other meters are opened in the meantime."""
_ALIGNING_S: Final = 0.6
"""The slowest known counters tick every 500 ms; a window does not wait longer for one that does not."""
_SETTLING_S: Final = 1.5
_STILL_TICKS: Final = 5
"""A counter that stands still for so many ticks and one sample is frozen: a GPU always takes some power."""
_STILL_S: Final = 1.0
"""The same where the tick is not known."""
_SLOWEST_TICK_S: Final = 0.5
_JUMP: Final = 1.5
"""A counter that rises by so many times what the GPU may take has jumped: short peaks stand above the limit."""
_MOST_POWER_W: Final = 2000.0
"""Where the enforced limit is not known: no GPU takes as much (the largest of 2025, NVIDIA's B300, takes 1,400 W)."""


class NvmlMeter:
    """NVML's energy counters of the GPUs in use.

    Raises:
        UsageError: no GPU is to be measured.
        HardwareError: NVML cannot be used, a GPU is not there, or it has no energy counter.
    """

    name = "nvml"

    def __init__(self, request: MeterRequest) -> None:
        if not request.gpu_ids:
            raise UsageError(
                "the meter nvml has no GPU to measure: the model runs on the CPU",
                mend="scenario.meters=[auto], or name the GPUs to measure with scenario.gpus=[0]",
            )
        import pynvml

        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise HardwareError(
                f"NVML cannot be used: {error}",
                mend=_NO_ACCESS,
            ) from error
        self._nvml = pynvml
        self._sampler: Sampler | None = None
        try:
            self._gpus = [NvmlGpu(pynvml, gpu_id) for gpu_id in request.gpu_ids]
            for gpu in self._gpus:
                if gpu.read_counter() is None:
                    raise HardwareError(
                        f"GPU {gpu.uuid} gives no energy counter: {gpu.last_error}",
                        mend=_NO_COUNTER
                        if gpu.last_error == str(pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED))
                        else _NO_ACCESS,
                    )
            self._trace = SampleLog()
            self._schedule = Schedule(self._gpus, keep=self._trace.append)
            self._sampler = Sampler(self._schedule)
            # The rhythm must be known before the first window. A counter that does not tick is told in the readings.
            self._sampler.wait_until_calibrated(_CALIBRATION_S)
        except BaseException:
            self.stop()
            raise
        self._most_w: dict[str, float | None] = {}
        self._window: tuple[float, float] | None = None
        self._opened_s: float | None = None

    def devices(self) -> tuple[MeterDevice, ...]:
        """The GPUs, by UUID."""
        return tuple(MeterDevice("gpu", gpu.uuid) for gpu in self._gpus)

    def align(self) -> None:
        """Wait for the counter's next tick, unless one has just come."""
        assert self._sampler is not None
        self._sampler.wait_for_tick(_ALIGNING_S, just_now_s=_JUST_NOW_S)

    def open(self, window: str) -> None:  # noqa: ARG002 - this meter keeps no file a window
        """A window begins right after a tick of the counter."""
        assert self._sampler is not None
        self.align()
        self._opened_s = self._sampler.open()

    def close(self) -> None:
        """It has ended."""
        assert self._sampler is not None
        assert self._opened_s is not None
        closed_s = self._sampler.close()
        self._window, self._opened_s = (self._opened_s, closed_s), None

    def readings(self) -> tuple[MeterReading, ...]:
        """The energy of each GPU in the window; waits for two ticks after its end."""
        assert self._sampler is not None
        assert self._window is not None
        start_s, end_s = self._window
        self._sampler.wait_until_settled(_SETTLING_S)
        tracks = self._sampler.snapshot()
        return tuple(_reading(gpu, tracks[gpu.uuid], start_s, end_s, self._limit_w(gpu.uuid)) for gpu in self._gpus)

    def _limit_w(self, uuid: str) -> float | None:
        """The largest enforced limit of a GPU so far; None where NVML does not tell it."""
        try:
            handle = self._nvml.nvmlDeviceGetHandleByUUID(uuid)
            limit_w = self._nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000
        except self._nvml.NVMLError:
            return self._most_w.get(uuid)
        self._most_w[uuid] = max(limit_w, self._most_w.get(uuid) or 0.0)
        return self._most_w[uuid]

    def trace(self) -> Sequence[PowerSample]:
        """Ten samples a second of each GPU since the meter was made; they go on to come until it is stopped."""
        return self._trace

    def cost(self) -> SamplerCost:
        """What sampling took from the measured windows."""
        assert self._sampler is not None
        return SamplerCost(
            cpu_s=self._sampler.cpu_s, window_s=self._sampler.window_s, missed_samples=self._schedule.missed_samples
        )

    def stop(self) -> None:
        """End the thread and give NVML back."""
        if self._sampler is not None:
            self._sampler.stop()
        self._nvml.nvmlShutdown()


def _reading(gpu: NvmlGpu, track: Track, start_s: float, end_s: float, limit_w: float | None = None) -> MeterReading:
    reads, tick = list(track.reads), track.tick
    # With the reads that opening and closing took, so that nothing happens unseen at either end.
    inside = [read for read in reads if start_s - PRECISE_S <= read.t_s <= end_s + PRECISE_S]
    most_w = _JUMP * limit_w if limit_w else _MOST_POWER_W
    start, end = energy_at(start_s, reads, tick), energy_at(end_s, reads, tick)
    if tick is not None and end_s - start_s > tick.most_unseen_s:
        start = start or energy_after_tick(start_s, reads, tick, most_w)
        end = end or energy_after_tick(end_s, reads, tick, most_w)
    evidence = _evidence(inside, start_s, end_s, start, end, tick)
    problem = _problem(evidence, start, end, gpu.last_error) or _jump(_around(reads, start, end), tick, most_w)
    energy_wh = standard_wh = None
    if problem is None and start is not None and end is not None:
        energy_mj, standard_mj = energy_between(start, end)
        energy_wh, standard_wh = millijoules_to_wh(energy_mj), millijoules_to_wh(standard_mj)
    return MeterReading(
        meter=NvmlMeter.name,
        component="gpu",
        device=gpu.uuid,
        energy_wh=energy_wh,
        origin="measured",
        source="nvml_counter",
        standard_uncertainty_wh=standard_wh,
        problem=problem,
        counter=evidence,
    )


def _evidence(
    inside: Sequence[Read],
    start_s: float,
    end_s: float,
    start: Estimate | None,
    end: Estimate | None,
    tick: Tick | None,
) -> CounterEvidence:
    good = [read for read in inside if read.energy_mj is not None]
    moments = [start_s, *(read.t_s for read in good), end_s]
    return CounterEvidence(
        tick_s=None if tick is None else tick.period_s,
        tick_spread_s=None if tick is None else tick.spread_s,
        ticks_seen=0 if tick is None else tick.count,
        before_start=() if start is None else _pairs(start.before),
        after_start=() if start is None else _pairs(start.after),
        before_end=() if end is None else _pairs(end.before),
        after_end=() if end is None else _pairs(end.after),
        decreased=any(later.energy_mj < earlier.energy_mj for earlier, later in pairwise(good)),  # type: ignore[operator]
        failed_reads=len(inside) - len(good),
        reads=len(inside),
        longest_gap_s=max(later - earlier for earlier, later in pairwise(moments)),
        longest_still_s=_longest_still(good),
    )


def _longest_still(reads: Sequence[Read]) -> float:
    longest_s = 0.0
    since: Read | None = None
    for read in reads:
        if since is None or read.energy_mj != since.energy_mj:
            since = read
        longest_s = max(longest_s, read.t_s - since.t_s)
    return longest_s


def _pairs(edges: Sequence[Edge]) -> tuple[tuple[float, int], ...]:
    return tuple((edge.t_s, edge.energy_mj) for edge in edges)


def _problem(
    evidence: CounterEvidence, start: Estimate | None, end: Estimate | None, last_error: str | None
) -> str | None:
    """Why the difference of the counter cannot be the energy; None when it can."""
    if evidence.decreased:
        return "the energy counter went backwards: the driver was reloaded or the GPU reset"
    if evidence.failed_reads == evidence.reads:
        return f"NVML answered every read of the energy counter with an error ({last_error})"
    if evidence.longest_still_s > _frozen_s(evidence):
        return f"the energy counter stood still for {evidence.longest_still_s:.1f} s"
    if start is None or end is None:
        edge = "start" if start is None else "end"
        told = f" (NVML: {last_error})" if evidence.failed_reads and last_error else ""
        return f"the energy counter was not seen to tick around the {edge} of the window{told}"
    if end.energy_mj < start.energy_mj:
        return "the energy counter was lower at the end than at the start"
    return None


def _frozen_s(evidence: CounterEvidence) -> float:
    """A counter that stands still for longer is frozen [s]."""
    if evidence.tick_s is None:
        return _STILL_S
    return _STILL_TICKS * (evidence.tick_s + (evidence.tick_spread_s or 0.0)) + SAMPLING_S


def _around(reads: Sequence[Read], start: Estimate | None, end: Estimate | None) -> list[Read]:
    """The reads from which the energy of a window was worked out."""
    if start is None or end is None:
        return []
    good = [read for read in reads if read.energy_mj is not None]
    first, last = start.before[0], (end.after or end.before)[-1]
    first_s, last_s = first.t_s - first.half_width_s, last.t_s + last.half_width_s
    if not end.after:
        last_s = end.t_s + PRECISE_S
    return [read for read in good if first_s <= read.t_s <= last_s]


def _jump(reads: Sequence[Read], tick: Tick | None, most_w: float) -> str | None:
    """Why a rise of the counter cannot be energy; None where it can."""
    tick_s = _SLOWEST_TICK_S if tick is None else tick.period_s + 2 * tick.spread_s
    for earlier, later in pairwise(reads):
        assert earlier.energy_mj is not None
        assert later.energy_mj is not None
        step_j, span_s = (later.energy_mj - earlier.energy_mj) / 1000, later.t_s - earlier.t_s
        if step_j > most_w * (span_s + tick_s):
            return f"the energy counter jumped by {step_j:,.0f} J within {span_s:.2g} s: the GPU cannot take as much"
    return None
