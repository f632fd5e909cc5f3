"""A fresh environment with the wheel and what it needs, without extras; how commands are run in one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.image.building import why_unavailable
from scripts.image.engine import Ended, UnavailableError
from scripts.package.building import ROOT

PATIENCE_S: Final = 600.0
_TRIES: Final = 3
_PIP: Final = ("-m", "pip", "--disable-pip-version-check", "--no-input")
_TYPED: Final = """
import contextlib, io, json, sys
from scorekit import cli

def text():
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)

ended = []
for command in json.loads(sys.argv[1]):
    out, err = text(), text()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(command)
    ended.append([code, *(told.buffer.getvalue().decode("utf-8", "replace") for told in (out, err))])
print(json.dumps(ended))
"""
_CUT: Final = ("unshare", "--map-root-user", "--net")


@dataclass(frozen=True)
class Environment:
    """An environment with scorekit in it.

    Attributes:
        python: its interpreter, as a command knows it.
        folder: an empty folder in which commands run.
        prefix: what stands before every command: what cuts the network off, or leads into another root.
        packages: distributions that came with scorekit, and their versions.
        size_bytes: of all files in it.
        sha256: of each distribution's file, as pip downloaded it.
    """

    python: Path
    folder: Path
    prefix: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    sha256: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> Ended:
        """Run its Python with arguments, without variables that would bring something else in."""
        left_out = ("HF_", "PIP_", "PYTHON", "SCOREKIT")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        done = subprocess.run(
            [*self.prefix, str(self.python), *arguments],
            cwd=self.folder,
            # With a token it is the missing package that a command of the portal tells.
            env={**kept, "COLUMNS": "120", "SCOREKIT_TOKEN": "none"},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def scorekit(self, *arguments: str) -> Ended:
        """Run the command line."""
        return self.run("-m", "scorekit", *arguments)

    def typed(self, *commands: Sequence[str]) -> list[Ended]:
        """Run command lines one after the other in one process, which saves the seconds that its imports take.

        Raises:
            RuntimeError: that process ended otherwise than by its end, with what it said.
        """
        ended = self.run("-c", _TYPED, json.dumps(commands))
        if ended.code:
            raise RuntimeError(f"scorekit's commands broke the process that they ran in:\n{ended.told[-4000:]}")
        return [Ended(*one) for one in json.loads(ended.out)]


def make(folder: Path, wheel: Path) -> Environment:
    """An environment of this Python in a new folder, with a wheel, as `pip install -c constraints.txt` makes it.

    Raises:
        RuntimeError: pip cannot install it, with what was said.
        UnavailableError: the source of packages is out of reach.
    """
    venv.EnvBuilder(symlinks=True).create(folder)
    return install(folder, wheel, ("-c", str(ROOT / "constraints.txt")))


def install(folder: Path, wheel: Path, constraints: Sequence[str]) -> Environment:
    """A wheel and what it needs, in an environment that holds nothing, not even pip: the pip is this environment's.

    Raises:
        RuntimeError: pip cannot install it, with what was said.
        UnavailableError: the source of packages is out of reach.
    """
    python = folder / "bin" / "python"
    report = folder.with_name(f"{folder.name}-report.json")
    how = ("--quiet", "--no-compile", "--report", str(report), *constraints)
    pip("--python", str(python), "install", *how, str(wheel))
    installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    empty = folder.with_name(f"{folder.name}-empty")
    empty.mkdir()
    return Environment(
        python,
        empty,
        cut(),
        {one["metadata"]["name"]: one["metadata"]["version"] for one in installed},
        sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()),
        {one["metadata"]["name"]: _sha256(one) for one in installed if _sha256(one)},
    )


def pip(*arguments: str) -> str:
    """Run this environment's pip; a source of packages that does not answer is asked again. Gives what it printed.

    Raises:
        RuntimeError: it failed, with what was said.
        UnavailableError: the source of packages is out of reach.
    """
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environ |= {"PIP_RETRIES": "10", "PIP_TIMEOUT": "60"}
    reason = said = ""
    for _ in range(_TRIES):
        done = subprocess.run(
            [sys.executable, *_PIP, *arguments], env=environ, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        if not done.returncode:
            return done.stdout
        found = why_unavailable(said)
        if found is None:
            raise RuntimeError(f"pip failed: {' '.join(arguments)}\n{said[-4000:]}")
        reason = found
    raise UnavailableError(f"{reason}\n{said[-4000:]}")


def judge(environment: Environment) -> Sequence[str]:
    """What pip finds broken in an environment."""
    try:
        pip("--python", str(environment.python), "check")
    except RuntimeError as error:
        return [str(error)]
    return []


def cut() -> tuple[str, ...]:
    """What cuts the network off from a command; nothing where this machine cannot."""
    command = ("unshare", "--net") if os.geteuid() == 0 else _CUT
    if shutil.which("unshare") is None:
        return ()
    return () if subprocess.run([*command, "true"], capture_output=True, check=False).returncode else command


def _sha256(installed: Mapping[str, Any]) -> str | None:
    archive = installed["download_info"].get("archive_info", {})
    found: str | None = archive.get("hashes", {}).get("sha256")
    if found is None and (named := re.fullmatch(r"sha256=([0-9a-f]{64})", archive.get("hash", ""))):
        return named[1]
    return found
