"""Whether an energy can be true beside those that are known: the edition's, and those of models of like size.

These are conventions and not physics: they call for a person's eye, and refuse nothing.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from scorekit import editions
from scorekit.errors import RatingError
from scorekit.records import Edition, Neighbour, Score, VerdictReason

BEYOND_RANGE: Final = 2.0
"""Factor below the lowest or above the highest energy of the cohort."""
BEYOND_NEIGHBOURS: Final = 5.0
"""Factor from the median of the neighbours: models of one size differ by architecture, but seldom by more."""
LIKE_SIZE: Final = 3.0
"""A neighbour has at most so many times the parameters, or so many times fewer."""
MOST_NEIGHBOURS: Final = 5
LEAST_NEIGHBOURS: Final = 3


def neighbours_of(score: Score, edition: Edition, results: Sequence[Neighbour]) -> tuple[Neighbour, ...]:
    """The results nearest to a score: by size where sizes are known, else members of the edition by energy.

    Args:
        score: to be judged.
        edition: that it is to be rated in.
        results: of its cohort.
    """
    size = score.parameters
    if size:
        near = [
            (abs(math.log(other.parameters / size)), other)
            for other in results
            if other.parameters and 1 / LIKE_SIZE <= other.parameters / size <= LIKE_SIZE
        ]
        if len(near) >= LEAST_NEIGHBOURS:
            return tuple(other for _, other in sorted(near, key=lambda pair: pair[0])[:MOST_NEIGHBOURS])
    members = [
        Neighbour(model=member.model[:300], wh_per_1000_queries=member.wh_per_1000_queries, source=edition.name)
        for member in edition.members
        if member.cohort == score.cohort and member.model_class in (None, score.model_class)
    ]
    apart = sorted(members, key=lambda other: abs(math.log(other.wh_per_1000_queries / score.wh_per_1000_queries)))
    return tuple(apart[:MOST_NEIGHBOURS])


def judge(score: Score, edition: Edition, near: Sequence[Neighbour], place: str) -> Iterator[VerdictReason]:
    """What is out of the ordinary in a comparable score.

    Args:
        score: to be judged.
        edition: that it is to be rated in.
        near: its neighbours.
        place: of the run in the archive.
    """
    energy_wh = score.wh_per_1000_queries
    if score.cohort is None or not score.comparable:
        return
    try:
        row = editions.thresholds_for(edition, score.cohort, score.model_class)
    except RatingError as error:
        yield VerdictReason(code="no_cohort", weight="note", message=error.message, file=place)
    else:
        low, high = row.min_wh_per_1000, row.max_wh_per_1000
        if not low / BEYOND_RANGE <= energy_wh <= high * BEYOND_RANGE:
            yield VerdictReason(
                code="implausible",
                weight="review",
                message=f"{energy_wh:.4g} Wh per 1,000 queries is more than {BEYOND_RANGE:g} times outside the range "
                f"of edition {edition.name} ({low:.4g} to {high:.4g} Wh)",
                file=place,
                mend="tell what makes the model so different",
            )
    sized = [other.wh_per_1000_queries for other in near if other.parameters]
    if len(sized) >= LEAST_NEIGHBOURS:
        middle = statistics.median(sized)
        if not middle / BEYOND_NEIGHBOURS <= energy_wh <= middle * BEYOND_NEIGHBOURS:
            yield VerdictReason(
                code="unlike_neighbours",
                weight="review",
                message=f"{energy_wh:.4g} Wh per 1,000 queries is more than {BEYOND_NEIGHBOURS:g} times from the "
                f"median of models of like size ({middle:.4g} Wh)",
                file=place,
                mend="tell what makes the model so different",
            )
