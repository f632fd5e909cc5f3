"""Repositories of the Hub, without a network: by their commit, and each refusal with its mend."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from scorekit.edition_sources import hub
from scorekit.errors import InputError, MissingExtraError, UsageError, install_line
from tests.edition_members import OFFICIAL, members_of


class _FakeHub:
    """Gives a folder, or raises."""

    def __init__(self, answer: Path | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def snapshot_download(self, repo_id: str, **options: Any) -> str:
        self.asked.append((repo_id, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return str(self.answer)


@pytest.mark.parametrize("kind", ["space", "dataset"])
def test_a_repository_of_the_hub_is_read_by_its_commit(tmp_path: Path, kind: str) -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    folder = tmp_path / "snapshots" / commit
    (folder / "data" / "energy").mkdir(parents=True)
    # In the cache of huggingface_hub files are links.
    (tmp_path / "blob").write_text(OFFICIAL + "one,0.001,5\n")
    os.symlink(tmp_path / "blob", folder / "data" / "energy" / "asr.csv")
    fake = _FakeHub(folder)
    gathered = hub.read_hub(f"{kind}:AIEnergyScore/Leaderboard@main", fake)
    assert fake.asked == [
        ("AIEnergyScore/Leaderboard", {"repo_type": kind, "revision": "main", "allow_patterns": ["*.csv"]})
    ]
    assert [one.wh_per_1000_queries for one in members_of(gathered)] == [1.0]
    assert gathered.sources[0].name == f"{kind}:AIEnergyScore/Leaderboard@{commit}/data/energy/asr.csv"


@pytest.mark.parametrize("name", ["space:Leaderboard", "space:", "dataset:a/b/c", "space:a/b@", "space:../x y"])
def test_a_name_that_is_none_of_the_hub(name: str) -> None:
    assert hub.is_hub_name(name)
    with pytest.raises(UsageError, match="expected space:ORG/NAME"):
        hub.read_hub(name, _FakeHub(RuntimeError()))


def test_what_the_hub_cannot_give_is_told_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled, RepositoryNotFoundError

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for error, message, mend in (
        (RepositoryNotFoundError.__new__(RepositoryNotFoundError), "there is no space a/b on the Hub", "spelling"),
        (LocalEntryNotFoundError("no connection"), "cannot be reached", "hf download a/b --repo-type space"),
        (OfflineModeIsEnabled("offline"), "not in the local cache", "import a folder with the files"),
        (ConnectionError("down"), "cannot be reached", "import a folder with the files"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            hub.read_hub("space:a/b", _FakeHub(error))
        assert mend in (caught.value.mend or "")


def test_offline_the_real_hub_gives_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set") as caught:
        hub.read_hub("space:nobody/nothing-of-this-name")
    assert "hf download" in (caught.value.mend or "")


def test_without_huggingface_hub_its_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="huggingface_hub") as caught:
        hub.read_hub("space:a/b")
    assert caught.value.mend == install_line("data")
