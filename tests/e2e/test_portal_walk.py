"""A worker measures for a portal: the real commands, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Tiny, environment
from tests.ports import free_port

HANGS_S = 240.0
"""After which something that should have come counts as hanging; a limit, not a measure."""


def test_a_worker_measures_a_request_and_hands_it_in(tiny: Tiny, tmp_path: Path) -> None:
    """The real command against a real server, with a model of this machine in the place of one of the Hub."""
    found = tiny["text_classification"]
    with served(tmp_path) as (port, token):
        asked = call(
            port, token("operator"), "POST", "/requests", {"model": "example/tiny-bert", "task": "text_classification"}
        )
        call(
            port,
            token("operator"),
            "POST",
            f"/desk/requests/{asked['id']}/decision",
            {"decision": "accept", "reason": "a test"},
        )
        overrides = [
            f"backend.model={found.model}", f"scenario.dataset_name={found.dataset}", "backend.torch_dtype=float32",
            "scenario.num_samples=4", "scenario.runs=1", "scenario.warmup_runs=1", "scenario.phases=false",
        ]  # fmt: skip
        done = scorekit(
            tmp_path, "worker", "--portal", f"http://127.0.0.1:{port}/", "--name", "Test", "--accept-public-data",
            "--accept-integrity", "--accept-representation", "--runs", "worker", "--device", "cpu", "--once",
            *(word for override in overrides for word in ("--hydra", override)), SCOREKIT_TOKEN=token("worker"),
        )  # fmt: skip
        logs = "".join(path.read_text("utf-8")[-3000:] for path in (tmp_path / "worker").rglob("worker.log"))
        assert done.returncode == 0, f"{done.stderr}\n{logs}"
        assert "handed in as submission" in done.stderr

        def checked() -> bool:
            (listed,) = call(port, token("operator"), "GET", "/desk/submissions")["items"]
            return listed["state"] == "waiting" and listed["job"] is not None

        until(checked, "the verdict")
        assert call(port, token("operator"), "GET", f"/requests/{asked['id']}")["state"] == "measured"


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, Callable[[str], str]]]:
    """A portal in a process of its own: its port, and a function that makes a token of a role."""
    assert scorekit(folder, "portal", "migrate", "--data", "portal").returncode == 0
    made: dict[str, str] = {}

    def token(role: str) -> str:
        if role not in made:
            done = scorekit(folder, "portal", "token", "make", "--data", "portal", "--name", role, "--role", role)
            made[role] = done.stdout.strip()
        return made[role]

    port = free_port()
    with (folder / "portal.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "scorekit", "portal", "serve", "--data", "portal", "--port", str(port)],
            cwd=folder, env=environment(), stderr=log,
        )  # fmt: skip
    try:
        until(lambda: answers(port), "the portal")
        yield port, token
    finally:
        server.terminate()
        server.wait(HANGS_S)


def scorekit(folder: Path, *arguments: str, **names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scorekit", *arguments], cwd=folder, env=environment(names), timeout=HANGS_S,
        check=False, capture_output=True, text=True,
    )  # fmt: skip


def call(port: int, token: str, method: str, path: str, content: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1{path}",
        method=method,
        data=None if content is None else json.dumps(content).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=HANGS_S) as answer:
        return json.load(answer)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=HANGS_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + HANGS_S
    while not condition():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.2)
