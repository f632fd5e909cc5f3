"""Scores of runs, and their stars, as text tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from scorekit.editions import EDITIONS
from scorekit.layout import Column, Layout, each_once, joined, percent, render, significant
from scorekit.rating import LOCAL, STARS, Rating
from scorekit.records import Edition, Score
from scorekit.scales import find_any_rule
from scorekit.units import kwh_to_wh

_TASK = Column("task", flexible=True)
_MODEL = Column("model", flexible=True)
_WH = Column("Wh per\n1,000\nqueries", numeric=True)
_KWH = Column("kWh of\none\nrepeat", numeric=True)
_COMPARABLE = Column("compar-\nable")


def demo_table(scores: Sequence[Score], ratings: Sequence[Rating], layout: Layout) -> str:
    """Scores beside their stars, and under the table why any of them is not comparable.

    Args:
        scores: one row each.
        ratings: the rating of each score, in the same order.
        layout: width and signs.
    """
    columns = (
        _TASK, _MODEL, Column("samples", numeric=True), _WH, _KWH, Column("stars"), _COMPARABLE,
    )  # fmt: skip
    rows = [
        (
            layout.text(score.task or "unknown"),
            layout.text(score.model),
            f"{score.queries:,}",
            significant(score.wh_per_1000_queries),
            significant(score.energy_kwh),
            _stars(rating, layout),
            _yes(score.comparable),
        )
        for score, rating in zip(scores, ratings, strict=True)
    ]
    reasons = [(score, reason.message) for score in scores for reason in score.not_comparable_because]
    return joined(
        render(columns, rows, layout),
        *_rating_notes(ratings, layout),
        _reasons("Not comparable with official scores:", reasons, scores, layout),
    )


def score_table(scores: Sequence[Score], layout: Layout) -> str:
    """Energy of each run with its 95 % interval; with one run its phases and the interval's sources too; and why any of
    them is invalid or not comparable.
    """
    columns = (
        _TASK, _MODEL, Column("queries x\nrepeats", numeric=True),
        Column("Wh per 1,000\nqueries, 95 %\ninterval", numeric=True), _KWH, _COMPARABLE,
    )  # fmt: skip
    rows = [
        (
            layout.text(score.task or "unknown"),
            layout.text(score.model),
            f"{score.queries:,} x {score.runs}",
            _with_interval(score, layout),
            significant(score.energy_kwh),
            _yes(score.comparable),
        )
        for score in scores
    ]
    reasons = [(score, reason.message) for score in scores for reason in score.not_comparable_because]
    invalid = [(score, reason.message) for score in scores for reason in score.invalid_because]
    # The figures in a warning differ from run to run; of many runs the check's name is told, once.
    warnings = [
        (score, reason.message if len(scores) == 1 else f"{reason.code} (scorekit check RUN tells why)")
        for score in scores
        for reason in score.warnings
    ]
    return joined(
        render(columns, rows, layout),
        _phase_table(scores[0], layout) if len(scores) == 1 else "",
        _budget_table(scores[0], layout) if len(scores) == 1 else "",
        _reasons("Invalid, and no result:", invalid, scores, layout),
        _reasons("Warnings:", warnings, scores, layout),
        _reasons("Not comparable with official scores:", reasons, scores, layout),
    )


def rating_table(ratings: Sequence[Rating], layout: Layout, edition: Edition | None = None) -> str:
    """Stars of each score with how sure they are, their edition and rule, and why any has none or no official one.

    Args:
        ratings: one row each; those that are explained are so under the table.
        layout: width and signs.
        edition: the one that they were rated in; None where they were only rated locally.
    """
    columns = (
        _TASK, _MODEL, Column("class"), _WH, Column("stars"), Column("sure\n(%)", numeric=True), Column("edition"),
        _COMPARABLE,
    )  # fmt: skip
    rows = [
        (
            layout.text(rating.task or "unknown"),
            layout.text(rating.model or "unknown"),
            rating.model_class or "",
            "unknown" if rating.wh_per_1000_queries is None else significant(rating.wh_per_1000_queries),
            _stars(rating, layout),
            _sure(rating),
            layout.text(rating.edition if rating.stars is not None else "none"),
            _yes(rating.comparable),
        )
        for rating in ratings
    ]
    reasons = [(rating, reason.message) for rating in ratings for reason in rating.no_official_star_because]
    return joined(
        render(columns, rows, layout),
        "\n".join(layout.note(rating.explanation) for rating in ratings if rating.explanation is not None),
        *_rating_notes(ratings, layout, edition),
        _reasons("How sure a star is, is not known:", list(_unsure(ratings)), ratings, layout),
        _reasons("No official star:", reasons, ratings, layout),
    )


def _phase_table(score: Score, layout: Layout) -> str:
    columns = (
        Column("phase"), Column("counted"), Column("Wh of one\nrepeat (mean)", numeric=True),
        Column("s of one\nrepeat (mean)", numeric=True), Column("tokens made\nin one repeat", numeric=True),
    )  # fmt: skip
    rows = [
        (
            phase.phase,
            _yes(phase.counted),
            "unknown" if phase.energy_wh is None else significant(phase.energy_wh),
            "unknown" if phase.duration_s is None else significant(phase.duration_s),
            "" if phase.output_tokens is None else f"{phase.output_tokens:,.0f}",
        )
        for phase in score.phases
    ]
    parts = (("GPU", score.gpu_kwh), ("CPU", score.cpu_kwh), ("RAM", score.ram_kwh))
    split = ", ".join(
        f"{name} {significant(kwh_to_wh(kwh))} Wh"
        if kwh is not None
        # Where there was none, nothing is unknown.
        else ("no GPU" if name == "GPU" and score.domain != "gpu" else f"{name} unknown")
        for name, kwh in parts
    )
    notes = [layout.note(f"{phase.phase}: {phase.note}") for phase in score.phases if phase.note]
    if score.conditions is not None and score.conditions.concurrency is not None:
        notes.append(
            layout.note(
                f"steady state of a server, {score.conditions.concurrency} in flight, by {score.provenance.protocol}; "
                f"one repeat: the {score.queries:,} samples once, worked out from its whole window"
            )
        )
    tokens = score.wh_per_1000_output_tokens
    if tokens is not None and score.output_tokens is not None:
        notes.append(f"{significant(tokens)} Wh per 1,000 output tokens ({score.output_tokens:,.0f} in one repeat)")
    if score.wh_per_1000_queries_net is not None and score.idle_power_w is not None:
        notes.append(
            layout.note(
                f"gross {significant(score.wh_per_1000_queries)} Wh per 1,000 queries, which is the score; net of "
                f"idling at {significant(score.idle_power_w)} W: {significant(score.wh_per_1000_queries_net)} Wh"
            )
        )
    return "\n".join(
        [
            render(columns, rows, layout),
            "",
            layout.note(
                f"hardware: {score.hardware}; energy of {score.domain}, {score.origin}, by {score.meter}; "
                f"one repeat: {split}"
            ),
            *notes,
        ]
    )


def _budget_table(score: Score, layout: Layout) -> str:
    """The sources of a score's uncertainty, each apart."""
    found = score.uncertainty
    if found is None:
        return ""
    columns = (
        Column("source of\nuncertainty"), Column("kind"), Column(f"{layout.plus_minus} % at\n95 %", numeric=True),
        Column("what it is", flexible=True),
    )  # fmt: skip
    rows = [
        (
            term.name,
            term.kind,
            "unknown" if term.half_width_95_percent is None else percent(term.half_width_95_percent),
            layout.text(term.source),
        )
        for term in found.terms
    ]
    unknown = any(term.half_width_95_percent is None for term in found.terms[:-1])
    known = "all that is known but board_gain:" if unknown else "all but board_gain:"
    sums = [
        f"{name} {layout.plus_minus} {percent(value)} %"
        for name, value in (
            (known, found.combined_95_percent),
            ("with it, against scores of other boards:", found.with_board_gain_95_percent),
        )
        if value is not None
    ]
    spread = []
    if found.cov_percent is not None:
        spread.append(f"standard deviation over mean {percent(found.cov_percent)} %")
    if found.trend_percent_per_repeat is not None and found.trend_significant:
        spread.append(f"a trend of {found.trend_percent_per_repeat:+.2g} % a repeat")
    if found.outliers:
        # Flagged, never left out: no cause is known.
        spread.append(f"far from the others, and counted: repeat {', '.join(map(str, found.outliers))}")
    notes = [layout.note("; ".join(parts)) for parts in (sums, spread) if parts]
    return "\n".join([render(columns, rows, layout), "", *notes])


