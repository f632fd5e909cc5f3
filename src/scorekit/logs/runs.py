"""Run folders of our own: where they are below a folder, and what is told where one was expected and is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from scorekit import bundle
from scorekit.errors import LogError
from scorekit.logs import run_bundle
from scorekit.records import Score, Validity

DESCRIPTION: Final = f"a run folder of scorekit ({bundle.WINDOWS}, {bundle.ENVIRONMENT}, {bundle.MANIFEST})"
_MOST_NAMED: Final = 5
_OPTIMUM_BENCHMARK_FILES: Final = (bundle.REPORT, bundle.BENCHMARK, bundle.CONFIG, "experiment_config.json")


def require_run(path: Path) -> None:
    """Make sure that a path is a run folder, whole or broken.

    Raises:
        LogError: it is not; says what was expected, and which runs lie below it.
    """
    if not path.exists():
        raise LogError(f"there is no {path}", mend="give the folder of a run, as `scorekit bench` printed it")
    if not path.is_dir():
        raise LogError(f"{path} is a file; expected the folder of a run", mend=f"give the folder: {path.parent}")
    if run_bundle.recognises(path):
        return
    if below := find_runs(path):
        named = ", ".join(map(str, below[:_MOST_NAMED]))
        more = f" and {len(below) - _MOST_NAMED} more" if len(below) > _MOST_NAMED else ""
        raise LogError(f"{path} is no run; below it are: {named}{more}", mend="give the folders of the runs themselves")
    if any((path / name).is_file() for name in _OPTIMUM_BENCHMARK_FILES):
        raise LogError(
            f"{path} looks like a folder of optimum-benchmark itself: it has no {bundle.WINDOWS}, so nothing can be "
            "checked",
            mend=f"scorekit parse {path} reads it as the log that it is; or measure with `scorekit bench`, which takes "
            "the same config files",
        )
    raise LogError(
        f"{path} is no run: it has no {bundle.WINDOWS}; expected {DESCRIPTION}",
        mend="give the folder of a run, or a folder with runs below it",
    )


def read_score(path: Path, allow_invalid: bool = False) -> Score:
    """The score of one run folder.

    Args:
        path: the folder.
        allow_invalid: score it in spite of failed checks; the score says so.

    Raises:
        LogError: the folder is no run, or a file of it is not what it claims to be.
        BundleError: the run did not end, or its files are not those that were measured.
        InvalidRunError: the run fails a check or breaks a rule, and is not scored.
    """
    require_run(path)
    return run_bundle.read_score(path, allow_invalid)


def read_validity(path: Path) -> Validity:
    """The checks of one run folder.

    Raises:
        LogError: the folder is no run, or a file of it is not what it claims to be.
        BundleError: the run did not end, or its files are not those that were measured.
    """
    require_run(path)
    return run_bundle.read_validity(path)


def find_runs(path: Path) -> list[Path]:
    """Run folders at or below `path`, sorted by name; links to folders are not followed.

    Runs that did not end are among them: whoever reads them is told why they are refused.
    """
    if not path.is_dir():
        return []
    found = []
    for root, folders, _ in os.walk(path):
        folder = Path(root)
        if run_bundle.recognises(folder):
            found.append(folder)
            folders.clear()
    return sorted(found)
