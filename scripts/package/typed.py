"""Whether a user's program is checked against the types of an installed scorekit."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.package.installing import Environment

PROGRAM: Final = '''"""A user's program; the last line is wrong."""

from scorekit import units
from scorekit.errors import MissingExtraError, ScorekitError


def told(error: ScorekitError) -> str:
    return error.extra if isinstance(error, MissingExtraError) else str(error)


energy_wh: float = units.kwh_to_wh(0.035)
name: str = units.kwh_to_wh(0.035)
'''


def judge(environment: Environment, work: Path) -> Iterator[str]:
    """What mypy does not see of the installed package; run from this environment, over that one's packages."""
    program = work / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "", "--cache-dir"]
    done = subprocess.run(
        [*command, str(work / "mypy"), "--python-executable", str(environment.python), program.name],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    last = PROGRAM.count("\n")
    told = rf"program\.py:{last}: error: Incompatible types in assignment .*\[assignment\]"
    if not re.fullmatch(told, done.stdout.strip()):
        yield f"mypy over a user's program, of which the last line alone is wrong, said: {done.stdout}{done.stderr}"