def _rule_line(name: str) -> str:
    rule = find_any_rule(name)
    return f"Rule {name}{'' if rule.brought_by is None else f', of {rule.brought_by}'}: {rule.description}."


def _rating_notes(ratings: Sequence[Rating], layout: Layout, edition: Edition | None = None) -> list[str]:
    """What a reader of a star must know: its rule and edition, and where it is out of range or missing."""
    starred = [rating for rating in ratings if rating.stars is not None]
    lines = [_rule_line(rule) for rule in dict.fromkeys(rating.rule for rating in starred)]
    for name in dict.fromkeys(rating.edition for rating in starred):
        known = edition if edition is not None and edition.name == name else EDITIONS.get(name)
        if name == LOCAL:
            lines.append(
                "Edition local: stars among the scores given here, within each task, on the same hardware "
                "and queries; they are not official."
            )
        elif known is not None:
            lines.append(f"Edition {name}: {known.source}; {known.hardware}.")
    notes = [layout.note(line) for line in lines]
    outside = [
        (
            rating,
            f"{rating.out_of_range} the range of the cohort, {significant(rating.min_wh_per_1000 or 0)} to "
            f"{significant(rating.max_wh_per_1000 or 0)} Wh per 1,000 queries (edition {rating.edition})",
        )
        for rating in ratings
        if rating.out_of_range is not None
    ]
    refused = [(rating, rating.refused) for rating in ratings if rating.refused is not None]
    borderline = [
        (rating, f"the star is right with a probability of {_sure(rating)} % by the interval of its energy")
        for rating in ratings
        if rating.borderline
    ]
    return [
        "\n".join(notes),
        _reasons("Borderline:", borderline, ratings, layout),
        _reasons("Out of range:", outside, ratings, layout),
        _reasons("No star:", refused, ratings, layout),
    ]


