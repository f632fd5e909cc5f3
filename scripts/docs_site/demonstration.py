"""The results that pictures show. All of them are made up, and every picture says so."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from benchmarks import made_up_results

from scorekit import logs
from scorekit.editions import FEBRUARY_2025
from scorekit.logs.from_score import result_of
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.records import Score

RUN: Final = Path(__file__).parents[2] / "tests" / "golden" / "generate_h100_counter"
"""A made-up run of the protocol, of which every part of a score is known."""
MODEL: Final = "example/model-1b"
"""The model of that run."""
_COUNT: Final = 60


@cache
def score() -> Score:
    """The score of the made-up run."""
    return logs.read_score(RUN)


@cache
def site() -> Site:
    """A site of the made-up run and of some more results."""
    results = [result_of(score(), "runs/model-1b"), *made_up_results.results(_COUNT)]
    return gather(results, FEBRUARY_2025, [FEBRUARY_2025], title="Made-up results")
