"""Energies that no run can have: missing, zero, unlike the other repeats', beyond what the GPU may draw."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.evidence import at, change_energy, change_readings, change_states, change_windows, of_phase
from tests.unit.validity.spoilt.changes import FOURTH, LATER, Case, change_length, without

CASES: list[Case] = [
    ("energy_positive", change_readings(FOURTH, energy_wh=0.0), "fail", "repeat 4, phase generate: .* is zero"),
    ("energy_positive", change_readings(FOURTH, energy_wh=-1.5), "fail", r"repeat 4, phase generate: .* negative"),
    ("energy_positive", change_readings(FOURTH, energy_wh=math.nan), "fail", "repeat 4, .* not a number"),
    ("energy_positive", change_readings(FOURTH, energy_wh=math.inf), "fail", "repeat 4, .* infinite"),
    ("energy_positive", change_readings(FOURTH, energy_wh=None, problem="GPU is lost"), "fail", "missing .GPU is lost"),
    ("energy_positive", change_readings(FOURTH, problem="reset"), "fail", "not to be trusted .reset"),
    ("energy_positive", change_windows(FOURTH, readings=()), "fail", "repeat 4, phase generate: .* missing, expected"),
    ("energy_positive", change_energy(FOURTH, 2.0), "fail", "repeat 4, phase generate: 2.* x the energy .* twice"),
    (
        "energy_positive",
        change_energy(FOURTH, 0.5),
        "fail",
        "repeat 4, phase generate: 0.50 x .* expected more than 0.67 x: a part of it was lost",
    ),
    (
        "energy_positive",
        lambda e: change_length(FOURTH, 2 * at("generate", 4).duration_s)(change_energy(FOURTH, 2.0)(e)),
        "fail",
        "2.00 x the energy .* in 2.00 x their time .* expected less than 1.5 x: the machine was busy .* ran longer",
    ),
    (
        "energy_positive",
        lambda e: change_length(FOURTH, at("generate", 4).duration_s / 2)(change_energy(FOURTH, 0.5)(e)),
        "fail",
        "0.50 x the energy .* in 0.50 x their time .* expected more than 0.67 x: the machine was busy .* ran shorter",
    ),
    (
        "energy_positive",
        change_length(FOURTH, 2 * at("generate", 4).duration_s),
        "fail",
        "1.00 x the energy .* in 2.00 x their time .* 0.50 x their mean power, expected more than 0.67 x",
    ),
    ("energy_positive", change_energy(of_phase("preprocess", 2), 6.0), "fail", "repeat 2, phase preprocess: 6.00 x"),
    ("energy_positive", lambda e: replace(e, windows=()), "fail", "no repeat was measured"),
    ("power_plausible", change_energy(FOURTH, 1.8), "fail", "repeat 4, .* took 719 W .* enforced limit of 700 W"),
    ("power_plausible", change_energy(FOURTH, 0.2), "fail", "repeat 4, .* idle power of 100.0 W"),
    ("power_plausible", without(states=None), "fail", "power limit of .* was not recorded"),
    ("power_plausible", change_states(LATER, power_limit_w=None), "fail", "power limit .* at the start, repeat 1, "),
]
