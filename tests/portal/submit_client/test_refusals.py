"""Whatever is wrong with token, answers, addresses or the file: it says what to do."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from scorekit.errors import InputError, UsageError
from scorekit.portal import calls, client
from scorekit.portal.calls import AnswerError
from scorekit.portal.opened import Portal
from tests.portal.calling import Caller, caller
from tests.portal.submit_client.wire import CONTENT, NEAR, Wire, hand_in
from tests.unit.submission.made import ALL_CLAUSES


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
