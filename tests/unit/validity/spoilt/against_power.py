"""Counters that say something else than the power that was sampled."""

from __future__ import annotations

import math

from tests.evidence import change_energy, change_trace, drop_samples, gain
from tests.unit.validity.spoilt.changes import AFTER, FOURTH, GENERATE, Case, without

CASES: list[Case] = [
    (
        "counter_agrees_with_power",
        change_energy(FOURTH, 1.03),
        "fail",
        "repeat 4, phase generate: .*\\+3.*, expected 2%",
    ),
    ("counter_agrees_with_power", change_energy(FOURTH, 0.96), "fail", "repeat 4, phase generate: .*-3.*, expected 2%"),
    ("counter_agrees_with_power", without(trace=None), "fail", "power was not sampled"),
    ("counter_agrees_with_power", drop_samples(AFTER + 10, AFTER + 12), "none", ""),
    (
        "counter_agrees_with_power",
        drop_samples(AFTER + 10, AFTER + 14),
        "fail",
        "not sampled for 4.* s from 9.9 s after the window's start on, .*3.0 s .5% of the window.* in repeat 4",
    ),
    (
        "counter_agrees_with_power",
        lambda e: gain(0.97)(drop_samples(AFTER + 10, AFTER + 12)(e)),
        "fail",
        "from idle to idle around all windows together .*-3.0%",
    ),
    ("counter_agrees_with_power", gain(0.97), "fail", "from idle to idle around it the counter .*-3.0%., expected 2%"),
    ("counter_agrees_with_power", gain(0.975), "fail", "from idle to idle around all windows together .*-2.5%"),
    ("counter_agrees_with_power", gain(1.025), "fail", "from idle to idle .*.2.5%., expected 2%"),
    ("counter_agrees_with_power", gain(0.985), "none", ""),
    ("counter_agrees_with_power", change_energy(GENERATE, 0.98), "fail", "in all windows together .* were read of"),
    ("counter_agrees_with_power", change_energy(FOURTH, 0.98), "fail", "repeat 4, .* were read .*-2.0%., expected the"),
    (
        "counter_agrees_with_power",
        change_trace("counter_mj", lambda _t, _v: math.nan),
        "fail",
        "power and counter were not sampled together within 10 s before the window",
    ),
]
