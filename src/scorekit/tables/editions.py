"""What `scorekit edition` prints: editions, what one holds, how two differ, and how much one hangs on its members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scorekit.editions import (
    Cohort,
    Difference,
    Edition,
    Listed,
    Sensitivity,
    cohort_name,
    cohorts_of,
    scales_of,
)
from scorekit.editions.differences import CohortDifference, EndMoved, Moved
from scorekit.layout import Column, Layout, joined, render, significant
from scorekit.messages import counted
from scorekit.scales import RULES, STARS, Scale

_COHORT: Final = Column("cohort", flexible=True)
_CLASS: Final = Column("class")
_MODEL: Final = Column("model", flexible=True)
_WH: Final = Column("Wh per\n1,000\nqueries", numeric=True)
_MOST_TOLD: Final = 12
"""So many models are named in one sentence; of the others the number is told. --json names all."""
_HASH_DIGITS: Final = 12


def edition_list(found: Sequence[Listed], layout: Layout) -> str:
    """All editions that there are."""
    columns = (
        Column("edition"), Column("kind"), Column("date"), Column("rule"), Column("cohorts", numeric=True),
        Column("models", numeric=True), Column("sha256"),
    )  # fmt: skip
    rows = []
    for one in found:
        edition = one.edition
        if edition is None:
            rows.append((layout.text(one.name), one.kind, "refused", "", "", "", ""))
            continue
        rows.append(
            (
                layout.text(one.name),
                one.kind,
                layout.text(edition.date),
                layout.text(edition.rule),
                str(len(edition.thresholds)),
                f"{sum(row.n for row in edition.thresholds):,}",
                (edition.content_sha256 or "")[:_HASH_DIGITS],
            )
        )
    return render(columns, rows, layout)


def edition_table(edition: Edition, layout: Layout, *, with_members: bool = False) -> str:
    """The thresholds of an edition, where it comes from, and what is to be known about it.

    Args:
        edition: a frozen or built-in one, or a draft with the thresholds that it would get.
        layout: width and signs.
        with_members: list every member with its star too.
    """
    columns = (
        _COHORT, _CLASS, Column("models", numeric=True), Column("lowest", numeric=True),
        *(Column(f"{stars} below" if stars > 1 else "1 from", numeric=True) for stars in (5, 4, 3, 2)),
        Column("highest", numeric=True),
    )  # fmt: skip
    rows = [
        (
            cohort,
            size or "",
            f"{n:,}",
            significant(scale.lowest),
            *map(significant, scale.bounds),
            significant(scale.highest),
        )
        for (cohort, size), scale, n in _rows(edition)
    ]
    frozen = "" if edition.content_sha256 is None else f", sha256 {edition.content_sha256}"
    rule = RULES.get(edition.rule)
    told = [
        f"Edition {edition.name} of {edition.date}{frozen}.",
        "In Wh per 1,000 queries; below a bound a model has the stars above it, and from the last one on it has 1.",
        f"Rule {edition.rule}: {'not known here' if rule is None else rule.description}.",
        f"{edition.source}; {edition.hardware}.",
    ]
    lists = (
        ("Sources:", [_source(source.name, source.members, source.sha256) for source in edition.sources]),
        ("Left out:", [f"{left.place}: {left.reason}" for left in edition.left_out]),
        ("Notes:", list(edition.notes)),
    )
    return joined(
        render(columns, rows, layout),
        _member_table(edition, layout) if with_members else "",
        "\n".join(map(layout.note, told)),
        *(_bullets(title, lines, layout) for title, lines in lists),
    )


def difference_table(found: Difference, layout: Layout) -> str:
    """Who moved between two editions, by how much, and what stretched the ranges."""
    columns = (_COHORT, _CLASS, _MODEL, Column("Wh before", numeric=True), Column("Wh after", numeric=True),
               Column("stars"), Column("because of"))  # fmt: skip
    moved = [
        (
            row.cohort,
            row.model_class or "",
            layout.text(one.model),
            significant(one.wh_per_1000_before),
            significant(one.wh_per_1000_after),
            _change(one.stars_before, one.stars_after),
            {"range": "the range", "energy": "its energy", "both": "both"}[one.because],
        )
        for row in found.cohorts
        for one in sorted(row.moved, key=_by_change)
    ]
    alike = f"{found.cohorts_alike:,} of {found.cohorts_alike + len(found.cohorts):,} cohorts are as they were"
    head = f"From edition {found.before} to {found.after}: {alike}."
    if not found.notes:
        head += f" {found.stars_moved:,} of the {found.carried_over:,} models that stand in both have another star."
    rules = (
        "" if found.rule_before == found.rule_after else f"The rule is {found.rule_after}, and was {found.rule_before}."
    )
    return joined(
        render(columns, moved, layout) if moved else "",
        "\n".join(layout.note(line) for line in (head, rules, *found.notes) if line),
        *(_cohort_difference(row, layout) for row in found.cohorts),
    )


def sensitivity_table(found: Sensitivity, layout: Layout) -> str:
    """On which members other stars hang."""
    columns = (
        _COHORT, _CLASS, Column("without", flexible=True), _WH, Column("other\nstars", numeric=True),
        Column("who would change", flexible=True),
    )  # fmt: skip
    rows = [
        (
            one.cohort,
            one.model_class or "",
            layout.text(one.model),
            significant(one.wh_per_1000_queries),
            f"{len(one.changes):,}",
            layout.text(
                _some([f"{change.model} {_change(change.stars_before, change.stars_after)}" for change in one.changes])
            ),
        )
        for one in found.removals
    ]
    note = (
        f"Edition {found.edition}, rule {found.rule}: without one of {len(found.removals):,} of its {found.members:,} "
        f"models other stars would change; {found.stars_that_hang_on_one_member:,} stars hang on a single other model."
    )
    return joined(render(columns, rows, layout) if rows else "", layout.note(note))


def _rows(edition: Edition) -> list[tuple[Cohort, Scale, int]]:
    counts: dict[Cohort, int] = {(row.cohort, row.model_class): row.n for row in edition.thresholds}
    return [(key, scale, counts[key]) for key, scale in scales_of(edition).items()]


def _member_table(edition: Edition, layout: Layout) -> str:
    columns = (_COHORT, _CLASS, _MODEL, _WH, Column("stars"), Column("published"))
    scales = scales_of(edition)
    rows = []
    for (cohort, size), own in cohorts_of(edition.members).items():
        scale = scales.get((cohort, size))
        rows += [
            (
                cohort,
                size or "",
                layout.text(member.model),
                significant(member.wh_per_1000_queries),
                "none" if scale is None else _stars(scale.stars(member.wh_per_1000_queries), layout),
                "" if member.stars is None else str(member.stars),
            )
            for member in own
        ]
    return render(columns, rows, layout) if rows else ""


def _cohort_difference(row: CohortDifference, layout: Layout) -> str:
    lines = [_end(end) for end in row.ends]
    if row.n_before is None or row.n_after is None:
        lines.append("is new" if row.n_before is None else "is gone")
    if row.came:
        lines.append(f"came: {_some(row.came)}")
    if row.went:
        lines.append(f"went: {_some(row.went)}")
    return _bullets(f"{cohort_name(row.cohort, row.model_class)}:", lines, layout) if lines else ""


def _end(end: EndMoved) -> str:
    moved = (
        f"{end.end} {significant(end.wh_per_1000_before)} to {significant(end.wh_per_1000_after)} Wh: the range was "
        f"{'stretched' if end.stretched else 'narrowed'}"
    )
    who = {"new": " by the new", "measured_again": " by a new energy of", "gone": ", without", "unknown": ""}[end.who]
    return f"{moved}{who} {_some(end.by)}" if end.by and who else f"{moved}, it cannot be told by whom"


def _by_change(one: Moved) -> tuple[int, str]:
    before, after = one.stars_before, one.stars_after
    return (-9 if before is None or after is None else -abs(after - before), one.model)


def _change(before: int | None, after: int | None) -> str:
    old, new = ("none" if stars is None else str(stars) for stars in (before, after))
    difference = "" if before is None or after is None or before == after else f" ({after - before:+d})"
    return f"{old} -> {new}{difference}"


def _source(name: str, members: int, sha256: str | None) -> str:
    return f"{name}: {counted(members, 'model')}" + ("" if sha256 is None else f", sha256 {sha256}")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_TOLD
    return ", ".join(names[:_MOST_TOLD]) + (f" and {more:,} more" if more > 0 else "")


def _stars(stars: int, layout: Layout) -> str:
    full, empty = ("★", "☆") if layout.unicode else ("*", "-")
    return f"{full * stars}{empty * (STARS - stars)} {stars}"


def _bullets(title: str, lines: Sequence[str], layout: Layout) -> str:
    return "\n".join([layout.text(title), *(layout.note(line, bullet="  - ") for line in lines)]) if lines else ""
