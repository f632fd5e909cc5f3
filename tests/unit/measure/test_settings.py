"""The scenario's options: which lengths are asked for, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit.errors import UsageError
from scorekit.measure.settings import EnergyStarSettings, ProcessSettings


def settings(**options: Any) -> EnergyStarSettings:
    return EnergyStarSettings(**{"dataset_name": "example/data", **options})


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ({"max_new_tokens": 10, "min_new_tokens": 10}, {"max_new_tokens": 10, "min_new_tokens": 10}),
        ({"max_new_tokens": 10}, {"max_new_tokens": 10, "min_new_tokens": 10}),
        ({"min_new_tokens": 10}, {"max_new_tokens": 10, "min_new_tokens": 10}),
        ({"max_length": 10}, {"max_new_tokens": 10, "min_new_tokens": 10}),
        ({"max_length": 99, "max_new_tokens": 10}, {"max_new_tokens": 10, "min_new_tokens": 10}),
        ({"max_length": 99, "min_new_tokens": 10}, {"max_new_tokens": 10, "min_new_tokens": 10}),
    ],
    ids=str,
)
def test_any_way_of_naming_a_length_asks_for_exactly_that_many(given: dict[str, int], lengths: dict[str, int]) -> None:
    found = settings(generate_kwargs=given)
    assert found.generate_kwargs == lengths
    assert found.exact_new_tokens == 10


def test_other_options_of_generate_are_kept() -> None:
    found = settings(generate_kwargs={"max_length": 10, "num_beams": 4})
    assert found.generate_kwargs["num_beams"] == 4


def test_no_length_is_left_to_the_protocols_default() -> None:
    found = settings()
    assert found.generate_kwargs == {}
    assert found.exact_new_tokens is None


def test_a_range_is_refused() -> None:
    with pytest.raises(UsageError, match="5 to 10 new tokens") as caught:
        settings(generate_kwargs={"min_new_tokens": 5, "max_new_tokens": 10})
    assert "both min_new_tokens and max_new_tokens to 10" in str(caught.value.mend)


def test_reasoning_may_end_early() -> None:
    found = settings(reasoning=True, generate_kwargs={"min_new_tokens": 1, "max_new_tokens": 8192})
    assert found.generate_kwargs == {"min_new_tokens": 1, "max_new_tokens": 8192}
    assert found.exact_new_tokens is None


def test_reasoning_with_a_limit_alone_is_not_drawn_out_to_the_default_of_100_tokens() -> None:
    found = settings(reasoning=True, generate_kwargs={"max_new_tokens": 50})
    assert found.generate_kwargs == {"min_new_tokens": 1, "max_new_tokens": 50}


def test_reasoning_of_an_exact_length_stays_exact() -> None:
    found = settings(reasoning=True, generate_kwargs={"min_new_tokens": 10, "max_new_tokens": 10})
    assert found.exact_new_tokens == 10


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"runs": 0}, "scenario.runs=0"),
        ({"num_samples": 0}, "scenario.num_samples=0"),
        ({"num_samples": -2}, "scenario.num_samples=-2"),
        ({"input_shapes": {"batch_size": 0}}, "batch_size must be at least 1"),
        ({"warmup_runs": -1}, "warmup_runs must not be negative"),
        ({"dataset_name": ""}, "no dataset is named"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_measured_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(**options)
    assert told in caught.value.message


def test_all_samples_may_be_asked_for() -> None:
    assert settings(num_samples=-1).num_samples == -1


def test_the_targets_are_ours() -> None:
    assert settings()._target_ == "scorekit.measure.scenario.EnergyStarScenario"
    assert ProcessSettings()._target_ == "scorekit.measure.launcher.ProcessLauncher"
