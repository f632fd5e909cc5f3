"""The operators' pages: who may see them, decisions once and with a reason, editions, and the audit log."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from scorekit.portal.ledger import decisions, desk, jobs, publications, requests, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_pending
from scorekit.portal.web.app import create_app
from tests.portal.browsing import Browser
from tests.portal.conftest import Clock
from tests.portal.measured import accept, packed, read_here
from tests.sites import HOSTILE
from tests.web.portal_states import hand_in, judge, verdict

PAGES = ("/desk", "/desk/editions", "/desk/audit")


@pytest.fixture
def browser(portal: Portal) -> Iterator[Browser]:
    """An operator's."""
    with Browser(create_app(portal)) as found:
        found.log_in_as("operator", "Grace Hopper")
        yield found


@pytest.fixture
def waiting(portal: Portal, submitter: Actor) -> str:
    """Id of a submission that waits."""
    found = hand_in(portal, submitter, 1)
    judge(portal, verdict(1))
    return found


def test_only_operators_see_the_desk(portal: Portal, submitter: Actor, waiting: str) -> None:
    asked = requests.ask(portal.storage, submitter, "example/model", "summarization").id
    pages = (*PAGES, f"/desk/submissions/{waiting}", f"/desk/requests/{asked}")
    with Browser(create_app(portal)) as other:
        for page in pages:
            assert other.get(page).headers["location"].endswith(f"/login?next={page}")
        for role in ("submitter", "worker"):
            other.cookies.clear()
            other.log_in_as(role)
            assert {other.get(page).status_code for page in pages} == {403}
            for path in (*pages[1:2], *pages[3:], f"/desk/submissions/{waiting}/again"):
                assert other.send_form(path, decision="accept", reason="x").status_code == 403
        other.cookies.clear()
        other.log_in_as("operator")
        assert {other.get(page).status_code for page in pages} == {200}
    assert decisions.find(portal.storage, "submission", waiting) is None


def test_every_form_needs_the_csrf_of_its_session(
    browser: Browser, portal: Portal, submitter: Actor, waiting: str
) -> None:
    asked = requests.ask(portal.storage, submitter, "example/model", "summarization").id
    fields = {
        "decision": "accept",
        "reason": "It is sound.",
        "name": "2026-01",
        "rule": "equal_width",
        "confirm": "yes",
    }
    paths = (
        f"/desk/submissions/{waiting}", f"/desk/submissions/{waiting}/again", f"/desk/requests/{asked}",
        "/desk/editions", "/requests",
    )  # fmt: skip
    for path in paths:
        for csrf in ({}, {"csrf": "wrong"}):
            assert browser.post(path, data={**fields, **csrf}).status_code == 403
    assert submissions.find(portal.storage, submitter, waiting).state == "waiting"
    assert requests.find(portal.storage, asked).state == "waiting"
    assert requests.listed(portal.storage)[1] == 1


def test_a_decision_needs_a_choice_and_a_reason(browser: Browser, portal: Portal, waiting: str) -> None:
    path = f"/desk/submissions/{waiting}"
    for fields, field in (
        ({"reason": "It is sound."}, "decision-accept"),
        ({"decision": "maybe", "reason": "It is sound."}, "decision-accept"),
        ({"decision": "accept", "reason": " \n "}, "reason"),
        ({"decision": "refuse", "reason": "x" * 2001}, "reason"),
    ):
        answer = browser.send_form(path, **fields)
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
    assert decisions.find(portal.storage, "submission", waiting) is None
    assert browser.send_form(path, decision="accept", reason="It is\r\nsound.\0\x07").status_code == 303
    decision = decisions.find(portal.storage, "submission", waiting)
    assert decision is not None
    assert decision.reason == "It is\nsound."
    page = browser.get(path).text
    assert "Accepted by <bdi>Grace Hopper</bdi>" in page
    assert 'id="decide"' not in page


def test_a_decision_is_about_the_verdict_that_was_shown(browser: Browser, waiting: str) -> None:
    path = f"/desk/submissions/{waiting}"
    found = re.search(r'name="seen" value="([^"]+)"', browser.get(path).text)
    assert found is not None
    for seen, status in (("2026-03-02T08:00:00+00:00", 409), ("yesterday", 422), ("0001-01-01T00:00:00+23:00", 422)):
        answer = browser.send_form(path, decision="accept", reason="It is sound.", seen=seen)
        assert answer.status_code == status, answer.text
    assert browser.send_form(path, decision="accept", reason="It is sound.", seen=found[1]).status_code == 303


