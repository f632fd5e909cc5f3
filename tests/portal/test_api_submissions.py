"""Submissions in one request, lists and looks; requests, jobs, the desk: as programs see them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import anyio
import pytest

from scorekit.portal.ledger import checks
from scorekit.portal.opened import Portal
from scorekit.portal.storage import audit
from scorekit.portal.web import bodies
from scorekit.submission.verify import verdict
from tests.portal import loops
from tests.portal.calling import ALL, API, ZIP, Caller, caller, refused

CONTENT = b"PK not really a zip, which is for the checks to find" * 50
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def waits(portal: Portal, answer: Any) -> str:
    """Let the checks find nothing against a submission; its id."""
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    checks.finish_check(portal.storage, lease, verdict([], CONTENT, readable=True))
    found: str = answer.json()["id"]
    return found


# One request


def test_a_file_in_one_request(portal: Portal, ada: Caller) -> None:
    answer = ada.file(CONTENT, sha256=SHA256)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["sha256"], told["size_bytes"], told["state"]) == (SHA256, len(CONTENT), "received")
    assert told["page"] == f"{portal.settings.public_url}submissions/{told['id']}"
    assert answer.headers["Location"] == f"{API}/submissions/{told['id']}"
    assert ada("GET", f"/submissions/{told['id']}").json() == told
    with portal.storage.blobs.open(SHA256) as blob:
        assert blob.read() == CONTENT
    assert ada.file(CONTENT).json()["id"] == told["id"], "the same file is the same submission"
    assert list(portal.settings.parts.iterdir()) == []


def test_a_file_without_a_length(portal: Portal, ada: Caller) -> None:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(CONTENT), 700):
            yield CONTENT[start : start + 700]

    assert ada.file(pieces()).json()["sha256"] == SHA256


def test_a_file_that_is_not_taken_leaves_nothing(portal: Portal, ada: Caller) -> None:
    refused(ada.file(b""), 422, "wrong_content", "empty")
    refused(ada.file(CONTENT, sha256="0" * 64), 422, "wrong_content", SHA256[:12])
    refused(ada.file(CONTENT, integrity="0" * 64), 422, "wrong_content", "integrity")
    refused(ada("POST", "/submissions/file", content=CONTENT, headers=ZIP), 422, "wrong_content", "public_data")
    html = {"Content-Type": "text/html"}
    refused(ada("POST", "/submissions/file", content=CONTENT, params=ALL, headers=html), 415, "wrong_content", "zip")
    refused(caller(portal, None).file(CONTENT), 401, "no_login", "token")
    assert list(portal.settings.parts.iterdir()) == []
    assert list(portal.storage.blobs.names()) == []
    assert ada("GET", "/submissions").json() == {"items": [], "total": 0}


def test_a_file_that_is_too_large_told_or_not(portal: Portal, ada: Caller) -> None:
    most = portal.settings.limits.packed_bytes

    def unannounced() -> Iterator[bytes]:
        block = bytes(1 << 20)
        for _ in range((most >> 20) + 2):
            yield block

    refused(ada.file(unannounced()), 413, "too_much")
    told = {**ZIP, "Content-Length": str(most * 2)}
    refused(ada("POST", "/submissions/file", content=b"x", params=ALL, headers=told), 413, "too_much")
    assert list(portal.settings.parts.iterdir()) == []


def test_a_sender_that_falls_silent_is_cut_off(portal: Portal, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_SILENCE_S", 0.05)

    # The tests' client hands over what it has at once, so the application is asked without it.
    async def ask() -> list[Any]:
        sent: list[Any] = []
        body = [{"type": "http.request", "body": CONTENT, "more_body": True}]

        async def receive() -> Any:
            if not body:
                await anyio.sleep_forever()
            return body.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [
            (b"host", b"portal.test"),
            (b"authorization", f"Bearer {ada.token}".encode()),
            (b"content-type", b"application/zip"),
        ]
        query = "&".join(f"{name}={value}" for name, value in ALL.items()).encode()
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": f"{API}/submissions/file", "raw_path": f"{API}/submissions/file".encode(), "query_string": query,
            "root_path": "", "headers": headers, "client": ("192.0.2.1", 1), "server": ("portal.test", 80),
        }  # fmt: skip
        with anyio.fail_after(20):
            await ada.client.app(scope, receive, send)  # type: ignore[arg-type]
        return sent

    sent = loops.run(ask())
    assert sent[0]["status"] == 408
    assert list(portal.settings.parts.iterdir()) == []
    assert list(portal.storage.blobs.names()) == []


# Looking


def test_submissions_are_shown_to_their_account_and_to_operators(portal: Portal, ada: Caller) -> None:
    found = ada.file(CONTENT).json()["id"]
    other, operator = caller(portal, "submitter"), caller(portal, "operator")
    refused(other("GET", f"/submissions/{found}"), 404, "not_there")
    assert other("GET", "/submissions").json()["total"] == 0
    assert operator("GET", "/submissions").json()["total"] == 0, "its own list is its own"
    assert operator("GET", f"/submissions/{found}").json()["id"] == found
    refused(ada("GET", "/desk/submissions"), 403, "not_allowed")
    everything = operator("GET", "/desk/submissions").json()
    assert [one["id"] for one in everything["items"]] == [found]
    assert "account" not in json.dumps(everything)


def test_a_list_in_parts(portal: Portal, ada: Caller) -> None:
    made = [ada.file(b"file %d" % number).json()["id"] for number in range(5)]
    pages = [ada("GET", "/submissions", params={"offset": offset, "limit": 2}).json() for offset in (0, 2, 4, 6)]
    assert {page["total"] for page in pages} == {5}
    assert sorted(one["id"] for page in pages for one in page["items"]) == sorted(made)
    assert ada("GET", "/submissions", params={"state": "refused"}).json()["total"] == 0
    one = ada("GET", "/submissions", params={"sha256": hashlib.sha256(b"file 3").hexdigest()}).json()
    assert [found["id"] for found in one["items"]] == [made[3]]
    assert ada("GET", "/submissions", params={"sha256": "0" * 64}).json() == {"items": [], "total": 0}
    for wrong in ({"limit": 0}, {"limit": 10**6}, {"offset": -1}, {"offset": 10**19}, {"state": "new"}):
        refused(ada("GET", "/submissions", params=wrong), 422, "wrong_content")


def test_clauses_are_open(portal: Portal) -> None:
    found = caller(portal, None)("GET", "/clauses").json()
    assert {clause["name"]: clause["sha256"] for clause in found} == ALL
    for clause in found:
        assert hashlib.sha256(clause["text"].encode()).hexdigest() == clause["sha256"]


# The desk


def test_a_decision_is_made_once_and_told(portal: Portal, ada: Caller) -> None:
    operator, other = caller(portal, "operator"), caller(portal, "operator")
    answer = ada.file(CONTENT)
    path = f"/desk/submissions/{answer.json()['id']}/decision"
    told = {"decision": "refuse", "reason": "The figures are of another model."}
    refused(operator("POST", path, json=told), 409, "too_late", "received")
    found = waits(portal, answer)
    refused(ada("POST", path, json=told), 403, "not_allowed")
    refused(operator("POST", path, json={**told, "reason": "  "}), 422, "wrong_content", "reason")
    refused(operator("POST", path, json={**told, "decision": "perhaps"}), 422, "wrong_content")
    made = operator("POST", path, json=told)
    assert made.status_code == 200
    assert made.json()["reason"] == told["reason"]
    refused(other("POST", path, json={**told, "decision": "accept"}), 409, "too_late", "declined")
    shown = ada("GET", f"/submissions/{found}").json()
    assert (shown["state"], shown["decision"]) == ("declined", made.json())
    assert shown["verdict"]["verdict"] == "accepted"
    refused(operator("POST", f"/desk/submissions/{'0' * 32}/decision", json=told), 404, "not_there")


def test_checked_again(portal: Portal, ada: Caller) -> None:
    operator = caller(portal, "operator")
    found = waits(portal, ada.file(CONTENT))
    again = operator("POST", f"/desk/submissions/{found}/check")
    assert (again.status_code, again.json()["state"]) == (202, "received")
    refused(operator("POST", f"/desk/submissions/{found}/check"), 409, "too_late")
    refused(operator("POST", f"/desk/submissions/{'0' * 32}/check"), 404, "not_there")


def test_the_audit_log_in_parts(portal: Portal, ada: Caller) -> None:
    operator = caller(portal, "operator")
    for number in range(4):
        ada.file(b"file %d" % number)
    with portal.storage.database.read() as connection:
        everything = list(audit.entries(connection))
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = operator("GET", "/desk/audit", params={"after": after, "limit": 3}).json()
        assert len(page["items"]) <= 3
        found += page["items"]
        after = page["next"]
    assert [one["sha256"] for one in found] == [entry.sha256 for entry in everything]
    assert all(one["previous_sha256"] == before["sha256"] for before, one in pairwise(found))
    subject = everything[-1].subject
    assert operator("GET", "/desk/audit", params={"subject": subject}).json()["items"] == [found[-1]]
    refused(ada("GET", "/desk/audit"), 403, "not_allowed")


# Requests and jobs


def test_a_request_becomes_a_job_and_the_job_a_submission(portal: Portal, ada: Caller, clock: Any) -> None:
    operator, worker, second = caller(portal, "operator"), caller(portal, "worker"), caller(portal, "worker")
    wish = {"model": "openai-community/gpt2", "task": "text_generation", "model_class": "A"}
    asked = ada("POST", "/requests", json=wish)
    assert asked.status_code == 201, asked.text
    request = asked.json()["id"]
    assert ada("POST", "/requests", json=wish).json()["id"] == request
    assert worker("POST", "/jobs/take", json={"worker": "gpu-1"}).status_code == 204
    told = {"decision": "accept", "reason": "An open model."}
    refused(ada("POST", f"/desk/requests/{request}/decision", json=told), 403, "not_allowed")
    assert operator("POST", f"/desk/requests/{request}/decision", json=told).status_code == 200
    refused(operator("POST", f"/desk/requests/{request}/decision", json=told), 409, "too_late")
    refused(ada("POST", "/jobs/take", json={"worker": "x"}), 403, "not_allowed")
    job = worker("POST", "/jobs/take", json={"worker": "gpu-1"}).json()
    assert (job["model"], job["task"], job["attempt"]) == ("openai-community/gpt2", "text_generation", 1)
    assert second("POST", "/jobs/take", json={"worker": "gpu-2"}).status_code == 204
    assert ada("GET", f"/requests/{request}").json()["job"] == {"state": "leased", "attempts": 1}
    kept = worker("POST", f"/jobs/{job['id']}/beat", json={"lease": job["lease"]})
    assert kept.json()["lease_until"] >= job["lease_until"]
    back = worker(
        "POST", f"/jobs/{job['id']}/give-back", json={"lease": job["lease"], "error": "no disk", "again": True}
    )
    assert back.json() == {"state": "queued"}
    refused(worker("POST", f"/jobs/{job['id']}/beat", json={"lease": job["lease"]}), 409, "too_late")
    clock.advance(minutes=5)
    job = second("POST", "/jobs/take", json={"worker": "gpu-2"}).json()
    assert (job["attempt"], job["last_error"]) == (2, "no disk")
    lease = {"job": job["id"], "lease": job["lease"]}
    refused(ada.upload(CONTENT, **lease), 403, "not_allowed")
    refused(worker.upload(CONTENT, job=job["id"], lease="0" * 32), 409, "too_late")
    upload = worker.announce(CONTENT).json()
    assert upload["offset"] == len(CONTENT), "what was refused need not be sent anew"
    refused(worker.complete(upload["id"], job=job["id"]), 422, "wrong_content", "lease")
    done = second.upload(CONTENT, **lease)
    assert done.json()["job"] == job["id"]
    assert second.upload(CONTENT, **lease).json()["id"] == done.json()["id"]
    found = ada("GET", f"/requests/{request}").json()
    assert (found["state"], found["job"]["state"], found["decision"]["reason"]) == (
        "measured",
        "done",
        "An open model.",
    )
    assert ada("GET", "/requests", params={"mine": True, "state": "measured"}).json()["total"] == 1
    assert worker("GET", "/requests", params={"mine": True}).json()["total"] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "../../etc/passwd"},
        {"model": "a b"},
        {"model": ""},
        {"model": "<b>x</b>"},
        {"model": "x\0y"},
        {"task": "cooking"},
        {"model_class": None},
        {"model_class": "D"},
        {"revision": "a..b"},
        {"note": "x" * 2001},
        {"note": "\0"},
        {"note": "\x1b[2J"},
        {"more": 1},
    ],
)
def test_what_cannot_be_asked_for(ada: Caller, wrong: dict[str, Any]) -> None:
    good = {"model": "openai-community/gpt2", "task": "text_generation", "model_class": "A", "note": "please"}
    refused(ada("POST", "/requests", json={**good, **wrong}), 422, "wrong_content")
    assert ada("GET", "/requests").json()["total"] == 0


def test_what_comes_of_nothing(ada: Caller, portal: Portal) -> None:
    worker = caller(portal, "worker")
    refused(ada("GET", f"/requests/{'0' * 32}"), 404, "not_there")
    refused(ada("GET", "/requests/x"), 422, "wrong_content")
    refused(worker("POST", f"/jobs/{'0' * 32}/beat", json={"lease": "0" * 32}), 409, "too_late")
    told = {"lease": "0" * 32, "error": "\0", "again": True}
    refused(worker("POST", f"/jobs/{'0' * 32}/give-back", json=told), 422, "wrong_content")
    refused(ada("GET", "/nothing"), 404, "not_there")
    refused(ada("PUT", "/uploads"), 405, "wrong_method")
