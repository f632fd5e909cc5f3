"""Another model, task or class than the submission says, and GPUs that a class may not use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorekit import submission
from scorekit.errors import UsageError
from tests.evidence import OTHER_GPU, change_facts, good_evidence
from tests.unit.submission.made import changed, codes, edit_json, judge, request, thinned, write_run
from tests.unit.submission.verify.made import ENVIRONMENT, OWN, refused


def test_a_log_of_another_model(content: bytes) -> None:
    def rename(environment: dict[str, Any]) -> None:
        environment["model"]["name"] = "other/model"

    refused(judge(changed(content, edit_json(ENVIRONMENT, rename), sealed=True)), "other_model", ENVIRONMENT)


def test_the_wrong_task(content: bytes) -> None:
    def task(own: dict[str, Any]) -> None:
        own["runs"][0]["task"] = "summarization"

    refused(judge(changed(content, edit_json(OWN, task), sealed=True)), "wrong_task", ENVIRONMENT)

    def loaded(environment: dict[str, Any]) -> None:
        environment["run"]["hf_task"] = "text-classification"

    refused(judge(changed(content, edit_json(ENVIRONMENT, loaded), sealed=True)), "wrong_task", ENVIRONMENT)


def test_a_task_that_is_none(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", change_facts(run={"task": None})(thinned(good_evidence())))
    refused(judge(submission.pack([run], request()).content), "wrong_task", ENVIRONMENT)


def test_a_task_of_a_plugin(tmp_path: Path, content: bytes) -> None:
    run = write_run(tmp_path / "run", change_facts(run={"task": "code_completion"})(thinned(good_evidence())))
    with pytest.raises(
        UsageError, match="measured on the task code_completion, and submissions are of ai-energy-score"
    ):
        submission.pack([run], request())

    # One that was packed by other means is refused all the same.
    def task(own: dict[str, Any]) -> None:
        own["runs"][0]["task"] = "code_completion"

    def ran(environment: dict[str, Any]) -> None:
        environment["run"]["task"] = "code_completion"

    both = changed(changed(content, edit_json(OWN, task), sealed=True), edit_json(ENVIRONMENT, ran), sealed=True)
    refused(judge(both), "wrong_task", ENVIRONMENT)


@pytest.mark.parametrize(
    ("parameters", "size", "code"), [(40_000_000_000, "B", {"gpu_count"}), (70_000_000_000, "C", set())]
)
def test_only_class_c_may_use_two_gpus(tmp_path: Path, parameters: int, size: str, code: set[str]) -> None:
    evidence = change_facts(model={"parameters": parameters, "model_class": size})(thinned(good_evidence()))
    (gpu,) = evidence.environment.gpus
    other = gpu.model_copy(update={"index": 1, "uuid": OTHER_GPU})
    used = (gpu.uuid or "", OTHER_GPU)
    facts = evidence.environment.model_copy(update={"gpus": (gpu, other), "model_gpus": used, "torch_gpus": used})
    run = write_run(tmp_path / "run", replace(evidence, environment=facts))
    for form in ("open", "confidential"):
        packed = submission.pack([run], request(form=form, model_name="Hidden", allow_invalid=True)).content
        assert codes(judge(packed)) & {"gpu_count"} == code


def test_a_class_that_is_not_that_of_the_parameters(content: bytes) -> None:
    def claim(environment: dict[str, Any]) -> None:
        environment["model"]["model_class"] = "C"

    refused(judge(changed(content, edit_json(ENVIRONMENT, claim), sealed=True)), "class", ENVIRONMENT)
