"""`scorekit worker` refuses at once what would be refused after an hour of measuring."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import cli
from scorekit.portal.settings import TOKEN

ACCEPTED = ("--accept-public-data", "--accept-integrity", "--accept-representation")


def work(folder: Path, *more: str) -> int:
    # Nothing listens there: what is refused is refused before anybody is asked.
    return cli.main(["worker", "--portal", "http://127.0.0.1:9/", "--runs", str(folder / "worker"), "--once", *more])


def test_a_worker_without_a_token_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    assert work(tmp_path, "--name", "Ada", *ACCEPTED) == 2
    told = capsys.readouterr().err
    assert TOKEN in told
    assert "--role worker" in told


@pytest.mark.parametrize("missing", ACCEPTED)
def test_every_clause_has_to_be_accepted(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "sk_test")
    assert work(tmp_path, "--name", "Ada", *(flag for flag in ACCEPTED if flag != missing)) == 2
    assert missing in capsys.readouterr().err
    assert not (tmp_path / "worker").exists()


@pytest.mark.parametrize(
    ("portal", "name", "words"),
    [
        ("http://scores.example.org/", "Ada", "--insecure"),
        ("scores.example.org", "Ada", "address"),
        ("http://127.0.0.1:9/", "<b>Ada</b>", "--name"),
    ],
)
def test_what_could_not_be_handed_in_is_refused_first(
    portal: str, name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv(TOKEN, "sk_test")
    assert work(tmp_path, "--portal", portal, "--name", name, *ACCEPTED) == 2
    assert words in capsys.readouterr().err
