"""The run bundle: the names of the files that one measured run leaves behind, and their manifest.

A run folder is claimed before anything is written, marked incomplete until the measuring has ended well, and never
written over by a later run. Raw files are written once; derived ones (the score) may be computed again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Set
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from pydantic import ValidationError

from scorekit import atomic
from scorekit.errors import BundleError
from scorekit.records import Manifest, ManifestEntry, first_complaint

CONFIG: Final = "benchmark_config.json"
REPORT: Final = "benchmark_report.json"
BENCHMARK: Final = "benchmark.json"
WINDOWS: Final = "windows.jsonl"
ENVIRONMENT: Final = "environment.json"
SCORE: Final = "score.json"
GPU_WH: Final = "GPU_ENERGY_WH.txt"
GPU_SUMMARY: Final = "GPU_ENERGY_SUMMARY.json"
POWER: Final = "power.parquet"
GPU_STATES: Final = "gpu_states.jsonl"
VALIDITY: Final = "validity.json"
MANIFEST: Final = "manifest.json"
INCOMPLETE: Final = "INCOMPLETE"
LOG: Final = "benchmark.log"
_LOG_SUFFIX: Final = ".log"
SCRATCH_PREFIX: Final = ".encoded-"
"""Folders of encoded samples begin so; none is left in a bundle."""
DERIVED: Final = frozenset({SCORE, GPU_WH, GPU_SUMMARY, VALIDITY})
CODECARBON_SUFFIX: Final = "_codecarbon.json"


def is_run(names: Set[str]) -> bool:
    """Whether a folder with files of these names is a run of ours, whole or broken.

    A run whose windows were deleted is still a run, and its manifest names what is missing.
    """
    return WINDOWS in names or INCOMPLETE in names or (ENVIRONMENT in names and MANIFEST in names)


def claim(folder: Path) -> Path:
    """Take `folder` for a new run, or the first free `folder.N` when a run has been there before.

    The marker is created exclusively, so two runs that start at once never share a folder.

    Returns:
        The folder that was taken, marked incomplete.
    """
    number = 1
    while True:
        candidate = folder if number == 1 else folder.with_name(f"{folder.name}.{number}")
        number += 1
        try:
            candidate.mkdir(parents=True, exist_ok=True)
            if any((candidate / name).exists() for name in (MANIFEST, CONFIG, REPORT, WINDOWS)):
                continue
            with open(candidate / INCOMPLETE, "x", encoding="utf-8") as marker:
                marker.write(f"This run has not ended (or was killed). Its process id was {os.getpid()}.\n")
            return candidate
        except FileExistsError:
            continue
        except OSError as error:
            raise atomic.write_error(candidate / INCOMPLETE, error) from error


def mark_incomplete(folder: Path, why: str) -> None:
    """Say in the marker why the run did not end well; a full disk must not hide the first error."""
    try:
        (folder / INCOMPLETE).write_text(f"This run did not end well: {why}\n", encoding="utf-8")
    except OSError:
        return


def is_complete(folder: Path) -> bool:
    """Whether a run ended well in `folder`."""
    return (folder / MANIFEST).is_file() and not (folder / INCOMPLETE).exists()


def seal(folder: Path) -> Manifest:
    """Write the manifest over the raw files and take the incomplete marker away.

    Raises:
        BundleError: a file cannot be read or the manifest not written.
    """
    manifest = Manifest(measured=_entries(folder, derived=False), derived=_entries(folder, derived=True))
    _write(folder, manifest)
    (folder / INCOMPLETE).unlink(missing_ok=True)
    return manifest


def record_derived(folder: Path) -> Manifest:
    """Renew the manifest's derived part after a score was written; the raw part must still hold.

    Raises:
        BundleError: a raw file was changed, removed or added since the run.
    """
    before = read_manifest(folder)
    check(folder, before)
    manifest = before.model_copy(update={"derived": _entries(folder, derived=True)})
    _write(folder, manifest)
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a complete run.

    Raises:
        BundleError: there is none, it cannot be read, or it names what is no file of the folder.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(
            f"{folder} has no {MANIFEST}: the run did not end", mend=f"see {folder / LOG}, then run it again"
        ) from error
    except ValidationError as error:
        raise BundleError(f"{path} is not a manifest of this version: {first_complaint(error)}") from error
    # A manifest may come from a stranger: no name may lead out of the folder, on this system or another.
    strange = sorted(name for name in (*manifest.measured, *manifest.derived) if not _is_plain(name))
    if strange:
        raise BundleError(
            f"{path} names {strange[0]!r}, which is no plain file name",
            mend="take the manifest as the run wrote it, or measure again",
        )
    return manifest


def check(folder: Path, manifest: Manifest) -> None:
    """Compare the raw files with the manifest; logs, dot-files and derived files may come and go.

    Raises:
        BundleError: names every raw file that was changed, is missing, or was added since the run.
    """
    now = {name: _entry(folder / name) for name in manifest.measured if (folder / name).is_file()}
    changed = sorted(name for name, entry in now.items() if entry != manifest.measured[name])
    missing = sorted(set(manifest.measured) - set(now))
    added = sorted(set(_names(folder)) - DERIVED - set(manifest.measured) - set(manifest.derived))
    found = (("changed", changed), ("missing", missing), ("added", added))
    parts = [f"{what}: {', '.join(names)}" for what, names in found if names]
    if parts:
        raise BundleError(
            f"{folder} is not what was measured ({'; '.join(parts)})",
            mend=(
                "restore the files from a copy, or measure again"
                if changed or missing
                else "move what was added out of the run's folder"
            ),
        )


def _entries(folder: Path, *, derived: bool) -> dict[str, ManifestEntry]:
    return {name: _entry(folder / name) for name in _names(folder) if (name in DERIVED) is derived}


def _names(folder: Path) -> list[str]:
    """Files of a run that a manifest lists. Logs are none of them: they may still be written after it."""
    try:
        return sorted(
            path.name
            for path in folder.iterdir()
            if path.is_file()
            and not path.name.startswith(".")
            and path.suffix != _LOG_SUFFIX
            and path.name not in (MANIFEST, INCOMPLETE)
        )
    except OSError as error:
        raise BundleError(f"{folder} cannot be read: {error.strerror}") from error


def _is_plain(name: str) -> bool:
    """Whether a name is that of a file in the folder itself, whichever system reads it."""
    if name in ("", ".", "..") or "\0" in name:
        return False
    return PurePosixPath(name).name == PureWindowsPath(name).name == name


def _entry(path: Path) -> ManifestEntry:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
            return ManifestEntry(sha256=digest.hexdigest(), size_bytes=file.tell())
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error


def _write(folder: Path, manifest: Manifest) -> None:
    atomic.write_text(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
