"""What the portal tells its operator: the journal without personal data, metrics, and whether it can work."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from scorekit.portal import journal, metrics
from scorekit.portal.ledger import people, requests
from scorekit.portal.opened import Portal
from scorekit.portal.storage import Database
from scorekit.portal.web.access import COOKIE
from scorekit.portal.web.app import create_app
from scorekit.submission import CLAUSES
from tests.portal.browsing import Browser, bearer
from tests.portal.conftest import actor_of, token_of


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_request_is_a_line_without_who_and_what(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app(portal)
    browser = Browser(app, address="198.51.100.77")
    token = browser.log_in_as("operator", "Ada Lovelace")
    actor = people.actor_of_token(portal.storage, token)
    assert actor is not None
    secrets = [token, browser.cookies[COOKIE], browser.csrf_of("/"), "Ada Lovelace", "198.51.100.77", "secretive"]
    accepted = "&".join(f"{clause.name}={clause.sha256}" for clause in CLAUSES)
    sent = {**bearer(token), "Content-Type": "application/zip", "User-Agent": "secretive/1"}
    received = browser.post(f"/api/v1/submissions/file?{accepted}", content=b"secretive content", headers=sent)
    assert received.status_code == 201
    browser.get(f"/submissions/{received.json()['id']}")
    browser.get("/submissions?state=secretive")
    browser.get("/secretive")
    browser.get("/login?next=/secretive")
    browser.send_form("/requests", model="secretive", task="no task", note="secretive")
    browser.get("/api/v1/submissions", headers=bearer("sk_secretive"))
    browser.request("SECRETIVE", "/")
    browser.get("/", headers={"Host": "secretive.test"})
    Browser(app).log_in("sk_secretive")
    told = capsys.readouterr().err
    for secret in secrets:
        assert secret not in told, secret
    assert "SECRETIVE" not in told
    lines = lines_of(told)
    assert len(lines) >= 12
    for line in lines:
        assert {"time", "level", "event"} <= set(line)
        assert line["time"].endswith("+00:00")
    routes = {(line["method"], line["route"], line["status"]) for line in lines if line["event"] == "request"}
    assert ("GET", "/submissions/{submission_id}", 200) in routes
    assert ("POST", "/api/v1/submissions/file", 201) in routes
    assert ("GET", "none", 404) in routes
    assert ("GET", "none", 400) in routes
    assert all(line["duration_ms"] >= 0 and len(line["request"]) == 16 for line in lines if line["event"] == "request")


def test_what_libraries_log_comes_without_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("of.another.package")
    logger.addHandler(journal.Handler())
    logger.warning("%s:%d - refused", "198.51.100.77", 80)
    logger.error("put together of 198.51.100.77")
    logger.info("Application startup complete.")
    try:
        raise ValueError("198.51.100.77")
    except ValueError:
        logger.exception("failed for %s", "Ada")
    told = capsys.readouterr().err
    assert "198.51" not in told
    assert "Ada" not in told
    first, second, _third, last = lines_of(told)
    assert (first["level"], first["message"], first["logger"]) == ("warning", "%s:%d - refused", "of.another.package")
    assert second["level"] == "error"
    assert last["error"] == "ValueError"
    assert "test_web_observing.py" in last["places"][-1]


def test_an_error_of_a_database_is_told_by_what_the_database_says(capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("INSERT of Ada")
    error.orig = OSError("disk\n full")  # type: ignore[attr-defined]
    journal.failure("unreachable", error, request_id="x", tell_message=True)
    journal.failure("unexpected", error)
    first, second = lines_of(capsys.readouterr().err)
    assert (first["message"], first["request"]) == ("disk full", "x")
    assert "message" not in second


def families_of(text: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def samples_of(family: Any, suffix: str = "") -> dict[tuple[str, ...], float]:
    return {
        tuple(sample.labels.values()): sample.value for sample in family.samples if sample.name == family.name + suffix
    }


def test_metrics_count_by_route_state_and_verdict(portal: Portal) -> None:
    app = create_app(portal)
    browser = Browser(app)
    headers = bearer(token_of(portal, "operator", "Ada Lovelace"))
    before = families_of(browser.get("/metrics", headers=headers).text)
    accepted = "&".join(f"{clause.name}={clause.sha256}" for clause in CLAUSES)
    sent = {**bearer(token_of(portal, "submitter")), "Content-Type": "application/zip"}
    browser.post(f"/api/v1/submissions/file?{accepted}", content=b"x" * 1234, headers=sent)
    browser.get("/nothing")
    browser.request("BREW", "/")
    requests.ask(portal.storage, actor_of(portal, "submitter"), "org/model", "text_generation", model_class="A")
    metrics.checked("refused", 3.0)
    answer = browser.get("/metrics", headers=headers)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "Ada" not in answer.text
    after = families_of(answer.text)

    def grown(name: str, *labels: str, suffix: str = "_total") -> float:
        found = samples_of(after[name], suffix)[labels]
        return found - (samples_of(before[name], suffix).get(labels, 0.0) if name in before else 0.0)

    assert grown("scorekit_portal_requests", "POST", "/api/v1/submissions/file", "201") == 1
    assert grown("scorekit_portal_requests", "GET", "none", "404") == 1
    assert grown("scorekit_portal_requests", "other", "/", "405") == 1
    assert grown("scorekit_portal_upload_bytes") == 1234
    assert grown("scorekit_portal_request_seconds", "GET", "/metrics", suffix="_count") == 1
    assert grown("scorekit_portal_check_seconds", "refused", suffix="_count") == 1
    assert grown("scorekit_portal_check_seconds", "refused", suffix="_sum") == 3
    assert samples_of(after["scorekit_portal_submissions"])["received",] == 1
    assert samples_of(after["scorekit_portal_submissions"])["accepted",] == 0
    assert samples_of(after["scorekit_portal_jobs"])["queued",] == 0
    assert set(samples_of(after["scorekit_portal_jobs"])) == {("queued",), ("leased",), ("done",), ("failed",)}


def test_metrics_are_for_operators(app: FastAPI, portal_on_sqlite: Portal) -> None:
    browser = Browser(app, address="127.0.0.1")
    assert browser.get("/metrics").status_code == 401
    for role in ("submitter", "worker"):
        assert browser.get("/metrics", headers=bearer(token_of(portal_on_sqlite, role))).status_code == 403


def test_a_portal_that_can_work_is_ready(portal: Portal) -> None:
    browser = Browser(create_app(portal))
    assert browser.get("/health/live").json() == {"live": True}
    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200, {"ready": True, "database": True, "migrated": True, "disk": True}
    )  # fmt: skip


def test_without_its_database_it_lives_and_is_not_ready(portal_on_sqlite: Portal, tmp_path: Any) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'no' / 'such.db'}")
    portal = replace(portal_on_sqlite, storage=replace(portal_on_sqlite.storage, database=gone))
    browser = Browser(create_app(portal))
    assert browser.get("/health/live").status_code == 200
    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.json()["database"], answer.json()["migrated"]) == (503, False, False)
    assert browser.get("/api/v1/submissions", headers=bearer("sk_" + "x" * 43)).status_code == 503


def test_with_a_full_disk_it_is_not_ready(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    answer = Browser(app).get("/health/ready")
    assert (answer.status_code, answer.json()["disk"], answer.json()["database"]) == (503, False, True)


def test_with_an_older_database_it_is_not_ready(app: FastAPI, portal_on_sqlite: Portal) -> None:
    with portal_on_sqlite.storage.database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    answer = Browser(app).get("/health/ready")
    assert (answer.status_code, answer.json()["migrated"], answer.json()["database"]) == (503, False, True)


def test_the_journal_goes_to_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    journal.tell("started", level="warning", number=3)
    told = capsys.readouterr()
    assert told.out == ""
    assert lines_of(told.err)[0] | {"time": ""} == {"time": "", "level": "warning", "event": "started", "number": 3}
    assert sys.stderr is not None
