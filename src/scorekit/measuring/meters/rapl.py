"""CPU and DRAM energy from RAPL, as Linux shows it under /sys/class/powercap (Intel; AMD has the same tree).

The counters are in microjoules and start again from 0 at `max_energy_range_uj`, after minutes at full power (AMD: about
one). Two reads tell one wrap, never two: so a thread reads them a few times in the shortest such time, and where two
reads lie further apart than it (a suspended machine, a starved thread) the window has no energy.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit.errors import HardwareError
from scorekit.measuring.meters import MeterDevice, PowerSample
from scorekit.records import Component, MeterReading
from scorekit.units import joules_to_wh

POWERCAP: Final = Path("/sys/class/powercap")

UNKNOWN_LIMIT_W: Final = 1000.0
"""Taken for a domain that tells no power limit (AMD, DRAM): above what one socket draws."""

_SLACK_S: Final = 0.1
_SLACK_FACTOR: Final = 2.0
"""Between two reads a counter may advance by this many times the limit, and as if for this much longer: limits bound
means over seconds, some boards overrun them, and counters tick."""

_READS_A_WRAP: Final = 4
_LEAVE_OUT: Final = "scenario.meters=[auto]"


@dataclass(frozen=True, slots=True)
class Domain:
    """One counter of one socket.

    Attributes:
        device: "package-0", "dram-0": the kernel's name, and the socket's number.
        folder: its folder in the powercap tree.
        range_uj: where the counter starts again from 0 [uJ].
        limit_w: more than it draws on average for longer than moments [W].
    """

    component: Component
    device: str
    folder: Path
    range_uj: int
    limit_w: float

    @property
    def wrap_s(self) -> float:
        """Shortest time in which the counter can go round once [s]."""
        return self.range_uj * 1e-6 / self.limit_w

    def read_uj(self) -> int:
        """The counter [uJ]; raises OSError or ValueError where it cannot be read."""
        return int((self.folder / "energy_uj").read_text(encoding="ascii"))


class Tally:
    """Energy of one domain since it was started, from reads of its counter; wraps undone, doubts kept.

    Attributes:
        energy_uj: sum of what the counter advanced [uJ].
        doubt: why the sum cannot be trusted; None as long as it can.
    """

    def __init__(self, domain: Domain, now_s: float, counter_uj: int) -> None:
        self._domain = domain
        self._last = now_s, counter_uj
        self.energy_uj = 0
        self.doubt: str | None = None

    def add(self, now_s: float, counter_uj: int) -> None:
        """Count what the counter advanced since the read before."""
        gap_s, advance = now_s - self._last[0], counter_uj - self._last[1]
        self._last = now_s, counter_uj
        if advance < 0:
            advance += self._domain.range_uj
        self.energy_uj += advance
        if self.doubt is not None:
            return
        if gap_s >= self._domain.wrap_s:
            self.doubt = (
                f"the counter was not read for {gap_s:.0f} s, in which it can go round more than once "
                f"({self._domain.wrap_s:.0f} s at {self._domain.limit_w:.0f} W)"
            )
        elif not 0 <= advance * 1e-6 <= (gap_s + _SLACK_S) * self._domain.limit_w * _SLACK_FACTOR:
            self.doubt = f"the counter jumped by {advance * 1e-6:.0f} J in {gap_s:.2f} s, as after a reset"

    def fail(self, error: Exception) -> None:
        """Keep that the counter could not be read."""
        if self.doubt is None:
            self.doubt = f"the counter could not be read: {error}"


class RaplMeter:
    """A meter over the package and DRAM domains of all sockets.

    A package's cores and graphics are parts of it, and `psys` holds the packages: none of them is counted again.

    Args:
        root: the powercap tree.
        clock: monotonic clock [s].

    Raises:
        HardwareError: there is no RAPL here, or it may not be read.
    """

    name = "rapl"

    def __init__(self, root: Path = POWERCAP, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._domains = find_domains(root)
        self._tallies: tuple[Tally, ...] = ()
        self._closed: tuple[Tally, ...] = ()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        period_s = min(domain.wrap_s for domain in self._domains) / _READS_A_WRAP
        self._thread = threading.Thread(target=self._watch, args=(period_s,), name="scorekit-rapl", daemon=True)
        self._thread.start()

    def devices(self) -> tuple[MeterDevice, ...]:
        """Every socket's package as CPU, and its DRAM where the processor tells it as RAM."""
        return tuple(MeterDevice(domain.component, domain.device) for domain in self._domains)

    def open(self, window: str) -> None:  # noqa: ARG002
        """Start from the counters as they are now."""
        with self._lock:
            self._tallies = tuple(self._start(domain) for domain in self._domains)

    def close(self) -> None:
        """Read the counters once more."""
        with self._lock:
            self._read()
            self._closed, self._tallies = self._tallies, ()

    def readings(self) -> tuple[MeterReading, ...]:
        """One reading a domain; without an energy where the counter could not be followed."""
        return tuple(
            MeterReading(
                meter=self.name,
                component=domain.component,
                device=domain.device,
                energy_wh=joules_to_wh(tally.energy_uj * 1e-6) if tally.doubt is None else None,
                origin="measured",
                source="rapl",
                problem=tally.doubt,
            )
            for domain, tally in zip(self._domains, self._closed, strict=True)
        )

    def trace(self) -> Sequence[PowerSample]:
        """None: RAPL has no power, only energies."""
        return ()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join()

    def follow(self) -> None:
        """Read the counters in the open window, so that no wrap is missed; the meter's thread does so by itself."""
        with self._lock:
            self._read()

    def _watch(self, period_s: float) -> None:
        while not self._stopping.wait(period_s):
            self.follow()

    def _start(self, domain: Domain) -> Tally:
        try:
            return Tally(domain, self._clock(), domain.read_uj())
        except (OSError, ValueError) as error:
            tally = Tally(domain, self._clock(), 0)
            tally.fail(error)
            return tally

    def _read(self) -> None:
        for domain, tally in zip(self._domains, self._tallies, strict=False):
            try:
                tally.add(self._clock(), domain.read_uj())
            except (OSError, ValueError) as error:
                tally.fail(error)


