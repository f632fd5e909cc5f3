"""CSV files of a Space or dataset of the Hub, by its name: the only part of editions that may ask the network.

What was fetched once lies in the cache of huggingface_hub and is found there without a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, cast

from scorekit.edition_sources.csv_tables import read_folder
from scorekit.edition_sources.gathered import Gathered
from scorekit.errors import InputError, MissingExtraError, UsageError

_WRITTEN: Final = re.compile(r"(space|dataset):([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)(?:@([A-Za-z0-9._/-]+))?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_PATTERN: Final = "*.csv"


class Hub(Protocol):
    """What is asked of huggingface_hub."""

    def snapshot_download(self, repo_id: str, **options: Any) -> str:
        """The folder that a repository's files lie in."""


def is_hub_name(source: str) -> bool:
    """Whether a source is meant as one of the Hub: space:... or dataset:..."""
    return source.partition(":")[0] in ("space", "dataset")


def read_hub(source: str, hub: Hub | None = None) -> Gathered:
    """The members that the CSV files of a Space or dataset make.

    Args:
        source: space:ORG/NAME or dataset:ORG/NAME, and @REVISION behind it for another than main.
        hub: what downloads; huggingface_hub where None.

    Raises:
        UsageError: the name is written otherwise.
        MissingExtraError: huggingface_hub is not installed.
        InputError: there is no such repository, it cannot be reached, or it holds no file of a task.
        LogError: a file cannot be read as a table, or lacks a column.
    """
    found = _WRITTEN.fullmatch(source)
    if found is None:
        raise UsageError(
            f"'{source}' is no name of the Hub: expected space:ORG/NAME or dataset:ORG/NAME",
            mend="for example space:AIEnergyScore/Leaderboard, and @REVISION behind it for a commit",
        )
    kind, name, revision = found.groups()
    download = _downloads() if hub is None else hub.snapshot_download
    try:
        folder = Path(download(name, repo_type=kind, revision=revision, allow_patterns=[_PATTERN]))
    except Exception as error:
        raise _told(kind, name, error) from error
    # In the cache the files of a commit lie in a folder of its name.
    commit = folder.name if _COMMIT.fullmatch(folder.name) else revision
    return read_folder(folder, f"{kind}:{name}" + (f"@{commit}" if commit else ""))


def _downloads() -> Callable[..., str]:
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise MissingExtraError("huggingface_hub", "data") from error
    return cast(Callable[..., str], snapshot_download)


def _told(kind: str, name: str, error: Exception) -> InputError:
    from scorekit.measuring.hub import hub_error

    message, mend = hub_error(kind, name, error)
    if "cache" in message:
        mend = (
            f"on a machine with a network: hf download {name} --repo-type {kind} --include '{_PATTERN}'; "
            "or import a folder with the files: scorekit edition import FOLDER --name NAME"
        )
    return InputError(message, mend=mend)
