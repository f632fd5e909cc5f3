"""Attaching figures of an evaluation to a result of the store: that of the same model, each metric once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scorekit import __version__
from scorekit.errors import InputError
from scorekit.logs.lm_eval import Evaluation
from scorekit.records import Quality, QualityFigure, Result
from scorekit.store import quality
from scorekit.store.files import Added
from scorekit.store.folder import Store
from scorekit.store.quality import InForce

_UNNAMED_FILE = "results.json"
"""In place of the name of a file where nothing is kept of what the evaluation calls its model."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What became of figures that were to be attached.

    Attributes:
        added: the file; None where all figures were there already.
        figures: those that are new.
        known: how many were there already.
        notes: what is to be known of them, each a sentence.
    """

    added: Added | None
    figures: tuple[QualityFigure, ...]
    known: int
    notes: tuple[str, ...]


def attach(
    into: Store,
    path: str,
    evaluation: Evaluation,
    figures: Sequence[QualityFigure],
    *,
    url: str | None = None,
    stated: bool = False,
    replace: bool = False,
) -> Attachment:
    """Attach figures to one result.

    Args:
        into: the store.
        path: the result's file, below the results folder.
        evaluation: what the figures are of.
        figures: those that were chosen of it.
        url: where others find the evaluation's file.
        stated: whoever attaches them says that the models are one, where their names differ. Then no name of the
            evaluation is kept.
        replace: put them in the place of other values of the same metrics.

    Raises:
        InputError: it is of another model or revision, or the result has another value of a metric.
        BundleError: the file cannot be written.
    """
    result, result_sha256 = into.read(path), into.sha256(path)
    by_name = evaluation.model.is_model(result.model)
    if not by_name and not stated:
        raise _other_model(evaluation, result)
    same_revision = evaluation.model.is_revision(result.model_revision) if by_name else None
    if same_revision is False:
        raise InputError(
            f"{evaluation.source.name} is of revision {evaluation.model.revision}, the result of "
            f"{result.model_revision}",
            mend="evaluate the revision that was measured: --model_args pretrained=...,"
            f"revision={result.model_revision}",
        )
    own = [one for one in quality.read_all(into.root)[0] if one.quality.result_sha256 == result_sha256]
    held = quality.not_replaced(own)
    new = [one for one in figures if not _is_there(held.get(one.key, []), one, evaluation, url)]
    others = [older for one in new for older in held.get(one.key, [])]
    if others and not replace:
        raise _has_other(others[0], next(one for one in new if one.key == others[0].figure.key), evaluation)
    if not new:
        return Attachment(None, (), len(figures), ())
    source = evaluation.source.model_copy(
        update={"url": url} | ({} if by_name else {"name": _UNNAMED_FILE, "git_hash": None})
    )
    record = Quality(
        result_sha256=result_sha256,
        model=result.model,
        matched_by="name" if by_name else "statement",
        revision=evaluation.model.revision if by_name else None,
        same_revision=same_revision,
        dtype=evaluation.model.dtype,
        quantized=evaluation.model.quantized,
        chat_template=evaluation.chat_template,
        limit=evaluation.limit,
        figures=tuple(new),
        source=source,
        replaces=tuple(sorted({one.attached.sha256 for one in others})),
        scorekit_version=__version__,
    )
    # Once more through its checks, which a copy of a part has not passed.
    record = Quality.model_validate_json(record.model_dump_json())
    return Attachment(into.attach(record), tuple(new), len(figures) - len(new), tuple(_notes(record, result)))


def _is_there(held: Sequence[InForce], figure: QualityFigure, evaluation: Evaluation, url: str | None) -> bool:
    if len(held) != 1 or held[0].figure != figure:
        return False
    source = held[0].attached.quality.source
    return source.sha256 == evaluation.source.sha256 and url in (None, source.url)


def _other_model(evaluation: Evaluation, result: Result) -> InputError:
    found = evaluation.model.name
    told = "does not tell which model it is of" if found is None else f"is of the model '{found}'"
    return InputError(
        f"{evaluation.source.name} {told}; the result is of '{result.model or 'unknown'}'",
        mend="name the result of the model that was evaluated; where both are one model under two names, say so: "
        "--model-matches",
    )


def _has_other(older: InForce, newer: QualityFigure, evaluation: Evaluation) -> InputError:
    source = older.attached.quality.source
    if older.figure.value != newer.value:
        what = f"{older.figure.value:g} from {source.name}, here {newer.value:g}"
    elif source.sha256 != evaluation.source.sha256:
        what = f"the same value from another file, {source.name}"
    else:
        what = f"the same value with {source.url or 'no address of its source'}"
    return InputError(
        f"the result has already {newer.task} {newer.metric},{newer.filter}: {what}",
        mend="--replace puts this in its place; the earlier file stays where it is and is not shown any more",
    )


def _notes(record: Quality, result: Result) -> list[str]:
    notes = []
    if record.matched_by == "statement":
        notes.append("that the models are one is your statement, and told as such; no name of the evaluation is kept")
    elif record.same_revision is None:
        unknown = "the evaluation's" if record.revision is None else "the result's"
        notes.append(f"the revisions could not be compared: {unknown} is not known")
    limited = sum(map(record.is_limited, record.figures))
    if limited:
        notes.append(
            f"{limited:,} of {len(record.figures):,} figures are of a part of the task (--limit): they are told as "
            "such, and stand in no comparison"
        )
    undirected = [one.metric for one in record.figures if one.higher_is_better is None]
    if undirected:
        notes.append(f"whether more is better is not told of {undirected[0]}: it stands in no comparison")
    if record.dtype is not None and result.dtype is not None and record.dtype != result.dtype.removeprefix("torch."):
        notes.append(f"the model was evaluated in {record.dtype} and measured in {result.dtype}")
    if record.quantized:
        notes.append(f"the model was evaluated with {', '.join(record.quantized)}")
    return notes