def test_who_decides_second_is_told_and_changes_nothing(browser: Browser, portal: Portal, waiting: str) -> None:
    path = f"/desk/submissions/{waiting}"
    assert browser.send_form(path, decision="refuse", reason="I doubt it.").status_code == 303
    again = browser.send_form(path, decision="accept", reason="It is sound.")
    assert again.status_code == 409
    assert "Your decision was not taken" in again.text
    assert browser.send_form(f"{path}/again").status_code == 409
    decision = decisions.find(portal.storage, "submission", waiting)
    assert decision is not None
    assert (decision.decision, decision.reason) == ("refuse", "I doubt it.")
    assert publications.of_submission(portal.storage, waiting) == []


def test_one_that_waits_can_be_checked_again(browser: Browser, portal: Portal, submitter: Actor, waiting: str) -> None:
    assert browser.send_form(f"/desk/submissions/{waiting}/again").status_code == 303
    assert submissions.find(portal.storage, submitter, waiting).state == "received"
    assert browser.send_form(f"/desk/submissions/{'0' * 32}/again").status_code == 404
    assert browser.get(f"/desk/submissions/{'0' * 32}").status_code == 404
    assert browser.send_form(f"/desk/submissions/{'0' * 32}", decision="accept", reason="x").status_code == 404


def test_the_queue_shows_the_oldest_first(browser: Browser, portal: Portal, submitter: Actor, clock: Clock) -> None:
    made = []
    for number in range(27):
        made.append(hand_in(portal, submitter, number))
        judge(portal, verdict(number))
        clock.advance(minutes=1)
    first, second = browser.get("/desk").text, browser.get("/desk?page=2").text
    listed = [re.findall(r'/desk/submissions/([0-9a-f]{32})"', page) for page in (first, second)]
    assert listed == [made[:25], made[25:]]
    assert "<strong>27</strong>" in first


