"""Which scores may be rated together where no edition says so: local cohorts, pure.

Energies can be set side by side only when they cover the same thing (domain, and whether it was measured or
modelled), were spent on the same machine, and for the same work: the same task, the same queries and as many
of them, one at a time or not, with the same limits. What belongs to the model itself is free, for that is
what is compared: dtype, quantisation, architecture, weights, and the way in which its task is called.
"""

from __future__ import annotations

import statistics
from collections.abc import Hashable, Sequence

from scorekit import tasks
from scorekit.records import Score


def local_cohorts(scores: Sequence[Score]) -> list[tuple[float, ...]]:
    """The energies that each score is to be rated among, its own included.

    Runs of one model are one member, with the mean of their energies: the spread of one model's runs would
    otherwise pass for that of a cohort.

    Returns:
        For each score the energy of every member of its cohort in Wh per 1,000 queries, in the order given.
    """
    limits: dict[Hashable, set[Hashable]] = {}
    for score in scores:
        if _limit(score) is not None:
            limits.setdefault(_work(score), set()).add(_limit(score))
    # A model that generates nothing (a CTC speech model, an extractive answerer) is under any limit on what
    # is generated, and stands beside those that do; but not where it would join cohorts that have unlike
    # limits.
    keys = [(_work(score), _limit(score) if len(limits.get(_work(score), ())) > 1 else None) for score in scores]
    runs: dict[Hashable, dict[Hashable, list[float]]] = {}
    for key, score in zip(keys, scores, strict=True):
        runs.setdefault(key, {}).setdefault(_model(score), []).append(score.wh_per_1000_queries)
    energies_wh = {key: tuple(statistics.fmean(own) for own in models.values()) for key, models in runs.items()}
    return [energies_wh[key] for key in keys]


def _work(score: Score) -> Hashable:
    """What was done and on what, but for the limits on what is generated."""
    asked = score.conditions
    return (
        score.cohort,
        score.model_class if score.cohort in tasks.CLASSED_COHORTS else None,
        score.hardware,
        score.domain,
        score.origin,
        score.queries,
        None if asked is None else (asked.dataset_fingerprint, asked.batch_size, asked.image_steps),
    )


def _limit(score: Score) -> Hashable | None:
    """The limits on what is generated; None where nothing is, or the log does not tell."""
    asked = score.conditions
    if asked is None or (asked.new_tokens is None and asked.max_new_tokens is None):
        return None
    return (asked.new_tokens, asked.max_new_tokens)


def _model(score: Score) -> Hashable:
    # Local folders of different models may share a name; their size then tells them apart.
    return (score.model, score.model_revision, score.parameters)
