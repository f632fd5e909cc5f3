"""Failures are told apart by what was raised; the texts are those that scorekit itself raises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import errors

from scorekit import atomic
from scorekit.measuring import hub
from scorekit.records import Attempt
from scorekit.sweep import done
from scorekit.sweep.failures import classify, failure
from tests.unit.sweep.conftest import attempt, job, write_attempt


def of(message: str, error: str = "LauncherError", *lines: str, **changes: Any) -> Attempt:
    return attempt(message=message, error=error, last_lines=lines, **changes)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (of("the measuring process failed: torch.OutOfMemoryError: CUDA out of memory. Tried"), "out of memory"),
        (of("the measuring process ended with code 1 without a report", "LauncherError", "a", "MemoryError"),
         "out of memory"),
        (of("the measuring process was killed by SIGKILL (often: out of memory) without a report"), "lost node"),
        (of("the measuring process was killed by SIGKILL (often: out of memory)", "X", "RuntimeError: out of memory"),
         "out of memory"),
        (of("the disk is full: windows.jsonl could not be written to x", "BundleError"), "disk full"),
        (of("x is a BertModel, which has no head for a task: not a model for text-generation", "ModelError"),
         "wrong task"),
        (of("NVML finds no GPU on this machine", "HardwareError"), "no device"),
        (of("", "KeyboardInterrupt", exit_code=130), "interrupted"),
        (of("", "TerminatedError", exit_code=143), "interrupted"),
        (of("something new", "ZeroDivisionError"), "unknown"),
        (of("", "InvalidRunError", exit_code=3), "invalid measurement"),
        (of("the model folder ./x is not there", "ModelError"), "not found"),
    ],
)  # fmt: skip
def test_classes(made: Attempt, kind: str) -> None:
    found = classify(made)
    assert found.kind == kind
    assert found.message
    assert found.mend


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (errors.GatedRepoError, "gated"),
        (errors.RepositoryNotFoundError, "not found"),
        (errors.RevisionNotFoundError, "not found"),
        (errors.HFValidationError, "not found"),
        (errors.OfflineModeIsEnabled, "not found"),
    ],
)
def test_what_the_hub_answers_is_told_apart(kind: type[Exception], expected: str) -> None:
    message, mend = hub.hub_error("model", "org/x", kind.__new__(kind))
    found = classify(of(message, "ModelError", mend=mend))
    assert found.kind == expected, message
    assert found.mend == mend, "the error's own mend is the better one"


def test_a_full_disk_as_it_is_raised() -> None:
    error = atomic.write_error(Path("windows.jsonl"), OSError(28, "No space left on device"))
    assert classify(of(error.message, "BundleError")).kind == "disk full"


def test_log_lines_in_a_message_stay_in_the_file() -> None:
    found = classify(of("the measuring process ended with code 1 without a report; its last log lines:\n  | a\n  | b"))
    assert found.message == "the measuring process ended with code 1 without a report"


def test_states(tmp_path: Path) -> None:
    never, lost = job("org/never"), job("org/lost")
    write_attempt(tmp_path, lost, ended_utc=None, exit_code=None, message=None)
    assert failure(done.look_at(never, tmp_path)) is None
    found = failure(done.look_at(lost, tmp_path))
    assert found is not None
    assert found.kind == "lost node"
    assert "process 1 on elsewhere" in found.message
