"""Verifying: what somebody did to a submission is found, and named."""

from __future__ import annotations

import datetime
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit import cli, submission
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID
from scorekit.logs import read_score, result_of
from scorekit.records import Neighbour, Verdict
from scorekit.submission import plausibility, prints, terms, zip_form
from tests.evidence import OTHER_GPU, change_energy, change_facts, good_evidence
from tests.unit.submission.made import (
    NOW,
    Files,
    changed,
    codes,
    edit_json,
    edit_lines,
    files_of,
    judge,
    raw_zip,
    request,
    thinned,
    write_run,
)

ENVIRONMENT, WINDOWS, SCORE = "runs/1/environment.json", "runs/1/windows.jsonl", "runs/1/score.json"
POWER, CODECARBON, REPORT, STATES = (
    "runs/1/power.json", "runs/1/codecarbon.jsonl", "runs/1/report.json", "runs/1/gpu_states.jsonl",
)  # fmt: skip
OWN = "submission.json"
once = settings(deadline=None, max_examples=40)


def refused(verdict: Verdict, code: str, file: str | None = None) -> None:
    assert verdict.verdict == "refused"
    found = [reason for reason in verdict.reasons if reason.code == code]
    assert found, verdict.reasons
    assert found[0].message
    assert found[0].mend
    if file is not None:
        assert file in {reason.file for reason in found}


# One byte, one file


@once
@given(data=st.data())
def test_one_byte_changed_in_any_file_is_found(content: bytes, data: st.DataObject) -> None:
    files = files_of(content)
    name = data.draw(st.sampled_from(sorted(files)))
    at = data.draw(st.integers(0, len(files[name]) - 1))
    sign = data.draw(st.integers(1, 255))

    def change(found: Files) -> None:
        was = found[name]
        found[name] = was[:at] + bytes([was[at] ^ sign]) + was[at + 1 :]

    verdict = judge(changed(content, change, sealed=False))
    assert verdict.verdict == "refused"
    if name != "manifest.json":
        assert name in {reason.file for reason in verdict.reasons if reason.weight == "refuse"}


@once
@given(data=st.data())
def test_one_byte_changed_anywhere_in_the_zip_changes_nothing_or_is_found(content: bytes, data: st.DataObject) -> None:
    at, sign = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255))
    other = content[:at] + bytes([content[at] ^ sign]) + content[at + 1 :]
    verdict = judge(other)
    assert verdict.verdict == "refused" or files_of(other) == files_of(content)


@once
@given(length=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_told(content: bytes, length: float) -> None:
    verdict = judge(content[: int(length * len(content))])
    assert verdict.verdict == "refused"
    assert not verdict.readable
    assert codes(verdict) <= {"broken", "empty"}


def test_zero_bytes() -> None:
    verdict = judge(b"")
    assert not verdict.readable
    refused(verdict, "empty")


def test_a_file_more_and_a_file_less(content: bytes) -> None:
    def add(files: Files) -> None:
        files["runs/1/notes.txt"] = b"by the way"

    refused(judge(changed(content, add, sealed=False)), "extra_file", "runs/1/notes.txt")
    refused(judge(changed(content, add, sealed=True)), "extra_file", "runs/1/notes.txt")
    refused(judge(changed(content, lambda files: files.pop(POWER), sealed=False)), "missing_file", POWER)
    refused(judge(changed(content, lambda files: files.pop(WINDOWS), sealed=True)), "schema", WINDOWS)
    refused(judge(changed(content, lambda files: files.pop(OWN), sealed=True)), "schema", OWN)


# Archives


def test_a_thousand_tiny_files() -> None:
    refused(judge(raw_zip((f"runs/1/{number:04}", b"x") for number in range(1000))), "too_many")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../../etc/cron.d/x", "path"),
        ("/etc/passwd", "path"),
        ("C:/windows/x", "path"),
        ("runs\\..\\x", "path"),
        ("runs/1/\x1b[2J", "path"),
        ("runs//x", "path"),
        ("runs/1/2/3/4/x", "depth"),
        ("MANIFEST.json", "duplicate_name"),
        ("manifest.json", "duplicate_name"),
    ],
)
def test_names_that_harm(content: bytes, name: str, code: str) -> None:
    verdict = judge(raw_zip([*files_of(content).items(), (name, b"x")]))
    refused(verdict, code)
    assert not verdict.readable


