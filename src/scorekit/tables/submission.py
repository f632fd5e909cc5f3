"""What packing did and what verifying found, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scorekit.layout import Column, Layout, render, significant
from scorekit.records import SubmittedRun, Verdict, VerdictReason, VerifiedRun

_WEIGHTS: Final = {"refuse": "REFUSES", "review": "review", "note": "note"}
_SIGNED: Final = {
    "unsigned": "not signed",
    "allowed": "signed by {signer}",
    "unknown_key": "signed by a key that nobody vouched for",
    "wrong": "the signature does NOT hold",
    "unchecked": "signed, but not checked: there is no ssh-keygen here",
}


def packed_text(left_out: Sequence[str], told: Sequence[str], public: Sequence[str], layout: Layout) -> str:
    """What was left out of a submission, what a reader of it learns, and what of that becomes public."""
    parts = (
        ("Left out:", left_out),
        ("What a reader of the file learns:", told),
        ("What becomes public when an operator accepts it:", public),
    )
    return "\n\n".join(
        "\n".join([title, *(layout.note(line, bullet="  - ") for line in lines)]) for title, lines in parts
    )


def verdict_text(verdict: Verdict, layout: Layout) -> str:
    """A verdict with its reasons."""
    lines = []
    if verdict.runs:
        columns = (
            Column("run", flexible=True),
            Column("model", flexible=True),
            Column("task", flexible=True),
            Column("class"),
            Column("Wh per 1,000\nqueries", numeric=True),
            Column("compar-\nable"),
            Column("checks"),
        )
        claimed = {} if verdict.submission is None else {run.folder: run for run in verdict.submission.runs}
        rows = [_row(run, claimed.get(run.folder), layout) for run in verdict.runs]
        lines += [render(columns, rows, layout), ""]
    if verdict.submission is not None:
        who = verdict.submission.submitter
        told = ", ".join(part for part in (who.name, who.organisation, who.contact) if part)
        lines.append(layout.note(f"Handed in by {told} ({verdict.submission.form}), {verdict.submission.created_utc}."))
    if verdict.readable:
        key = f" ({verdict.signed.key})" if verdict.signed.key else ""
        told = _SIGNED[verdict.signed.state].format(signer=verdict.signed.signer)
        lines += [layout.note(f"{told[0].upper()}{told[1:]}{key}."), ""]
    if verdict.reasons:
        lines += [_reason_table(verdict.reasons, layout), ""]
    for run in verdict.runs:
        near = ", ".join(f"{other.model} {significant(other.wh_per_1000_queries)} Wh" for other in run.neighbours)
        if near:
            lines.append(layout.note(f"Neighbours of {run.folder}: {near}."))
    lines.append(f"Verdict: {verdict.verdict.upper()}")
    return "\n".join(lines)


def _reason_table(reasons: Sequence[VerdictReason], layout: Layout) -> str:
    """Every reason: on a terminal with its file and its mend below what was found, in a pipe on one line."""
    heads, last = [Column(""), Column("what")], Column("found", prose=True)
    if layout.width is None:
        rows = [
            (
                _WEIGHTS[reason.weight],
                layout.text(reason.code),
                layout.text(reason.file or ""),
                layout.text(reason.message + (f". Mend: {reason.mend}" if reason.mend else "")),
            )
            for reason in reasons
        ]
        # Sentences stand last: nothing is padded to the longest of them.
        return render([*heads, Column("file", flexible=True), last], rows, layout)
    found = [
        layout.finding(
            reason.message,
            *((f"file: {reason.file}",) if reason.file else ()),
            *((f"mend: {reason.mend}",) if reason.mend else ()),
        )
        for reason in reasons
    ]
    return render(
        [*heads, last],
        [
            (_WEIGHTS[reason.weight], layout.text(reason.code), text)
            for reason, text in zip(reasons, found, strict=True)
        ],
        layout,
    )


def _row(run: VerifiedRun, claimed: SubmittedRun | None, layout: Layout) -> tuple[str, ...]:
    checks = "not made"
    if run.validity is not None:
        checks = f"{len(run.validity.failures)} failed, {len(run.validity.warnings)} warned"
    if run.score is None:
        return (layout.text(run.folder), "", "", "", "", "", checks)
    score = run.score
    return (
        layout.text(run.folder),
        layout.text(score.model),
        layout.text(score.task or "unknown"),
        # Only some tasks are scored by class; of the others the class is the one that was handed in, which is checked.
        score.model_class or (claimed.model_class if claimed is not None else None) or "",
        significant(score.wh_per_1000_queries),
        "yes" if score.comparable else "no",
        checks,
    )
