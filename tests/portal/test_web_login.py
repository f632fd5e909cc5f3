"""Login, sessions and their cookies, csrf, and who may what."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from scorekit.portal.ledger import people
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import COOKIE
from scorekit.portal.web.addresses import local
from scorekit.portal.web.app import create_app
from scorekit.portal.web.login import FORM_COOKIE
from tests.portal.browsing import Browser, bearer, cookies_of
from tests.portal.conftest import Clock, token_of


def test_a_token_opens_a_session_and_logout_ends_it(portal: Portal) -> None:
    browser = Browser(create_app(portal))
    assert browser.get("/submissions").headers["location"] == "/login?next=/submissions"
    answer = browser.log_in(token_of(portal, "submitter", "Ada"), next="/submissions")
    assert (answer.status_code, answer.headers["location"]) == (303, "/submissions")
    page = browser.get("/submissions")
    assert page.status_code == 200
    assert "Ada" in page.text
    secret = browser.cookies[COOKIE]
    assert browser.get("/login").status_code == 303
    assert browser.send_form("/logout").headers["location"] == "/login"
    assert COOKIE not in browser.cookies
    # Not the browser alone forgets it.
    browser.cookies.set(COOKIE, secret, domain="portal.test", path="/")
    assert browser.get("/submissions").status_code == 303


def test_cookies_are_for_this_site_and_no_script(app: FastAPI, portal_on_sqlite: Portal) -> None:
    browser = Browser(app)
    form = cookies_of(browser.get("/login"))[FORM_COOKIE]
    assert (form["httponly"], form["samesite"], form["path"]) == ("", "strict", "/login")
    session = cookies_of(browser.log_in(token_of(portal_on_sqlite, "submitter")))[COOKIE]
    assert (session["httponly"], session["samesite"], session["path"]) == ("", "lax", "/")
    assert "secure" not in session
    assert "domain" not in session
    assert len(session["value"]) >= 43
    assert session["max-age"] == "43200"


def test_by_https_cookies_go_by_nothing_else(portal_on_sqlite: Portal) -> None:
    settings = replace(portal_on_sqlite.settings, public_url="https://portal.test/")
    browser = Browser(create_app(replace(portal_on_sqlite, settings=settings)), "https://portal.test/")
    assert "secure" in cookies_of(browser.get("/login"))[FORM_COOKIE]
    assert "secure" in cookies_of(browser.log_in(token_of(portal_on_sqlite, "submitter")))[COOKIE]
    assert "secure" in cookies_of(browser.send_form("/logout"))[COOKIE]


@pytest.mark.parametrize(
    "token", ["", "sk_", "sk_" + "x" * 43, "nonsense", "sk_\N{SNOWMAN}", "sk_" + "x" * 500, "' OR 1=1 --"]
)
def test_what_is_no_token_opens_nothing(app: FastAPI, token: str) -> None:
    browser = Browser(app)
    answer = browser.log_in(token)
    assert answer.status_code == 401
    assert "does not hold" in answer.text
    assert COOKIE not in browser.cookies
    if len(token) > 3:
        assert token not in answer.text


def test_a_login_needs_the_form_of_this_browser(app: FastAPI, portal_on_sqlite: Portal) -> None:
    token = token_of(portal_on_sqlite, "submitter")
    other = Browser(app).csrf_of("/login")
    browser = Browser(app)
    for fields in ({}, {"csrf": ""}, {"csrf": other}):
        assert browser.post("/login", data={"token": token, **fields}).status_code == 403
    browser.get("/login")
    for fields in ({}, {"csrf": ""}, {"csrf": other}, {"csrf": "\N{SNOWMAN}"}):
        assert browser.post("/login", data={"token": token, **fields}).status_code == 403
    assert COOKIE not in browser.cookies
    sent = {"token": token, "csrf": browser.csrf_of("/login")}
    for site in ("cross-site", "same-site"):
        assert browser.post("/login", data=sent, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert browser.post("/login", data=sent, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_a_new_login_ends_the_session_before(app: FastAPI, portal_on_sqlite: Portal) -> None:
    browser = Browser(app)
    browser.log_in_as("submitter")
    before = browser.cookies[COOKIE]
    other = Browser(app)
    sent = {"token": token_of(portal_on_sqlite, "submitter"), "csrf": other.csrf_of("/login")}
    other.cookies.set(COOKIE, before, domain="portal.test", path="/")
    assert other.post("/login", data=sent).status_code == 303
    assert browser.get("/submissions").status_code == 303


def test_a_session_ends_by_itself(app: FastAPI, clock: Clock) -> None:
    browser = Browser(app)
    browser.log_in_as("submitter")
    clock.advance(seconds=people.SESSION.total_seconds() - 1)
    assert browser.get("/submissions").status_code == 200
    clock.advance(seconds=2)
    assert browser.get("/submissions").headers["location"] == "/login?next=/submissions"


def test_a_session_ends_with_its_token(portal: Portal, clock: Clock) -> None:
    app = create_app(portal)
    account = people.make_account(portal.storage, "Ada", "submitter")
    brief = people.make_token(portal.storage, account, "brief", datetime.timedelta(hours=1))
    revoked = people.make_token(portal.storage, account, "revoked", datetime.timedelta(days=1))
    first, second = Browser(app), Browser(app)
    first.log_in(brief.secret)
    second.log_in(revoked.secret)
    people.revoke_token(portal.storage, revoked.id)
    assert second.get("/submissions").status_code == 303
    assert second.get("/api/v1/submissions", headers=bearer(revoked.secret)).status_code == 401
    assert first.get("/submissions").status_code == 200
    clock.advance(hours=1, seconds=1)
    assert first.get("/submissions").status_code == 303
    assert first.get("/api/v1/submissions", headers=bearer(brief.secret)).status_code == 401


@pytest.mark.parametrize("path", ["/logout", "/requests"])
def test_a_form_needs_the_csrf_of_its_session(app: FastAPI, path: str) -> None:
    browser, other = Browser(app), Browser(app)
    browser.log_in_as("submitter", "Ada")
    other.log_in_as("submitter", "Eve")
    for fields in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": other.csrf_of("/")}, {"csrf": "\N{SNOWMAN}"}):
        assert browser.post(path, data=fields).status_code == 403, fields
    mine = browser.csrf_of("/")
    assert browser.post(path, data={"csrf": mine}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    # Nothing was done: the session is still there.
    assert browser.get("/submissions").status_code == 200


def test_a_form_without_a_session_says_that_it_was_not_taken(app: FastAPI) -> None:
    answer = Browser(app).post("/logout", data={"csrf": "x"})
    assert answer.status_code == 401
    assert 'href="/login"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test/", "//evil.test/", "/\\evil.test", "\\\\evil.test", "/\t/evil.test", "javascript:alert(1)",
        "evil.test", "/a\r\nSet-Cookie: x=y", "", " /submit", "/" + "a" * 600, "/<script>",
    ],
)  # fmt: skip
def test_a_login_leads_to_no_other_site(app: FastAPI, portal_on_sqlite: Portal, path: str) -> None:
    answer = Browser(app).log_in(token_of(portal_on_sqlite, "submitter"), next=path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    browser = Browser(app)
    browser.log_in_as("submitter")
    assert browser.get("/login", params={"next": path}).headers["location"] == "/"


@given(st.text(max_size=40) | st.text(alphabet="/\\.:@?#%htps\t\n", max_size=20))
def test_where_a_login_leads_begins_with_one_slash(path: str) -> None:
    found = local(path)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert found.isascii()
    assert found.isprintable()


def test_where_somebody_wanted_to_go_is_kept_over_the_login(app: FastAPI, portal_on_sqlite: Portal) -> None:
    browser = Browser(app)
    wanted = browser.get("/submissions?page=2&state=a b").headers["location"]
    assert wanted == "/login?next=/submissions%3Fpage%3D2%26state%3Da%2520b"
    csrf = browser.csrf_of(wanted)
    form = browser.get(wanted).text
    assert 'name="next" value="/submissions?page=2&amp;state=a%20b"' in form
    sent = {"csrf": csrf, "token": token_of(portal_on_sqlite, "submitter"), "next": "/submissions?page=2&state=a%20b"}
    assert browser.post("/login", data=sent).headers["location"] == "/submissions?page=2&state=a%20b"


@pytest.mark.parametrize("path", ["/desk", "/desk/editions", "/desk/audit"])
@pytest.mark.parametrize("role", ["submitter", "worker"])
def test_the_desk_is_for_operators(app: FastAPI, role: people.Role, path: str) -> None:
    browser = Browser(app)
    browser.log_in_as(role)
    answer = browser.get(path)
    assert answer.status_code == 403
    assert "This is for operators." in answer.text
    assert "--role operator" in answer.text
    browser = Browser(app)
    browser.log_in_as("operator")
    assert browser.get(path).status_code == 200


def test_of_two_ways_in_each_is_for_its_own(app: FastAPI, portal_on_sqlite: Portal) -> None:
    browser = Browser(app)
    token = browser.log_in_as("operator")
    # A session is no login of the API, or any site's form could use it; a token is none of pages.
    assert browser.get("/api/v1/submissions").status_code == 401
    program = Browser(app)
    assert program.get("/api/v1/submissions", headers=bearer(token)).status_code == 200
    assert program.get("/desk", headers=bearer(token)).status_code == 303
    assert program.get("/api/v1/submissions", headers={"Authorization": f"Basic {token}"}).status_code == 401
    assert "www-authenticate" in program.get("/api/v1/submissions").headers


def test_a_token_may_do_less_than_its_account(app: FastAPI, portal_on_sqlite: Portal) -> None:
    account = people.make_account(portal_on_sqlite.storage, "Ada", "operator")
    token = people.make_token(portal_on_sqlite.storage, account, "x", datetime.timedelta(days=1), ["submit"]).secret
    browser = Browser(app)
    browser.log_in(token)
    assert browser.get("/desk").status_code == 403
    assert browser.get("/api/v1/desk/submissions", headers=bearer(token)).status_code == 403