def test_archives_within_the_archive(content: bytes) -> None:
    inner = zip_form.write({"x": b"y"})
    entries = sorted([*files_of(content).items(), ("runs/1/windows.zip", inner)])
    refused(judge(raw_zip(entries)), "nested", "runs/1/windows.zip")


def central(content: bytes, at: int, value: bytes) -> bytes:
    """The content with bytes of its first directory entry changed."""
    start = content.index(zip_form.CENTRAL_SIGN) + at
    return content[:start] + value + content[start + len(value) :]


def test_a_damaged_byte_is_told_in_plain_words(content: bytes) -> None:
    at = zip_form.LOCAL.size + int.from_bytes(content[26:28], "little")
    # No block of deflate begins so.
    verdict = judge(content[:at] + b"\xff" + content[at + 1 :])
    refused(verdict, "broken")
    (told,) = [reason.message for reason in verdict.reasons if reason.code == "broken"]
    assert told == "its bytes are damaged: what is packed there cannot be unpacked any more"


def test_encrypted_entries_links_and_other_methods(content: bytes) -> None:
    refused(judge(central(content, 8, b"\x01\x00")), "encrypted")
    refused(judge(central(content, 38, (0o120777 << 16).to_bytes(4, "little"))), "link")
    refused(judge(central(content, 38, (0o020666 << 16).to_bytes(4, "little"))), "link")
    refused(judge(central(content, 10, b"\x0e\x00")), "form")


def test_a_bomb_is_not_unpacked() -> None:
    refused(judge(raw_zip([("runs/1/windows.jsonl", b"\0" * 20_000_000)])), "ratio")


def test_what_is_larger_than_it_says(content: bytes) -> None:
    small = zip_form._deflated("x", b"a" * 100)
    lying = zip_form.Packed("x", small.data, small.crc, 10)
    refused(judge(b"".join(bytes(part) for part in zip_form.parts([lying]))), "broken")


@pytest.mark.parametrize("strange", [lambda c: b"MZ" + c, lambda c: c + b"x", lambda c: c[:-2] + b"\x05\x00hello"])
def test_nothing_hides_before_or_behind(content: bytes, strange: Callable[[bytes], bytes]) -> None:
    assert judge(strange(content)).verdict == "refused"


def test_a_zip_by_another_tool_is_told_to_be_packed_again(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files_of(content).items():
            out.writestr(name, data)
    verdict = judge(path.read_bytes())
    refused(verdict, "form")
    assert "scorekit pack" in (verdict.reasons[0].mend or "")


# Figures


def scale_energies(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for reading in line["readings"]:
            reading["energy_wh"] *= 0.9


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


# Times


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


# Again


def test_a_replay_under_another_name(run: Path, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "first.zip").write_bytes(content)
    earlier = tuple(terms.earlier_in(tmp_path))
    again = submission.pack([run], request(model_name="Better 2")).content
    verdict = judge(again, earlier=earlier)
    refused(verdict, "replayed", "runs/1")
    assert "example/model-1b" in next(r.message for r in verdict.reasons if r.code == "replayed")
    published = tuple(prints.of_results([result_of(read_score(run), "official")]))
    refused(judge(again, earlier=published), "replayed", "runs/1")


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


# Names, clauses, form


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a" * 101, " model", "mod\u202eel", "model\n"])
def test_a_name_with_markup(content: bytes, name: str) -> None:
    def rename(files: Files) -> None:
        edit_json(ENVIRONMENT, lambda found: found["model"].update(name=name))(files)
        edit_json(SCORE, lambda found: found.update(model=name))(files)
        edit_json(OWN, lambda found: found["runs"][0].update(model=name))(files)

    refused(judge(changed(content, rename, sealed=True)), "name", OWN)


def test_clauses_that_were_not_accepted_or_read_otherwise(content: bytes) -> None:
    def not_all(own: dict[str, Any]) -> None:
        own["attestation"]["clauses"][1]["accepted"] = False

    def other_words(own: dict[str, Any]) -> None:
        own["attestation"]["clauses"][1]["text_sha256"] = "0" * 64

    for edit in (not_all, other_words, lambda own: own["attestation"].update(clauses=[])):
        refused(judge(changed(content, edit_json(OWN, edit), sealed=True)), "attestation", OWN)


def test_a_confidential_form_that_tells_more_is_refused(confidential: bytes) -> None:
    def tell(environment: dict[str, Any]) -> None:
        environment["model"]["parameters"] = 1_000_000_000

    refused(judge(changed(confidential, edit_json(ENVIRONMENT, tell), sealed=True)), "not_confidential")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (WINDOWS, b"{}\n"),
        (WINDOWS, b"[" * 100_000),
        (WINDOWS, b"\n" * 30_000),
        (ENVIRONMENT, b'{"schema_version": "scorekit.environment/9"}'),
        (ENVIRONMENT, b"\xff\xfe"),
        (POWER, b'{"devices": {"GPU": {"t_s": [1e999]}}}'),
        (POWER, b"[1]"),
        (OWN, b"null"),
        (STATES, b"cos\nsystem\n(S'echo'\ntR."),
    ],
)
def test_files_that_are_none(content: bytes, name: str, data: bytes) -> None:
    verdict = judge(changed(content, lambda files: files.update({name: data}), sealed=True))
    refused(verdict, "schema", name)


