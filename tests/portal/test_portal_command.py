"""`scorekit portal`, as an operator of the machine uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli
from scorekit.portal.ledger import people
from scorekit.portal.opened import Portal
from scorekit.portal.settings import DATABASE, settings
from scorekit.portal.storage import migrating
from tests.portal.conftest import settings_of
from tests.portal.made import hand_in


@pytest.fixture
def data(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a portal whose database is named in the environment."""
    monkeypatch.setenv(DATABASE, database_url)
    return tmp_path / "data"


class Told:
    """What a command said.

    Attributes:
        code: its exit code.
        out: on stdout.
        err: on stderr.
    """

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        self.code = cli.main(["portal", *map(str, arguments)])
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> Any:
        """Of stdout."""
        return json.loads(self.out)


def test_tokens_are_made_listed_and_revoked(data: Path, database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = Told(capsys, "token", "make", "--data", data, "--name", "Ada", "--role", "operator", "--days", 7)
    secret = made.out.strip()
    assert (made.code, secret.startswith(people.TOKEN_MARK)) == (0, True)
    assert made.err.rstrip().endswith("Its secret is printed this once, on standard output")
    account = Told(capsys, "account", "list", "--data", data, "--json").json[0]
    assert (account["name"], account["role"], account["state"]) == ("Ada", "operator", "open")
    more = Told(
        capsys, "token", "make", "--data", data, "--account", account["id"], "--scopes", "submit", "--label", "laptop",
        "--json",
    ).json  # fmt: skip
    assert more["account"] == account["id"]
    listed = Told(capsys, "token", "list", "--data", data).out
    assert "laptop" in listed
    assert "submit operate" in listed
    assert secret not in listed
    assert Told(capsys, "token", "revoke", "--data", data, more["id"]).code == 0
    rows = {row["id"]: row["state"] for row in Told(capsys, "token", "list", "--data", data, "--json").json}
    assert rows.pop(more["id"]) == "revoked"
    assert list(rows.values()) == ["holds"]
    portal = Portal.open(settings_of(data, database_url))
    assert people.actor_of_token(portal.storage, secret) is not None
    assert Told(capsys, "account", "close", "--data", data, account["id"]).code == 0
    assert people.actor_of_token(portal.storage, secret) is None
    portal.close()
    again = Told(capsys, "account", "close", "--data", data, account["id"])
    assert (again.code, "mend: see: scorekit portal account list --data DIR" in again.err) == (1, True)


def test_the_log_is_shown_and_checked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = Told(capsys, "token", "make", "--data", data, "--name", "Ada", "--json").json
    text = Told(capsys, "audit", "--data", data).out
    assert text.index("account.make") < text.index("token.make")
    about = Told(capsys, "audit", "--data", data, "--subject", token["id"], "--json").json
    assert [(line["action"], line["details"]["scopes"]) for line in about] == [("token.make", "submit")]
    assert [line["number"] for line in Told(capsys, "audit", "--data", data, "--limit", 1, "--json").json] == [2]
    checked = Told(capsys, "audit", "--data", data, "--check")
    assert (checked.code, checked.out.startswith("whole: 2 entries, sha256 ")) == (0, True)
    assert Told(capsys, "audit", "--data", data, "--check", "--json").json["entries"] == 2


def test_backup_restore_and_check(
    data: Path, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    portal = Portal.open(settings_of(data, database_url))
    token = people.make_token(
        portal.storage, people.make_account(portal.storage, "Ada", "submitter"), "", people.LONGEST
    )
    actor = people.actor_of_token(portal.storage, token.secret)
    assert actor is not None
    received = hand_in(portal, actor)
    portal.close()
    copied = Told(capsys, "backup", "--data", data, "--to", tmp_path / "copy")
    assert copied.code == 0
    end = Told(capsys, "audit", "--data", data, "--check", "--json").json
    assert copied.out.split() == [str(end["entries"]), end["sha256"]]
    # From either kind of database into a file of SQLite.
    monkeypatch.delenv(DATABASE)
    assert Told(capsys, "restore", "--data", tmp_path / "new", "--from", tmp_path / "copy").code == 0
    checked = Told(capsys, "check", "--data", tmp_path / "new")
    assert (checked.code, checked.out.startswith("whole: ")) == (0, True)
    assert end["sha256"] in checked.out
    blob = tmp_path / "new" / "blobs" / received.sha256[:2] / received.sha256
    blob.write_bytes(b"changed")
    broken = Told(capsys, "check", "--data", tmp_path / "new")
    assert broken.code == 1
    assert "blob_changed" in broken.out
    assert "1 fault: " in broken.out
    told = Told(capsys, "check", "--data", tmp_path / "new", "--json")
    assert (told.code, told.json["whole"], told.json["findings"][0]["subject"]) == (1, False, received.sha256)


def test_migrate_makes_a_portal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE, raising=False)
    missing = Told(capsys, "check", "--data", tmp_path / "x")
    assert missing.code == 2
    assert f"mend: check --data, or make a portal there: scorekit portal migrate --data {tmp_path / 'x'}" in missing.err
    assert not (tmp_path / "x").exists()
    made = Told(capsys, "migrate", "--data", tmp_path / "x")
    assert (made.code, f"version {migrating.head()} now; it was empty before" in made.err) == (0, True)
    assert f"made a new portal in {tmp_path / 'x'}: it is empty" in made.err
    assert f"the file in --data, for {DATABASE} is not set" in made.err
    assert (tmp_path / "x").stat().st_mode & 0o077 == 0
    assert Told(capsys, "migrate", "--data", tmp_path / "x").err.endswith(f"version {migrating.head()}\n")
    assert Told(capsys, "token", "list", "--data", tmp_path / "x").err == "there are none\n"


def test_a_backup_of_an_empty_portal_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATABASE, raising=False)
    Told(capsys, "migrate", "--data", tmp_path / "x")
    empty = Told(capsys, "backup", "--data", tmp_path / "x", "--to", tmp_path / "empty")
    assert (empty.code, empty.out.split()[0]) == (0, "0")
    assert "this portal is empty, and so is the backup; its database is the file in --data, for" in empty.err
    Told(capsys, "token", "make", "--data", tmp_path / "x", "--name", "Ada")
    assert "this portal is empty" not in Told(capsys, "backup", "--data", tmp_path / "x", "--to", tmp_path / "full").err
    # Of a database that was named, its address is not told.
    monkeypatch.setenv(DATABASE, f"sqlite:///{tmp_path / 'named.db'}")
    named = Told(capsys, "migrate", "--data", tmp_path / "y").err
    assert f"the one that {DATABASE} names" in named
    assert "named.db" not in named


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["token", "make", "--name", "Ada", "--days", "0"], "--days 0"),
        (["token", "make"], "one of the arguments --name --account is required"),
        (["token", "make", "--account", "x", "--role", "worker"], "keeps its role"),
        (["token", "make", "--name", "Ada", "--role", "king"], "invalid choice"),
        (["token", "make", "--name", "Ada", "--scopes", "operate"], "may do none of that"),
        (["token", "revoke", "x"], "no token x that holds"),
        (["audit", "--limit", "-1"], "--limit -1"),
        (["backup", "--to", "/"], "there already"),
        (["restore", "--from", "/nowhere"], "is no backup"),
        (["serve", "--requests-a-minute", "0"], "expected 1 or more"),
        (["serve", "--jobs-an-account", "0"], "expected 1 or more"),
        (["serve", "--public-url", "ftp://x"], "is no address"),
        (["serve", "--trusted-proxy", "nonsense"], "neither an address nor a network"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str], told: str, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv(DATABASE, sqlite_url)
    found = Told(capsys, *arguments, "--data", tmp_path / "data")
    assert found.code in (1, 2)
    assert found.out == ""
    assert told in found.err


def test_serve_is_given_what_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scorekit.portal.web import serving

    seen: list[Any] = []
    monkeypatch.delenv(DATABASE, raising=False)
    monkeypatch.setattr(serving, "serve", lambda *facts, **_: seen.extend(facts))
    line = ["portal", "serve", "--data", str(tmp_path), "--host", "::1", "--port", "9", "--trusted-proxy", "10.0.0.0/8"]
    assert cli.main(line) == 0
    found, host, port = seen
    assert (host, port, found.public_url) == ("::1", 9, "http://[::1]:9/")
    assert (found.data, found.trusted_proxies) == (tmp_path, ("10.0.0.0/8",))


def test_secrets_come_from_the_environment_alone(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="only one is set"):
        settings(tmp_path, public_url="https://a.example", environment={"OAUTH_CLIENT_ID": "x"})
    both = {"OAUTH_CLIENT_ID": "x", "OAUTH_CLIENT_SECRET": "y", DATABASE: "postgresql://u:p@h/n"}
    found = settings(tmp_path, public_url="https://a.example", environment=both)
    assert (found.oauth, found.is_secure, found.public_url) == (True, True, "https://a.example/")
    assert found.database_url == "postgresql://u:p@h/n"
