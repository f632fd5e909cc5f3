"""What should not be handed in, handed in by the API: each gets its verdict, and nothing of it is published."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorekit import submission
from scorekit.portal import checking, publishing
from scorekit.portal.ledger import publications
from scorekit.portal.opened import Portal
from scorekit.records import Terms, Verdict
from scorekit.submission import Confinement, zip_form
from tests.evidence import OTHER_GPU, change_facts, good_evidence
from tests.portal.calling import Caller, caller, refused
from tests.portal.conftest import Clock
from tests.unit.submission.made import (
    NOW,
    Files,
    changed,
    edit_json,
    edit_lines,
    files_of,
    raw_zip,
    request,
    thinned,
    write_run,
)

ENVIRONMENT, WINDOWS, SCORE, OWN = (
    "runs/1/environment.json",
    "runs/1/windows.jsonl",
    "runs/1/score.json",
    "submission.json",
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the kind of database."""
    return sqlite_url


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official run."""
    return write_run(tmp_path_factory.mktemp("runs") / "run", thinned(good_evidence()))


@pytest.fixture(scope="module")
def content(run: Path) -> bytes:
    """Its submission."""
    return submission.pack([run], request()).content


@pytest.fixture(scope="module")
def two_gpus(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A submission of a model of class B, measured on two GPUs."""
    evidence = change_facts(model={"parameters": 40_000_000_000, "model_class": "B"})(thinned(good_evidence()))
    (gpu,) = evidence.environment.gpus
    used = (gpu.uuid or "", OTHER_GPU)
    other = gpu.model_copy(update={"index": 1, "uuid": OTHER_GPU})
    facts = evidence.environment.model_copy(update={"gpus": (gpu, other), "model_gpus": used, "torch_gpus": used})
    made = write_run(tmp_path_factory.mktemp("runs") / "two", replace(evidence, environment=facts))
    return submission.pack([made], request(allow_invalid=True)).content


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The confined process has tests of its own, and takes a while to start."""

    def verify(path: Path, terms: Terms, confinement: Confinement) -> Verdict:
        return submission.verify_file(path, terms, confinement.limits)

    monkeypatch.setattr(submission, "verify_confined", verify)


def verdict_on(portal: Portal, ada: Caller, content: bytes, *, in_pieces: bool = False) -> dict[str, Any]:
    """Hand in, let the portal check, and look; nothing may be published of it."""
    made = (ada.upload if in_pieces else ada.file)(content)
    assert made.status_code == 201, made.text
    assert checking.check_one(portal)
    told = ada("GET", f"/submissions/{made.json()['id']}")
    assert told.status_code == 200, told.text
    found: dict[str, Any] = told.json()
    return found


def nothing_of(portal: Portal, found: dict[str, Any], code: str) -> None:
    """Whether a submission was refused for a reason, and can by nobody be published."""
    assert (found["state"], found["verdict"]["verdict"]) == ("refused", "refused")
    reasons = [reason for reason in found["verdict"]["reasons"] if reason["code"] == code]
    assert reasons, found["verdict"]["reasons"]
    assert reasons[0]["message"]
    assert reasons[0]["mend"]
    operator = caller(portal, "operator")
    told = {"decision": "accept", "reason": "It looks good to me."}
    refused(operator("POST", f"/desk/submissions/{found['id']}/decision", json=told), 409, "too_late", "refused")
    assert publishing.publish_pending(portal) == 0
    assert publications.of_submission(portal.storage, found["id"]) == []
    assert publishing.known_results(portal) == []


def lower(score: dict[str, Any]) -> None:
    score["wh_per_1000_queries"] *= 0.9


def scale(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        for reading in line["readings"]:
            reading["energy_wh"] *= 0.9


def renamed(name: str) -> Callable[[Files], None]:
    def rename(files: Files) -> None:
        edit_json(ENVIRONMENT, lambda found: found["model"].update(name=name))(files)
        edit_json(SCORE, lambda found: found.update(model=name))(files)
        edit_json(OWN, lambda found: found["runs"][0].update(model=name))(files)

    return rename


TAMPERED = {
    "wrong task": ("wrong_task", edit_json(OWN, lambda own: own["runs"][0].update(task="summarization"))),
    "tampered score": ("score", edit_json(SCORE, lower)),
    "tampered windows": ("score", edit_lines(WINDOWS, scale)),
    "log of another model": ("other_model", edit_json(ENVIRONMENT, lambda e: e["model"].update(name="other/model"))),
    "name with markup": ("name", renamed("<script>alert(1)</script>")),
    "name in the other direction": ("name", renamed("mod\u202eel")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_somebody_has_been_at(portal: Portal, ada: Caller, content: bytes, what: str) -> None:
    code, change = TAMPERED[what]
    nothing_of(portal, verdict_on(portal, ada, changed(content, change, sealed=True)), code)


def test_one_byte_changed_in_any_file(portal: Portal, ada: Caller, content: bytes) -> None:
    for name in sorted(files_of(content)):

        def change(files: Files, name: str = name) -> None:
            middle = len(files[name]) // 2
            files[name] = files[name][:middle] + bytes([files[name][middle] ^ 1]) + files[name][middle + 1 :]

        found = verdict_on(portal, ada, changed(content, change, sealed=False))
        assert found["state"] == "refused", name
    assert publishing.known_results(portal) == []


def test_class_b_on_two_gpus(portal: Portal, ada: Caller, two_gpus: bytes) -> None:
    nothing_of(portal, verdict_on(portal, ada, two_gpus), "gpu_count")


def test_a_clock_in_the_future(portal: Portal, ada: Caller, content: bytes, clock: Clock) -> None:
    clock.at = NOW - datetime.timedelta(days=2)
    # The tokens of the fixtures are of a later day, and hold all the same.
    nothing_of(portal, verdict_on(portal, ada, content), "future")


def test_a_replay(portal: Portal, ada: Caller, run: Path, content: bytes) -> None:
    first = verdict_on(portal, ada, content, in_pieces=True)
    assert first["state"] == "waiting", first["verdict"]["reasons"]
    other = caller(portal, "submitter")
    again = submission.pack([run], request(model_name="Better 2")).content
    nothing_of(portal, verdict_on(portal, other, again), "replayed")
    nothing_of(portal, verdict_on(portal, other, content), "replayed")
    told = {"decision": "accept", "reason": "The figures agree with each other."}
    path = f"/desk/submissions/{first['id']}/decision"
    assert caller(portal, "operator")("POST", path, json=told).status_code == 200
    assert publishing.publish_pending(portal) == 1
    (published,) = ada("GET", f"/submissions/{first['id']}").json()["publications"]
    assert published["result_path"]
    (result,) = publishing.known_results(portal)
    assert result.measurement is not None
    assert result.measurement.model == "example/model-1b"
    third = verdict_on(portal, caller(portal, "submitter"), again)
    assert third["state"] == "refused"
    assert len(publishing.known_results(portal)) == 1


def test_zero_bytes(portal: Portal, ada: Caller) -> None:
    refused(ada.file(b""), 422, "wrong_content", "empty")
    refused(ada.announce(b""), 422, "wrong_content")
    assert ada("GET", "/submissions").json()["total"] == 0
    assert not checking.check_one(portal)


def test_what_was_cut_off(portal: Portal, ada: Caller, content: bytes) -> None:
    upload = ada.announce(content).json()["id"]
    ada.piece(upload, 0, content[:-100])
    refused(ada.complete(upload), 422, "wrong_content", "send the rest")
    assert not checking.check_one(portal)
    assert ada("GET", "/submissions").json()["total"] == 0
    # Cut off before it was handed in: the file itself is broken.
    found = verdict_on(portal, ada, content[:-100])
    assert found["verdict"]["readable"] is False
    nothing_of(portal, found, "broken")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: raw_zip((f"runs/1/{number:04}", b"x") for number in range(1000)), "too_many"),
        (lambda: raw_zip([("../../etc/cron.d/x", b"x")]), "path"),
        (lambda: raw_zip([("/etc/passwd", b"x")]), "path"),
        (lambda: raw_zip([("runs/1/a/b/c/d", b"x")]), "depth"),
        (lambda: raw_zip([("A.json", b"x"), ("a.json", b"x")]), "duplicate_name"),
        (lambda: raw_zip([("runs/1/x.zip", zip_form.write({"x": b"y"}))]), "nested"),
        (lambda: raw_zip([("runs/1/windows.jsonl", b"\0" * 20_000_000)]), "ratio"),
        (lambda: b"<html><script>alert(1)</script>", "broken"),
        (lambda: b"\x80\x04\x95", "broken"),
    ],
)
def test_archives_that_harm(portal: Portal, ada: Caller, made: Callable[[], bytes], code: str) -> None:
    found = verdict_on(portal, ada, made())
    assert found["verdict"]["readable"] is False
    nothing_of(portal, found, code)


def test_a_good_one_waits(portal: Portal, ada: Caller, content: bytes) -> None:
    found = verdict_on(portal, ada, content)
    assert found["state"] == "waiting"
    assert found["verdict"]["runs"][0]["score"]["model"] == "example/model-1b"
    assert publishing.publish_pending(portal) == 0, "an operator decides"
    assert publishing.known_results(portal) == []
