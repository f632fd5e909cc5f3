"""Of every route that there is, and of those to come: who may ask it. None is open because somebody forgot."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from scorekit.portal.ledger import people
from scorekit.portal.opened import Portal
from scorekit.portal.web import api, health, login, oauth, pages, static
from scorekit.portal.web.addresses import API
from scorekit.portal.web.app import create_app, routers
from tests.portal.browsing import Browser, bearer
from tests.portal.conftest import settings_of, token_of

PUBLIC = {
    ("GET", "/"), ("GET", "/login"), ("POST", "/login"),
    ("GET", "/assets/{name:path}"), ("HEAD", "/assets/{name:path}"),
    ("GET", "/site"), ("HEAD", "/site"), ("GET", "/site/{path:path}"), ("HEAD", "/site/{path:path}"),
    ("GET", "/health/live"), ("GET", "/health/ready"), ("GET", f"{API}/clauses"),
}  # fmt: skip
"""What anybody may ask."""
TAKES_WORK = f"{API}/jobs"


def asked(found: Iterator[APIRouter], prefix: str = "") -> list[tuple[str, str]]:
    return [
        (method, f"{prefix}{route.path}")
        for router in found
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """One portal for all tests here: what they ask for is refused, and changes nothing."""
    data = tmp_path_factory.mktemp("routes")
    shutil.copyfile(migrated_file, data / "portal.db")
    often = {"requests_a_minute": 1_000_000, "logins_a_minute": 1_000_000}
    portal = Portal.open(replace(settings_of(data, f"sqlite:///{data / 'portal.db'}"), **often))
    yield create_app(portal)
    portal.close()


PAGES = asked(iter([static.router, login.router, *routers(pages)]))
PROGRAMS = [*asked(routers(api), API), *asked(iter([health.router]))]
ROUTES = [*PAGES, *PROGRAMS]


def filled(path: str) -> str:
    """A path with an id in it that nothing has."""
    return re.sub(r"\{[^}]*\}", "0" * 32, path)


def of(routes: list[tuple[str, str]], *, reading: bool | None = None) -> list[Any]:
    return [
        pytest.param(method, path, id=f"{method} {path}")
        for method, path in routes
        if (method, path) not in PUBLIC and (reading is None or reading == (method in {"GET", "HEAD"}))
    ]


def test_the_routes_are_those_that_are_asked_here(app: FastAPI) -> None:
    described = {
        (method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods
    }  # fmt: skip
    assert described == {route for route in PROGRAMS if route[1].startswith(API)}
    assert len(PAGES) >= 20
    assert len(described) >= 15
    assert set(ROUTES) >= PUBLIC
    assert all(isinstance(route, APIRoute) for route in oauth.router.routes)


@pytest.mark.parametrize(("method", "path"), of(PAGES, reading=True))
def test_a_page_leads_strangers_to_the_login(app: FastAPI, method: str, path: str) -> None:
    answer = Browser(app).request(method, filled(path))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next={filled(path)}")


@pytest.mark.parametrize(("method", "path"), of(PAGES, reading=False))
def test_a_form_is_taken_from_pages_of_its_session_alone(app: FastAPI, method: str, path: str) -> None:
    assert Browser(app).request(method, filled(path), data={"csrf": "x", "reason": "x"}).status_code == 401
    browser, other = Browser(app), Browser(app)
    browser.log_in_as("operator")
    other.log_in_as("operator")
    # The form with a file is taken in parts alone.
    refused = {400, 403, 422} if path == "/submit" else {400, 403}
    for csrf in ("", "wrong", other.csrf_of("/")):
        # One by a form, one by the parts of a form with a file.
        for sent in (
            {"data": {"csrf": csrf, "decision": "accept"}},
            {"files": {"csrf": (None, csrf), "submission": b"x"}},
        ):
            assert browser.request(method, filled(path), **sent).status_code in refused, sent


@pytest.mark.parametrize(("method", "path"), of([route for route in PAGES if route[1].startswith("/desk")]))
@pytest.mark.parametrize("role", ["submitter", "worker"])
def test_the_desk_is_for_operators(app: FastAPI, role: people.Role, method: str, path: str) -> None:
    browser = Browser(app)
    browser.log_in_as(role)
    fields = {"csrf": browser.csrf_of("/"), "decision": "accept", "reason": "x"} if method == "POST" else None
    assert browser.request(method, filled(path), data=fields).status_code == 403


@pytest.mark.parametrize(("method", "path"), of(PROGRAMS))
def test_a_program_needs_a_token(app: FastAPI, method: str, path: str) -> None:
    browser = Browser(app)
    # A session is none.
    browser.log_in_as("operator")
    for headers in ({}, bearer("sk_" + "x" * 43)):
        answer = browser.request(method, filled(path), headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "no_login")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"),
    of([route for route in PROGRAMS if route[1].startswith((f"{API}/desk", "/metrics", TAKES_WORK))]),
)
def test_what_is_for_some_is_refused_to_others(app: FastAPI, method: str, path: str) -> None:
    others: list[people.Role] = ["submitter", "operator"] if path.startswith(TAKES_WORK) else ["submitter", "worker"]
    for role in others:
        token = token_of(app.state.portal, role)
        answer = Browser(app).request(method, filled(path), headers=bearer(token), json={})
        assert (answer.status_code, answer.json()["error"]) == (403, "not_allowed"), role