def _unsure(ratings: Sequence[Rating]) -> Iterator[tuple[Rating, str]]:
    """Stars that have no probability though their energy has an interval."""
    for rating in ratings:
        if rating.stars is not None and rating.combined_95_percent is not None and rating.star_probability is None:
            yield rating, "the energy is modelled, or may be: its interval is of repeats, not of how true the model is"


def _reasons(
    title: str,
    reasons: Sequence[tuple[Score | Rating, str]],
    everything: Sequence[Score | Rating],
    layout: Layout,
) -> str:
    """Each reason once, with what it holds for: the model, and its task where it does not hold for all of them."""

    def names(found: Sequence[Score | Rating]) -> Iterator[str]:
        for holder in found:
            everywhere = _of_model(holder, found) == _of_model(holder, everything)
            yield holder.model or "unknown" if everywhere else f"{holder.model} on {holder.task}"

    return each_once(title, reasons, names, len(everything), layout)


def _of_model(holder: Score | Rating, among: Sequence[Score | Rating]) -> int:
    return sum(other.model == holder.model for other in among)


def _stars(rating: Rating, layout: Layout) -> str:
    if rating.stars is None:
        return "none"
    full, empty = ("★", "☆") if layout.unicode else ("*", "-")
    return f"{full * rating.stars}{empty * (STARS - rating.stars)} {rating.stars}"


def _with_interval(score: Score, layout: Layout) -> str:
    """An energy with half of its 95 % interval, e.g. 7.512 +- 0.6 %; without one where it is not known."""
    half_width = None if score.uncertainty is None else score.uncertainty.combined_95_percent
    energy = significant(score.wh_per_1000_queries)
    return energy if half_width is None else f"{energy} {layout.plus_minus} {percent(half_width)} %"


def _sure(rating: Rating) -> str:
    """Probability of a star in whole percent, rounded down: 100 would say that it is certain."""
    return "" if rating.star_probability is None else str(min(99, math.floor(100 * rating.star_probability)))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
