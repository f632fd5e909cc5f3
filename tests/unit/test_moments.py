"""When something was measured: one reading of it, for the index, editions, labels and the site."""

from __future__ import annotations

import datetime

import pytest

from scorekit.edition_sources import own_results
from scorekit.logs import result_of
from scorekit.moments import utc_of
from scorekit.publish import label
from scorekit.publish.site import boamps, names
from scorekit.rating import rate_scores
from scorekit.records import Result
from scorekit.store import columns
from tests.bundles import official_score

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
NO_DATES = ("", "yesterday", "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")


def measured(text: str | None) -> Result:
    made = result_of(official_score("org/one", 3.0), "run")
    return made.model_copy(update={"source": made.source.model_copy(update={"measured_utc": text})})


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00", "2026-01-31T12:00:00Z", "2026-01-31 13:00:00+01:00", "2026-01-31T02:00:00-10:00"]
)
def test_a_moment_is_told_in_utc(text: str) -> None:
    assert utc_of(text) == NOON


@pytest.mark.parametrize("text", [None, *NO_DATES])
def test_a_damaged_date_and_one_out_of_range_is_none_wherever_it_is_read(text: str | None) -> None:
    made = measured(text)
    assert utc_of(text) is None
    assert (
        dict(zip((column.name for column in columns.COLUMNS), columns.values(made), strict=True))["measured_utc"]
        is None
    )
    assert label.label_facts(rate_scores([made], None)[0], made).scored is None
    assert boamps._moment(text) is None
    if text:
        assert "UTC" not in names.utc(text)
    # Of a model's results the latest is taken; one of no date is before all others.
    both = [("a" * 64, measured("0001-01-01T00:00:00Z")), ("b" * 64, made)]
    assert [member.result_id for member, _ in own_results.members_of(both, "here").members] == ["a" * 64]


def test_the_label_and_the_site_tell_one_day() -> None:
    text = "2026-01-31T23:30:00-02:00"
    made = measured(text)
    assert label.label_facts(rate_scores([made], None)[0], made).scored == datetime.date(2026, 2, 1)
    assert names.utc(text).startswith("2026-02-01")
    assert boamps._moment(text) == "2026-02-01 01:30:00"
