"""Quality figures as a text table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scorekit.layout import Column, Layout, render
from scorekit.store import names


def quality_table(rows: Sequence[Mapping[str, Any]], layout: Layout) -> str:
    """Figures as a table, one row each.

    Args:
        rows: of the table `quality`, each with the `model` of its result.
        layout: width and signs.
    """
    columns = (
        Column("result"), Column("model", flexible=True), Column("benchmark", flexible=True),
        Column("metric", flexible=True), Column("value", numeric=True), Column("standard\nerror", numeric=True),
        Column("ques-\ntions", numeric=True), Column("shots", numeric=True), Column("notes", flexible=True),
    )  # fmt: skip
    cells = [
        (
            names.short(row["id"]),
            layout.text(row["model"] or "unknown"),
            layout.text(row["benchmark"]),
            layout.text(f"{row['metric']},{row['filter']}"),
            f"{row['value']:.4g}",
            "unknown" if row["stderr"] is None else f"{row['stderr']:.2g}",
            _count(row["samples"]),
            _count(row["num_fewshot"]),
            layout.text(", ".join(_notes(row))),
        )
        for row in rows
    ]
    return render(columns, cells, layout)


def _notes(row: Mapping[str, Any]) -> list[str]:
    notes = []
    if row["limited"]:
        notes.append("part of the task")
    if row["higher_is_better"] is False:
        notes.append("lower is better")
    elif row["higher_is_better"] is None:
        notes.append("direction unknown")
    if row["chat_template"]:
        notes.append("as a chat")
    if row["same_weights"] is False:
        notes.append("other weights than measured")
    if row["matched_by"] == "statement":
        notes.append("model by statement")
    elif row["matched_by"] == "folder":
        notes.append("model by a folder's name")
    if row["source_url"] is None:
        notes.append("file not published")
    return notes


def _count(value: int | None) -> str:
    return "unknown" if value is None else f"{value:,}"
