"""The samples of a run, kept in little room until it ends: a run of days has many millions of them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final, overload

from scorekit.measuring.meters import PowerSample

_MISSING: Final = -(2**63)
"""Stands for None in a column of whole numbers: no driver answers it, and 0 is an answer."""
_MOST: Final = 2**63 - 1
_WHOLE: Final = PowerSample._fields[3:]


class SampleLog(Sequence[PowerSample]):
    """Samples that one thread adds at a time, and others may read meanwhile: a third of the room that objects take.

    Whoever reads should ask for the length once: it grows. Whoever adds holds the sampler's lock.
    """

    def __init__(self) -> None:
        self._devices: list[str] = []
        self._numbers: dict[str, int] = {}
        self._device = array("H")
        self._power_w = array("d")
        self._whole = array("q")
        self._t_s = array("d")

    def append(self, sample: PowerSample) -> None:
        """Add one. A whole number of more than 63 bits is missing, for it must not end the sampler's thread."""
        # Before anything is added, so that the columns stay as long as each other.
        whole = array("q", [value if value is not None and abs(value) <= _MOST else _MISSING for value in sample[3:]])
        device = sample.device
        number = self._numbers.get(device)
        if number is None:
            self._devices.append(device)
            number = self._numbers[device] = len(self._devices) - 1
        self._device.append(number)
        self._power_w.append(math.nan if sample.power_w is None else sample.power_w)
        self._whole.extend(whole)
        # The last one counts the samples: all else is there then.
        self._t_s.append(sample.t_s)

    def column(self, name: str, start: int, stop: int) -> list[Any]:
        """One field of the samples from one number up to before another."""
        if name == "device":
            return [self._devices[number] for number in self._device[start:stop]]
        if name == "t_s":
            return [*self._t_s[start:stop]]
        if name == "power_w":
            return [None if math.isnan(power_w) else power_w for power_w in self._power_w[start:stop]]
        width, at = len(_WHOLE), _WHOLE.index(name)
        return [
            None if value == _MISSING else value for value in self._whole[start * width + at : stop * width : width]
        ]

    def __len__(self) -> int:
        return len(self._t_s)

    @overload
    def __getitem__(self, at: int) -> PowerSample: ...

    @overload
    def __getitem__(self, at: slice) -> list[PowerSample]: ...

    def __getitem__(self, at: int | slice) -> PowerSample | list[PowerSample]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        number = range(len(self))[at]
        columns = [self.column(name, number, number + 1)[0] for name in PowerSample._fields]
        return PowerSample(*columns)

    def __iter__(self) -> Iterator[PowerSample]:
        for number in range(len(self)):
            yield self[number]
