"""How often one address may ask, how large and how slow what it sends may be, and by which address it is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from scorekit.portal.opened import Portal
from scorekit.portal.settings import settings
from scorekit.portal.web import bodies, limits
from scorekit.portal.web.answers import TooManyError, TooSlowError
from scorekit.portal.web.app import create_app
from scorekit.portal.web.bodies import LEAST_BYTES_A_SECOND, MOST_BODY_BYTES
from scorekit.portal.web.limits import Buckets, LimitMiddleware, Limits
from scorekit.submission import CLAUSES
from scorekit.submission import Limits as ArchiveLimits
from tests.portal import loops
from tests.portal.browsing import Browser, bearer
from tests.portal.conftest import token_of


def with_settings(portal: Portal, **changed: Any) -> Portal:
    return replace(portal, settings=replace(portal.settings, **changed))


@pytest.fixture
def reading(app: FastAPI) -> FastAPI:
    """A portal with a route that reads all that is sent to it, and one that reads JSON."""

    @app.post("/api/v1/read")
    async def read(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.post("/api/v1/json")
    def json(content: dict[str, str]) -> dict[str, int]:
        return {"fields": len(content)}

    return app


@pytest.mark.parametrize("path", ["/api/v1/read", "/api/v1/json", "/login", "/api/v1/requests", "/requests"])
def test_what_says_that_it_is_too_large_is_not_read(reading: FastAPI, path: str) -> None:
    answer = Browser(reading).post(path, content=b"x" * (MOST_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/api/v1/read", "/api/v1/json", "/login"])
def test_what_does_not_say_how_large_it_is_is_cut_off(reading: FastAPI, path: str) -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(200):
            taken += 4096
            yield b"a" * 4096

    kinds = {"/login": "application/x-www-form-urlencoded", "/api/v1/json": "application/json"}
    answer = Browser(reading).post(path, content=pieces(), headers={"Content-Type": kinds.get(path, "text/plain")})
    assert answer.status_code == 413
    assert "65,536" in answer.text
    if path.startswith("/api"):
        assert answer.json()["error"] == "too_much"


def test_what_is_not_too_large_is_read(reading: FastAPI) -> None:
    browser = Browser(reading)
    assert browser.post("/api/v1/read", content=b"x" * MOST_BODY_BYTES).json() == {"bytes": MOST_BODY_BYTES}
    pieces = (b"x" * 4096 for _ in range(MOST_BODY_BYTES // 4096))
    assert browser.post("/api/v1/read", content=pieces).json() == {"bytes": MOST_BODY_BYTES}


@pytest.mark.parametrize("length", ["-1", "1e9", "0x10", "9" * 400, "\N{SUPERSCRIPT THREE}".encode("latin-1")])
def test_a_length_that_is_none_harms_nobody(reading: FastAPI, length: str | bytes) -> None:
    answer = Browser(reading).post("/api/v1/read", content=b"abc", headers={b"Content-Length": length})
    assert answer.status_code in {200, 413}


def test_a_file_may_be_as_large_as_submissions_may(portal_on_sqlite: Portal) -> None:
    portal = with_settings(portal_on_sqlite, limits=ArchiveLimits(packed_bytes=100_000))
    browser = Browser(create_app(portal))
    token = token_of(portal, "submitter")
    accepted = "&".join(f"{clause.name}={clause.sha256}" for clause in CLAUSES)
    path = f"/api/v1/submissions/file?{accepted}"
    headers = {**bearer(token), "Content-Type": "application/zip"}
    assert browser.post(path, content=b"x" * 90_000, headers=headers).status_code == 201
    assert browser.post(path, content=b"x" * 200_000, headers=headers).status_code == 413
    pieces = (b"x" * 10_000 for _ in range(20))
    assert browser.post(path, content=pieces, headers=headers).status_code == 413


def test_who_falls_silent_is_answered(reading: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_SILENCE_S", 0.01)
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if told:
            return {"type": "http.disconnect"}
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/read", "raw_path": b"/api/v1/read", "query_string": b"",
        "headers": [(b"host", b"portal.test")], "client": ("192.0.2.7", 1), "scheme": "http", "server": ("x", 80),
    }  # fmt: skip
    loops.run(reading(scope, receive, send))  # type: ignore[arg-type]
    assert told[0]["status"] == 408


@pytest.mark.parametrize("a_second", [LEAST_BYTES_A_SECOND * 2, LEAST_BYTES_A_SECOND // 2])
def test_who_sends_too_little_at_a_time_is_answered(monkeypatch: pytest.MonkeyPatch, a_second: int) -> None:
    now = 0.0

    async def receive() -> dict[str, Any]:
        nonlocal now
        now += 10
        return {"type": "http.request", "body": b"x" * (a_second * 10), "more_body": now < 1000}

    async def read() -> int:
        body = bodies.watched(receive, 10**9)  # type: ignore[arg-type]
        come = 0
        while (message := await body()).get("more_body"):
            # As in a server, whose pieces do not all lie ready.
            await asyncio.sleep(0)
            come += len(message["body"])
        return come

    monkeypatch.setattr(bodies, "_now", lambda: now)
    if a_second > LEAST_BYTES_A_SECOND:
        assert loops.run(read()) == a_second * 990
    else:
        with pytest.raises(TooSlowError):
            loops.run(read())
        assert 100 < now < 200


def test_one_address_may_have_so_many_requests_on_their_way(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_AT_ONCE", 2)
    codes: list[int] = []

    @app.get("/api/v1/nested")
    def nested(depth: int) -> None:
        if depth:
            codes.append(Browser(app).get(f"/api/v1/nested?depth={depth - 1}").status_code)

    assert Browser(app).get("/api/v1/nested?depth=3").status_code == 200
    assert sorted(codes) == [200, 429]
    # All have left.
    assert Browser(app).get("/api/v1/nested?depth=1").status_code == 200
    assert codes[-1] == 200


def test_who_takes_nothing_of_an_answer_is_let_go(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bodies, "LONGEST_SILENCE_S", 0.01)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    scope = {
        "type": "http", "method": "GET", "path": "/health/live", "raw_path": b"/health/live", "query_string": b"",
        "headers": [(b"host", b"portal.test")], "client": ("192.0.2.7", 1), "scheme": "http", "server": ("x", 80),
    }  # fmt: skip
    loops.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert '"not_read"' in capsys.readouterr().err


def test_one_address_may_ask_only_so_often(portal_on_sqlite: Portal) -> None:
    app = create_app(with_settings(portal_on_sqlite, requests_a_minute=5))
    app.state.limits.requests._clock = lambda: 0.0
    browser = Browser(app)
    assert [browser.get("/health/live").status_code for _ in range(6)] == [200] * 5 + [429]
    page = browser.get("/")
    assert (page.status_code, page.headers["retry-after"]) == (429, "12")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    program = browser.get("/api/v1/submissions")
    assert program.json()["error"] == "too_many_requests"
    # Another address has a bucket of its own.
    assert Browser(app, address="192.0.2.8").get("/health/live").status_code == 200
    app.state.limits.requests._clock = lambda: 12.0
    assert [browser.get("/health/live").status_code for _ in range(2)] == [200, 429]


def test_tries_to_log_in_are_counted_more_strictly(portal_on_sqlite: Portal) -> None:
    app = create_app(with_settings(portal_on_sqlite, logins_a_minute=3))
    app.state.limits.logins._clock = lambda: 0.0
    browser = Browser(app)
    csrf = browser.csrf_of("/login")
    token = token_of(portal_on_sqlite, "submitter")
    wrong = {"csrf": csrf, "token": "sk_" + "x" * 43}
    assert browser.post("/login", data=wrong).status_code == 401
    program = Browser(app)
    codes = [program.get("/api/v1/submissions", headers=bearer("sk_" + "y" * 43)).status_code for _ in range(3)]
    assert codes[-1] == 429
    assert browser.post("/login", data=wrong | {"token": token}).status_code == 429
    # A token that holds costs nothing, or one could lock out others of the same address.
    assert program.get("/api/v1/submissions", headers=bearer(token)).status_code == 200


def test_a_failed_login_costs_one(portal_on_sqlite: Portal) -> None:
    app = create_app(with_settings(portal_on_sqlite, logins_a_minute=3))
    app.state.limits.logins._clock = lambda: 0.0
    browser = Browser(app)
    csrf = browser.csrf_of("/login")
    codes = [browser.post("/login", data={"csrf": csrf, "token": "sk_" + "x" * 43}).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]


@given(st.integers(1, 60), st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_a_bucket_gives_no_more_than_its_size_and_what_came_since(a_minute: int, waits: list[float]) -> None:
    now = 0.0
    buckets = Buckets(a_minute, clock=lambda: now)
    taken = longest_s = 0
    for wait in waits:
        now += wait
        try:
            buckets.take("a")
            taken += 1
        except TooManyError as error:
            longest_s = max(longest_s, error.wait_s)
    assert longest_s <= 61
    assert taken <= a_minute + now * a_minute / 60 + 1e-6
    # And no less than it promises: who waits a minute may ask again.
    now += 60
    buckets.take("a")


def test_a_bounded_number_of_addresses_is_remembered() -> None:
    buckets = Buckets(1, clock=lambda: 0.0, most=100)
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets) == 100
    with pytest.raises(TooManyError):
        buckets.take("999")


def scope_of(client: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": None if client is None else (client, 1), "headers": headers}


@pytest.mark.parametrize(
    ("client", "forwarded", "counted"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        # Of a stranger the header is worth nothing.
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),
        ("10.0.0.5", ["198.51.100.9"], "198.51.100.9"),
        # What the client itself wrote stands before what the proxy added.
        ("10.0.0.5", ["127.0.0.1, 198.51.100.9"], "198.51.100.9"),
        ("10.0.0.5", ["203.0.113.1", "198.51.100.9"], "198.51.100.9"),
        ("10.0.0.5", ["198.51.100.9, 10.0.0.7"], "198.51.100.9"),
        ("10.0.0.5", ["10.0.0.8, 10.0.0.7"], "10.0.0.8"),
        ("10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", ["<script>"], "unknown"),
        ("2001:db8:1:2:aaaa::1", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", [], "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        (None, [], "unknown"),
    ],
)  # fmt: skip
def test_by_which_address_a_client_is_counted(
    portal_on_sqlite: Portal, client: str | None, forwarded: list[str], counted: str
) -> None:
    found = Limits(replace(portal_on_sqlite.settings, trusted_proxies=("10.0.0.0/24",)))
    assert found.address(scope_of(client, *forwarded)) == counted


def test_a_trusted_proxy_is_an_address_or_a_network(portal_on_sqlite: Portal) -> None:
    data = portal_on_sqlite.settings.data
    made = settings(data, public_url="http://x/", trusted_proxies=("::1", "10.0.0.0/8"), environment={})
    assert made.trusted_proxies == ("::1", "10.0.0.0/8")
    with pytest.raises(Exception, match="neither an address nor a network"):
        settings(data, public_url="http://x/", trusted_proxies=("everybody",), environment={})


def test_only_requests_are_limited() -> None:
    seen: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    class Settings:
        limits = ArchiveLimits()

    middleware = LimitMiddleware(inner, Settings, None)  # type: ignore[arg-type]
    loops.run(middleware({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
