"""Peers that lie beside the environment, not in it, fetched with pip the first time: below .cache.

- Zeus: a folder to put behind the other packages, without amdsmi.
- ai_energy_benchmarks: an environment of its own, with its own interpreter and commands. What it needs and scorekit's
  environment has too is taken from there, so that both run on the same versions of the same libraries.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from benchmarks.program import CACHE

ZEUS: Final = "0.16.0"
AI_ENERGY_BENCHMARKS: Final = "0.0.7"
_ZEUS_FOLDER: Final = CACHE / f"zeus-{ZEUS}"
_AI_FOLDER: Final = CACHE / f"ai_energy_benchmarks-{AI_ENERGY_BENCHMARKS}"
# All else that Zeus's monitor imports is in scorekit's own environment.
_ZEUS_PACKAGES: Final = (f"zeus=={ZEUS}", "httpx>=0.27", "httpcore>=1")
_READY: Final = "ready"

Say = Callable[[str], None]


def versions() -> dict[str, str | None]:
    """The version of each peer as it lies here; None for one that was not fetched, or not wholly."""
    own = _AI_FOLDER.glob("lib/*/site-packages") if (_AI_FOLDER / _READY).exists() else ()
    return {
        "zeus": _version("zeus", [_ZEUS_FOLDER], environment=True),
        "ai_energy_benchmarks": _version("ai_energy_benchmarks", own),
    }


def _version(name: str, folders: Iterable[Path], *, environment: bool = False) -> str | None:
    places = [str(folder) for folder in folders]
    found = importlib.metadata.distributions(name=name, path=[*(sys.path if environment else ()), *places])
    return next((one.version for one in found), None)


@functools.cache
def zeus_folder(say: Say) -> Path | None:
    """A folder to put behind the other packages, in which Zeus lies.

    Returns:
        None when it cannot be fetched.
    """
    if importlib.util.find_spec("zeus") is not None and importlib.util.find_spec("httpx") is not None:
        return _ZEUS_FOLDER
    if not (_ZEUS_FOLDER / "zeus").is_dir():
        fetched = _pip(say, f"Zeus {ZEUS}", sys.executable, "--no-deps", "--target", str(_ZEUS_FOLDER), *_ZEUS_PACKAGES)
        return _ZEUS_FOLDER if fetched else None
    return _ZEUS_FOLDER


@functools.cache
def ai_energy_benchmarks(say: Say) -> Path | None:
    """The folder of the interpreter and commands of its environment.

    Returns:
        None when it cannot be fetched.
    """
    programs = _AI_FOLDER / "bin"
    if not (_AI_FOLDER / _READY).exists():
        venv.create(_AI_FOLDER, clear=True, with_pip=True)
        python = programs / "python"
        # Found behind its own packages, as pip finds them too: it installs only what is not there.
        own = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        (Path(own) / "shared.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        package = f"ai_energy_benchmarks=={AI_ENERGY_BENCHMARKS}"
        if not _pip(say, f"ai_energy_benchmarks {AI_ENERGY_BENCHMARKS}", str(python), package):
            return None
        (_AI_FOLDER / _READY).touch()
    return programs


def _pip(say: Say, what: str, python: str, *words: str) -> bool:
    say(f"fetching {what} ...")
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", *words], capture_output=True, text=True)
    if done.returncode:
        say(f"{what} is left out, for pip could not fetch it:\n{done.stderr.strip()}")
    return not done.returncode
