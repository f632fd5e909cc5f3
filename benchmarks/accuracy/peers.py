"""Zeus for the comparison, in a folder of its own: without amdsmi, and beside the environment, not in it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ZEUS: Final = "0.16.0"
_FOLDER: Final = Path(__file__).resolve().parents[2] / ".cache" / f"zeus-{ZEUS}"
# All else that Zeus's monitor imports is in scorekit's own environment.
_PACKAGES: Final = (f"zeus=={ZEUS}", "httpx>=0.27", "httpcore>=1")


def zeus_folder(say: Callable[[str], None]) -> Path | None:
    """A folder to put behind the other packages, in which Zeus lies; the first time it is fetched with pip.

    Returns:
        None when it cannot be fetched.
    """
    if importlib.util.find_spec("zeus") is not None and importlib.util.find_spec("httpx") is not None:
        return _FOLDER
    if not (_FOLDER / "zeus").is_dir():
        say(f"fetching Zeus {ZEUS} ...")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(_FOLDER), *_PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            say(f"Zeus is left out, for pip could not fetch it:\n{done.stderr.strip()}")
            return None
    return _FOLDER
