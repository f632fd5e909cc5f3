"""The runs of a plain Hydra multirun that an engine has put elsewhere, whose scores this process tells at its end."""

from __future__ import annotations

import contextlib
import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorekit.records import Score

_FOLDERS: list[Path] = []


def begin() -> None:
    """Forget those of an earlier multirun of this process."""
    _FOLDERS.clear()


def add(output_folder: Path) -> None:
    """A job is over whose process printed its score where nobody sees it.

    Args:
        output_folder: Hydra's folder for the job.
    """
    _FOLDERS.append(output_folder)


def scores() -> list[Score]:
    """The scores of the jobs that have one, in their order."""
    from scorekit import logs
    from scorekit.errors import ScorekitError

    found = []
    for folder in _FOLDERS:
        # Without a score it was told why.
        with contextlib.suppress(ScorekitError, OSError):
            found.append(logs.read_score(_newest(folder)))
    return found


def _newest(folder: Path) -> Path:
    """The run of a job: Hydra's folder, or the last one beside it, where it was taken (run.2, run.3)."""
    numbered = [(1, folder)]
    for path in folder.parent.glob(f"{glob.escape(folder.name)}.*"):
        number = path.name.removeprefix(f"{folder.name}.")
        if re.fullmatch(r"[0-9]+", number):
            numbered.append((int(number), path))
    return max(numbered)[1]
