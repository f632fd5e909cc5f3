"""From an edition to the scale of a cohort, and from members to the thresholds of an edition; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from scorekit.errors import RatingError
from scorekit.records import Edition, Member, Thresholds
from scorekit.scales import RULES, Rule, Scale, find_any_rule, find_rule

_LOCAL: Final = "rate the scores among themselves: scorekit rate SCORE... --edition local"
_ROUNDING: Final = 1e-9
"""Logarithms may differ in the last digit from one machine to another."""

Cohort = tuple[str, str | None]
"""Leaderboard name of a task, and a size class where it has any."""


def is_classed(edition: Edition, cohort: str) -> bool:
    """Whether an edition splits a cohort into size classes."""
    return any(row.cohort == cohort and row.model_class is not None for row in edition.thresholds)


def thresholds_for(edition: Edition, cohort: str, model_class: str | None) -> Thresholds:
    """The range of a cohort in an edition.

    Args:
        edition: the edition.
        cohort: leaderboard name of the task.
        model_class: size class of the model; left out of account where the cohort has no classes.

    Raises:
        RatingError: the edition has no range for it; says why.
    """
    rows = [row for row in edition.thresholds if row.cohort == cohort]
    if not rows:
        known = sorted({row.cohort for row in edition.thresholds})
        raise RatingError(
            f"edition {edition.name} has no thresholds for {cohort}: it rates {', '.join(known) or 'nothing'}",
            mend=_LOCAL,
        )
    if not is_classed(edition, cohort):
        return rows[0]
    if model_class is None:
        raise RatingError(
            f"edition {edition.name} rates {cohort} by size class, and the model's size is not known",
            mend="measure again with `scorekit bench`, which counts the parameters of the loaded model",
        )
    for row in rows:
        if row.model_class == model_class:
            return row
    raise RatingError(f"edition {edition.name} has no thresholds for {cohort}, class {model_class}", mend=_LOCAL)


def scale_of(edition: Edition, row: Thresholds, rule: str | None = None) -> Scale:
    """The scale of a cohort: the bounds that the edition froze, or those that a rule makes of its members.

    Args:
        edition: the edition.
        row: thresholds of it.
        rule: name of the rule; None for the edition's own.

    Raises:
        RatingError: the rule asks for the members, and the edition holds thresholds only.
        UsageError: there is no such rule.
        PluginError: the plugin that brings the rule cannot be used.
    """
    if rule in (None, edition.rule) and row.bounds_wh_per_1000 is not None:
        return Scale(row.min_wh_per_1000, row.max_wh_per_1000, row.bounds_wh_per_1000)
    chosen = find_any_rule(rule or edition.rule)
    if not chosen.needs_members:
        return chosen.scale((row.min_wh_per_1000, row.max_wh_per_1000))
    energies_wh = [
        member.wh_per_1000_queries
        for member in edition.members
        if member.cohort == row.cohort and member.model_class == row.model_class
    ]
    if not energies_wh:
        raise RatingError(
            f"the rule {chosen.name} asks for every member, and edition {edition.name} holds thresholds only",
            mend="import the whole edition: scorekit edition import SOURCE --name NAME; "
            f"or choose {' or '.join(name for name, other in RULES.items() if not other.needs_members)}",
        )
    return chosen.scale(energies_wh)


def cohorts_of(members: Iterable[Member]) -> dict[Cohort, list[Member]]:
    """Members by cohort and class, both in alphabetical order, by rising energy within each."""
    found: dict[Cohort, list[Member]] = {}
    for member in sorted(members, key=_order):
        found.setdefault((member.cohort, member.model_class), []).append(member)
    return found


def make_thresholds(members: Iterable[Member], rule: Rule) -> tuple[list[Thresholds], list[str]]:
    """Thresholds of every cohort that can be rated, and for each other one why it cannot."""
    made: list[Thresholds] = []
    refused: list[str] = []
    for (cohort, size), own in cohorts_of(members).items():
        try:
            scale = rule.scale([member.wh_per_1000_queries for member in own])
        except RatingError as error:
            refused.append(f"{cohort_name(cohort, size)} cannot be rated: {error.message}")
            continue
        made.append(
            Thresholds(
                cohort=cohort,
                model_class=own[0].model_class,
                n=len(own),
                min_wh_per_1000=scale.lowest,
                max_wh_per_1000=scale.highest,
                bounds_wh_per_1000=scale.bounds,
            )
        )
    return made, refused


def thresholds_fault(edition: Edition) -> str | None:
    """Why the thresholds of an edition are not those that its rule makes of its members; None where they are.

    An edition without members is taken at its word.
    """
    rule = RULES.get(edition.rule)
    if rule is None:
        return f"it has the rule '{edition.rule}', expected one of {', '.join(RULES)}"
    if not edition.members:
        return None
    made = {(row.cohort, row.model_class): row for row in make_thresholds(edition.members, rule)[0]}
    held = {(row.cohort, row.model_class): row for row in edition.thresholds}
    if len(held) != len(edition.thresholds):
        return "it has thresholds for a cohort twice"
    for key in sorted({*made, *held}, key=lambda key: (key[0], key[1] or "")):
        ours, theirs = made.get(key), held.get(key)
        if ours is None or theirs is None or not _alike(ours, theirs):
            return (
                f"the thresholds of {cohort_name(*key)} are not those that {edition.rule} makes of the edition's "
                f"members: {_range(theirs)}, expected {_range(ours)}"
            )
    return None


def _alike(one: Thresholds, other: Thresholds) -> bool:
    energies_wh = _energies_wh(one), _energies_wh(other)
    return (
        one.n == other.n
        and len(energies_wh[0]) == len(energies_wh[1])
        and all(math.isclose(*pair, rel_tol=_ROUNDING) for pair in zip(*energies_wh, strict=True))
    )


def _energies_wh(row: Thresholds) -> tuple[float, ...]:
    return (row.min_wh_per_1000, row.max_wh_per_1000, *(row.bounds_wh_per_1000 or ()))


def _range(row: Thresholds | None) -> str:
    if row is None:
        return "none"
    bounds = ", ".join(f"{energy_wh:g}" for energy_wh in row.bounds_wh_per_1000 or ())
    return f"{row.n} models from {row.min_wh_per_1000:g} to {row.max_wh_per_1000:g} Wh, bounds {bounds or 'none'}"


def in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """Members in the one order that an edition holds them in, whatever order they came in."""
    return tuple(sorted(members, key=_order))


def cohort_name(cohort: str, model_class: str | None) -> str:
    """A cohort in words, e.g. text_generation, class A."""
    return cohort if model_class is None else f"{cohort}, class {model_class}"


def with_thresholds(edition: Edition) -> Edition:
    """A draft with the thresholds that freezing it would give it; any other edition as it is."""
    if edition.thresholds or not edition.members:
        return edition
    made, refused = make_thresholds(edition.members, find_rule(edition.rule))
    return edition.model_copy(update={"thresholds": tuple(made), "notes": (*edition.notes, *refused)})


def scales_of(edition: Edition) -> dict[Cohort, Scale]:
    """The scale of every cohort of an edition."""
    return {(row.cohort, row.model_class): scale_of(edition, row) for row in edition.thresholds}


def _order(member: Member) -> tuple[str, str, float, str, int, str]:
    return (
        member.cohort,
        member.model_class or "",
        member.wh_per_1000_queries,
        member.model,
        member.stars or 0,
        member.result_id or "",
    )
