"""The registry holds the documented tasks, and finds them by either of their names."""

from __future__ import annotations

import pytest

from scorekit import tasks
from scorekit.errors import UsageError


def test_the_registry_holds_the_documented_tasks() -> None:
    assert len(tasks.TASKS) == 15
    assert len(tasks.MAIN_TASKS) == 11
    assert {task.cohort for task in tasks.TASKS.values()} == {
        "text_generation", "reasoning", "summarization", "question_answering", "text_classification",
        "sentence_similarity", "image_classification", "object_detection", "asr", "image_generation",
        "image_captioning",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("automatic_speech_recognition", "automatic_speech_recognition"),
        ("asr", "automatic_speech_recognition"),
        ("image_captioning", "image_to_text"),
        ("summarization", "summarization"),
        ("t5_summarization", "t5_summarization"),
    ],
)
def test_find_takes_config_and_leaderboard_names(name: str, expected: str) -> None:
    assert tasks.find(name).name == expected


def test_find_suggests_the_nearest_and_lists_all() -> None:
    with pytest.raises(UsageError) as caught:
        tasks.find("sumarization")
    assert "did you mean 'summarization'?" in str(caught.value)
    assert "image_to_text" in caught.value.message


@pytest.mark.parametrize("task", tasks.TASKS.values(), ids=lambda task: task.name)
def test_loading_never_counts(task: tasks.Task) -> None:
    assert task.counted_phases == ("preprocess", task.kind)


def test_protocol_figures() -> None:
    assert [name for name, task in tasks.TASKS.items() if task.dtype == "float16"] == [
        "text_generation",
        "reasoning",
    ]
    assert tasks.TASKS["summarization"].new_tokens == 10
    assert tasks.TASKS["reasoning"].new_tokens is None
    assert tasks.TASKS["image_to_text"].new_tokens == 100


def test_datasets_load_by_both_organisations() -> None:
    assert tasks.official_dataset_ids(tasks.find("asr")) == ("AIEnergyScore/ASR", "EnergyStarAI/ASR")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (None, None), (1, "A"), (20_000_000_000, "A"), (20_000_000_001, "B"), (66_000_000_000, "B"),
        (66_000_000_001, "C"),
    ],
)  # fmt: skip
def test_model_class_bounds_are_inclusive(parameters: int | None, expected: str | None) -> None:
    assert tasks.model_class(parameters) == expected
