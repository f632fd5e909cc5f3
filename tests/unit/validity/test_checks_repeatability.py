"""Repeats that differ by too little, or are too few, to say anything of one of them."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence import change_energy, check_of, good_evidence, of_phase


def test_a_small_or_uncertain_trend_is_no_warning() -> None:
    evidence = good_evidence()
    for repeat in range(10):
        evidence = change_energy(of_phase("generate", repeat), 1 + 0.0004 * repeat)(evidence)
    assert check_of(evidence, "repeats_agree").passed is True


def test_of_four_repeats_none_stands_out() -> None:
    few = replace(good_evidence(), windows=tuple(w for w in good_evidence().windows if (w.repeat or 0) < 4))
    assert "stand" not in check_of(change_energy(of_phase("generate", 1), 1.1)(few), "repeats_agree").message
