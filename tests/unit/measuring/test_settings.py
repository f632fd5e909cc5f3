"""The scenario's options: which lengths are asked for, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit.errors import UsageError
from scorekit.measuring.settings import EnergyStarSettings, ProcessSettings


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


@pytest.mark.parametrize("name", ["min_window_s", "idle_s", "max_gap_s", "cool_down_s"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_what_is_no_time_is_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"scenario.{name}=.* is no time") as caught:
        settings(**{name: value})
    assert f"scenario.{name}=0" in str(caught.value.mend)


@pytest.mark.parametrize("name", ["min_window_s", "idle_s", "max_gap_s", "cool_down_s"])
def test_nothing_may_be_asked_for_and_any_length(name: str) -> None:
    assert getattr(settings(**{name: 0}), name) == 0
    assert getattr(settings(**{name: 3600.5}), name) == 3600.5


@pytest.mark.parametrize("target", [0.0, -0.01, 1.0, 5.0, float("nan")])
def test_what_is_no_relative_half_width_is_refused(target: float) -> None:
    with pytest.raises(UsageError, match="no relative half-width") as caught:
        settings(target_ci=target, runs=30)
    assert caught.value.mend == "scenario.target_ci=0.01"


@pytest.mark.parametrize("runs", [1, 2])
def test_a_target_needs_three_repeats_at_least(runs: int) -> None:
    with pytest.raises(UsageError, match=f"needs 3 repeats, and scenario.runs={runs}") as caught:
        settings(target_ci=0.01, runs=runs)
    assert "scenario.runs=30" in str(caught.value.mend)


def test_repeats_are_a_fixed_number_unless_a_target_is_named() -> None:
    assert settings().target_ci is None
    assert settings(target_ci=0.02, runs=3).target_ci == 0.02


def test_all_samples_may_be_asked_for() -> None:
    assert settings(num_samples=-1).num_samples == -1


def test_the_targets_are_ours() -> None:
    assert settings()._target_ == "scorekit.measuring.scenario.EnergyStarScenario"
    assert ProcessSettings()._target_ == "scorekit.measuring.launcher.ProcessLauncher"
