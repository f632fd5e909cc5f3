"""A server that is killed while many hand in loses nothing that it acknowledged; a client that is killed goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from scripts import chaos_portal

from scorekit.portal.opened import Portal
from scorekit.portal.web.app import create_app
from tests.portal.conftest import token_of

ROOT = Path(__file__).parents[2]
SIZE = 24 * 1024**2


def test_kills_of_the_server(tmp_path: Path) -> None:
    found = chaos_portal.run(tmp_path, kills=3, clients=16, seed=7)
    assert found.faults == []
    heard = found.heard
    assert len(heard.acknowledged) >= 2
    assert heard.breaks
    assert set(heard.begun.values()) == {"in pieces", "in one request"}
    assert found.kept["acknowledged: there and whole"] == len(heard.acknowledged)
    # And what is lost would be found.
    server = chaos_portal.Server(tmp_path, 1, None)
    first, second, *_ = sorted(heard.acknowledged)
    portal = Portal.open(server.settings)
    (tmp_path / "data" / "blobs" / first[:2] / first).unlink()
    with (tmp_path / "data" / "blobs" / second[:2] / second).open("r+b") as blob:
        blob.write(b"\0")
    portal.close()
    again = chaos_portal.Found(0, 0, 0.0, heard)
    chaos_portal.look(server, again)
    assert any(first in fault and "not whole" in fault for fault in again.faults)
    assert any(second in fault and "not whole" in fault for fault in again.faults)
    heard.acknowledged["0" * 64] = "0" * 32
    heard.begun["0" * 64] = "in pieces"
    again = chaos_portal.Found(0, 0, 0.0, heard)
    chaos_portal.look(server, again)
    assert any("is lost" in fault for fault in again.faults)
    assert "faults" in again.summary()


@contextmanager
def served(portal: Portal) -> Iterator[str]:
    """The portal at a port of this machine."""
    config = uvicorn.Config(create_app(portal), port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the kind of database."""
    return sqlite_url


def test_a_client_that_is_killed_and_started_again(portal: Portal, tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    path.write_bytes(os.urandom(SIZE))
    environment = {**os.environ, "SCOREKIT_TOKEN": token_of(portal, "submitter")}
    with served(portal) as url:
        command = [
            sys.executable, "-m", "scorekit", "submit", str(path), "--portal", url, "--no-check",
            "--accept-public-data", "--accept-integrity", "--accept-representation",
        ]  # fmt: skip
        first = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        assert first.stderr is not None
        for line in first.stderr:
            if "bytes are at the portal" in line and ": 0 of" not in line:
                break
        first.send_signal(signal.SIGKILL)
        first.wait()
        first.stderr.close()
        again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    lines = [line for line in again.stderr.splitlines() if "bytes are at the portal" in line or "before" in line]
    assert f": 0 of {SIZE:,}" not in lines[0], "what had come was not sent again"
    (name,) = portal.storage.blobs.names()
    with portal.storage.blobs.open(name) as blob:
        assert blob.read() == path.read_bytes()
    assert not list(portal.settings.parts.iterdir())
