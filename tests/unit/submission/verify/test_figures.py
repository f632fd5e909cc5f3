"""Figures that contradict each other, their run, or what is known of like models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scorekit import submission
from scorekit.editions import FEBRUARY_2025
from scorekit.logs import read_score
from scorekit.records import Neighbour
from scorekit.submission import plausibility
from tests.evidence import OTHER_GPU, change_energy, good_evidence
from tests.unit.submission.made import (
    Files,
    changed,
    codes,
    edit_json,
    edit_lines,
    files_of,
    judge,
    request,
    thinned,
    write_run,
)
from tests.unit.submission.verify.made import CODECARBON, OWN, POWER, REPORT, SCORE, WINDOWS, refused, scale_energies


def test_a_tampered_score(content: bytes) -> None:
    def lower(score: dict[str, Any]) -> None:
        score["wh_per_1000_queries"] *= 0.9

    refused(judge(changed(content, edit_json(SCORE, lower), sealed=True)), "score", SCORE)

    def lower_claim(own: dict[str, Any]) -> None:
        own["runs"][0]["wh_per_1000_queries"] *= 0.9

    refused(judge(changed(content, edit_json(OWN, lower_claim), sealed=True)), "score")


def test_tampered_windows_contradict_score_report_codecarbon_and_power(content: bytes) -> None:
    verdict = judge(changed(content, edit_lines(WINDOWS, scale_energies), sealed=True))
    assert {"score", "report", "codecarbon", "counter_agrees_with_power"} <= codes(verdict)


def test_a_file_of_another_run(content: bytes, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", change_energy(lambda _: True, 1.01)(thinned(good_evidence())))
    theirs = files_of(submission.pack([other], request(allow_invalid=True)).content)
    for name, code in ((REPORT, "report"), (CODECARBON, "codecarbon"), (SCORE, "score")):

        def swap(files: Files, name: str = name) -> None:
            files[name] = theirs[name]

        refused(judge(changed(content, swap, sealed=True)), code, name)


def test_a_trace_and_states_of_another_gpu(content: bytes) -> None:
    def rename(power: dict[str, Any]) -> None:
        power["devices"] = {OTHER_GPU: next(iter(power["devices"].values()))}

    refused(judge(changed(content, edit_json(POWER, rename), sealed=True)), "other_gpu", POWER)

    def later(power: dict[str, Any]) -> None:
        for device in power["devices"].values():
            device["t_s"] = [t_s + 5000 for t_s in device["t_s"]]

    refused(judge(changed(content, edit_json(POWER, later), sealed=True)), "other_trace", POWER)


def test_figures_that_break_arithmetic(content: bytes) -> None:
    def huge(lines: list[dict[str, Any]]) -> None:
        lines[4]["samples"] = 10**400
        lines[4]["passes"] = 10**399

    assert judge(changed(content, edit_lines(WINDOWS, huge), sealed=True)).verdict == "refused"


def test_claims_that_are_not_those_of_the_evidence(content: bytes) -> None:
    for field, value in (("cohort", "asr"), ("comparable", False), ("valid", False), ("model_class", "C")):

        def claim(own: dict[str, Any], field: str = field, value: Any = value) -> None:
            own["runs"][0][field] = value

        assert judge(changed(content, edit_json(OWN, claim), sealed=True)).verdict == "refused", field


def test_an_energy_far_from_the_edition_or_from_neighbours_wants_a_look(run: Path) -> None:
    score = read_score(run)
    near = [
        Neighbour(model=f"m{n}", wh_per_1000_queries=score.wh_per_1000_queries * factor, parameters=10**9 + n,
                  source="results", cohort=score.cohort)
        for n, factor in enumerate((0.9, 1.0, 1.2, 30.0))
    ]  # fmt: skip
    found = plausibility.neighbours_of(score, FEBRUARY_2025, near)
    assert len(found) == 4
    assert not list(plausibility.judge(score, FEBRUARY_2025, found, "runs/1"))
    tiny = score.model_copy(update={"wh_per_1000_queries": 0.1})
    assert {reason.code for reason in plausibility.judge(tiny, FEBRUARY_2025, found, "runs/1")} == {
        "implausible",
        "unlike_neighbours",
    }
    assert all(reason.weight == "review" for reason in plausibility.judge(tiny, FEBRUARY_2025, found, "runs/1"))
