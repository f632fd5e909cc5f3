"""Repeats that scatter or drift, and a star that is not sure."""

from __future__ import annotations

from dataclasses import replace

from scorekit.validity import Evidence
from tests.evidence import change_energy, change_windows, of_phase
from tests.unit.validity.spoilt.changes import FOURTH, Case


def _trend(evidence: Evidence) -> Evidence:
    for repeat in range(10):
        evidence = change_energy(of_phase("generate", repeat), 1 + 0.001 * repeat)(evidence)
    return evidence


CASES: list[Case] = [
    ("repeats_agree", change_energy(FOURTH, 1.1), "warn", "vary by 2.9%.*; repeat 4 stands out"),
    ("repeats_agree", change_energy(FOURTH, 1.4), "fail", "vary by 1.*, expected at most 2%; repeat 4 stands out"),
    ("repeats_agree", _trend, "warn", "from repeat to repeat"),
    (
        "repeats_agree",
        change_windows(of_phase("generate", 1, 2, 3, 4, 5, 6, 7, 8, 9), readings=()),
        "warn",
        "needs two",
    ),
    ("star_certain", lambda e: replace(e, star_probability=0.6), "warn", "probability of 60%.*borderline"),
]
