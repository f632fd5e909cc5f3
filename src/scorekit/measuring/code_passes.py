"""Passes of a function within one window: as many as fill it, by a clock that is read when their work is done."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


def run_passes(one_pass: Callable[[], None], count: int, least_s: float, wait: Callable[[], None]) -> int:
    """Make passes, and more should they go faster than expected; returns how many.

    Args:
        one_pass: makes a pass. On a device it may only ask for one, and come back long before that has ended.
        count: how many at least.
        least_s: how long to go on at least.
        wait: until the devices have finished what was asked of them.
    """
    begun_s = time.monotonic()
    done, more = 0, count
    while True:
        for _ in range(more):
            one_pass()
        done += more
        wait()
        took_s = time.monotonic() - begun_s
        if took_s >= least_s:
            return done
        # As many as the time that is left takes. Not by one at a time, for a device idles whenever it is waited for;
        # and twice as many in all at most, for the first ones may be the quickest.
        wanted = done * (least_s - took_s) / took_s if took_s > 0 else done
        more = min(done, math.ceil(wanted))