def test_a_request_is_asked_for_decided_and_followed(
    browser: Browser, portal: Portal, worker: Actor, submitter: Actor
) -> None:
    fields = {"model": "example/model-1b", "task": "text_generation", "model_class": "A", "note": "Please\r\nsoon"}
    asked = browser.send_form("/requests", **fields)
    assert asked.status_code == 303
    request_id = asked.headers["location"].rpartition("/")[2]
    assert browser.send_form("/requests", **fields).headers["location"] == asked.headers["location"]
    desk_page = f"/desk/requests/{request_id}"
    assert "<bdi>Please</bdi><br><bdi>soon</bdi>" in browser.get(desk_page).text
    assert browser.send_form(desk_page, decision="accept", reason="").status_code == 422
    assert browser.send_form(desk_page, decision="accept", reason="Often asked for.").status_code == 303
    assert browser.send_form(desk_page, decision="refuse", reason="No.").status_code == 409
    job = jobs.take(portal.storage, worker, HOSTILE[0])
    assert job is not None
    assert "being measured" in browser.get("/desk").text
    jobs.give_back(portal.storage, worker, job.id, job.lease, "CUDA: /home/worker/secret", again=False)
    assert "/home/worker/secret" in browser.get(desk_page).text
    # What went wrong on the worker's machine is for operators.
    with Browser(create_app(portal)) as other:
        other.log_in_as("submitter")
        page = other.get(f"/requests/{request_id}").text
    assert "Not measured" in page
    assert "/home/worker" not in page


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "", "task": "summarization"}, "model"),
        ({"model": "a/b/c", "task": "summarization"}, "model"),
        ({"model": "a/b", "task": "cooking"}, "task"),
        ({"model": "a/b", "task": "text_generation"}, "model_class"),
        ({"model": "a/b", "task": "text_generation", "model_class": "D"}, ""),
        ({"model": "a/b", "task": "summarization", "model_class": "A"}, "model_class"),
        ({"model": "a/b", "task": "summarization", "revision": "../main"}, "revision"),
        ({"model": "a/b", "task": "summarization", "note": "x" * 2001}, "note"),
    ],
)
def test_what_is_wrong_in_a_request_is_told_beside_its_field(
    browser: Browser, portal: Portal, fields: dict[str, str], field: str
) -> None:
    answer = browser.send_form("/requests", **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not field or f'id="{field}-error"' in answer.text
    assert requests.listed(portal.storage)[1] == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"rule": "by_mood"}, "rule"),
        ({"confirm": ""}, "confirm"),
        ({"date": "soon"}, ""),
        ({}, ""),
    ],
)
def test_what_is_wrong_with_an_edition_is_told(
    browser: Browser, portal: Portal, changed: dict[str, str], field: str
) -> None:
    fields = {"name": "2026-01", "rule": "equal_width", "date": "2026-01", "confirm": "yes", **changed}
    answer = browser.send_form("/desk/editions", **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not field or f'id="{field}-error"' in answer.text
    assert publications.current_edition(portal.storage) is None


def _two_results(portal: Portal, operator: Actor, submitter: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models of a cohort, published."""
    read_here(monkeypatch)
    for model, factor in (("example/frugal", 0.8), ("example/thirsty", 1.2)):
        accept(portal, operator, submitter, packed(model, factor))
    publish_pending(portal)


def test_an_edition_is_looked_at_and_published(
    browser: Browser, portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_results(portal, operator, submitter, monkeypatch)
    shown = browser.get("/desk/editions").text
    assert "2 members in 1 cohort." in shown
    assert "Against edition" in shown
    assert "<bdi>example/thirsty</bdi>" in shown
    assert "<strong>log_width</strong>" in browser.get("/desk/editions?rule=log_width").text
    fields = {"name": "2026-01", "rule": "log_width", "date": "2026-01", "confirm": "yes"}
    for changed, field in (({"name": "../x"}, "name"), ({"name": "2025-02"}, "name"), ({"date": "soon"}, "date")):
        wrong = browser.send_form("/desk/editions", **{**fields, **changed})
        assert wrong.status_code == 422
        assert f'id="{field}-error"' in wrong.text
    done = browser.send_form("/desk/editions", **fields)
    assert done.status_code == 303
    assert "Edition <bdi>2026-01</bdi> is published." in browser.get(done.headers["location"]).text
    assert publications.current_edition(portal.storage) == "2026-01"
    again = browser.send_form("/desk/editions", **{**fields, "rule": "equal_width"})
    assert again.status_code == 409
    assert 'id="name-error"' in again.text


def test_an_edition_is_what_its_page_showed(
    browser: Browser, portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_results(portal, operator, submitter, monkeypatch)
    fields = {"name": "2026-01", "rule": "equal_width", "date": "2026-01", "confirm": "yes"}
    seen = re.findall(r'name="seen" value="([^"]+)"', browser.get("/desk/editions").text)
    accept(portal, operator, submitter, packed("example/late", 1.0))
    publish_pending(portal)
    late = browser.send_form("/desk/editions", **fields, seen=seen[0])
    assert late.status_code == 409
    assert "esults were published since you looked" in late.text
    assert 'id="name-error"' not in late.text
    assert "<bdi>example/late</bdi>" in late.text, "the page shows what it would be now"
    assert publications.current_edition(portal.storage) is None
    again = re.findall(r'name="seen" value="([^"]+)"', late.text)
    assert len(seen) == len(again) == 1
    assert browser.send_form("/desk/editions", **fields, seen=again[0]).status_code == 303
    assert publications.current_edition(portal.storage) == "2026-01"


@pytest.mark.parametrize("odd", ["%00", "a" * 32 + "%00", "x" * 3000, "%ED%A0%80", "%F0%9F%94%A5", "%27", "..%2F.."])
def test_at_an_odd_address_there_is_nothing(browser: Browser, odd: str) -> None:
    for path in ("/submissions", "/requests", "/desk/submissions", "/desk/requests"):
        assert browser.get(f"{path}/{odd}").status_code == 404
    for path in ("/desk/submissions", "/desk/requests"):
        assert browser.send_form(f"{path}/{odd}", decision="accept", reason="It is sound.").status_code == 404
    assert browser.send_form(f"/desk/submissions/{odd}/again").status_code == 404


def test_the_audit_log_is_shown_newest_first_and_by_subject(
    browser: Browser, portal: Portal, waiting: str, submitter: Actor
) -> None:
    lines, count = desk.audit_lines(portal.storage, limit=1000)
    assert [line.number for line in lines] == list(range(count, 0, -1))
    page = browser.get(f"/desk/audit?subject={waiting}").text
    assert page.count("<code>submission.receive</code>") == page.count("<code>submission.check</code>") == 1
    assert "session.open" not in page
    for odd in ("%27%20OR%201", "x" * 200, "%00", HOSTILE[0]):
        assert browser.get(f"/desk/audit?subject={odd}&page=2").status_code == 200
    # A reason is read on its page; the log holds no words of people.
    browser.send_form(f"/desk/submissions/{waiting}", decision="refuse", reason="A very private reason")
    assert "A very private reason" not in browser.get("/desk/audit").text
