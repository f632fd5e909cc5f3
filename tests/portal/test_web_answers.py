"""Every refusal has its status and says why; nothing of what is inside goes out, and no text of strangers is markup."""

from __future__ import annotations

import random

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError

from scorekit.errors import BundleError, InputError, ScorekitError
from scorekit.portal.ledger import accounts, people
from scorekit.portal.ledger.refusals import (
    NotAllowedError,
    NotThereError,
    TooLateError,
    TooMuchError,
    WrongContentError,
)
from scorekit.portal.opened import Portal
from scorekit.portal.web.answers import NoLoginError, TooManyError, TooSlowError
from scorekit.portal.web.app import create_app
from tests.portal.browsing import Browser, bearer
from tests.portal.conftest import token_of

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"
CASES = [
    (NoLoginError("why", mend="so"), 401, "no_login"),
    (NotAllowedError("why", mend="so"), 403, "not_allowed"),
    (NotThereError("why", mend="so"), 404, "not_there"),
    (TooSlowError(), 408, "too_slow"),
    (TooLateError("why", mend="so"), 409, "too_late"),
    (TooMuchError("why", mend="so"), 413, "too_much"),
    (WrongContentError("why", mend="so"), 422, "wrong_content"),
    (TooManyError(3), 429, "too_many_requests"),
]


@pytest.fixture
def failing(app: FastAPI) -> FastAPI:
    """A portal with routes that raise what a test names."""
    app.state.error = None

    def fail() -> None:
        raise app.state.error

    def number(value: int) -> int:
        return value

    for path, what in (("/fail", fail), ("/number", number)):
        app.add_api_route(path, what, methods=["GET", "POST"])
        app.add_api_route(f"/api/v1{path}", what, methods=["GET", "POST"])
    return app


@pytest.mark.parametrize(("error", "status", "code"), CASES)
def test_each_refusal_has_its_status(failing: FastAPI, error: ScorekitError, status: int, code: str) -> None:
    failing.state.error = error
    browser = Browser(failing)
    answer = browser.get("/api/v1/fail")
    assert answer.status_code == status
    assert answer.json() == {"error": code, "message": error.message, "mend": error.mend}
    page = browser.post("/fail")
    assert page.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    # A page shows it as a sentence.
    assert f"{error.message[:1].upper()}{error.message[1:]}." in page.text
    assert page.headers["x-request-id"] in page.text


