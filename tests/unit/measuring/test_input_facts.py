"""What changes a model's inputs is kept in the evidence, from whatever setting it comes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from scorekit.measuring.run_facts import input_facts
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.records import InputFacts
from scorekit.tasks import TASKS
from scorekit.validity.inputs import departures
from tests.bundles import environment

CONFIGS = Path(__file__).parents[3] / "configs" / "energy_star"


def facts(task: str = "text-generation", backend: dict[str, Any] | None = None, **scenario: Any) -> InputFacts:
    """The facts of a run with some settings of the scenario, and of optimum-benchmark's backend."""
    told: dict[str, Any] = {"task": task, "model": "org/model", "processor": None, "model_kwargs": {}}
    told |= backend or {}
    if not told.get("processor_kwargs"):
        # As optimum-benchmark does.
        told["processor_kwargs"] = told["model_kwargs"]
    return input_facts(EnergyStarSettings(**{"dataset_name": "org/data"} | scenario), SimpleNamespace(**told))


PLAIN = facts()


@pytest.mark.parametrize("name", TASKS)
def test_the_built_in_configs_are_what_the_registry_says(name: str) -> None:
    config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    task = TASKS[name]
    made = facts(config["backend"].get("task", task.hf_task), **config["scenario"])
    assert departures(environment(name, run={"inputs": made}).run) == ()


@pytest.mark.parametrize(
    "backend",
    [
        {"processor": "org/model"},
        {"model_kwargs": {"revision": "abc", "trust_remote_code": True}},
        {"model_kwargs": {"revision": "abc"}, "processor_kwargs": {"revision": "abc"}},
        {"processor_kwargs": {"cache_dir": "/data/hub", "local_files_only": True, "force_download": True}},
        {"model_kwargs": {"cache_dir": "/data/hub"}, "processor_kwargs": {"token": "hf_secret"}},
    ],
)
def test_the_models_own_processor_is_no_other_however_it_is_named(backend: dict[str, Any]) -> None:
    assert facts(backend=backend) == PLAIN


def test_a_folder_is_the_models_own_by_any_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "model")
    model = {"model": str(tmp_path / "model")}
    assert facts(backend=model | {"processor": str(tmp_path / "link")}) == PLAIN
    other = facts(backend=model | {"processor": str(tmp_path)})
    assert (other.own_processor, other.processor) == (False, tmp_path.name), "the last part of the path alone"


@pytest.mark.parametrize(
    ("backend", "changed"),
    [
        ({"processor": "org/other"}, {"own_processor": False, "processor": "org/other"}),
        ({"processor_kwargs": {"size": {"height": 32}}}, {"processor_kwargs": {"size": {"height": 32}}}),
        ({"processor_kwargs": {"model_max_length": 16}}, {"processor_kwargs": {"model_max_length": 16}}),
        ({"processor_kwargs": {"vocab_file": "/home/me/v.txt"}}, {"processor_kwargs": {"vocab_file": "v.txt"}}),
        ({"processor_kwargs": {"revision": "old"}}, {"processor_kwargs": {"revision": "old"}}),
        (
            {"model_kwargs": {"revision": "abc"}, "processor_kwargs": {"use_fast": False}},
            {"processor_kwargs": {"revision": None, "use_fast": False}},
        ),
    ],
)
def test_another_processor_is_told(backend: dict[str, Any], changed: dict[str, Any]) -> None:
    assert facts(backend=backend) == PLAIN.model_copy(update=changed)


@pytest.mark.parametrize(
    ("scenario", "changed"),
    [
        ({"text_column_name": "title"}, {"columns": ("title",)}),
        ({"dataset_config": "short"}, {"dataset_config": "short"}),
        ({"reasoning": True, "generate_kwargs": {"max_new_tokens": 10}}, {"chat_template": True}),
        (
            {"reasoning": True, "reasoning_params": {"reasoning_effort": "low"}},
            {"chat_template": True, "reasoning_params": {"reasoning_effort": "low"}},
        ),
        # Nothing reads them where no template is used, and no prefix but T5's.
        ({"reasoning_params": {"reasoning_effort": "low"}}, {}),
        ({"dataset_prefix1": "go: "}, {}),
        ({"question_column_name": "title"}, {}),
    ],
)
def test_a_setting_of_the_scenario_is_told_where_it_is_read(scenario: dict[str, Any], changed: dict[str, Any]) -> None:
    assert facts(**scenario) == PLAIN.model_copy(update=changed)


def test_prefixes_are_those_that_are_put_before_columns() -> None:
    both = {"dataset_prefix1": "a", "dataset_prefix2": "b"}
    assert facts("text2text-generation", t5_task="summarization", **both).prefixes == ("a",)
    asked = facts("text2text-generation", t5_task="question_answering", **both)
    assert (asked.prefixes, asked.columns) == (("a", "b"), ("question", "context"))


def test_a_template_is_used_for_text_generation_alone() -> None:
    assert not facts("summarization", reasoning=True).chat_template
