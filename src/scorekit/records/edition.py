"""NAME.json of an edition: its members, the thresholds that their stars are given by, and where they come from."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from scorekit.records.base import Count, Record

EDITION_SCHEMA: Final = "scorekit.edition/2"

Energy = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""Wh per 1,000 queries of something that was really measured."""


class Thresholds(Record):
    """The range of one cohort, or of one size class of it, and the bounds between its stars."""

    cohort: str = Field(description="Leaderboard name of the task.")
    model_class: Literal["A", "B", "C"] | None = Field(description="None where the cohort has no classes.")
    n: int = Field(ge=2, description="Members that the range was taken from.")
    min_wh_per_1000: Energy
    max_wh_per_1000: Energy
    bounds_wh_per_1000: tuple[Energy, Energy, Energy, Energy] | None = Field(
        default=None,
        description="The four bounds between five stars and one, as the rule made them; an energy at a bound is past "
        "it. None where they are to be made from the range (built-in editions, version 1).",
    )

    @model_validator(mode="after")
    def _rises(self) -> Thresholds:
        if self.min_wh_per_1000 >= self.max_wh_per_1000:
            raise ValueError("the lowest energy of a range must be below its highest")
        bounds = self.bounds_wh_per_1000
        if bounds is not None and not (self.min_wh_per_1000 < bounds[0] <= bounds[1] <= bounds[2] <= bounds[3]):
            raise ValueError("the bounds of a range must rise from above its lowest energy")
        return self


class Member(Record):
    """One model of a cohort with its energy. A model may stand in a cohort twice, measured twice."""

    cohort: str = Field(description="Leaderboard name of the task.")
    model_class: Literal["A", "B", "C"] | None = Field(default=None, description="Where the cohort has classes.")
    model: str = Field(min_length=1)
    wh_per_1000_queries: Energy
    stars: int | None = Field(default=None, ge=1, le=5, description="As the source published them; None if it did not.")
    result_id: str | None = Field(default=None, description="Of a result of ours: the sha256 of its content.")


class EditionSource(Record):
    """What members were taken from."""

    name: str = Field(description="Of a file its name, of the Hub e.g. space:ORG/NAME@COMMIT and the file.")
    sha256: str | None = Field(default=None, description="Of a file's content.")
    members: Count = Field(description="Members taken from it.")


class LeftOut(Record):
    """A row or result that was not taken."""

    place: str = Field(description="File, line and column, or the result.")
    reason: str


class Edition(Record):
    """A named set of thresholds with the rule that made them; frozen, except while it is a draft."""

    schema_version: Literal["scorekit.edition/1", "scorekit.edition/2"] = EDITION_SCHEMA
    name: str
    date: str = Field(description="Of publication: year and month, or the day.")
    rule: str = Field(description="Name of the rule that made the bounds.")
    hardware: str
    source: str = Field(description="Where the energies come from, in words.")
    sources: tuple[EditionSource, ...] = ()
    members: tuple[Member, ...] = Field(default=(), description="Empty where only thresholds are known.")
    thresholds: tuple[Thresholds, ...] = Field(default=(), description="Empty in a draft.")
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="What a reader should know, e.g. a model that stands twice.")
    content_sha256: str | None = Field(
        default=None,
        description="sha256 of this file's JSON without this field, its keys sorted and without spaces; None in a "
        "draft.",
    )
