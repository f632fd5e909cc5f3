"""The registry of log formats: which reader understands a folder, and where the runs below a folder are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit import bundle
from scorekit.errors import LogError
from scorekit.logs import run_bundle
from scorekit.records import Score, Validity

_OPTIMUM_BENCHMARK_FILES: Final = (bundle.REPORT, bundle.BENCHMARK, bundle.CONFIG, "experiment_config.json")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one log format.

    Attributes:
        format: name and version of the format, as the score's provenance gives it.
        description: what a folder of this format is, for messages.
        recognises: whether a folder claims to be of this format; cheap, and true for broken ones too, so that
            the reader itself can say what is wrong.
        read: the score of a folder, in spite of failed checks if told so. Raises LogError, BundleError or
            InvalidRunError.
        check: the checks of a folder. Raises LogError or BundleError.
    """

    format: str
    description: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, bool], Score]
    check: Callable[[Path], Validity]


READERS: Final[tuple[Reader, ...]] = (
    Reader(
        format=run_bundle.FORMAT,
        description=f"a run folder of scorekit ({bundle.WINDOWS}, {bundle.ENVIRONMENT}, {bundle.MANIFEST})",
        recognises=run_bundle.recognises,
        read=run_bundle.read_score,
        check=run_bundle.read_validity,
    ),
)
"""All readers, in the order in which they are asked."""


def detect(path: Path) -> Reader:
    """The reader for a folder.

    Raises:
        LogError: nothing is there, or no reader knows it; says what was expected.
    """
    if not path.exists():
        raise LogError(f"there is no {path}", mend="give the folder of a run, as `scorekit bench` printed it")
    if not path.is_dir():
        raise LogError(f"{path} is a file; expected the folder of a run", mend=f"give the folder: {path.parent}")
    for reader in READERS:
        if reader.recognises(path):
            return reader
    if any((path / name).is_file() for name in _OPTIMUM_BENCHMARK_FILES):
        raise LogError(
            f"{path} looks like a folder of optimum-benchmark itself: it has no {bundle.WINDOWS}, "
            "and logs of other tools cannot be read yet",
            mend="measure with `scorekit bench`, which takes the same config files",
        )
    raise LogError(
        f"{path} is no run: it has no {bundle.WINDOWS}; "
        f"expected {' or '.join(reader.description for reader in READERS)}",
        mend="give the folder of a run, or a folder with runs below it",
    )


def read_score(path: Path, allow_invalid: bool = False) -> Score:
    """The score of one run folder of any known format.

    Args:
        path: the folder.
        allow_invalid: score it in spite of failed checks; the score says so.

    Raises:
        LogError: the folder is not a log that can be read.
        BundleError: the run did not end, or its files are not those that were measured.
        InvalidRunError: the run fails a check or breaks a rule, and is not scored.
    """
    return detect(path).read(path, allow_invalid)


def read_validity(path: Path) -> Validity:
    """The checks of one run folder of any known format.

    Raises:
        LogError: the folder is not a log that can be read.
        BundleError: the run did not end, or its files are not those that were measured.
    """
    return detect(path).check(path)


def find_runs(path: Path) -> list[Path]:
    """Run folders at or below `path`, sorted by name; links to folders are not followed.

    Runs that did not end are among them: whoever reads them is told why they are refused.
    """
    if not path.is_dir():
        return []
    found = []
    for root, folders, _ in os.walk(path):
        folder = Path(root)
        if any(reader.recognises(folder) for reader in READERS):
            found.append(folder)
            folders.clear()
    return sorted(found)
