"""Editions: frozen cohorts with the thresholds that stars are given by.

One added outlier moves a cohort's range and with it the stars of every model in it, so a range is frozen
together with the edition it was published in, and a star always names its edition.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.errors import RatingError, UsageError, nearest
from scorekit.records import Record

EDITION_SCHEMA: Final = "scorekit.edition/1"
EQUAL_WIDTH: Final = "equal_width"


class Thresholds(Record):
    """The range of one cohort, or of one size class of it, in Wh per 1,000 queries."""

    cohort: str = Field(description="Leaderboard name of the task.")
    model_class: Literal["A", "B", "C"] | None = Field(description="None where the cohort has no classes.")
    n: int = Field(ge=2, description="Models that the range was taken from.")
    min_wh_per_1000: float = Field(gt=0, allow_inf_nan=False)
    max_wh_per_1000: float = Field(gt=0, allow_inf_nan=False)


class Edition(Record):
    """A frozen set of thresholds and the rule that makes stars from them."""

    schema_version: Literal["scorekit.edition/1"] = EDITION_SCHEMA
    name: str
    date: str = Field(description="Year and month of publication.")
    rule: Literal["equal_width"]
    hardware: str
    source: str
    thresholds: tuple[Thresholds, ...]

    def is_classed(self, cohort: str) -> bool:
        """Whether a cohort is split into size classes here."""
        return any(row.cohort == cohort and row.model_class is not None for row in self.thresholds)

    def thresholds_for(self, cohort: str, model_class: str | None) -> Thresholds:
        """The range of a cohort.

        Args:
            cohort: leaderboard name of the task.
            model_class: size class of the model; left out of account where the cohort has no classes.

        Raises:
            RatingError: the edition has no range for it; says why.
        """
        rows = [row for row in self.thresholds if row.cohort == cohort]
        if not rows:
            known = sorted({row.cohort for row in self.thresholds})
            raise RatingError(
                f"edition {self.name} has no thresholds for {cohort}: it rates {', '.join(known)}",
                mend=_LOCAL,
            )
        if not self.is_classed(cohort):
            return rows[0]
        if model_class is None:
            raise RatingError(
                f"edition {self.name} rates {cohort} by size class, and the model's size is not known",
                mend="measure again with `scorekit bench`, which counts the parameters of the loaded model",
            )
        for row in rows:
            if row.model_class == model_class:
                return row
        raise RatingError(f"edition {self.name} has no thresholds for {cohort}, class {model_class}", mend=_LOCAL)


_LOCAL: Final = "rate the scores among themselves: scorekit rate SCORE... --edition local"

# To the last published digit: with fewer, the models at either end of a cohort would stand outside their own
# range.
FEBRUARY_2025: Final = Edition(
    name="2025-02",
    date="2025-02",
    rule=EQUAL_WIDTH,
    hardware="NVIDIA H100 80GB",
    source="AI Energy Score leaderboard of February 2025: smallest and largest energy of each cohort",
    thresholds=tuple(
        Thresholds(cohort=cohort, model_class=size, n=n, min_wh_per_1000=smallest, max_wh_per_1000=largest)
        for cohort, size, n, smallest, largest in (
            ("asr", None, 13, 0.619699, 86.679066),
            ("image_captioning", None, 10, 45.74709, 179.930966),
            ("image_classification", None, 23, 0.299115, 2.641366),
            ("image_generation", None, 12, 186.811914, 1639.845472),
            ("object_detection", None, 7, 1.004166, 7.980927),
            ("question_answering", None, 18, 0.0554, 178.130109),
            ("sentence_similarity", None, 19, 0.106329, 5.220944),
            ("summarization", None, 11, 0.784852, 34.807171),
            ("text_classification", None, 13, 0.216022, 27.787079),
            ("text_generation", "A", 32, 1.313333, 28.741175),
            ("text_generation", "B", 3, 54.556478, 615.390413),
            ("text_generation", "C", 5, 1648.505252, 3426.381777),
        )
    ),
)
"""The first published edition. It has no reasoning cohort."""

EDITIONS: Final[dict[str, Edition]] = {FEBRUARY_2025.name: FEBRUARY_2025}
LATEST: Final = FEBRUARY_2025.name


def find(name: str) -> Edition:
    """The edition of a name.

    Raises:
        UsageError: there is none; lists the valid names, the nearest and `local`.
    """
    edition = EDITIONS.get(name)
    if edition is not None:
        return edition
    valid = [*EDITIONS, "local"]
    close = nearest(name, valid)
    raise UsageError(
        f"there is no edition '{name}'; valid: {', '.join(valid)}",
        mend=f"did you mean '{close}'?" if close else "choose one of the names above",
    )
