"""From the readings of a log of GPUs' power to one result a GPU. Pure.

What a gap or a clock jump spoils is told by its share of the time: up to UNSEEN_SPOILS the straight line across it may
be wrong by that share of the energy at most about as much as boards differ; beyond it nothing is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from scorekit import __version__
from scorekit.errors import LogError
from scorekit.logs.foreign.csv_table import told
from scorekit.logs.foreign.power_series import GAP_PERIODS, PowerSeries, PowerTotal
from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.logs.foreign.times import LocalClock
from scorekit.logs.places import Place
from scorekit.records import Fault, FaultCode, Result, Source
from scorekit.units import joules_to_wh, wh_to_kwh

UNSEEN_SPOILS: Final = 0.01
"""Share of the time in gaps, or lost to clock jumps, beyond which the energy is not used: 1 %, as the two meters of a
run may differ by at most."""
LEFT_OUT_SPOILS: Final = 0.01
"""Share of the rows that could not be read, beyond which the energy is not used."""
BUNCHED: Final = 0.25
"""Share of short intervals above which the readings of a GPU without a name are those of several: of two it is half."""
ONE_PACE: Final = 0.95
"""Share of intervals like the usual one from which the readings of a GPU without a name can be those of one: of four
GPUs read in turn at most three in four are alike, of sixteen fifteen."""
IN_TURN: Final = 0.25
"""Below this share of the change from reading to reading, every other reading is of another GPU: of one GPU, a reading
differs from the one before the last about as much as from the last, or more."""
LEAST_TURNS: Final = 20
"""Fewer readings do not show whether powers take turns."""
MOST_GPUS: Final = 256
"""More GPUs in one log are a wrong column: the largest machines have sixteen."""
NO_TIMES: Final = (
    "the log has no times and does not tell at which interval it was written, so its power makes no energy"
)


@dataclass(slots=True)
class _Gpu:
    series: PowerSeries = field(default_factory=PowerSeries)
    hardware: str | None = None
    untimed: int = 0
    missing_as: str | None = None


@dataclass(slots=True)
class _Oddity:
    code: FaultCode
    spoils: bool
    first: str
    count: int = 0


class PowerLog:
    """Gathers the readings of a power log.

    Args:
        place: the file.
        meter: what told the power, e.g. `nvidia-smi power.draw`.

    Attributes:
        clock: reads the log's times.
    """

    def __init__(self, place: Place, meter: str) -> None:
        self.clock = LocalClock()
        self._place, self._meter = place, meter
        self._gpus: dict[str | None, _Gpu] = {}
        self._oddities: dict[str, _Oddity] = {}
        self._left_out = self._rows = self._powers = 0

    @property
    def has_readings(self) -> bool:
        """Whether a power was told so far."""
        return self._powers > 0

    def reading(
        self, device: str | None, t_s: float | None, power_w: float | None, *, where: Callable[[], str], cell: str
    ) -> None:
        """One row of one GPU.

        Args:
            device: how the log tells the GPU from others.
            t_s: when; None where the log has no times.
            power_w: None where it is not told.
            where: tells the place of the cell, for messages.
            cell: what stands there.

        Raises:
            LogError: there are more GPUs than any machine has.
        """
        gpu = self._gpus.get(device)
        if gpu is None:
            if len(self._gpus) >= MOST_GPUS:
                raise LogError(f"{where()}: more than {MOST_GPUS} GPUs", mend="the GPUs' column holds something else")
            gpu = self._gpus[device] = _Gpu()
        self._rows += 1
        self._powers += power_w is not None
        if power_w is None and gpu.missing_as is None:
            gpu.missing_as = f"{where()}: '{told(cell)}'"
        if t_s is None:
            gpu.untimed += 1
        else:
            gpu.series.add(t_s, power_w)

    def named(self, device: str | None, hardware: str, where: Callable[[], str]) -> None:
        """The model of a GPU, as a row gives it."""
        gpu = self._gpus.get(device)
        if gpu is None or gpu.hardware == hardware:
            return
        if gpu.hardware is not None:
            message = f"{where()}: the GPU is a {told(hardware)}, but before it was a {told(gpu.hardware)}"
            self.oddity("name", "contradiction", message, spoils=True)
        gpu.hardware = hardware

    def left_out(self, message: str) -> None:
        """A row with more or fewer cells than the header; many of them spoil the energy."""
        self._left_out += 1
        self.oddity("left out", "shifted_columns", message, spoils=False)

    def no_row(self, message: str) -> None:
        """A line that is no row, such as a message of the driver's: the gap that it leaves is judged as a gap."""
        self.oddity("no row", "missing_energy", f"{message} is no reading", spoils=False)

    def torn(self, where: str) -> None:
        """The last line, where it has no end: it only makes the log shorter."""
        self.oddity(
            "torn", "missing_energy", f"{where}: has no end and may be cut off, so it is left out", spoils=False
        )

    def oddity(self, kind: str, code: FaultCode, first: str, *, spoils: bool) -> None:
        """Something that is wrong in the log; of each kind the first is told, and how many there are."""
        self._oddities.setdefault(kind, _Oddity(code, spoils, first)).count += 1

    def results(self, format_: str, sha256: str) -> Iterator[Result]:
        """The result of each GPU, in the order of the log.

        Raises:
            LogError: there is no reading at all.
        """
        if not self._gpus and not self._oddities:
            raise LogError(f"{self._place.label} has no readings below its header", mend="log again, or leave it out")
        shared = self._shared_faults()
        for device, gpu in self._gpus.items() or [(None, _Gpu())]:
            total = gpu.series.total()
            faults = [*shared, *_faults(total, gpu)]
            if device is None and (several := _several(total)) is not None:
                message = (
                    f"{several}, as of several GPUs, and no column tells which GPU they are of; log with the index or "
                    "uuid as well"
                )
                faults.append(_fault("contradiction", message, spoils=True))
            source = Source(
                name=self._place.label,
                format=format_,
                files={self._place.label.rsplit("/", 1)[-1]: sha256},
                tool="nvidia-smi",
                device=device,
                measured_local=self.clock.first,
                scorekit_version=__version__,
            )
            facts = Facts(
                hardware=gpu.hardware,
                # Two GPUs that are alike and read at an even pace cannot be told from one.
                gpu_count=None if device is None else 1,
                domain="gpu",
                origin="measured",
                meter=self._meter,
                duration_s=total.duration_s or None,
            )
            energy_kwh = None if total.energy_j is None else wh_to_kwh(joules_to_wh(total.energy_j))
            yield foreign_result(source, facts, Energies(energy_kwh), faults)

    def _shared_faults(self) -> list[Fault]:
        many = self._left_out > LEFT_OUT_SPOILS * (self._rows + self._left_out)
        return [
            Fault(
                code=oddity.code,
                message=oddity.first + (f" (and {oddity.count - 1:,} more)" if oddity.count > 1 else ""),
                spoils=oddity.spoils or (many and kind == "left out"),
            )
            for kind, oddity in self._oddities.items()
        ]


