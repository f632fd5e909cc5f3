"""The walk of docs/operations.md works as it is typed: from a measurement to a result on the portal's site."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Tiny, environment
from tests.e2e.test_readme import ROOT, commands
from tests.ports import free_port

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
HANGS_S = 240.0
"""After which something that should have come counts as hanging; a limit, not a measure."""
REVIEW = 3
_MARK = "@@ended with"


class Shell:
    """One shell, into which lines are typed."""

    def __init__(self, folder: Path) -> None:
        names = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        self._log = (folder / "errors.log").open("wb")
        self.process = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, env=environment(names), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, text=True, start_new_session=True,
        )  # fmt: skip
        self._folder = folder

    def type(self, line: str) -> tuple[int, str]:
        """Type a line. Returns its exit code and what it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\ncode=$?; echo; echo {_MARK} $code\n")
        self.process.stdin.flush()
        printed = []
        for text in self.process.stdout:
            if text.startswith(_MARK):
                return int(text.removeprefix(_MARK)), "".join(printed)
            printed.append(text)
        raise AssertionError(f"the shell ended at: {line}\n{self.errors()}")

    def errors(self) -> str:
        logs = (self._folder / name for name in ("errors.log", "journal.log"))
        return "\n".join(log.read_text(encoding="utf-8")[-4000:] for log in logs if log.exists())

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._log.close()


def test_the_walk_works_as_it_is_typed(tmp_path: Path) -> None:
    port = free_port()
    typed = [line.replace("8080", str(port)) for line in commands(PAGE)]
    assert len(typed) >= 14
    shell = Shell(tmp_path)
    try:
        for line in typed:
            code, printed = shell.type(line)
            # What was measured on a CPU needs review, and the page says so.
            expected = REVIEW if "scorekit verify" in line or "--wait" in line else 0
            assert code == expected, f"{line}\n{printed}\n{shell.errors()}"
            if "/decision" in line:
                _until(lambda: _is_published(port, tmp_path), "the result")
                _until(lambda: _names_model(tmp_path / "portal" / "site"), "the site")
            elif "/health/ready" in line:
                assert _answers(port), f"the page does not wait for the server\n{shell.errors()}"
            elif "> operator.token" in line or "> ada.token" in line:
                assert (tmp_path / line.rpartition("> ")[2]).stat().st_mode & 0o077 == 0, "others can read the token"
            elif "results list" in line:
                assert "tiny-bert-classifier" in printed
            elif "portal check" in line:
                assert printed.startswith("whole: ")
        assert "<html" in (tmp_path / "site.html").read_text(encoding="utf-8")
        result = _result(tmp_path)
        assert (result["model"], result["comparable"]) == ("tiny-bert-classifier", False)
        (page,) = (tmp_path / "portal" / "site" / "models").glob("tiny-bert-classifier-*.html")
        shown = page.read_text(encoding="utf-8")
        assert "no GPU was used" in shown, "it does not say why it is not comparable"
        assert f"http://127.0.0.1:{port}/" in shown, "no link leads to the portal"
    finally:
        shell.close()


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

        _until(checked, "the verdict")
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
        _until(lambda: _answers(port), "the portal")
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


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=HANGS_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _is_published(port: int, folder: Path) -> bool:
    submission = json.loads((folder / "handed-in.json").read_bytes())["id"]
    token = (folder / "ada.token").read_text(encoding="utf-8").strip()
    publications = call(port, token, "GET", f"/submissions/{submission}")["publications"]
    return all(one["published_at"] is not None for one in publications) and bool(publications)


def _names_model(site: Path) -> bool:
    return any("tiny-bert" in path.name for path in site.glob("models/*"))


def _result(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "portal" / "results").glob("*/*.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + HANGS_S
    while not condition():
        assert time.monotonic() < until, f"{what} did not come"
        time.sleep(0.2)
