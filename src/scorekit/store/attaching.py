"""What figures of an evaluation become beside a result of the store: of the same model, each metric once.

Nothing is written here, so that all results that are meant can be judged before the first is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scorekit import __version__
from scorekit.errors import InputError
from scorekit.logs.lm_eval import Evaluation
from scorekit.records import Quality, QualityFigure, Result
from scorekit.store import quality
from scorekit.store.folder import Store
from scorekit.store.quality import InForce

_UNNAMED_FILE = "results.json"
"""In place of the name of a file where nothing is kept of what the evaluation calls its model."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """What becomes of figures that are to be attached.

    Attributes:
        record: what `Store.attach` is to write; None where all figures are there already.
        figures: those that are new.
        known: how many are there already.
        notes: what is to be known of them, each a sentence.
    """

    record: Quality | None
    figures: tuple[QualityFigure, ...]
    known: int
    notes: tuple[str, ...]


def prepared(
    into: Store,
    path: str,
    evaluation: Evaluation,
    figures: Sequence[QualityFigure],
    *,
    url: str | None = None,
    stated: bool = False,
    replace: bool = False,
) -> Attachment:
    """Figures as they are to stand beside one result.

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
    earlier = [(one, held.get(one.key(evaluation.chat_template), [])) for one in figures]
    unlike = [(one, same) for one, same in earlier if not _is_there(same, one, evaluation, url)]
    new, others = [one for one, _ in unlike], [(older, one) for one, same in unlike for older in same]
    if others and not replace:
        raise _has_other(*others[0], evaluation)
    if not new:
        return Attachment(None, (), len(figures), ())
    source = evaluation.source.model_copy(
        update={"url": url} | ({} if by_name else {"name": _UNNAMED_FILE, "git_hash": None})
    )
    record = Quality(
        result_sha256=result_sha256,
        model=result.model,
        matched_by="statement" if not by_name else "folder" if evaluation.model.is_local else "name",
        revision=evaluation.model.revision if by_name else None,
        same_revision=same_revision,
        dtype=evaluation.model.dtype,
        quantized=evaluation.model.quantized,
        same_weights=evaluation.model.is_weights(result.dtype),
        chat_template=evaluation.chat_template,
        limit=evaluation.limit,
        figures=tuple(new),
        source=source,
        replaces=tuple(sorted({older.attached.sha256 for older, _ in others})),
        scorekit_version=__version__,
    )
    # Once more through its checks, which a copy of a part has not passed.
    record = Quality.model_validate_json(record.model_dump_json())
    return Attachment(record, tuple(new), len(figures) - len(new), tuple(_notes(record, result)))


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
    elif record.matched_by == "folder":
        notes.append("that the models are one is known by the name of a folder alone, and told as such")
    if record.matched_by != "statement" and record.same_revision is None:
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
    if record.source.url is None:
        notes.append(
            "the figures are shown as of a file that is not published; --source URL tells where others find it"
        )
    weights = ", ".join((*(() if record.dtype is None else (record.dtype,)), *record.quantized))
    if record.same_weights is False:
        notes.append(
            f"the model was evaluated with weights in {weights} and measured in {result.dtype}: the figures stand in "
            "no comparison; evaluate what was measured"
        )
    elif record.quantized:
        notes.append(f"the model was evaluated with weights in {weights}")
    return notes
