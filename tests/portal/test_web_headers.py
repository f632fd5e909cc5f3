"""Headers of every answer, the host's name, and files that are only read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from scorekit.portal.opened import Portal
from scorekit.portal.web.app import create_app
from scorekit.publish.site.files import LABEL_POLICY, MARK, POLICY, SITE_SCHEMA
from tests.portal.browsing import Browser
from tests.portal.conftest import settings_of

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
ADDRESSES = [
    "/",
    "/login",
    "/nothing",
    "/api/v1/nothing",
    "/api/v1/openapi.json",
    "/health/live",
    "/assets/base.css",
    "/submit",
]


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """One portal for all tests here, which only read."""
    data = tmp_path_factory.mktemp("headers")
    shutil.copyfile(migrated_file, data / "portal.db")
    opened = Portal.open(replace(settings_of(data, f"sqlite:///{data / 'portal.db'}"), requests_a_minute=1_000_000))
    yield create_app(opened)
    opened.close()


@pytest.fixture
def site(app: FastAPI) -> Iterator[Path]:
    """A site that was built."""
    settings = app.state.portal.settings
    (settings.site / "assets").mkdir(parents=True)
    (settings.site / MARK).write_text(json.dumps({"schema_version": SITE_SCHEMA}))
    (settings.site / "index.html").write_text("<!doctype html><p>scores")
    (settings.site / "assets" / "page.css").write_text("p { color: red }")
    (settings.site / "label.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (settings.site / "what.bin").write_bytes(b"\0\1")
    (settings.data / "secret.txt").write_text("not for the world")
    yield settings.site
    shutil.rmtree(settings.site)


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_carries_the_headers(app: FastAPI, path: str) -> None:
    answer = Browser(app).get(path)
    for name, value in EVERYWHERE.items():
        assert answer.headers[name] == value, name
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "camera=()" in answer.headers["permissions-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


def test_pages_and_the_api_are_not_kept_by_anybody(app: FastAPI) -> None:
    browser = Browser(app)
    browser.log_in_as("operator")
    for path in ("/", "/desk", "/api/v1/openapi.json", "/api/v1/submissions", "/login"):
        assert browser.get(path).headers["cache-control"] == "no-store", path


def test_only_by_https_a_browser_is_told_to_stay_there(portal_on_sqlite: Portal) -> None:
    portal = replace(portal_on_sqlite, settings=replace(portal_on_sqlite.settings, public_url="https://portal.test/"))
    answer = Browser(create_app(portal), "https://portal.test/").get("/login")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "host", ["evil.test", "portal.test.evil.test", "evil.test:80", "portal.test@evil.test", "", "127.0.0.1.evil.test"]
)
def test_another_hosts_name_is_refused_with_the_headers(app: FastAPI, host: str) -> None:
    answer = Browser(app).get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("host", ["portal.test", "PORTAL.test:8080", "127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_its_own_name_and_the_loopback_are_taken(app: FastAPI, host: str) -> None:
    assert Browser(app).get("/login", headers={"Host": host}).status_code == 200


def test_below_a_path_of_its_host_every_address_holds_it(portal_on_sqlite: Portal) -> None:
    settings = replace(portal_on_sqlite.settings, public_url="http://portal.test/scores/")
    app = create_app(replace(portal_on_sqlite, settings=settings))
    browser = Browser(app)
    # What stands before it may take the path away, or leave it there.
    for path in ("/login", "/scores/login"):
        page = browser.get(path)
        assert page.status_code == 200
        assert 'action="/scores/login"' in page.text
        assert "/assets/base.css" in page.text
    assert browser.get("/scores/submit").headers["location"] == "/scores/login?next=/submit"
    assert browser.get("/scores/assets/base.css").status_code == 200
    assert browser.get("/scores/api/v1/nothing").json()["error"] == "not_there"
    assert browser.get("/scores/login").headers["set-cookie"].count("Path=/scores/login") == 1


def test_assets_have_their_types_and_are_known_again(app: FastAPI) -> None:
    browser = Browser(app)
    for path, kind in (
        ("/assets/base.css", "text/css; charset=utf-8"),
        ("/assets/theme.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
        ("/assets/fonts/Inter-Bold.ttf", "font/ttf"),
    ):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        again = browser.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert browser.head(path).content == b""
    assert browser.post("/assets/base.css").status_code == 405


@pytest.mark.parametrize(
    "name", ["../app.py", "%2e%2e/app.py", "..%2f..%2fsettings.py", "fonts", "", ".", "nothing.css", "%00"]
)
def test_no_other_file_is_an_asset(app: FastAPI, name: str) -> None:
    assert Browser(app).get(f"/assets/{name}").status_code == 404


def test_a_site_that_was_never_built_has_a_page_that_says_so(app: FastAPI) -> None:
    answer = Browser(app).get("/site/index.html")
    assert answer.status_code == 404
    assert "There is no site yet" in answer.text


def test_the_site_is_served_under_its_own_policy(app: FastAPI, site: Path) -> None:
    browser = Browser(app)
    page = browser.get("/site/")
    assert (page.text, page.headers["content-type"]) == ("<!doctype html><p>scores", "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["x-content-type-options"] == "nosniff"
    assert browser.get("/site").headers["location"] == "/site/"
    assert browser.get("/site/assets/page.css").headers["content-type"].startswith("text/css")
    label = browser.get("/site/label.svg")
    assert label.headers["content-security-policy"] == LABEL_POLICY
    assert label.headers["cross-origin-resource-policy"] == "cross-origin"
    assert browser.get("/site/what.bin").headers["content-type"] == "application/octet-stream"
    head = browser.head("/site/")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(page.content)))


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "assets/../../secret.txt",
        "/secret.txt",
        "%2fetc/passwd",
        "a%00b",
        "assets",
    ],
)
def test_nothing_beside_the_site_is_served(app: FastAPI, site: Path, path: str) -> None:
    answer = Browser(app).get(f"/site/{path}")
    assert answer.status_code == 404
    assert "not for the world" not in answer.text


def test_a_link_out_of_the_site_leads_nowhere(app: FastAPI, site: Path) -> None:
    (site / "out.txt").symlink_to(site.parent / "secret.txt")
    assert Browser(app).get("/site/out.txt").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_site_is_only_read(app: FastAPI, site: Path, method: str) -> None:
    assert Browser(app).request(method, "/site/index.html").status_code == 405
