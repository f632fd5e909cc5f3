"""`scorekit submit`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from scorekit import cli
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, EXIT_USAGE
from scorekit.portal import client
from scorekit.portal.ledger import checks
from scorekit.portal.opened import Portal
from scorekit.portal.patience import Patience
from scorekit.submission.verify import verdict
from tests.portal.calling import Caller
from tests.portal.submit_client.wire import CONTENT, NEAR, Naps, Wire


@pytest.fixture
def commanded(monkeypatch: pytest.MonkeyPatch, ada: Caller) -> Wire:
    """The command talks to the portal of the test."""
    wire = Wire(ada)
    real = client.submit
    patience = Patience(sleep=Naps())
    monkeypatch.setattr(client, "submit", lambda *args, **more: real(*args, transport=wire, patience=patience, **more))
    monkeypatch.setenv("SCOREKIT_TOKEN", ada.token)
    return wire


ACCEPT = ["--accept-public-data", "--accept-integrity", "--accept-representation"]


def run(path: Path, *more: str) -> int:
    return cli.main(["submit", str(path), "--portal", NEAR, *ACCEPT, *more])


def test_the_command(
    commanded: Wire, portal: Portal, packed: bytes, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(packed)
    assert run(path) == EXIT_DONE
    told = capsys.readouterr()
    assert "received" in told.out
    assert f"{portal.settings.public_url}submissions/" in told.err
    assert f"{len(packed):,} of {len(packed):,} bytes" in told.err
    assert run(path, "--json") == EXIT_DONE
    told = capsys.readouterr()
    assert "was handed in before" in told.err
    assert json.loads(told.out)["state"] == "received"
    assert commanded.caller.token not in told.out + told.err


@pytest.mark.parametrize(
    ("word", "readable", "code"),
    [("accepted", True, EXIT_DONE), ("refused", True, EXIT_INVALID), ("refused", False, EXIT_FAILED)],
)
def test_the_verdict_is_waited_for(
    commanded: Wire, portal: Portal, packed: bytes, path: Path, capsys: pytest.CaptureFixture[str],
    word: str, readable: bool, code: int,
) -> None:  # fmt: skip
    path.write_bytes(packed)
    looks: list[str] = []

    def disturb(request: httpx2.Request) -> None:
        if request.method == "GET" and "/submissions/" in request.url.path:
            looks.append(request.url.path)
            if len(looks) == 3:
                lease = checks.take_to_check(portal.storage)
                assert lease is not None
                made = verdict([], packed, readable=readable).model_copy(update={"verdict": word})
                checks.finish_check(portal.storage, lease, made)

    commanded.disturb = disturb  # type: ignore[assignment]
    assert run(path, "--wait") == code
    assert len(looks) == 3
    assert f"Verdict: {word.upper()}" in capsys.readouterr().out


def test_a_verdict_that_does_not_come(
    commanded: Wire, packed: bytes, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(packed)
    assert run(path, "--wait", "--wait-at-most", "3") == EXIT_FAILED
    assert "keeps the submission" in capsys.readouterr().err


def test_wrong_usage(path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCOREKIT_TOKEN", raising=False)
    assert run(path) == EXIT_USAGE
    assert "SCOREKIT_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("SCOREKIT_TOKEN", "sk_x")
    assert cli.main(["submit", str(path), "--portal", "http://192.0.2.7/", *ACCEPT, "--no-check"]) == EXIT_USAGE
    assert "--insecure" in capsys.readouterr().err
    assert cli.main(["submit", str(path), "--portal", NEAR, *ACCEPT[:2]]) == EXIT_USAGE
    assert "--accept-representation" in capsys.readouterr().err
    assert run(path) == EXIT_FAILED
    assert "scorekit pack" in capsys.readouterr().err


def test_an_interrupt_tells_how_to_go_on(commanded: Wire, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def disturb(request: httpx2.Request) -> None:
        if request.method == "PATCH":
            raise KeyboardInterrupt

    commanded.disturb = disturb  # type: ignore[assignment]
    assert run(path, "--no-check") == 130
    assert "start the same command again" in capsys.readouterr().err
    commanded.disturb = lambda _: None
    assert run(path, "--no-check") == EXIT_DONE


def test_a_name_that_would_steer_a_terminal(
    commanded: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "\x1b[2J[red]x.zip"
    path.write_bytes(CONTENT)
    assert run(path, "--no-check") == EXIT_DONE
    assert "\x1b" not in capsys.readouterr().err