def find_domains(root: Path = POWERCAP) -> tuple[Domain, ...]:
    """The package and DRAM domains below `root`, by socket.

    Raises:
        HardwareError: there is none, or a counter may not be read.
    """
    domains = []
    # `intel-rapl-mmio:*` is the same package a second time, through another register.
    for folder in sorted(root.glob("intel-rapl:*")):
        name = _text(folder / "name")
        socket = re.fullmatch(r"package-(\d+.*)", _text(folder.parent / folder.name.rpartition(":")[0] / "name") or "")
        if name is not None and name.startswith("package-"):
            domains.append(_domain("cpu", name, folder))
        elif name == "dram" and socket is not None:
            domains.append(_domain("ram", f"dram-{socket[1]}", folder))
    if not domains:
        raise HardwareError(
            f"there is no RAPL under {root}: a virtual machine, a container without it, or another processor",
            mend=f"`sudo modprobe intel_rapl_msr` on the host, or {_LEAVE_OUT}",
        )
    return tuple(domains)


def _domain(component: Component, device: str, folder: Path) -> Domain:
    try:
        domain = Domain(
            component=component,
            device=device,
            folder=folder,
            range_uj=int((folder / "max_energy_range_uj").read_text(encoding="ascii")),
            limit_w=_limit_w(folder),
        )
        domain.read_uj()
    except PermissionError as error:
        raise HardwareError(
            f"the energy counter of {device} may be read by root only",
            mend=f"`sudo chmod a+r {folder.parent}/intel-rapl:*/energy_uj {folder.parent}/intel-rapl:*:*/energy_uj` "
            f"(until the next start of the machine), or {_LEAVE_OUT}",
        ) from error
    except (OSError, ValueError) as error:
        raise HardwareError(f"the energy counter of {device} cannot be read: {error}", mend=_LEAVE_OUT) from error
    if domain.range_uj <= 0:
        raise HardwareError(f"the energy counter of {device} tells no range", mend=_LEAVE_OUT)
    return domain


def _limit_w(folder: Path) -> float:
    limits_uw = [
        int(text)
        for pattern in ("constraint_*_power_limit_uw", "constraint_*_max_power_uw")
        for path in folder.glob(pattern)
        if (text := _text(path)) is not None and text.isdecimal()
    ]
    # The limit that is set may be far above what the board can draw; it then only shortens the wrap time.
    return max(limits_uw, default=0) * 1e-6 or UNKNOWN_LIMIT_W


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return None
