"""What the API takes and gives of editions."""

from __future__ import annotations

from pydantic import Field

from scorekit.portal.publishing import Preview
from scorekit.portal.web.api.models import Name, Sha256, example
from scorekit.records import Edition, Member, Record


class EditionMade(Record):
    """An edition to be published."""

    model_config = example(name="2026-06", rule=None, date="2026-06", seen=None)

    name: Name = Field(description="Of the edition.")
    rule: Name | None = Field(default=None, description="That makes the thresholds; null for the official one.")
    date: Name | None = Field(default=None, description="Of publication: year and month, or the day; null for today.")
    seen: Sha256 | None = Field(
        default=None,
        description="The preview's `seen` as it was looked at: where its members have changed since then, nothing is "
        "frozen (409). Null for whatever they are.",
    )


class EditionTold(Record):
    """An edition."""

    name: str
    date: str = Field(description="Of publication: year and month, or the day.")
    rule: str
    members: int = Field(ge=0, description="How many; 0 where only thresholds are known.")
    thresholds: int = Field(ge=0, description="How many cohorts, or size classes of them, have some.")
    content_sha256: str | None = Field(description="Null for editions that come with scorekit.")

    @classmethod
    def of(cls, edition: Edition) -> EditionTold:
        """Of the edition itself."""
        return cls(
            name=edition.name, date=edition.date, rule=edition.rule, members=len(edition.members),
            thresholds=len(edition.thresholds), content_sha256=edition.content_sha256,
        )  # fmt: skip


class EditionList(Record):
    """The editions of the portal."""

    current: str = Field(description="Name of the one that the portal judges by.")
    items: tuple[EditionTold, ...]


class EditionPreview(Record):
    """What an edition would be if it were published now."""

    seen: Sha256 = Field(description="Of its members with their figures, to publish just these.")
    members: tuple[Member, ...]
    not_rated: tuple[str, ...] = Field(description="Cohorts that the rule cannot rate, and why.")
    passed_over: int = Field(ge=0, description="Published results that are no members.")

    @classmethod
    def of(cls, preview: Preview) -> EditionPreview:
        """Of the publisher's."""
        return cls(
            seen=preview.seen, members=preview.members, not_rated=preview.refused,
            passed_over=len(preview.passed_over),
        )  # fmt: skip
