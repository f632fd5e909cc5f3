"""Wheel and sdist of the tracked files and nothing else, built twice: from them, and again out of the sdist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        sdist, wheel: the files.
    """

    sdist: Path
    wheel: Path


def tracked() -> list[str]:
    """The files that git knows and that are there, as paths below the repository's root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def epoch_s() -> str:
    """The time of the last commit, which the files within wheel and sdist get."""
    told = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return told.strip()


def copy(folder: Path) -> Path:
    """The tracked files in a new folder."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def build(source: Path, target: Path) -> Built:
    """An sdist and a wheel of a folder, without a network: the build backend is the one of this environment.

    Raises:
        RuntimeError: it cannot be built, with what was said.
    """
    target.mkdir(parents=True)
    command = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", str(target)]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": epoch_s()}
    # Of the folder of this repository nothing is to be found by accident.
    environ.pop("PYTHONPATH", None)
    done = subprocess.run([*command, str(source)], cwd=target, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the build failed:\n{(done.stdout + done.stderr)[-8000:]}")
    (sdist,), (wheel,) = target.glob("*.tar.gz"), target.glob("*.whl")
    return Built(sdist, wheel)


def unpacked(sdist: Path, folder: Path) -> Path:
    """The folder that an sdist holds."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (found,) = folder.iterdir()
    return found
