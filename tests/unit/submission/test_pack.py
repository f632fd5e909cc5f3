"""Packing: what leaves the machine and what does not, the same bytes twice, and who must agree to what."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli, logs, records, submission
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, InvalidRunError, UsageError
from scorekit.layout import Layout
from scorekit.records import Record, VerdictReason
from scorekit.submission import allow_lists, clauses
from scorekit.tables.submission import verdict_text
from tests.evidence import (
    change_energy,
    change_facts,
    change_gpu,
    change_readings,
    cpu_evidence,
    good_evidence,
    of_phase,
)
from tests.unit.submission.made import ALL_CLAUSES, NOW, codes, files_of, judge, request, thinned, write_run

CANARY = "canary"
ACCEPTS = [clause.flag for clause in clauses.CLAUSES]
WHO = ["--name", "Ada Lovelace", "--contact", "ada@example.org"]


def test_an_official_run_is_packed_and_accepted_with_its_own_score(run: Path, content: bytes) -> None:
    verdict = judge(content)
    assert verdict.verdict == "accepted", verdict.reasons
    (found,) = verdict.runs
    assert found.score is not None
    score = logs.read_score(run)
    assert found.score.wh_per_1000_queries == score.wh_per_1000_queries
    assert found.score.uncertainty == score.uncertainty
    assert found.score.comparable


def test_the_confidential_form_gives_the_same_score_under_the_given_name(run: Path, confidential: bytes) -> None:
    verdict = judge(confidential)
    assert verdict.verdict == "accepted", verdict.reasons
    (found,) = verdict.runs
    assert found.score is not None
    assert found.score.model == "Hidden 1"
    assert found.score.parameters is None
    assert found.score.model_class == "A"
    assert found.score.wh_per_1000_queries == logs.read_score(run).wh_per_1000_queries
    assert codes(verdict, "note") == {"unsigned", "class_declared"}


def test_what_is_packed_names_the_cpu_and_what_is_verified_the_class(tmp_path: Path, content: bytes) -> None:
    packed = submission.pack([write_run(tmp_path / "cpu", cpu_evidence())], request(allow_invalid=True))
    assert any("on the CPU (" in line for line in packed.told), packed.told
    verdict = judge(content)
    (found,) = verdict.runs
    assert found.score is not None
    # As of a task that is not scored by class.
    unclassed = found.model_copy(update={"score": found.score.model_copy(update={"model_class": None})})
    table = verdict_text(verdict.model_copy(update={"runs": (unclassed,)}), Layout())
    (row,) = [line for line in table.splitlines() if line.startswith(found.folder)]
    assert " A " in row


def test_in_a_pipe_a_reason_is_a_line_that_is_not_filled_up(content: bytes) -> None:
    reasons = (
        VerdictReason(
            weight="refuse", code="replayed", message="it is known " * 40, file="runs/1", mend="measure anew"
        ),
        VerdictReason(weight="note", code="unsigned", message="nobody signed it"),
    )
    text = verdict_text(judge(content).model_copy(update={"reasons": reasons}), Layout())
    (refused,) = [line for line in text.splitlines() if line.startswith("REFUSES")]
    assert "runs/1" in refused
    assert refused.endswith("Mend: measure anew")
    (note,) = [line for line in text.splitlines() if line.startswith("note")]
    assert note.endswith("nobody signed it")
    assert [line for line in text.splitlines() if len(line) > 120] == [refused]


def test_the_same_runs_and_date_give_the_same_bytes(run: Path, content: bytes) -> None:
    assert submission.pack([run], request()).content == content
    later = request(created=NOW + datetime.timedelta(seconds=1))
    assert submission.pack([run], later).content != content


def test_any_tool_can_open_it(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        assert {entry.date_time for entry in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        names = found.namelist()
    assert names == sorted(names)
    assert not [name for name in names if name.endswith((".log", "benchmark_config.json", ".parquet"))]


def telling_run(folder: Path) -> Path:
    """A run in which every text that somebody could have put something into holds a canary."""
    evidence = thinned(good_evidence())
    for change in (
        change_facts(
            run={"config_name": f"{CANARY}-config", "country_iso_code": "ZZZ"},
            model={"name": f"{CANARY}/model", "architecture": f"{CANARY}Arch", "library": CANARY,
                   "parameters": 12_345_678_901, "revision": f"{CANARY}rev"},
            container_image=f"registry.example/{CANARY}",
            git_commit=CANARY,
            platform=f"Linux 6.1-{CANARY} x86_64",
            topology=(CANARY,),
        ),
        change_readings(of_phase("idle_after"), "codecarbon", problem=f"cannot open /home/{CANARY}/x"),
    ):  # fmt: skip
        evidence = change(evidence)
    packages = {"torch": "2.9.0", f"{CANARY}-private": "1", "codecarbon": "3.3.2"}
    facts = evidence.environment.model_copy(update={"packages": packages})
    evidence = replace(evidence, environment=facts)
    return write_run(folder, evidence)


def test_the_confidential_form_tells_nothing_else(tmp_path: Path) -> None:
    run = telling_run(tmp_path / CANARY)
    packed = submission.pack([run], request(form="confidential", model_name="Hidden 1"))
    for name, data in files_of(packed.content).items():
        for secret in (CANARY, "12345678901", "GPU-0000", "ZZZ", "/home", "2.9.0", "secret-models", "hf_canary"):
            assert secret.encode() not in data, (name, secret)
    assert any("model.architecture" in line for line in packed.left_out)
    assert any("model.parameters" in line for line in packed.left_out)


def test_the_open_form_holds_no_place_and_no_private_package(tmp_path: Path) -> None:
    packed = submission.pack([telling_run(tmp_path / CANARY)], request())
    everything = b"".join(files_of(packed.content).values())
    private = (
        f"{CANARY}-private",
        f"registry.example/{CANARY}",
        "hf_canary",
        "canary-os",
        "canary-run-id",
        "canary-host",
    )
    for secret in ("/home", "secret-models", str(tmp_path), *private):
        assert secret.encode() not in everything, secret
    # What makes a measurement one that can be made again does stand there.
    for told in ("12345678901", f"{CANARY}Arch", "GPU-0000", "2.9.0"):
        assert told.encode() in everything, told


def _decided(kind: type[Record]) -> set[str]:
    known: dict[type[Record], set[str]] = {
        # Runs of a server are not packed.
        records.Environment: set(allow_lists.ENVIRONMENT["open"]) | {"other_gpus", "container_image", "serving"},
        records.RunFacts: set(allow_lists.RUN["open"]),
        records.ModelFacts: set(allow_lists.MODEL["open"]),
        records.DatasetFacts: set(allow_lists.DATASET),
        records.GpuFacts: set(allow_lists.GPU["open"]),
        records.Window: set(allow_lists.WINDOW) | {"served"},
        records.MeterReading: set(allow_lists.READING),
        records.GpuState: set(allow_lists.STATE),
        records.CounterEvidence: {
            "tick_s", "tick_spread_s", "ticks_seen", "before_start", "after_start", "before_end", "after_end",
            "decreased", "failed_reads", "reads", "longest_gap_s", "longest_still_s",
        },
    }  # fmt: skip
    return known[kind]


@pytest.mark.parametrize(
    "kind",
    [records.Environment, records.RunFacts, records.ModelFacts, records.DatasetFacts, records.GpuFacts, records.Window,
     records.MeterReading, records.CounterEvidence, records.GpuState],
)  # fmt: skip
def test_somebody_has_decided_on_every_field(kind: type[Record]) -> None:
    assert set(kind.model_fields) == _decided(kind), "a new field is left out until it is written down"


@pytest.mark.parametrize("missing", clauses.CLAUSES, ids=lambda clause: clause.name)
def test_each_clause_must_be_accepted(run: Path, missing: clauses.Clause) -> None:
    with pytest.raises(UsageError, match=missing.title) as caught:
        submission.pack([run], request(accepted=ALL_CLAUSES - {missing.name}))
    assert missing.flag in str(caught.value)


def test_an_invalid_run_is_refused_unless_it_is_marked(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", change_energy(of_phase("generate", 3), -1.0)(thinned(good_evidence())))
    with pytest.raises(InvalidRunError, match="energy_positive") as caught:
        submission.pack([run], request())
    assert "--allow-invalid" in str(caught.value)
    packed = submission.pack([run], request(allow_invalid=True))
    assert not packed.submission.runs[0].valid
    assert any("INVALID" in line for line in packed.told)
    verdict = judge(packed.content)
    assert verdict.verdict == "refused"
    assert {"energy_positive", "not_scored"} <= codes(verdict)


def test_a_submission_is_not_older_than_its_runs(run: Path) -> None:
    with pytest.raises(UsageError, match="ended after"):
        submission.pack([run], request(created=datetime.datetime(2025, 6, 1, 12, 5, tzinfo=datetime.UTC)))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"form": "confidential"}, "--model-name"),
        ({"model_name": "<b>best</b>"}, "'<'"),
        ({"model_name": "gpt\u202e4"}, "u202e"),
        ({"submitter": records.Submitter(name="<script>alert(1)</script>")}, "'<'"),
    ],
)
def test_a_request_that_cannot_be(run: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        submission.pack([run], request(**changes))
    assert told in str(caught.value)


def test_the_same_run_twice_is_told(run: Path) -> None:
    with pytest.raises(UsageError, match="same measurement"):
        submission.pack([run, run], request())


def test_a_class_kept_back_still_decides_on_gpus(tmp_path: Path) -> None:
    change = change_facts(model={"parameters": 70_000_000_000, "model_class": "C"})
    run = write_run(tmp_path / "run", change(change_gpu(name="NVIDIA H100 80GB HBM3")(thinned(good_evidence()))))
    packed = submission.pack([run], request(form="confidential", model_name="Hidden"))
    found = judge(packed.content).runs[0].score
    assert found is not None
    assert (found.model_class, found.parameters) == ("C", None)


def pack_cli(run: Path, out: Path, *more: str) -> int:
    return cli.main(["pack", str(run), "-o", str(out), *more])


def test_the_command_tells_what_is_left_out_and_what_is_told(
    run: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    organisation = ["--organisation", "Analytical Engines", "--date", NOW.isoformat()]
    assert pack_cli(run, tmp_path / "s.zip", *WHO, *organisation, *ACCEPTS) == EXIT_DONE
    told = " ".join(capsys.readouterr().out.split())
    assert "Left out:" in told
    assert "benchmark_config.json" in told
    assert "What a reader of the file learns:" in told
    assert "ada@example.org" in told
    assert "counts (queries, tokens in and out) of 22 windows" in told
    assert "attention unknown" in told
    assert "What becomes public when an operator accepts it:" in told
    assert (tmp_path / "s.zip").read_bytes() == content


def test_without_a_terminal_nothing_is_taken_for_granted(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack_cli(run, tmp_path / "s.zip", *WHO, ACCEPTS[0], ACCEPTS[2]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert ACCEPTS[1] in told
    assert ACCEPTS[0] not in told
    assert not (tmp_path / "s.zip").exists()
    assert pack_cli(run, tmp_path / "s.zip", *ACCEPTS) == EXIT_USAGE
    assert "--name" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answers", "code"), [("yes\nyes\nyes\n", EXIT_DONE), ("yes\nno\nyes\n", EXIT_USAGE)])
def test_on_a_terminal_each_clause_is_asked_for(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: str,
    code: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answers))
    assert pack_cli(run, tmp_path / "s.zip", *WHO) == code
    asked = " ".join(capsys.readouterr().err.split())
    for clause in clauses.CLAUSES:
        assert clause.text in asked


def test_json_is_the_record(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack_cli(run, tmp_path / "s.zip", *WHO, *ACCEPTS, "--json") == EXIT_DONE
    document = json.loads(capsys.readouterr().out)
    assert document["submitter"]["name"] == "Ada Lovelace"
    assert [clause["accepted"] for clause in document["attestation"]["clauses"]] == [True] * 3


def test_a_run_without_gpu_power_or_report_is_packed(tmp_path: Path) -> None:
    evidence = replace(thinned(good_evidence()), trace=None)
    run = write_run(tmp_path / "run", evidence)
    (run / "benchmark_report.json").unlink()
    from scorekit import bundle

    bundle.seal(run)
    packed = submission.pack([run], request(allow_invalid=True))
    assert not [name for name in files_of(packed.content) if "power" in name or "report" in name]


def test_a_folder_that_is_no_run_is_not_called_an_unfinished_one(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, told in [
        (tmp_path / "nosuch", f"there is no {tmp_path / 'nosuch'}"),
        (empty, f"{empty} is no run"),
        (run.parent, f"below it are: {run}"),
    ]:
        assert pack_cli(folder, tmp_path / "s.zip", *WHO, *ACCEPTS) == EXIT_FAILED
        words = " ".join(capsys.readouterr().err.split())
        assert told in words
        assert "delete" not in words
        assert "did not end" not in words
    assert not (tmp_path / "s.zip").exists()


def test_another_file_is_never_written_over(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "s.zip"
    dated = [*WHO, *ACCEPTS, "--date", NOW.isoformat()]
    assert pack_cli(run, out, *dated) == EXIT_DONE
    before = out.read_bytes()
    assert pack_cli(run, out, *dated) == EXIT_DONE
    assert "the same" in capsys.readouterr().err
    assert pack_cli(run, out, *dated, "--organisation", "Analytical Engines") == EXIT_USAGE
    assert "mend: name a file that is not there yet" in capsys.readouterr().err
    assert out.read_bytes() == before
    assert pack_cli(run, tmp_path, *dated) == EXIT_USAGE
