"""docs/formats.md lists every field of every file, as the records have them."""

from __future__ import annotations

from typing import Any

import pytest
from scripts import formats_page

from scorekit import records
from scorekit.logs.outputs import gpu_summary
from scorekit.measuring.meters import PowerSample
from scorekit.rating import Rating
from scorekit.records import Record, Score, Window
from tests.bundles import official_score


def test_the_page_is_what_the_records_say() -> None:
    page = formats_page.PAGE.read_text(encoding="utf-8")
    assert page == formats_page.renewed(page), "run: python -m scripts.formats_page"


def test_every_record_of_a_file_is_on_the_page() -> None:
    listed = {record for _, _, found in formats_page.FILES for record in found}
    text = formats_page.field_lists()
    for record in listed:
        for name, field in record.model_fields.items():
            assert f"| `{name}` |" in text
            for part in _records_in(field.annotation):
                assert part in listed, f"{record.__name__}.{name} holds a {part.__name__}, which has no list"
    assert {Window, Score, Rating} <= listed


def test_every_record_with_a_version_is_on_the_page() -> None:
    listed = {record for _, _, found in formats_page.FILES for record in found}
    exported = [getattr(records, name) for name in records.__all__]
    versioned = {
        one
        for one in exported
        if isinstance(one, type) and issubclass(one, Record) and "schema_version" in one.model_fields
    }
    assert versioned
    assert not versioned - listed


def test_the_columns_of_power_are_those_of_a_sample() -> None:
    names = PowerSample._fields
    assert sorted(name for name, _, _ in formats_page.POWER_COLUMNS) == sorted(names)


def test_the_keys_of_the_summary_are_those_that_are_written() -> None:
    score = official_score()
    expected = []
    for name, _ in formats_page.SUMMARY_KEYS:
        prefix, found, unit = name.partition("PHASE")
        expected += [f"{prefix}{phase.phase}{unit}" for phase in score.phases] if found else [name]
    assert list(gpu_summary(score)) == expected


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (float | None, "number or null"),
        (tuple[int, ...], "list of integer"),
        (tuple[tuple[float, int], ...], "list of [number, integer]"),
        (dict[str, str], "object of string"),
        (Window | None, "`Window` or null"),
        (bool, "true or false"),
    ],
)
def test_types_are_told_in_words_of_json(annotation: Any, expected: str) -> None:
    assert formats_page.type_text(annotation) == expected


def test_meanings_speak_of_null_and_not_of_none() -> None:
    cells = [line for line in formats_page.field_lists().splitlines() if line.startswith("|")]
    assert not [line for line in cells if "None" in line]


def _records_in(annotation: Any) -> set[type[Record]]:
    from typing import get_args

    if isinstance(annotation, type) and issubclass(annotation, Record):
        return {annotation}
    return {part for argument in get_args(annotation) for part in _records_in(argument)}