@pytest.mark.parametrize(
    "error",
    [
        InputError("the database postgresql://host cannot be reached"),
        BundleError("a blob could not be stored: No space left on device"),
        OperationalError("SELECT secret", {"name": "Ada"}, Exception("database is locked")),
    ],
)
def test_what_cannot_be_kept_or_reached_is_to_be_tried_again(
    failing: FastAPI, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.state.error = error
    for path in ("/api/v1/fail", "/fail"):
        answer = Browser(failing).get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        for inner in ("postgresql", "left on", "SELECT", "locked", "Ada"):
            assert inner not in answer.text
    logged = capsys.readouterr().err
    assert "unreachable" in logged
    assert "SELECT" not in logged
    assert "Ada" not in logged


@pytest.mark.parametrize("error", [RuntimeError("sk_secret of Ada"), KeyError("sk_secret"), ScorekitError("sk_secret")])
def test_what_nobody_expected_is_answered_without_details(
    failing: FastAPI, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    failing.state.error = error
    answer = Browser(failing).get("/api/v1/fail")
    assert answer.status_code == 500
    assert answer.json()["error"] == "unexpected"
    page = Browser(failing).get("/fail")
    assert page.status_code == 500
    assert page.headers["x-frame-options"] == "DENY"
    for text in (answer.text, page.text, logged := capsys.readouterr().err):
        assert "sk_secret" not in text
        assert "Ada" not in text
    assert type(error).__name__ in logged
    assert "test_web_answers.py" in logged
    assert answer.headers["x-request-id"] in logged


def test_a_wrong_parameter_is_told_in_the_same_form(failing: FastAPI) -> None:
    browser = Browser(failing)
    answer = browser.get("/api/v1/number", params={"value": MARKUP})
    assert answer.status_code == 422
    assert answer.json()["error"] == "wrong_content"
    assert answer.json()["message"].startswith("query.value: ")
    assert "alert" not in answer.text
    assert browser.get("/api/v1/number").status_code == 422
    assert browser.get("/number", params={"value": MARKUP}).status_code == 422


def test_what_the_framework_refuses_has_the_same_form(failing: FastAPI) -> None:
    browser = Browser(failing)
    assert browser.get("/api/v1/nowhere").json()["error"] == "not_there"
    wrong = browser.delete("/api/v1/fail")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "wrong_method")
    assert "GET" in wrong.headers["allow"]
    token = token_of(failing.state.portal, "submitter")
    broken = browser.post(
        "/api/v1/requests", content=b"{", headers={**bearer(token), "Content-Type": "application/json"}
    )
    assert broken.status_code == 422
    assert broken.json()["error"] == "wrong_content"
    form = browser.post("/login", content=b"--x\r\nbroken", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert form.status_code in {400, 403}


def test_a_form_with_a_file_or_many_fields_is_refused(app: FastAPI) -> None:
    browser = Browser(app)
    assert browser.post("/login", files={"token": ("a", b"x")}).status_code in {400, 403}
    browser.log_in_as("submitter")
    fields = {f"field{number}": "x" for number in range(100)}
    assert browser.post("/logout", data=fields).status_code in {400, 403}
    assert browser.get("/submissions").status_code == 200


def test_refusals_with_markup_are_text(failing: FastAPI) -> None:
    for error in (
        WrongContentError(MARKUP, mend=MARKUP),
        NotThereError(MARKUP),
        TooLateError("\ud800\0", mend="\ud800"),
    ):
        failing.state.error = error
        page = Browser(failing).get("/fail")
        assert page.status_code in {404, 409, 422}
        assert_no_markup(page.text)


@pytest.mark.parametrize("field", ["model", "revision", "task", "model_class", "note"])
def test_markup_in_a_field_of_a_form_is_text(app: FastAPI, field: str) -> None:
    browser = Browser(app)
    browser.log_in_as("submitter")
    fields = {
        "model": "org/model",
        "task": "text_generation",
        "revision": "",
        "model_class": "A",
        "note": "",
        "submit": "",
    }
    answer = browser.send_form("/requests", **fields | {field: MARKUP})
    if answer.status_code == 303:
        answer = browser.get(answer.headers["location"])
    assert_no_markup(answer.text)
    # It was echoed, and not only left out.
    assert "&lt;script&gt;alert(1)" in answer.text or field in {"task", "model_class"}


def test_markup_in_names_and_addresses_is_text(app: FastAPI) -> None:
    browser = Browser(app)
    browser.log_in_as("operator", MARKUP)
    for path in ("/", "/submit", "/requests", "/desk", "/desk/audit", "/desk/editions", f"/submissions?state={MARKUP}"):
        assert_no_markup(browser.get(path).text)
    assert "&lt;script&gt;" in browser.get("/").text
    for path in (f"/{MARKUP}", f"/submissions/{MARKUP}", f"/desk/submissions/{MARKUP}", f"/login?next={MARKUP}"):
        assert_no_markup(browser.get(path).text)
    assert_no_markup(Browser(app).get("/login", params={"next": f"/{MARKUP}"}).text)


def test_a_closed_account_is_let_in_nowhere(portal: Portal) -> None:
    app = create_app(portal)
    browser = Browser(app)
    token = browser.log_in_as("operator")
    actor = people.actor_of_token(portal.storage, token)
    assert actor is not None
    accounts.close(portal.storage, actor.account_id)
    assert browser.get("/desk").status_code == 303
    assert browser.get("/api/v1/submissions", headers=bearer(token)).status_code == 401


def assert_no_markup(text: str) -> None:
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "onerror=alert(2)>" not in text.replace("&gt;", "")


KINDS = [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=x; charset=nope", 'multipart/form-data; boundary="x', "text/plain", "",
    f"multipart/form-data; boundary={'x' * 300}", "multipart/form-data; boundary=\xe9", "multipart/mixed; boundary=x",
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-7", "application/json",
]  # fmt: skip
NAMED = b'Content-Disposition: form-data; name="%s"\r\n\r\n'
PIECES = [
    b"--x\r\n",
    b"--x--\r\n",
    NAMED % b"csrf",
    NAMED % b"_charset_" + b"nope\r\n",
    b"Content-Disposition: form-data\r\n",
    b'Content-Disposition: form-data; name="submission"; filename="a"\r\n',
    b"\r\n",
    b"CSRF",
    b"csrf=CSRF",
    b"&reason=",
    b"\0",
    b"\xff\xfe",
    b"%00",
    b"%zz",
    b"&decision=accept",
    b"Content-Type: text/plain; charset=nope\r\n",
    b"a" * 200,
    b"{",
]
FORMS = [
    "/requests",
    "/submit",
    "/logout",
    "/desk/editions",
    f"/desk/submissions/{'0' * 32}",
    f"/desk/requests/{'0' * 32}",
]


def test_no_form_however_broken_is_more_than_refused(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app.state.limits.requests, "take", lambda _address: None)
    browser = Browser(app)
    browser.log_in_as("operator")
    csrf = browser.csrf_of("/").encode()
    chosen = random.Random(6)
    for kind in KINDS:
        for path in FORMS[:-2] if kind != KINDS[0] else FORMS:
            body = b"".join(chosen.choices(PIECES, k=chosen.randint(0, 9))).replace(b"CSRF", csrf)
            answer = browser.post(path, content=body, headers={b"Content-Type": kind.encode("latin-1")})
            assert answer.status_code in {303, 400, 401, 403, 404, 409, 422}, (path, kind, body)
    assert "unexpected" not in capsys.readouterr().err
