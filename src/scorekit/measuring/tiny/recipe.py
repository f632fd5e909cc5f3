"""Folders written in one step, and written again only when what they were made from has changed.

Each folder holds a `tiny.json`: the recipe it was made by and the size of every file. A folder without one,
with another recipe or with a missing or cut file counts as not there.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from scorekit.errors import ScorekitError

RECIPE_FILE = "tiny.json"

Recipe = dict[str, object]
"""What a folder depends on, as JSON values: its name, the recipe's version, the seed, library versions."""


def make_folder(folder: Path, recipe: Recipe, fill: Callable[[Path], None]) -> bool:
    """Make sure that `folder` holds what `fill` writes, whole.

    Args:
        folder: where it shall lie; its parents are made.
        recipe: compared with the one that is recorded there.
        fill: writes the content into the empty folder that it is given.

    Returns:
        True if it was written now, False if it was there already.

    Raises:
        ScorekitError: it cannot be written.
    """
    if is_made(folder, recipe):
        return False
    scratch = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        # Not tempfile.mkdtemp: its folders are private, and others may well measure these models.
        scratch.mkdir(parents=True)
        fill(scratch)
        record = {"recipe": recipe, "files": _sizes(scratch)}
        (scratch / RECIPE_FILE).write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        _put(scratch, folder, recipe)
    except OSError as error:
        raise ScorekitError(
            f"{folder} could not be written: {error.strerror or error}",
            mend="choose a folder of your own on a disk with at least 200 MB free, and run again",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return True


def is_made(folder: Path, recipe: Recipe) -> bool:
    """Whether `folder` was made by this very recipe and all its files are there in full."""
    try:
        record = json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
        return bool(record["recipe"] == recipe and record["files"] == _sizes(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _put(scratch: Path, folder: Path, recipe: Recipe) -> None:
    """Rename `scratch` to `folder`, moving away what lies there."""
    old = scratch.with_suffix(".old.part")
    try:
        if folder.exists():
            os.rename(folder, old)
        os.rename(scratch, folder)
    except OSError:
        # Another process may have put the same folder there in between: then there is nothing left to do.
        if not is_made(folder, recipe):
            if old.exists() and not folder.exists():
                os.rename(old, folder)
            raise
    finally:
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)


def _sizes(folder: Path) -> dict[str, int]:
    """Size in bytes of every file below `folder`, by its relative name; the record itself is left out."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECIPE_FILE
    }