def _several(total: PowerTotal) -> str | None:
    """What makes readings look like those of several GPUs; None where they show a single series."""
    if total.short_share > BUNCHED:
        return f"{100 * total.short_share:.3g} % of the readings come right after another"
    if total.alike_share < ONE_PACE:
        share = 100 * total.alike_share
        return f"only {share:.3g} % of the intervals between readings are about the usual one of {total.period_s:.3g} s"
    if total.readings >= LEAST_TURNS and total.far_change < IN_TURN:
        return "every other reading is of a power of its own"
    return None


def _faults(total: PowerTotal, gpu: _Gpu) -> Iterator[Fault]:
    if gpu.untimed:
        yield Fault(code="missing_energy", message=NO_TIMES, spoils=True)
        return
    if total.not_numbers:
        yield _fault(
            "not_a_number", f"{total.not_numbers:,} of {total.readings:,} readings are no numbers", spoils=True
        )
    if total.negative:
        yield _fault("negative_energy", f"{total.negative:,} of {total.readings:,} powers are below 0 W", spoils=True)
    if total.missing:
        yield _fault(
            "missing_energy",
            f"{total.missing:,} of {total.missing + total.readings:,} readings tell no power, "
            f"the first at {gpu.missing_as}",
            spoils=False,
        )
    if total.energy_j is None and not total.not_numbers:
        yield _fault("missing_energy", f"{total.readings} readings make no interval; expected two or more", spoils=True)
    elif total.energy_j == 0 and total.duration_s > 0:
        yield _fault("zero_energy", f"all {total.readings:,} powers are 0 W", spoils=True)
    elif total.duration_s == 0 and total.energy_j is not None:
        yield _fault(
            "missing_energy", "all readings are of one moment, so there is no energy between them", spoils=True
        )
    yield from _time_faults(total)


def _time_faults(total: PowerTotal) -> Iterator[Fault]:
    share = total.unseen_share
    for silent_s, begin in ((total.silent_before_s, True), (total.silent_after_s, False)):
        if silent_s:
            yield _fault(
                "time_gap",
                f"no power is told for the {'first' if begin else 'last'} {silent_s:.6g} s of the log, so what was "
                f"spent then is in no energy; {100 * share:.3g} % of the time was not seen in all",
                spoils=share > UNSEEN_SPOILS,
            )
    if total.gaps:
        of_energy = 100 * total.gap_j / total.energy_j if total.energy_j else 0.0
        yield _fault(
            "time_gap",
            f"{100 * share:.3g} % of the time was not seen, or the clock was put forward: {total.gap_s:.6g} s in "
            f"{total.gaps:,} gap(s) of more than {GAP_PERIODS:g} x {total.period_s:.3g} s, the longest of "
            f"{total.longest_gap_s:.6g} s; straight lines across them make {of_energy:.3g} % of the energy",
            spoils=share > UNSEEN_SPOILS,
        )
    if total.steps_back:
        yield _fault(
            "clock_jump",
            f"the clock was put back {total.steps_back:,} time(s), by {total.step_back_s:.6g} s in all, which is "
            f"{100 * total.jump_share:.3g} % of the time; what was spent meanwhile is in no energy",
            spoils=total.jump_share > UNSEEN_SPOILS,
        )


def _fault(code: FaultCode, message: str, *, spoils: bool) -> Fault:
    return Fault(code=code, message=message, spoils=spoils)
