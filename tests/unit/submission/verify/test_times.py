"""Times that lie ahead or contradict each other, and runs that were handed in before."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from scorekit import submission
from scorekit.errors import InputError
from scorekit.logs import read_score, result_of
from scorekit.submission import archive, prints, terms
from tests.unit.submission.made import NOW, Files, changed, edit_json, edit_lines, judge, request
from tests.unit.submission.verify.made import ENVIRONMENT, OWN, WINDOWS, refused


def test_a_clock_in_the_future(content: bytes) -> None:
    verdict = judge(content, now_utc=(NOW - datetime.timedelta(days=2)).isoformat())
    refused(verdict, "future", WINDOWS)
    soon = judge(content, now_utc=(NOW - datetime.timedelta(minutes=3)).isoformat())
    assert soon.verdict == "accepted", "clocks of two machines differ a little"


def test_times_that_contradict_each_other(content: bytes) -> None:
    def written_late(environment: dict[str, Any]) -> None:
        environment["created_utc"] = "2025-05-01T12:00:00+00:00"

    refused(judge(changed(content, edit_json(ENVIRONMENT, written_late), sealed=True)), "other_run", ENVIRONMENT)

    def no_time(lines: list[dict[str, Any]]) -> None:
        lines[3]["end_utc"] = "yesterday"

    refused(judge(changed(content, edit_lines(WINDOWS, no_time), sealed=True)), "clock")

    def overlap(lines: list[dict[str, Any]]) -> None:
        lines[3]["start_monotonic_s"] -= 20

    refused(judge(changed(content, edit_lines(WINDOWS, overlap), sealed=True)), "order", WINDOWS)


def test_a_replay_under_another_name(run: Path, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "first.zip").write_bytes(content)
    earlier = tuple(terms.earlier_in(tmp_path))
    again = submission.pack([run], request(model_name="Better 2")).content
    verdict = judge(again, earlier=earlier)
    refused(verdict, "replayed", "runs/1")
    assert "example/model-1b" in next(r.message for r in verdict.reasons if r.code == "replayed")
    published = tuple(prints.of_results([result_of(read_score(run), "official")]))
    refused(judge(again, earlier=published), "replayed", "runs/1")


def test_an_earlier_submission_is_read_within_the_limits(tmp_path: Path) -> None:
    with (tmp_path / "first.zip").open("wb") as file:
        file.truncate(2**36)
    with pytest.raises(InputError, match="is no submission: the archive has 67,108,865 bytes"):
        tuple(terms.earlier_in(tmp_path))
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        archive.bytes_of(tmp_path, archive.Limits())


def test_a_replay_of_some_repeats_and_one_with_edited_energies(content: bytes) -> None:
    evidence = judge(content).runs[0].evidence
    assert evidence is not None
    lengths = tuple(60 + 0.001 * number for number in range(10))
    energies = tuple(6.0 + 0.0137 * number for number in range(10))
    mine = evidence.model_copy(update={"energies_wh": energies, "durations_s": lengths})
    part = mine.model_copy(update={"sha256": "0" * 64, "energies_wh": (1.0, *energies[4:], 2.0)})
    assert prints.is_same(mine, part)
    assert not prints.is_same(mine, part.model_copy(update={"energies_wh": (1.0, 2.0, *energies[:3], 5.0, 6.0)}))
    scaled = part.model_copy(update={"energies_wh": tuple(0.9 * energy for energy in energies)})
    assert not prints.is_same(mine, scaled)
    assert prints.is_alike(mine, scaled)


def test_two_runs_of_one_submission_are_not_the_same(content: bytes) -> None:
    def twice(files: Files) -> None:
        for name, data in list(files.items()):
            if name.startswith("runs/1/"):
                files[name.replace("runs/1", "runs/2")] = data.replace(b"runs/1", b"runs/2")
        own = json.loads(files[OWN])
        own["runs"].append({**own["runs"][0], "folder": "runs/2"})
        files[OWN] = json.dumps(own).encode()

    refused(judge(changed(content, twice, sealed=True)), "replayed", "runs/2")