def test_figures_that_break_arithmetic(content: bytes) -> None:
    def huge(lines: list[dict[str, Any]]) -> None:
        lines[4]["samples"] = 10**400
        lines[4]["passes"] = 10**399

    assert judge(changed(content, edit_lines(WINDOWS, huge), sealed=True)).verdict == "refused"


@pytest.mark.parametrize("value", [None, "1", [1], {}, 10**400, 1e999])
def test_samples_that_are_none(content: bytes, value: Any) -> None:
    for column in ("t_s", "power_w", "counter_mj"):

        def put(power: dict[str, Any], column: str = column) -> None:
            next(iter(power["devices"].values()))[column][7] = value

        verdict = judge(changed(content, edit_json(POWER, put), sealed=True))
        if value is None and column != "t_s":
            assert verdict.verdict == "accepted", "one sample that the driver did not answer"
        else:
            refused(verdict, "schema", POWER)


def test_claims_that_are_not_those_of_the_evidence(content: bytes) -> None:
    for field, value in (("cohort", "asr"), ("comparable", False), ("valid", False), ("model_class", "C")):

        def claim(own: dict[str, Any], field: str = field, value: Any = value) -> None:
            own["runs"][0][field] = value

        assert judge(changed(content, edit_json(OWN, claim), sealed=True)).verdict == "refused", field


# Plausibility


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


# The command


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_command(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], sandbox: bool) -> None:
    path = tmp_path / "s.zip"
    path.write_bytes(content)
    more = [] if sandbox else ["--no-sandbox"]
    assert cli.main(["verify", str(path), *more]) == EXIT_DONE
    told = capsys.readouterr().out
    assert "Verdict: ACCEPTED" in told
    assert "Not signed." in told
    path.write_bytes(changed(content, edit_lines(WINDOWS, scale_energies), sealed=True))
    assert cli.main(["verify", str(path), "--json", *more]) == EXIT_INVALID
    verdict = Verdict.model_validate_json(capsys.readouterr().out)
    assert verdict.verdict == "refused"
    assert bool(verdict.confinement) is sandbox
    path.write_bytes(content[:1000])
    assert cli.main(["verify", str(path), *more]) == EXIT_FAILED
    assert "cut off" in capsys.readouterr().out


def test_results_and_earlier_ones_are_looked_at(
    run: Path, content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.zip"
    path.write_bytes(content)
    assert cli.main(["results", "add", str(run), "--results", str(tmp_path / "results")]) == EXIT_DONE
    capsys.readouterr()
    results = ["--results", str(tmp_path / "results"), "--no-sandbox", "--json"]
    assert cli.main(["verify", str(path), *results]) == EXIT_INVALID
    assert codes(Verdict.model_validate_json(capsys.readouterr().out)) == {"replayed"}


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(tmp_path / "no.zip")]) == EXIT_FAILED
    assert "no.zip" in capsys.readouterr().err
