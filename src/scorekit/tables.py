"""The tables that commands print: text for people, from the same records that --json gives to programs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from scorekit import tasks
from scorekit.editions import EDITIONS, EQUAL_WIDTH
from scorekit.layout import Column, Layout, render
from scorekit.rating import LOCAL, STARS, Rating
from scorekit.records import Score
from scorekit.units import kwh_to_wh

_TASK = Column("task", flexible=True)
_MODEL = Column("model", flexible=True)
_WH = Column("Wh per\n1,000\nqueries", numeric=True)
_KWH = Column("kWh of\none\nrepeat", numeric=True)
_COMPARABLE = Column("compar-\nable")
_ABOUT_RULES = {EQUAL_WIDTH: "five parts of one width between the lowest and the highest energy of the cohort"}


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
            _number(score.wh_per_1000_queries),
            _number(score.energy_kwh),
            _stars(rating, layout),
            _yes(score.comparable),
        )
        for score, rating in zip(scores, ratings, strict=True)
    ]
    reasons = [(score, reason.message) for score in scores for reason in score.not_comparable_because]
    return _join(
        render(columns, rows, layout),
        *_rating_notes(ratings, layout),
        _reasons("Not comparable with official scores:", reasons, scores, layout),
    )


def score_table(scores: Sequence[Score], layout: Layout) -> str:
    """Energy of each run; with one run its phases too; and why any of them is not comparable."""
    columns = (
        _TASK, _MODEL, Column("queries x\nrepeats", numeric=True), _WH, Column("std\n(%)", numeric=True),
        _KWH, _COMPARABLE,
    )  # fmt: skip
    rows = [
        (
            layout.text(score.task or "unknown"),
            layout.text(score.model),
            f"{score.queries:,} x {score.runs}",
            _number(score.wh_per_1000_queries),
            _relative(score.wh_per_1000_queries_std, score.wh_per_1000_queries),
            _number(score.energy_kwh),
            _yes(score.comparable),
        )
        for score in scores
    ]
    reasons = [(score, reason.message) for score in scores for reason in score.not_comparable_because]
    return _join(
        render(columns, rows, layout),
        _phase_table(scores[0], layout) if len(scores) == 1 else "",
        _reasons("Not comparable with official scores:", reasons, scores, layout),
    )


def rating_table(ratings: Sequence[Rating], layout: Layout) -> str:
    """Stars of each score with their edition, the rule, and why any has no star or no official one."""
    columns = (_TASK, _MODEL, Column("class"), _WH, Column("stars"), Column("edition"), _COMPARABLE)
    rows = [
        (
            layout.text(rating.task or "unknown"),
            layout.text(rating.model),
            rating.model_class or "",
            _number(rating.wh_per_1000_queries),
            _stars(rating, layout),
            layout.text(rating.edition if rating.stars is not None else "none"),
            _yes(rating.comparable),
        )
        for rating in ratings
    ]
    reasons = [(rating, reason.message) for rating in ratings for reason in rating.no_official_star_because]
    return _join(
        render(columns, rows, layout),
        *_rating_notes(ratings, layout),
        _reasons("No official star:", reasons, ratings, layout),
    )


def task_table(layout: Layout) -> str:
    """Every task with what the protocol asks of it."""
    columns = (
        Column("task\n(config name)"), Column("leader-\nboard\nname", flexible=True),
        Column("dataset", flexible=True), Column("answers\nby"), Column("dtype"),
        Column("new\ntokens", numeric=True),
    )  # fmt: skip
    rows = [
        (
            task.name,
            task.cohort,
            task.dataset.rpartition("/")[2],
            task.kind,
            task.dtype,
            "" if task.new_tokens is None else str(task.new_tokens),
        )
        for task in tasks.TASKS.values()
    ]
    owners = ", ".join(dict.fromkeys(task.dataset.partition("/")[0] for task in tasks.TASKS.values()))
    note = (
        f"Datasets are those of {owners} on the Hub. The protocol: {tasks.OFFICIAL_SAMPLES:,} queries, "
        f"batch size {tasks.OFFICIAL_BATCH_SIZE}, {tasks.OFFICIAL_RUNS} repeats, one {tasks.OFFICIAL_GPU}; "
        "the energy of preprocessing and of answering counts, that of loading does not."
    )
    return _join(render(columns, rows, layout), layout.note(note))


def _phase_table(score: Score, layout: Layout) -> str:
    columns = (
        Column("phase"), Column("counted"), Column("Wh of one\nrepeat (mean)", numeric=True),
        Column("s of one\nrepeat (mean)", numeric=True), Column("tokens made\nin one repeat", numeric=True),
    )  # fmt: skip
    rows = [
        (
            phase.phase,
            _yes(phase.counted),
            "unknown" if phase.energy_wh is None else _number(phase.energy_wh),
            "unknown" if phase.duration_s is None else _number(phase.duration_s),
            "" if phase.output_tokens is None else f"{phase.output_tokens:,.0f}",
        )
        for phase in score.phases
    ]
    parts = (("GPU", score.gpu_kwh), ("CPU", score.cpu_kwh), ("RAM", score.ram_kwh))
    split = ", ".join(f"{name} {'unknown' if kwh is None else _number(kwh_to_wh(kwh)) + ' Wh'}" for name, kwh in parts)
    notes = [layout.note(f"{phase.phase}: {phase.note}") for phase in score.phases if phase.note]
    tokens = score.wh_per_1000_output_tokens
    if tokens is not None and score.output_tokens is not None:
        notes.append(f"{_number(tokens)} Wh per 1,000 output tokens ({score.output_tokens:,.0f} in one repeat)")
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


def _rating_notes(ratings: Sequence[Rating], layout: Layout) -> list[str]:
    """What a reader of a star must know: its rule and edition, and where it is out of range or missing."""
    starred = [rating for rating in ratings if rating.stars is not None]
    lines = [f"Rule {rule}: {_ABOUT_RULES[rule]}." for rule in dict.fromkeys(rating.rule for rating in starred)]
    for name in dict.fromkeys(rating.edition for rating in starred):
        known = EDITIONS.get(name)
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
            f"{rating.out_of_range} the range of the cohort, {_number(rating.min_wh_per_1000 or 0)} to "
            f"{_number(rating.max_wh_per_1000 or 0)} Wh per 1,000 queries (edition {rating.edition})",
        )
        for rating in ratings
        if rating.out_of_range is not None
    ]
    refused = [(rating, rating.refused) for rating in ratings if rating.refused is not None]
    return [
        "\n".join(notes),
        _reasons("Out of range:", outside, ratings, layout),
        _reasons("No star:", refused, ratings, layout),
    ]


def _reasons(
    title: str,
    reasons: Sequence[tuple[Score | Rating, str]],
    everything: Sequence[Score | Rating],
    layout: Layout,
) -> str:
    """Each reason once, with what it holds for."""
    holders: dict[str, list[Score | Rating]] = {}
    for holder, message in reasons:
        holders.setdefault(message, []).append(holder)
    if not holders:
        return ""
    # With one row there is nothing to tell apart.
    names = [f" [{_names(found, everything)}]" if len(everything) > 1 else "" for found in holders.values()]
    lines = [layout.note(message + suffix, bullet="  - ") for message, suffix in zip(holders, names, strict=True)]
    return "\n".join([title, *lines])


def _names(found: Sequence[Score | Rating], everything: Sequence[Score | Rating]) -> str:
    if len(found) == len(everything) > 1:
        return f"all {len(found)}"
    names: Iterable[str] = (
        holder.model
        if _of_model(holder, found) == _of_model(holder, everything)
        else f"{holder.model} on {holder.task}"
        for holder in found
    )
    return ", ".join(dict.fromkeys(names))


def _of_model(holder: Score | Rating, among: Sequence[Score | Rating]) -> int:
    return sum(other.model == holder.model for other in among)


def _stars(rating: Rating, layout: Layout) -> str:
    if rating.stars is None:
        return "none"
    full, empty = ("★", "☆") if layout.unicode else ("*", "-")
    return f"{full * rating.stars}{empty * (STARS - rating.stars)} {rating.stars}"


def _number(value: float) -> str:
    """Four significant digits, without an exponent where the number stays readable."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    exponent = math.floor(math.log10(abs(value)))
    if not -4 <= exponent <= 8:
        return f"{value:.3e}"
    return f"{value:,.{max(0, 3 - exponent)}f}"


def _relative(part: float | None, whole: float) -> str:
    return "" if part is None else f"{100 * part / whole:.1f}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
