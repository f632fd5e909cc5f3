"""The server as a process, and by sockets: how it begins, whom it waits for, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from scorekit.errors import UsageError
from scorekit.portal.opened import migrate
from scorekit.portal.settings import DATABASE, settings
from scorekit.portal.web import serving
from tests.portal.browsing import bearer

PATIENCE_S = 600
"""Of the test: what is waited for comes long before, and how long it takes is not what is tested."""


@contextmanager
def served(app: FastAPI) -> Iterator[tuple[str, int]]:
    """An application on a port of the loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = serving.Server(serving.config(app))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()
    try:
        yield listening.getsockname()
    finally:
        server.should_exit = True
        running.join(PATIENCE_S)
        listening.close()


def exchange(address: tuple[str, int], *pieces: bytes) -> bytes:
    """Send something, and read until the server closes."""
    with socket.create_connection(address, timeout=PATIENCE_S) as connection:
        for piece in pieces:
            connection.sendall(piece)
        found = b""
        while data := connection.recv(65536):
            found += data
    return found


def test_who_does_not_finish_its_headers_is_let_go(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEADERS_S", 0.2)
    with served(app) as address:
        assert exchange(address) == b""
        # Where this comes to send only when it has been let go already, the connection is reset.
        with suppress(ConnectionError):
            assert exchange(address, b"GET /health/live HTTP/1.1\r\nHost: local") == b""


def test_who_was_answered_before_is_let_go_too(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with served(app) as address, socket.create_connection(address, timeout=PATIENCE_S) as connection:
        connection.sendall(whole)
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, answer.read()) == (200, b'{"live":true}')
        monkeypatch.setattr(serving, "HEADERS_S", 0.2)
        connection.sendall(whole[:20])
        assert connection.recv(65536) == b""


def test_it_does_not_tell_what_it_is(app: FastAPI) -> None:
    with served(app) as address:
        answer = exchange(address, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        broken = exchange(address, b"\x16\x03\x01 no http\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert broken.startswith(b"HTTP/1.1 400")
    for text in (answer.lower(), broken.lower()):
        assert b"server:" not in text
        assert b"uvicorn" not in text


@pytest.mark.parametrize("head", [b"Host: localhost\r\nHost: localhost\r\n", b"Host: evil.test\r\n", b""])
def test_a_head_that_is_not_right_is_refused(app: FastAPI, head: bytes) -> None:
    with served(app) as address:
        answer = exchange(address, b"GET /login HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


def test_the_answer_to_what_is_too_large_comes_before_the_rest_of_it(app: FastAPI) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\nConnection: close\r\n\r\n"
    with served(app) as address:
        answer = exchange(address, head, b"x" * 1000)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "portal"


@contextmanager
def process(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """`scorekit portal serve`, its address, and the first line it says."""
    environment = {name: text for name, text in os.environ.items() if name != DATABASE}
    running = subprocess.Popen(
        [sys.executable, "-m", "scorekit", "portal", "serve", "--data", str(data), "--port", "0", *options],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        assert running.stderr is not None
        first = running.stderr.readline()
        found = re.search(r"listens at (http://127\.0\.0\.1:\d+/)", first)
        assert found is not None, first + running.stderr.read()
        yield running, found[1], first
    finally:
        running.kill()
        running.wait()
        for stream in (running.stdout, running.stderr):
            assert stream is not None
            stream.close()


def test_a_folder_without_a_portal_is_refused_and_stays_as_it_is(data: Path) -> None:
    made = settings(data, public_url="http://localhost/", environment={})
    with pytest.raises(UsageError, match="there is no portal in") as caught:
        serving.serve(made, "127.0.0.1", 0, background=False)
    assert f"scorekit portal migrate --data {data}" in (caught.value.mend or "")
    assert not data.exists()


def test_it_says_how_to_get_in_and_ends_when_asked(data: Path) -> None:
    migrate(settings(data, public_url="http://localhost/", environment={}))
    with process(data, "--no-background") as (running, address, first):
        assert running.stderr is not None
        assert f"known as {address}" in first
        hint = running.stderr.readline()
        assert "scorekit portal token make" in hint
        made = subprocess.run(
            [sys.executable, "-m", "scorekit", *hint.split("scorekit ")[1].replace("YOU", "Ada").split()],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        with httpx2.Client(base_url=address, timeout=PATIENCE_S) as client:
            assert client.get("/health/ready").json()["ready"] is True
            answer = client.get("/api/v1/desk/submissions", headers=bearer(made.stdout.strip()))
            assert answer.status_code == 200
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0
    assert out == ""
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert events[0] == "started"
    assert events[-1] == "stopped"
    assert "Ada" not in err


def test_it_listens_at_no_port_that_is_taken(data: Path, tmp_path: Path) -> None:
    made = settings(data, public_url="http://localhost/", environment={})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="cannot be had"):
            serving.serve(made, "127.0.0.1", port, background=False)
    with pytest.raises(UsageError, match="is no port"):
        serving.serve(made, "127.0.0.1", 70_000, background=False)
    with pytest.raises(UsageError, match="cannot be had"):
        serving.serve(made, "no.such.host.invalid", 0, background=False)


def test_a_database_that_is_there_without_tables_is_not_touched(data: Path) -> None:
    data.mkdir()
    (data / "portal.db").touch()
    made = settings(data, public_url="http://localhost/", environment={})
    with pytest.raises(UsageError, match="empty"):
        serving.serve(made, "127.0.0.1", 0, background=False)
    with sqlite3.connect(data / "portal.db") as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
