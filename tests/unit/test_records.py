"""Records keep what they are given, refuse what they do not know, and never take missing for zero."""

from __future__ import annotations

import inspect
import json
import math

import pytest
from benchmarks import made_up_results
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scorekit import records
from scorekit.logs import result_of, unverified
from tests.bundles import environment, local_score, official_score, reading, window

FILES = [environment(), official_score(), window("generate", 0, [reading("gpu", 1.0)])]
KINDS = [
    kind
    for _, kind in inspect.getmembers(records, inspect.isclass)
    if issubclass(kind, records.Record) and kind is not records.Record
]


@pytest.mark.parametrize("record", FILES, ids=lambda record: type(record).__name__)
def test_a_file_is_read_back_as_it_was_written(record: records.Record) -> None:
    assert type(record).model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize("record", FILES, ids=lambda record: type(record).__name__)
def test_a_newer_version_is_refused(record: records.Record) -> None:
    content = json.loads(record.model_dump_json()) | {"schema_version": "scorekit.future/2"}
    with pytest.raises(ValidationError, match="schema_version"):
        type(record).model_validate(content)


@pytest.mark.parametrize("record", FILES, ids=lambda record: type(record).__name__)
def test_an_unknown_key_is_refused(record: records.Record) -> None:
    with pytest.raises(ValidationError, match="typo"):
        type(record).model_validate(json.loads(record.model_dump_json()) | {"typo": 1})


def test_records_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(environment(), "python", "4")  # noqa: B010 - a plain assignment is what the type checker forbids


@given(st.floats())
def test_an_energy_survives_its_file_whatever_it_is(energy_wh: float) -> None:
    line = window("forward", 0, [reading("cpu", energy_wh)]).model_dump_json()
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    found = records.Window.model_validate_json(line).readings[0].energy_wh
    assert found == energy_wh or (math.isnan(found) and math.isnan(energy_wh))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_number_defaults_to_zero(kind: type[records.Record]) -> None:
    defaults = [field.default for field in kind.model_fields.values() if not field.is_required()]
    assert [value for value in defaults if isinstance(value, (int, float))] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_energy_and_duration_has_its_unit_in_its_name(kind: type[records.Record]) -> None:
    for name in kind.model_fields:
        if "energy" in name or "duration" in name:
            assert any(part in name.split("_") for part in ("wh", "kwh", "s", "j")), name


def _written(result: records.Result, **changes: object) -> str:
    """A result as a hand may have written it."""
    return json.dumps(json.loads(result.model_dump_json()) | changes)


def test_a_result_made_from_its_score_is_read_back() -> None:
    comparable = result_of(official_score(), "run")
    found = [comparable, unverified(comparable), result_of(local_score(), "run"), *made_up_results.results(30)]
    assert {result.comparable for result in found} == {True, False}
    for result in found:
        assert records.Result.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"score": None}, "no comparable score"),
        ({"hardware": "potato"}, "hardware is 'potato'"),
        ({"queries": 500, "energy_kwh": 0.005}, "queries is 500"),
        ({"energy_kwh": 99.0}, "wh_per_1000_queries is 10, expected 99000"),
        ({"energy_kwh": 0.005, "wh_per_1000_queries": 5.0}, "energy_kwh is 0.005"),
        ({"model": "evil"}, "model is 'evil'"),
        ({"cohort": "asr"}, "cohort is 'asr'"),
        ({"task": "summarization"}, "task is 'summarization'"),
        ({"model_class": "C"}, "model_class is 'C'"),
        ({"domain": "cpu+ram"}, "domain is"),
        ({"origin": "modelled"}, "origin is"),
        ({"uncertainty": None}, "uncertainty is"),
        ({"valid": False}, "a check of the run failed"),
        (
            {"not_comparable_because": [{"code": "hardware", "message": "another"}]},
            "not_comparable_because has hardware",
        ),
    ],
)
def test_a_comparable_result_says_what_its_score_says(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        records.Result.model_validate_json(_written(result_of(official_score(), "run"), **changes))


def test_only_a_comparable_score_of_a_run_makes_a_comparable_result() -> None:
    comparable = result_of(official_score(), "run")
    local = json.loads(result_of(local_score(), "run").model_dump_json())
    with pytest.raises(ValidationError, match="no comparable score"):
        records.Result.model_validate(local | {"comparable": True, "not_comparable_because": []})
    foreign = json.loads(comparable.source.model_dump_json()) | {"format": "ai-energy-benchmarks/1"}
    with pytest.raises(ValidationError, match="the format is ai-energy-benchmarks/1"):
        records.Result.model_validate_json(_written(comparable, source=foreign))
