"""Login at Hugging Face, against a provider of OpenID Connect that stands in for it, without a network between."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select

from scorekit.portal.ledger import accounts
from scorekit.portal.opened import Portal
from scorekit.portal.storage.tables import accounts as table
from scorekit.portal.web import oauth
from scorekit.portal.web.access import COOKIE
from scorekit.portal.web.app import create_app
from tests.portal.browsing import Browser, cookies_of

HOME = "https://provider.test"
KEY = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
ENVIRONMENT = {"OAUTH_CLIENT_ID": "the-client", "OAUTH_CLIENT_SECRET": "the-secret", "OPENID_PROVIDER_URL": HOME}


class Provider:
    """What Hugging Face answers; tests change it."""

    def __init__(self) -> None:
        self.nonce = ""
        self.claims: dict[str, Any] = {"sub": "0123abc", "preferred_username": "ada", "name": "Ada Lovelace"}
        self.key = KEY
        self.down = False
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.down:
            raise httpx2.ConnectError("no route")
        path = request.url.path
        if path == "/.well-known/openid-configuration":
            return httpx2.Response(
                200,
                json={
                    "issuer": HOME,
                    "authorization_endpoint": f"{HOME}/oauth/authorize",
                    "token_endpoint": f"{HOME}/oauth/token",
                    "jwks_uri": f"{HOME}/oauth/jwks",
                    "id_token_signing_alg_values_supported": ["RS256"],
                },
            )
        if path == "/oauth/jwks":
            return httpx2.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        assert path == "/oauth/token"
        assert request.headers["authorization"] == f"Basic {base64.b64encode(b'the-client:the-secret').decode()}"
        self.asked.append(dict(urllib.parse.parse_qsl(request.content.decode())))
        now = int(time.time())
        claims = {"iss": HOME, "aud": "the-client", "iat": now, "exp": now + 600, "nonce": self.nonce, **self.claims}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        return httpx2.Response(
            200, json={"access_token": "hf_secret", "token_type": "bearer", "expires_in": 3600, "id_token": token}
        )


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider that stands in for Hugging Face."""
    found = Provider()
    made: Callable[..., Any] = oauth.provider
    monkeypatch.setattr(
        oauth, "provider", lambda _environment: partial(made, ENVIRONMENT)(transport=httpx2.MockTransport(found))
    )
    return found


@pytest.fixture
def app(portal_on_sqlite: Portal, provider: Provider) -> FastAPI:
    """A portal where people log in at Hugging Face."""
    return create_app(replace(portal_on_sqlite, settings=replace(portal_on_sqlite.settings, oauth=True)))


def begin(
    browser: Browser, provider: Provider, path: str = "/oauth/huggingface/login?next=/submissions"
) -> dict[str, str]:
    """Follow the link of the login page; what the browser is sent away with."""
    answer = browser.get(path)
    assert answer.status_code == 302
    address, _, query = answer.headers["location"].partition("?")
    assert address == f"{HOME}/oauth/authorize"
    found = dict(urllib.parse.parse_qsl(query))
    provider.nonce = found["nonce"]
    return found


def test_who_logs_in_there_is_a_submitter_here(app: FastAPI, provider: Provider, portal_on_sqlite: Portal) -> None:
    browser = Browser(app)
    assert "/oauth/huggingface/login?next=/" in browser.get("/login").text
    sent = begin(browser, provider)
    assert sent["redirect_uri"] == "http://portal.test/oauth/huggingface/callback"
    assert sent["scope"] == "openid profile"
    assert sent["code_challenge_method"] == "S256"
    answer = browser.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/submissions")
    assert "code_verifier" in provider.asked[0]
    page = browser.get("/submissions")
    assert page.status_code == 200
    assert "ada" in page.text
    assert browser.get("/desk").status_code == 403
    # Of what the provider told only number and name are kept; its token is in no cookie.
    cookies = cookies_of(answer)
    assert cookies[oauth.COOKIE]["value"] in {"", "null"}
    assert all("hf_secret" not in str(cookie) for cookie in cookies.values())
    with portal_on_sqlite.storage.database.read() as connection:
        row = connection.execute(select(table)).one()
    assert (row.name, row.external_id, row.role) == ("ada", "huggingface:0123abc", "submitter")


