"""Each setting that changes what a model is fed is a reason of its own, and keeps local scores apart."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit import cohorts
from scorekit.logs.scoring import score_run
from scorekit.records import Environment, Provenance, Score
from scorekit.tasks import TASKS
from scorekit.validity import Measured, not_comparable
from scorekit.validity.inputs import departures
from tests.bundles import environment, official_inputs, official_windows

OFFICIAL = Measured(
    domain="gpu",
    origin="measured",
    queries=1000,
    runs=10,
    output_tokens=10_000.0,
    sources=frozenset({("nvml", "nvml_counter")}),
)
BY = Provenance(
    run="run", created_utc="2025-06-01T12:00:00+00:00", scorekit_version="0", log_format="x", protocol="x", files={}
)


def fed(task: str = "text_generation", **changes: Any) -> Environment:
    """An official run but for how its inputs were made."""
    return environment(task, run={"inputs": official_inputs(task, **changes)})


def reasons(facts: Environment) -> dict[str, str]:
    return {reason.code: reason.message for reason in not_comparable(facts, OFFICIAL)}


@pytest.mark.parametrize("task", TASKS)
def test_inputs_as_the_task_asks_are_no_reason(task: str) -> None:
    assert reasons(fed(task)) == {}


@pytest.mark.parametrize("task", TASKS)
def test_a_run_of_before_inputs_were_recorded_is_judged_as_before(task: str) -> None:
    facts = environment(task)
    assert facts.run.inputs is None
    assert "inputs" not in facts.model_dump(mode="json")["run"], "an older file is written as it was"
    assert reasons(facts) == {}


@pytest.mark.parametrize(
    ("task", "changes", "code", "found", "expected"),
    [
        ("object_detection", {"processor_kwargs": {"size": {"height": 32}}}, "processor_kwargs", "size={", "model has"),
        ("text_generation", {"own_processor": False, "processor": "org/x"}, "processor", "org/x", "the model's own"),
        ("text_generation", {"own_processor": False}, "processor", "another one", "the model's own"),
        ("text_generation", {"columns": ("title",)}, "columns", "columns title", "expected text"),
        ("sentence_similarity", {"columns": ("sentence2", "sentence1")}, "columns", "sentence2, s", "sentence1, s"),
        ("question_answering", {"columns": ("question", "id")}, "columns", "question, id", "question, context"),
        ("summarization", {"dataset_config": "short"}, "dataset_config", "'short'", "none to be named"),
        ("t5_summarization", {"prefixes": ("",)}, "prefixes", 'are ""', 'expected "summarize: "'),
        ("t5_text_generation", {"prefixes": ("go: ",)}, "prefixes", 'are "go: "', 'expected ""'),
        ("t5_question_answering", {"prefixes": ("question: ", "")}, "prefixes", 'question: ", ""', '" context: "'),
        ("reasoning", {"chat_template": False}, "chat_template", "were not put", "scenario.reasoning=true"),
        ("reasoning", {"reasoning_params": {"reasoning_effort": "low"}}, "reasoning_params", '="low"', "nothing"),
        ("reasoning", {"reasoning_params": {"reasoning_effort": "high"}}, "reasoning_params", '="high"', "nothing"),
        (
            "text_generation",
            {"chat_template": True, "reasoning_params": {"reasoning_effort": "low"}},
            "reasoning_params",
            '="low"',
            "nothing",
        ),
        ("summarization", {"chat_template": True}, "chat_template", "were put", "scenario.reasoning=false"),
    ],
)
def test_one_setting_is_one_reason(task: str, changes: dict[str, Any], code: str, found: str, expected: str) -> None:
    told = reasons(fed(task, **changes))
    assert list(told) == [code]
    assert found in told[code]
    assert expected in told[code]


@pytest.mark.parametrize("params", [{}, {"reasoning_effort": "high"}])
def test_what_optimum_benchmarks_own_config_of_text_generation_says_is_official(params: dict[str, Any]) -> None:
    facts = fed(chat_template=True, reasoning_params=params)
    assert reasons(facts) == {}
    assert len(departures(facts.run)) == 1 + bool(params), "and still it is told"


def test_a_task_of_ones_own_has_columns_of_its_own_and_the_rest_is_told() -> None:
    facts = environment(run={"task": None, "inputs": official_inputs(columns=("anything",), own_processor=False)})
    assert list(reasons(facts)) == ["task", "processor"]


def scored(model: str, facts: Environment) -> Score:
    score = score_run(facts, official_windows(), BY)
    return score.model_copy(update={"model": model})


def test_the_score_tells_them_and_one_of_before_tells_none() -> None:
    score = scored("a", fed(own_processor=False, processor="org/x", reasoning_params={"b": 1}, chat_template=True))
    assert score.conditions is not None
    assert score.conditions.inputs == ('processor="org/x"', "chat_template=true", 'reasoning_params={"b": 1}')
    plain = scored("a", environment())
    assert plain.conditions is not None
    assert plain.conditions.inputs == ()
    assert "inputs" not in plain.conditions.model_dump(mode="json")


def test_scores_with_inputs_made_in_unlike_ways_are_not_rated_together() -> None:
    plain, again, before = scored("a", fed()), scored("b", fed()), scored("c", environment())
    other = scored("d", fed(chat_template=True))
    assert cohorts.same_work(plain) == cohorts.same_work(again) == cohorts.same_work(before)
    assert cohorts.same_work(plain) != cohorts.same_work(other)
    why = cohorts.Given([plain, other]).alone_because(other)
    assert why == (
        "the nearest of its task, a, has another way in which inputs are made (none, here chat_template=true)"
    )


def test_each_departure_has_its_value_and_its_words() -> None:
    facts = fed(
        "t5_summarization",
        columns=("übersicht",),
        dataset_config="kürzer",
        processor_kwargs={"größe": "klein"},
        prefixes=("kürze: ",),
        chat_template=True,
        reasoning_params={"aufwand": "groß"},
    )
    found = {one.code: (one.value, one.message, str(one)) for one in departures(facts.run)}
    assert found == {
        "columns": (["übersicht"], "inputs are made of columns übersicht, expected text", 'columns=["übersicht"]'),
        "dataset_config": (
            "kürzer", "the dataset's config is 'kürzer', expected none to be named", 'dataset_config="kürzer"',
        ),
        "processor_kwargs": (
            {"größe": "klein"},
            'the processor was loaded with größe="klein", expected as the model has it',
            'processor_kwargs={"größe": "klein"}',
        ),
        "prefixes": (
            ["kürze: "],
            'the prefixes of inputs are "kürze: ", expected "summarize: " for t5_summarization',
            'prefixes=["kürze: "]',
        ),
        "chat_template": (
            True,
            "prompts were put into the chat template, expected as they are for t5_summarization "
            "(scenario.reasoning=false)",
            "chat_template=true",
        ),
        "reasoning_params": (
            {"aufwand": "groß"},
            'the chat template was given aufwand="groß", expected nothing of that kind',
            'reasoning_params={"aufwand": "groß"}',
        ),
    }  # fmt: skip


def test_a_prompt_that_should_stand_in_the_template_is_told() -> None:
    (found,) = departures(fed("reasoning", chat_template=False).run)
    told = "prompts were not put into the chat template, expected in it for reasoning (scenario.reasoning=true)"
    assert (found.value, found.message) == (False, told)


def test_prefixes_of_a_task_that_has_none_are_told_beside_none() -> None:
    (found,) = departures(fed("text_generation", prefixes=("say: ",)).run)
    assert found.message == 'the prefixes of inputs are "say: ", expected none for text_generation'
