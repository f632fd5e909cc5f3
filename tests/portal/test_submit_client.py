"""`scorekit submit`: whatever breaks, it goes on where it was; whatever is wrong, it says what to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scorekit import cli, submission
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, EXIT_USAGE, InputError, UsageError
from scorekit.portal import calls, client
from scorekit.portal.calls import AnswerError, BreakError, Patience
from scorekit.portal.ledger import checks, uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.opened import Portal
from scorekit.submission.verify import verdict
from tests.evidence import good_evidence
from tests.portal.calling import API, Caller, caller
from tests.unit.submission.made import ALL_CLAUSES, request, thinned, write_run

CONTENT = bytes(range(256)) * 100
NEAR = "http://127.0.0.1:8080/"
Handler = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the kind of database."""
    return sqlite_url


@pytest.fixture
def ada(portal: Portal) -> Caller:
    return caller(portal, "submitter")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "submission.zip"
    made.write_bytes(CONTENT)
    return made


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A submission."""
    run = write_run(tmp_path_factory.mktemp("runs") / "run", thinned(good_evidence()))
    return submission.pack([run], request()).content


class Wire(httpx2.BaseTransport):
    """What is between client and portal: a portal in this process, and whatever a test does to the connection.

    Args:
        caller: of the portal.
        disturb: given each request before it is sent; what it returns is the answer, None leaves it to the portal.
        lose: says of each request whether its answer is lost on the way back.
    """

    def __init__(
        self,
        caller: Caller,
        disturb: Callable[[httpx2.Request], httpx2.Response | None] = lambda _: None,
        lose: Callable[[httpx2.Request], bool] = lambda _: False,
    ) -> None:
        self.caller = caller
        self.disturb = disturb
        self.lose = lose
        self.calls: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(f"{request.method} {request.url.path.removeprefix(API)}")
        found = self.disturb(request)
        if found is not None:
            return found
        found = self.caller.client._transport.handle_request(request)
        if self.lose(request):
            raise httpx2.ReadError("connection reset")
        return found


class Naps(list[float]):
    """Waits that take no time."""

    def __call__(self, length_s: float) -> None:
        self.append(length_s)


def hand_in(wire: Wire, path: Path, **more: Any) -> client.HandedIn:
    facts: dict[str, Any] = {
        "check": False, "patience": Patience(sleep=Naps()), "piece_bytes": 5000, "transport": wire,
    }  # fmt: skip
    return client.submit(path, NEAR, wire.caller.token, ALL_CLAUSES, **facts | more)


def kept(portal: Portal) -> bytes:
    """The one blob that there is."""
    (name,) = portal.storage.blobs.names()
    with portal.storage.blobs.open(name) as blob:
        found: bytes = blob.read()
    return found


# What breaks


def test_it_is_handed_in(portal: Portal, ada: Caller, path: Path) -> None:
    seen: list[tuple[int, int]] = []
    handed = hand_in(Wire(ada), path, progress=lambda done, size: seen.append((done, size)))
    assert (handed.state, handed.was_known, handed.sent_bytes) == ("received", False, len(CONTENT))
    assert handed.page == f"{portal.settings.public_url}submissions/{handed.id}"
    assert kept(portal) == CONTENT
    assert seen == [(min(done, len(CONTENT)), len(CONTENT)) for done in range(0, len(CONTENT) + 5000, 5000)]
    again = Wire(ada)
    assert hand_in(again, path) == client.HandedIn(
        handed.id, handed.page, "received", None, handed.answer, was_known=True, sent_bytes=0
    )
    assert not any("uploads" in call for call in again.calls), "what is known is not sent again"


def every_third() -> Callable[[Any], bool]:
    counted = iter(range(10_000))
    return lambda _: next(counted) % 3 == 1


def test_connections_that_break_before_and_behind_the_portal(portal: Portal, ada: Caller, path: Path) -> None:
    before, naps = every_third(), Naps()

    def disturb(request: httpx2.Request) -> None:
        if before(request):
            raise httpx2.ConnectError("refused")

    told: list[str] = []
    wire = Wire(ada, disturb, every_third())
    handed = hand_in(wire, path, patience=Patience(sleep=naps), tell=told.append)
    assert handed.state == "received"
    assert kept(portal) == CONTENT
    assert ada("GET", "/submissions").json()["total"] == 1
    assert naps
    assert len(told) == len(naps)
    assert all("trying again" in line for line in told)


def test_every_single_answer_may_be_lost(portal: Portal, path: Path) -> None:
    whole = Wire(caller(portal, "submitter"))
    hand_in(whole, path)
    for lost in range(len(whole.calls)):
        counted = iter(range(10_000))
        wire = Wire(caller(portal, "submitter"), lose=lambda _, c=counted, n=lost: next(c) == n)
        handed = hand_in(wire, path)
        assert handed.state == "received", whole.calls[lost]
        assert wire.caller("GET", "/submissions").json()["total"] == 1


def test_a_piece_that_came_in_part_goes_on_from_there(portal: Portal, ada: Caller, path: Path) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:7777])
    wire = Wire(ada)
    handed = hand_in(wire, path)
    assert handed.sent_bytes == len(CONTENT) - 7777
    assert kept(portal) == CONTENT


def test_a_portal_that_ended_while_it_took_the_file_in(portal: Portal, ada: Caller, path: Path) -> None:
    # The blob is stored, and nothing in the database says so: the part is gone, and the upload is open.
    gone: list[str] = []

    def disturb(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path.endswith("/submissions") and request.method == "POST" and not gone:
            (part,) = portal.settings.parts.iterdir()
            portal.storage.blobs.put(part, hashlib.sha256(CONTENT).hexdigest())
            gone.append(part.stem)
            raise httpx2.RemoteProtocolError("server disconnected")
        return None

    handed = hand_in(Wire(ada, disturb), path)
    assert gone
    assert (handed.state, handed.sent_bytes) == ("received", 2 * len(CONTENT))
    assert kept(portal) == CONTENT
    assert uploads.find(portal.storage, portal.settings.parts, _actor(portal, ada), gone[0]).state == "complete"


def test_an_upload_that_was_given_up_meanwhile_begins_anew(portal: Portal, ada: Caller, path: Path) -> None:
    pieces = iter(range(100))

    def disturb(request: httpx2.Request) -> httpx2.Response | None:
        if request.method == "PATCH" and next(pieces) == 2:
            ada("DELETE", request.url.path.removeprefix(API))
        return None

    assert hand_in(Wire(ada, disturb), path).state == "received"
    assert kept(portal) == CONTENT


def test_another_sender_of_the_same_file_is_waited_for(portal: Portal, ada: Caller, path: Path) -> None:
    told = ada.announce(CONTENT).json()
    holding = appending(
        portal.settings.parts, uploads.Upload(told["id"], "", len(CONTENT), told["sha256"], "open", 0), 0
    )
    holding.__enter__()
    naps: list[float] = []

    def nap(length_s: float) -> None:
        naps.append(length_s)
        if len(naps) == 3:
            holding.__exit__(None, None, None)

    assert hand_in(Wire(ada), path, patience=Patience(sleep=nap)).state == "received"
    assert len(naps) == 3


def test_patience_has_an_end_and_waits_grow(ada: Caller, path: Path) -> None:
    naps = Naps()

    def disturb(_: httpx2.Request) -> httpx2.Response | None:
        raise httpx2.ConnectError("refused")

    told: list[str] = []
    patience = Patience(tries=6, first_wait_s=1, longest_wait_s=5, sleep=naps)
    with pytest.raises(BreakError, match=r"cannot be reached.*refused") as caught:
        hand_in(Wire(ada, disturb), path, patience=patience, tell=told.append)
    assert told[0].endswith(" s (try 2 of 6, for about 17 s in all)")
    assert all(line.endswith(f" s (try {number} of 6)") for number, line in enumerate(told[1:], start=3))
    assert all(f"trying again in {nap:.1f} s" in line for nap, line in zip(naps, told, strict=True))
    assert "start the same command again" in (caught.value.mend or "")
    assert len(naps) == 5
    assert [round(nap / top, 6) <= 1 for nap, top in zip(naps, (1, 2, 4, 5, 5), strict=True)] == [True] * 5
    assert all(nap >= 0.7 * top for nap, top in zip(naps, (1, 2, 4, 5, 5), strict=True))


def answer(status: int, told: Any = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json=told, headers={name.replace("_", "-"): text for name, text in headers.items()})


def test_retry_after_is_honoured_within_bounds(ada: Caller, path: Path) -> None:
    busy = {"error": "too_many_requests", "message": "too many requests", "mend": "try again in 7 s"}
    first = iter([answer(429, busy, Retry_After="7"), answer(503, None, Retry_After="3"), answer(502), answer(500)])
    naps = Naps()
    assert hand_in(Wire(ada, lambda _: next(first, None)), path, patience=Patience(sleep=naps)).state == "received"
    assert naps[0] == 7
    assert naps[1] == 3
    with pytest.raises(BreakError, match="too many requests"):
        hand_in(Wire(ada, lambda _: answer(429, busy, Retry_After="86400")), path)


# What is wrong


def test_a_token_that_does_not_hold(portal: Portal, path: Path) -> None:
    wire = Wire(Caller(caller(portal, None).client.app, "sk_wrong"))  # type: ignore[arg-type]
    with pytest.raises(AnswerError, match="does not hold") as caught:
        hand_in(wire, path)
    assert "SCOREKIT_TOKEN" in (caught.value.mend or "")
    assert "portal token make --data DIR --name NAME --role submitter" in (caught.value.mend or "")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (httpx2.Response(200, text="<html>"), "is no portal"),
        (httpx2.Response(404, text="<html>"), "is no portal"),
        (httpx2.Response(200, json={"a": 1}), "is no portal"),
        (httpx2.Response(301, headers={"Location": "https://elsewhere.example/"}), "elsewhere.example"),
        (httpx2.Response(200, json=[{"name": "integrity", "sha256": "0" * 64}]), "in other words"),
    ],
)
def test_what_answers_is_not_what_was_expected(ada: Caller, path: Path, found: httpx2.Response, words: str) -> None:
    with pytest.raises((AnswerError, UsageError), match=words) as caught:
        hand_in(Wire(ada, lambda _: found), path)
    assert caught.value.mend


def test_a_refusal_is_told_as_the_portal_says_it(ada: Caller, path: Path) -> None:
    path.write_bytes(b"x" * (65 * 1024 * 1024))
    with pytest.raises(AnswerError, match="at most 67,108,864") as caught:
        hand_in(Wire(ada), path)
    assert caught.value.status == 413
    assert caught.value.mend


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("https://scores.example.org/", True),
        ("https://scores.example.org:8443/below/", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080/", True),
        ("http://[::1]:8080/", True),
        ("http://127.9.9.9/", True),
        ("http://scores.example.org/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://localhost.example.org/", False),
        ("http://192.168.1.5:8080/", False),
    ],
)
def test_a_token_travels_in_the_clear_on_this_machine_only(address: str, holds: bool) -> None:
    if holds:
        with calls.Calls(address, "sk_x") as made:
            assert not made.portal.endswith("/")
        return
    with pytest.raises(UsageError, match="in the clear"):
        calls.Calls(address, "sk_x")
    with calls.Calls(address, "sk_x", insecure=True):
        pass


@pytest.mark.parametrize(
    "address", ["scores.example.org", "ftp://x/", "https://", "https://ada:pw@x/", "https://x/?a=b", "https://[x/", "http://x:99999999/"]
)  # fmt: skip
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        calls.Calls(address, "sk_x")


def test_a_proxy_never_sees_the_token_of_a_portal_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    with calls.Calls(NEAR, "sk_x") as made:
        assert not made._client._mounts


def test_clauses_are_needed(ada: Caller, path: Path) -> None:
    with pytest.raises(UsageError, match="The logs are true") as caught:
        client.submit(path, NEAR, "sk_x", {"public_data", "representation"})
    assert "--accept-integrity" in (caught.value.mend or "")


def test_files_that_are_none(tmp_path: Path, packed: bytes) -> None:
    found = tmp_path / "x.zip"
    with pytest.raises(InputError, match="cannot be read"):
        client.submit(found, NEAR, "sk_x", ALL_CLAUSES)
    for content in (b"", b"x" * 100, packed[:1000], packed + b"x"):
        found.write_bytes(content)
        with pytest.raises(InputError):
            client.submit(found, NEAR, "sk_x", ALL_CLAUSES)
    found.write_bytes(packed)
    assert client.require_readable(found).submitter.name == "Ada Lovelace"


def test_a_file_that_changes_while_it_is_sent(portal: Portal, ada: Caller, path: Path) -> None:
    def disturb(request: httpx2.Request) -> None:
        if request.method == "PATCH":
            path.write_bytes(CONTENT[:-1] + b"!")

    with pytest.raises(AnswerError, match="announced"):
        hand_in(Wire(ada, disturb), path)
    assert ada("GET", "/submissions").json()["total"] == 0


# The verdict, and the command


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


def _actor(portal: Portal, ada: Caller) -> Any:
    from scorekit.portal.ledger import people

    return people.actor_of_token(portal.storage, ada.token)
