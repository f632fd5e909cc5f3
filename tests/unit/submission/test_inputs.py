"""How inputs were made goes with a submission as far as its verdict needs it, and no private name goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from scorekit import logs, records, submission
from scorekit.submission import allow_lists
from tests.bundles import official_inputs
from tests.evidence import change_facts, good_evidence
from tests.unit.submission.made import files_of, judge, request, thinned, write_run

FORMS = get_args(allow_lists.Form)
CANARY = "canary"
TEMPLATE = {"chat_template": True, "reasoning_params": {"reasoning_effort": "high"}}


def packed(folder: Path, form: str, **inputs: Any) -> tuple[Path, bytes]:
    """An official run but for how its inputs were made, and its submission."""
    evidence = change_facts(run={"inputs": official_inputs(**inputs)})(thinned(good_evidence()))
    run = write_run(folder, evidence)
    name = "Hidden 1" if form == "confidential" else None
    return run, submission.pack([run], request(form=form, model_name=name)).content


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inputs", [{}, TEMPLATE], ids=["plain", "template"])
def test_inputs_as_an_official_config_has_them_are_comparable_handed_in(
    tmp_path: Path, form: str, inputs: dict[str, Any]
) -> None:
    run, content = packed(tmp_path / "run", form, **inputs)
    assert logs.read_score(run).comparable
    verdict = judge(content)
    assert verdict.verdict == "accepted", verdict.reasons
    (found,) = verdict.runs
    assert found.score is not None
    assert found.score.comparable


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("code", "inputs"),
    [
        ("processor", {"own_processor": False, "processor": f"{CANARY}/other"}),
        ("processor_kwargs", {"processor_kwargs": {f"{CANARY}_size": {"height": 32}, "size": f"/{CANARY}"}}),
        ("columns", {"columns": (f"{CANARY}_title",)}),
        ("dataset_config", {"dataset_config": CANARY}),
        ("prefixes", {"prefixes": (f"{CANARY} ",)}),
        ("reasoning_params", {"chat_template": True, "reasoning_params": {"reasoning_effort": CANARY}}),
    ],
)
def test_another_setting_is_the_same_reason_handed_in(
    tmp_path: Path, form: str, code: str, inputs: dict[str, Any]
) -> None:
    run, content = packed(tmp_path / "run", form, **inputs)
    assert [reason.code for reason in logs.read_score(run).not_comparable_because] == [code]
    (found,) = judge(content).runs
    assert found.score is not None
    assert [reason.code for reason in found.score.not_comparable_because] == [code]
    secret = f"/{CANARY}" if form == "open" else CANARY
    assert not [name for name, data in files_of(content).items() if secret.encode() in data]


def test_somebody_has_decided_on_every_field() -> None:
    assert set(records.InputFacts.model_fields) == set(allow_lists.INPUTS)
