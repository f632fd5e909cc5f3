"""What a label or card is made of: one result and its rating, from whatever was named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from scorekit import bundle, logs, store
from scorekit.errors import LogError, UsageError, nearest
from scorekit.rating import Rating, rate_scores
from scorekit.records import Edition, Result, Score, first_complaint
from scorekit.store import names

_MOST_RATING_BYTES: Final = 64 * 1024 * 1024
_PEEK_BYTES: Final = 4096
_RATINGS: Final = TypeAdapter(Rating | list[Rating])


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating, and what was rated; None for a rating that was read from a file by itself."""

    rating: Rating
    subject: Score | Result | None


def rated_at(path: Path, edition: Edition | None, *, model: str | None = None, task: str | None = None) -> Rated:
    """The one result at a path, rated as `scorekit rate` does.

    Args:
        path: a run folder, a score.json, a log of another tool, or the JSON that `scorekit rate --json` printed; a pipe
            of the last.
        edition: the edition to rate in; None for a local rating.
        model: which model is meant, where there are several.
        task: which task is meant, by its config or leaderboard name.

    Raises:
        UsageError: it is not one result that is meant; lists what is there.
        ScorekitError: it cannot be read, or its run failed its checks.
    """
    # A pipe can be read once only, so nothing is looked at before: what comes that way is a rating.
    is_stream = path.exists() and not path.is_file() and not path.is_dir()
    if is_stream or (path.is_file() and _says(path, b'"scorekit.rating/')):
        return _one([Rated(rating, None) for rating in _ratings(path)], model, task, str(path))
    if store.is_store(path):
        raise UsageError(f"{path} is a results folder", mend=f"name a model or an id in it: MODEL --results {path}")
    return _one(_rate(list(_subjects(path)), edition), model, task, str(path))


def rated_in(folder: Path, wanted: str, edition: Edition | None, *, task: str | None = None) -> Rated:
    """The one result of a model in a results store, or of an id, rated.

    Args:
        folder: the results folder.
        wanted: a model's name, or the first digits of a result's id.
        edition: the edition to rate in; None for a local rating.
        task: which task is meant, where the model has results of several.

    Raises:
        UsageError: there is no such result, or several are meant; lists what is there.
        InputError: the folder or the result cannot be read.
    """
    found = store.open(folder)
    paths = found.find(wanted)
    rated = _rate([found.read(path) for path in paths], edition)
    chosen = [each for each in rated if task in (None, each.rating.task, each.rating.cohort)]
    if len(chosen) > 1:
        ids = ", ".join(
            f"{names.short(names.id_of(path))} ({each.rating.task or 'task unknown'})"
            for path, each in zip(paths, rated, strict=True)
            if each in chosen
        )
        raise UsageError(
            f"'{wanted}' has {len(chosen)} results: {ids}", mend="give the id of the one that is meant, or its --task"
        )
    return _one(chosen, None, task, wanted)


def _rate(subjects: Sequence[Score | Result], edition: Edition | None) -> list[Rated]:
    return [Rated(*pair) for pair in zip(rate_scores(subjects, edition), subjects, strict=True)]


def _subjects(path: Path) -> Iterable[Score | Result]:
    run = logs.run_beside(path) or path
    if run.is_dir() and (run / bundle.MANIFEST).is_file():
        yield logs.read_score(run)
    elif not path.exists() or (path.is_file() and logs.is_score_file(path, _head(path))):
        yield logs.read_score_file(path)
    else:
        for found in logs.read_logs([path]):
            if not isinstance(found, Result):
                raise found.error
            yield found


def _ratings(path: Path) -> list[Rating]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_RATING_BYTES + 1)
        if len(content) > _MOST_RATING_BYTES:
            raise LogError(f"{path} has more than {_MOST_RATING_BYTES:,} bytes", mend="rate fewer scores")
        found = _RATINGS.validate_json(content)
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise LogError(
            f"{path} is not a rating of this version: {first_complaint(error)}",
            mend="make it again: scorekit rate RUN... --json > RATING.json",
        ) from error
    return found if isinstance(found, list) else [found]


def _says(path: Path, mark: bytes) -> bool:
    return mark in _head(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_PEEK_BYTES)
    except OSError:
        return b""


def _one(found: Sequence[Rated], model: str | None, task: str | None, where: str) -> Rated:
    chosen = [
        each
        for each in found
        if model in (None, each.rating.model) and task in (None, each.rating.task, each.rating.cohort)
    ]
    if len(chosen) == 1:
        return chosen[0]
    models = sorted({each.rating.model or "a model that is not named" for each in found})
    named = ", ".join(models[:10]) + (" and others" if len(models) > 10 else "")
    if chosen:
        raise UsageError(
            f"{where} holds {len(chosen)} results that may be meant, of {named}", mend="choose with --model and --task"
        )
    close = nearest(model, models) if model is not None else None
    raise UsageError(
        f"{where} holds no such result: it has {named or 'none'}",
        mend=f"did you mean --model '{close}'?" if close else "see --model and --task",
    )
