"""Files of a submission by name, and what the tests here look for in a verdict."""

from __future__ import annotations

from typing import Any

from scorekit.records import Verdict

ENVIRONMENT, WINDOWS, SCORE = "runs/1/environment.json", "runs/1/windows.jsonl", "runs/1/score.json"
POWER, CODECARBON, REPORT, STATES = (
    "runs/1/power.json", "runs/1/codecarbon.jsonl", "runs/1/report.json", "runs/1/gpu_states.jsonl",
)  # fmt: skip
OWN = "submission.json"


def refused(verdict: Verdict, code: str, file: str | None = None) -> None:
    assert verdict.verdict == "refused"
    found = [reason for reason in verdict.reasons if reason.code == code]
    assert found, verdict.reasons
    assert found[0].message
    assert found[0].mend
    if file is not None:
        assert file in {reason.file for reason in found}


def scale_energies(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for reading in line["readings"]:
            reading["energy_wh"] *= 0.9
