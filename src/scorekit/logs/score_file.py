"""Reading a score.json back."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import ValidationError

from scorekit.errors import InvalidRunError, LogError
from scorekit.records import Score


def read_score_file(path: Path) -> Score:
    """The score in a score.json.

    Raises:
        LogError: the file cannot be read, or is not a score of this version.
        InvalidRunError: its energy is not positive, so that it is no result.
    """
    try:
        score = Score.model_validate_json(path.read_bytes())
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise LogError(
            f"{path} is not a score of this version: {field + ': ' if field else ''}{problem['msg']}",
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
