"""What a score leaves in its run folder, and how a score.json is read back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scorekit import bundle, logs
from scorekit.errors import BundleError, InvalidRunError, LogError, ScorekitError
from tests.bundles import (
    edit_json,
    environment,
    official_windows,
    write_bundle,
)
from tests.golden import make

GOLDEN = Path(make.__file__).parent


def _copy(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / name, tmp_path / name))


def _alone(name: str, tmp_path: Path) -> Path:
    """A score.json taken out of its run."""
    return Path(shutil.copy(GOLDEN / name / bundle.SCORE, tmp_path))


def test_the_gpu_files_hold_what_users_know(tmp_path: Path) -> None:
    run = write_bundle(tmp_path / "run", environment(run={"runs": 2}), official_windows(runs=2))
    written = logs.write_score(run, logs.read_score(run))
    assert {path.name for path in written} == bundle.DERIVED - {bundle.VALIDITY}
    assert float((run / bundle.GPU_WH).read_text()) == 10.0
    summary = json.loads((run / bundle.GPU_SUMMARY).read_text())
    assert (summary["units"], summary["total"], summary["total_kwh"]) == ("Wh", 10.0, 0.01)
    assert [summary[f"{name}_wh"] for name in ("preprocess", "prefill", "decode", "generate")] == [
        0.5,
        4,
        5.5,
        9.5,
    ]
    assert sum(summary[f"{name}_wh"] for name in summary["counted_phases"]) == summary["total"]
    assert logs.read_score_file(run / bundle.SCORE) == logs.read_score(run)
    assert set(bundle.read_manifest(run).derived) == bundle.DERIVED - {bundle.VALIDITY}


def test_without_a_gpu_no_number_is_written(tmp_path: Path) -> None:
    run = _copy("forward_cpu", tmp_path)
    logs.write_score(run, logs.read_score(run))
    text = (run / bundle.GPU_WH).read_text()
    assert text.splitlines()[0] == "None"
    with pytest.raises(ValueError, match="no GPU was read"):
        float(text)
    summary = json.loads((run / bundle.GPU_SUMMARY).read_text())
    assert (summary["total"], summary["forward_wh"]) == (None, None)
    assert "no GPU" in summary["note"]


def test_scoring_again_gives_the_same_bytes(tmp_path: Path) -> None:
    run = _copy("generate_h100", tmp_path)
    logs.write_score(run, logs.read_score(run))
    first = {path.name: path.read_bytes() for path in run.iterdir()}
    logs.write_score(run, logs.read_score(run))
    assert {path.name: path.read_bytes() for path in run.iterdir()} == first


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"wh_per_1000_queries": -1.0}, InvalidRunError, "is no result"),
        ({"wh_per_1000_queries": "NaN"}, InvalidRunError, "is no result"),
        ({"comparable": True}, InvalidRunError, "says comparable: true, but gives"),
        ({"schema_version": "scorekit.score/99"}, LogError, "not a score of this version"),
        ({"surprise": 1}, LogError, "surprise"),
    ],
)
def test_a_score_that_was_meddled_with_is_refused(
    changes: dict[str, Any], kind: type[ScorekitError], message: str, tmp_path: Path
) -> None:
    path = _alone("forward_cpu", tmp_path)
    edit_json(path, **changes)
    with pytest.raises(kind, match=message):
        logs.read_score_file(path)


def test_a_score_without_its_run_is_unverified(tmp_path: Path) -> None:
    path = _alone("generate_h100_counter", tmp_path)
    score = logs.read_score_file(path)
    assert not score.comparable
    assert [reason.code for reason in score.not_comparable_because] == ["unverified"]
    # Writing it down again does not say so twice.
    path.write_text(score.model_dump_json())
    assert logs.read_score_file(path) == score


def test_a_score_in_its_run_is_that_of_the_run(tmp_path: Path) -> None:
    run = _copy("generate_h100", tmp_path)
    expected = logs.read_score(run)
    edit_json(run / bundle.SCORE, wh_per_1000_queries=1.5, model="other")
    assert logs.read_score_file(run / bundle.SCORE) == expected
    (run / bundle.WINDOWS).write_text("")
    with pytest.raises(BundleError, match="changed"):
        logs.read_score_file(run / bundle.SCORE)


def test_a_missing_score_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        logs.read_score_file(tmp_path / "score.json")
