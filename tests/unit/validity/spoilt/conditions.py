"""GPUs that were throttled, limited, locked, too warm, or that idled otherwise after the run than before it."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.evidence import (
    at,
    change_energy,
    change_facts,
    change_gpu,
    change_states,
    change_trace,
    change_windows,
    of_phase,
)
from tests.unit.validity.spoilt.changes import AFTER, LATER, Case, without

CASES: list[Case] = [
    (
        "not_throttled",
        change_trace("reasons", lambda t, v: 0x24 if 0 < t - AFTER < 1 else v),
        "fail",
        "repeat 4, phase generate: .* software thermal slowdown, expected",
    ),
    (
        "not_throttled",
        lambda e: replace(change_states(lambda s: s.repeat == 4, reasons=0x8C)(e), trace=None),
        "fail",
        "hardware slowdown, hardware power brake",
    ),
    ("not_throttled", change_trace("reasons", lambda _t, _v: 0x2), "warn", "clocks set by an application"),
    ("not_throttled", lambda e: replace(e, trace=None, states=None), "fail", "cannot be judged"),
    (
        "not_throttled",
        lambda e: change_states(LATER, reasons=None)(
            change_trace("reasons", lambda t, v: v if t < at("generate", 1).start_monotonic_s else math.nan)(e)
        ),
        "fail",
        "throttle reasons of .* in repeat 1, phase generate, .* were not recorded",
    ),
    ("power_limit_default", change_states(lambda s: s.when == "end", power_limit_w=500.0), "fail", "500 W and 700 W"),
    ("power_limit_default", change_states(lambda _: True, power_limit_w=500.0), "fail", "500 W, expected its default"),
    (
        "power_limit_default",
        lambda e: change_facts(run={"runs": 9})(change_states(lambda _: True, power_limit_w=500.0)(e)),
        "warn",
        "500 W, expected its default of 700 W",
    ),
    ("power_limit_default", change_gpu(power_limit_default_w=None), "fail", "cannot be judged"),
    ("power_limit_default", change_states(LATER, power_limit_w=None), "fail", "power limit .* at the start, repeat 1"),
    ("clocks_free", change_states(lambda s: s.when == "end", clocks_locked=True), "fail", "clocks .* are locked"),
    (
        "clocks_free",
        change_trace("sm_clock_mhz", lambda t, v: v if t < at("generate", 9).start_monotonic_s else 1600.0),
        "warn",
        "1755 MHz in repeat .*1600|1600 MHz in repeat 9 and 1755",
    ),
    ("clocks_free", lambda e: replace(e, trace=None, states=None), "warn", "cannot be judged"),
    ("clocks_free", change_states(LATER, clocks_locked=None), "warn", "clocks of .* at the start, repeat 1, "),
    (
        "clocks_free",
        change_trace("sm_clock_mhz", lambda t, v: v if t < at("generate", 9).start_monotonic_s else math.nan),
        "warn",
        "clocks of .* at phase generate of repeat 9 were not recorded",
    ),
    (
        "temperature_steady",
        change_states(lambda s: s.repeat == 9, temperature_c=44),
        "warn",
        "began repeat 0 at 40 C and repeat 9 at 44 C, expected them within 3 C",
    ),
    (
        "temperature_steady",
        change_trace("temperature_c", lambda t, v: 88.0 if 0 < t - AFTER < 5 else v),
        "fail",
        "repeat 4, phase generate: .* 88 C hot, expected at most 85 C",
    ),
    ("temperature_steady", without(states=None), "warn", "cannot be judged"),
    ("temperature_steady", change_states(LATER, temperature_c=None), "warn", "temperature of .* before repeat 1, "),
    ("idle_steady", change_energy(of_phase("idle_after"), 1.1), "warn", "100.0 W idle before .* 111.1 W after"),
    ("idle_steady", change_windows(of_phase("idle_after"), readings=()), "warn", "cannot be judged"),
]