def test_the_same_account_is_known_again_by_its_number(
    app: FastAPI, provider: Provider, portal_on_sqlite: Portal
) -> None:
    for name in ("ada", "ada-renamed"):
        provider.claims["preferred_username"] = name
        browser = Browser(app)
        sent = begin(browser, provider)
        assert (
            browser.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]}).status_code == 303
        )
    assert len(accounts.listed(portal_on_sqlite.storage)) == 1
    accounts.close(portal_on_sqlite.storage, accounts.listed(portal_on_sqlite.storage)[0].id)
    browser = Browser(app)
    sent = begin(browser, provider)
    assert browser.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]}).status_code == 404
    assert COOKIE not in browser.cookies


def test_the_cookie_of_a_login_on_its_way_holds_no_secret_and_is_short(app: FastAPI, provider: Provider) -> None:
    cookie = cookies_of(Browser(app).get("/oauth/huggingface/login"))[oauth.COOKIE]
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/oauth", "lax", "600")
    assert "httponly" in cookie
    held = json.loads(base64.b64decode(cookie["value"].split(".")[0]))
    assert held["next"] == "/"
    assert "the-secret" not in str(held)


def test_an_answer_without_a_question_of_this_browser_is_refused(app: FastAPI, provider: Provider) -> None:
    sent = begin(Browser(app), provider)
    other = Browser(app)
    for params in ({"code": "c", "state": sent["state"]}, {"code": "c"}, {}, {"error": "access_denied", "state": "x"}):
        assert other.get("/oauth/huggingface/callback", params=params).status_code == 403
    begin(other, provider)
    assert other.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]}).status_code == 403
    assert COOKIE not in other.cookies


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"}, {"aud": "another"}, {"iss": "https://evil.test"}, {"exp": 1000}, {"sub": ""},
        {"key": RSAKey.generate_key(2048, {"kid": "one"})},
    ],
)  # fmt: skip
def test_a_token_that_is_not_of_the_provider_opens_nothing(
    app: FastAPI, provider: Provider, change: dict[str, Any]
) -> None:
    browser = Browser(app)
    sent = begin(browser, provider)
    provider.key = change.get("key", provider.key)
    provider.claims |= {name: value for name, value in change.items() if name != "key"}
    answer = browser.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]})
    assert answer.status_code == 403
    assert COOKIE not in browser.cookies


@pytest.mark.parametrize("path", ["https://evil.test/", "//evil.test", "/\\evil.test"])
def test_it_leads_to_no_other_site(app: FastAPI, provider: Provider, path: str) -> None:
    browser = Browser(app)
    sent = begin(browser, provider, f"/oauth/huggingface/login?next={path}&_target_url={path}")
    answer = browser.get(
        "/oauth/huggingface/callback", params={"code": "c", "state": sent["state"], "_target_url": path, "next": path}
    )
    assert answer.headers["location"] == "/"


def test_a_provider_that_is_not_reached_is_said(app: FastAPI, provider: Provider) -> None:
    provider.down = True
    assert Browser(app).get("/oauth/huggingface/login").status_code == 503
    provider.down = False
    browser = Browser(app)
    sent = begin(browser, provider)
    provider.down = True
    answer = browser.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]})
    assert answer.status_code == 503
    assert "Log in by a token" in answer.text


def test_names_from_there_are_text(app: FastAPI, provider: Provider) -> None:
    provider.claims["preferred_username"] = "<script>alert(1)</script>" + "x" * 500
    browser = Browser(app)
    sent = begin(browser, provider)
    browser.get("/oauth/huggingface/callback", params={"code": "c", "state": sent["state"]})
    assert "<script>alert" not in browser.get("/").text


def test_where_it_is_not_set_up_there_is_no_such_login(portal_on_sqlite: Portal) -> None:
    browser = Browser(create_app(portal_on_sqlite))
    assert browser.get("/oauth/huggingface/login").status_code == 404
    assert "Hugging Face" not in browser.get("/login").text


def test_the_cookies_key_is_of_the_environment(portal_on_sqlite: Portal, provider: Provider) -> None:
    portal = replace(portal_on_sqlite, settings=replace(portal_on_sqlite.settings, oauth=True))
    apps = []
    for environment in ({"SCOREKIT_PORTAL_SECRET": "a"}, {"SCOREKIT_PORTAL_SECRET": "b"}, ENVIRONMENT):
        app = FastAPI()
        oauth.install(app, portal.settings, environment)
        apps.append(app)
    keys = [app.user_middleware[0].kwargs["secret_key"] for app in apps]
    assert len(set(keys)) == 3
    assert all("the-secret" not in str(key) for key in keys)
