"""Reading a score.json back, and what it is worth without the run that it was computed from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scorekit import bundle
from scorekit.errors import InvalidRunError, LogError
from scorekit.logs.runs import read_score
from scorekit.records import Reason, Score, first_complaint

_MARK: Final = b'"scorekit.score/'
_MARK_BYTES: Final = 4096
UNVERIFIED: Final = Reason(code="unverified", message="read from a score.json without its run")


def run_beside(path: Path) -> Path | None:
    """The run folder that a score.json lies in, by the manifest beside it; None for one that lies alone."""
    if path.name == bundle.SCORE and path.is_file() and (path.parent / bundle.MANIFEST).is_file():
        return path.parent
    return None


def is_score_file(path: Path, head: bytes) -> bool:
    """Whether a file is a score, by its name or by what stands at its beginning."""
    return path.name == bundle.SCORE or _MARK in head[:_MARK_BYTES]


def read_score_file(path: Path) -> Score:
    """The score of a score.json: that of its run where it lies in one, else what the file says, unverified.

    Nothing shows that a file which lies alone is what a run gave. Such a score is never comparable with the official
    ones, and `unverified` is among its reasons.

    Raises:
        LogError: the file cannot be read, or is not a score of this version.
        InvalidRunError: its energy is not positive, so that it is no result, or it contradicts itself.
        BundleError: it lies in a run whose files are not those that were measured.
    """
    folder = run_beside(path)
    if folder is not None:
        return read_score(folder)
    score = _as_written(path)
    reasons = score.not_comparable_because
    if UNVERIFIED.code not in {reason.code for reason in reasons}:
        reasons = (*reasons, UNVERIFIED)
    return score.model_copy(update={"comparable": False, "not_comparable_because": reasons})


def _as_written(path: Path) -> Score:
    try:
        score = Score.model_validate_json(path.read_bytes())
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise LogError(
            f"{path} is not a score of this version: {first_complaint(error)}",
            mend="make it again from the run's folder: scorekit parse RUN",
        ) from error
    if not (math.isfinite(score.wh_per_1000_queries) and score.wh_per_1000_queries > 0):
        raise InvalidRunError(f"{path}: an energy of {score.wh_per_1000_queries} Wh per 1,000 queries is no result")
    if score.comparable == bool(score.not_comparable_because):
        raise InvalidRunError(
            f"{path} says comparable: {str(score.comparable).lower()}, "
            f"but gives {len(score.not_comparable_because)} reasons against it",
            mend="make it again from the run's folder: scorekit parse RUN",
        )
    return score
