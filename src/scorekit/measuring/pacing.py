"""What happens between windows: a random gap, a cool-down, and how many passes a window gets. GPUs only.

A load whose period is that of the counter's ticks can hide energy by any amount; gaps of random length move the ticks
against it from repeat to repeat. A GPU that starts a repeat warmer takes more power for the same work.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scorekit.measuring.windows import Recorder
    from scorekit.records import Phase

LOGGER = logging.getLogger("scorekit")

COOL_WITHIN_C: Final = 3
_LOOK_S: Final = 1.0
_MARGIN: Final = 1.05
"""Passes are sized this much longer than asked, so that one that is a little faster still fills its window."""
_TIMED_CALLS: Final = 8
"""Calls from which the length of a pass is estimated; one that may be short is then timed as a whole."""
_MOST_PASSES: Final = 100_000


class Pacer:
    """Waits before windows.

    Args:
        max_gap_s: longest gap; each is drawn evenly from 0 to it.
        cool_down_s: longest time to wait for a GPU to cool; 0 waits for none.
        temperatures: reads the temperature of each GPU [C], None where it is not told.
        seed: of the gaps.
        sleep: waits.
    """

    def __init__(
        self,
        max_gap_s: float,
        cool_down_s: float,
        temperatures: Callable[[], Sequence[int | None]],
        seed: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._max_gap_s = max_gap_s
        self._cool_down_s = cool_down_s
        self._temperatures = temperatures
        # Its own, so that the model's random numbers are the same with and without gaps.
        self._random = random.Random(seed)
        self._sleep = sleep
        self._reference: list[int | None] | None = None

    def gap(self) -> None:
        """Wait for a random time."""
        if self._max_gap_s > 0:
            self._sleep(self._random.uniform(0, self._max_gap_s))

    def cool_down(self) -> None:
        """Wait until every GPU is within 3 C of where it was at the first call; tell where it does not get there."""
        found = list(self._temperatures())
        if self._reference is None:
            self._reference = found
        if self._cool_down_s <= 0:
            return
        waited_s = 0.0
        while (warmest := self._above(found)) > COOL_WITHIN_C:
            if waited_s >= self._cool_down_s:
                LOGGER.warning(
                    "after %.0f s the GPU is still %d C warmer than before the first repeat; going on",
                    waited_s,
                    warmest,
                )
                return
            if waited_s == 0:
                LOGGER.info("waiting for the GPU to cool by %d C", warmest - COOL_WITHIN_C)
            self._sleep(_LOOK_S)
            waited_s += _LOOK_S
            found = list(self._temperatures())

    def _above(self, found: Sequence[int | None]) -> int:
        assert self._reference is not None
        differences = [
            now - before
            for now, before in zip(found, self._reference, strict=True)
            if now is not None and before is not None
        ]
        return max(differences, default=0)


def rest(recorder: Recorder, phase: Phase, idle_s: float) -> None:
    """Measure so many seconds in which nothing is asked of the devices, half as many after the last work."""
    # Clocks, and with them power, come down some seconds after the last work only.
    time.sleep(idle_s / 2)
    recorder.measure(phase, None, lambda: time.sleep(idle_s))


def passes_for(min_window_s: float, pass_s: float) -> int:
    """Passes over the samples that make a window at least so long, when one takes `pass_s`."""
    if min_window_s <= 0 or pass_s <= 0:
        return 1
    return min(_MOST_PASSES, max(1, math.ceil(_MARGIN * min_window_s / pass_s)))


def pass_length_s(
    min_window_s: float,
    *,
    batches: int,
    call: Callable[[int], object],
    whole: Callable[[], object],
    wait: Callable[[], None],
) -> float:
    """Length of one pass over the samples, outside of any window.

    Args:
        min_window_s: least length of a window; a pass of twice that is only estimated.
        batches: batches of a pass.
        call: calls the model on a batch, by its number.
        whole: makes a pass.
        wait: until the devices have finished.
    """
    few = min(_TIMED_CALLS, batches)
    begun_s = time.monotonic()
    for number in range(few):
        call(number)
    wait()
    estimate_s = (time.monotonic() - begun_s) / few * batches
    if estimate_s > 2 * min_window_s:
        return estimate_s
    begun_s = time.monotonic()
    whole()
    wait()
    return time.monotonic() - begun_s
