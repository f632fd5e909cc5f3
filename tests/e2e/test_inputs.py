"""A setting that changes what a model is fed is told by the run and by its score, whatever way it was set."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import logs
from scorekit.records import InputFacts
from tests.e2e.conftest import INLINE, Tiny, bench_arguments, run_inprocess

pytestmark = pytest.mark.transformers


@pytest.mark.parametrize(
    ("task", "settings", "codes"),
    [
        ("object_detection", [], set()),
        ("object_detection", ["+backend.processor_kwargs.size={height:32,width:32}"], {"processor_kwargs"}),
        ("t5_summarization", ["+backend.processor_kwargs.model_max_length=16"], {"processor_kwargs"}),
        ("t5_summarization", ["scenario.dataset_prefix1=''"], {"prefixes"}),
        ("sentence_similarity", ["backend.processor={other}"], {"processor"}),
        ("sentence_similarity", ["backend.processor={own}"], set()),
        (
            "sentence_similarity",
            ["scenario.sentence1_column_name=sentence2", "scenario.sentence2_column_name=sentence1"],
            {"columns"},
        ),
        ("text_generation", ["scenario.reasoning=true"], set()),
        (
            "reasoning",
            ["+scenario.reasoning_params.reasoning_effort=low", "scenario.generate_kwargs.max_new_tokens=12"],
            {"reasoning_params"},
        ),
    ],
)
def test_what_a_model_is_fed_is_told(
    tiny: Tiny, tmp_path: Path, task: str, settings: list[str], codes: set[str]
) -> None:
    folders = {"{own}": str(tiny[task].model), "{other}": str(tiny["text_classification"].model)}
    told = [settings_of(setting, folders) for setting in settings]
    result = run_inprocess(bench_arguments(tiny, task, INLINE, *told), tmp_path)
    assert result.rc == 0, result.told()
    (run,) = logs.find_runs(tmp_path / "runs")
    score = logs.read_score(run)
    found = {reason.code for reason in score.not_comparable_because}
    assert found & set(InputFacts.model_fields) == codes
    assert score.conditions is not None
    named = {told.partition("=")[0] for told in score.conditions.inputs}
    assert named == codes | ({"chat_template"} if "scenario.reasoning=true" in settings else set())


def settings_of(setting: str, folders: dict[str, str]) -> str:
    """A setting with the folder that it names."""
    for name, folder in folders.items():
        setting = setting.replace(name, folder)
    return setting
