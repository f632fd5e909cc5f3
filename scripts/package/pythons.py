"""Other versions of Python, each in the Debian or Ubuntu that has it, and what can be installed on which."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.image.engine import UnavailableError
from scripts.package import installing
from scripts.package.building import ROOT
from scripts.package.installing import Environment, pip

SYSTEMS: Final = {"3.12": ("noble", "gutsy"), "3.13": ("trixie", "trixie")}
"""For each version the release of Ubuntu or Debian whose Python it is, and debootstrap's script for it."""
OLDEST: Final = 11
"""The minor version of Python 3 that scorekit needs at least."""
NEEDED: Final = ("debootstrap", "unshare", "chroot")
_PURE: Final = "antlr4-python3-runtime"
"""What Hydra needs, and PyPI has as source alone; its wheel is for every Python."""

# With a /proc and /dev, and without a network.
_ENTER: Final = """
mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" /usr/bin/env -C /trial "$@"
"""


def make(version: str, work: Path, wheel: Path) -> Environment:
    """An environment of another Python, in a system of its own, with a wheel and what it needs, without extras.

    Raises:
        UnavailableError: that Python cannot be had here.
        RuntimeError: what scorekit needs cannot be installed on it.
    """
    if version not in SYSTEMS:
        raise UnavailableError(f"no system is known that has Python {version}; known: {', '.join(SYSTEMS)}")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if os.geteuid() or missing:
        why = f"; not installed: {', '.join(missing)}" if missing else ""
        raise UnavailableError(f"Python {version} comes by debootstrap, and only root can{why}")
    wheels, root = work / "wheels", work / "root"
    wheels.mkdir(parents=True)
    pip("download", "--quiet", *_for(version), "--dest", str(wheels), "pip", str(wheel))
    suite, script = SYSTEMS[version]
    command = ["debootstrap", "--variant=minbase", "--include=python3", suite, str(root), "", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"debootstrap cannot make {suite}: {(done.stdout + done.stderr).strip()[-500:]}")
    shutil.copytree(wheels, root / "wheels")
    (root / "trial").mkdir()
    prefix = ("unshare", "--mount", "--net", "sh", "-c", _ENTER, str(root))
    bare = Environment(Path("/usr/bin/python3"), root / "trial", prefix)
    told = bare.run("-c", "import sys; print('{}.{}'.format(*sys.version_info))")
    if told.out.strip() != version:
        raise UnavailableError(f"{suite} has Python {told.out.strip() or told.err.strip()}, expected {version}")
    (installer,) = (path.name for path in wheels.glob("pip-*.whl"))
    made = bare.run("-m", "venv", "--without-pip", "/env")
    there = Environment(Path("/env/bin/python"), root / "trial", prefix)
    with_pip = (f"/wheels/{installer}/pip", "--disable-pip-version-check")
    ended = there.run(*with_pip, "install", "--quiet", "--no-index", "--find-links", "/wheels", f"/wheels/{wheel.name}")
    if made.code or ended.code:
        raise RuntimeError(f"scorekit cannot be installed on Python {version}:\n{made.told}{ended.told}")
    checked = there.run(*with_pip, "check")
    if checked.code:
        raise RuntimeError(f"pip check on Python {version}: {checked.told}")
    listed = json.loads(there.run(*with_pip, "list", "--format", "json").out)
    return Environment(
        there.python,
        there.folder,
        prefix,
        {one["name"]: one["version"] for one in listed},
        sum(path.lstat().st_size for path in (root / "env").rglob("*") if path.is_file()),
    )


def of(interpreter: Path, work: Path, wheel: Path) -> Environment:
    """The same of a Python that is installed here, in an environment of its own; also without a network.

    Raises:
        UnavailableError: it makes no environment, or the source of packages is out of reach.
        RuntimeError: what scorekit needs cannot be installed on it.
    """
    work.mkdir(parents=True)
    command = [str(interpreter), "-m", "venv", "--without-pip", str(work / "env")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{interpreter} makes no environment: {(done.stdout + done.stderr).strip()[-500:]}")
    # What is newest for that Python, as in another system: the constraints are for 3.11.
    environment = installing.install(work / "env", wheel, ())
    if faults := installing.judge(environment):
        raise RuntimeError(f"pip check on {interpreter}: {'; '.join(faults)}")
    return environment


def version_of(interpreter: Path) -> str:
    """Major and minor version of a Python that is installed here.

    Raises:
        UnavailableError: it is none, or is older than what scorekit needs.
    """
    command = [str(interpreter), "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise UnavailableError(f"{interpreter} cannot be run: {error.strerror}") from None
    found = done.stdout.strip()
    if not re.fullmatch(r"3\.\d+", found) or int(found.removeprefix("3.")) < OLDEST:
        told = found or done.stderr.strip()[-300:]
        raise UnavailableError(f"{interpreter} is not a Python from 3.{OLDEST} on: {told}")
    return found


def extras() -> list[str]:
    """The extras that users install."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return [name for name in told if name not in ("dev", "docs", "mutation", "release")]


def installable(version: str, work: Path, wheel: Path) -> Iterator[tuple[str, str | None]]:
    """For no extra and for each: its name, and why pip cannot install it on a Python; None where it can.

    Only wheels count, for compilers are not everybody's; nothing is installed, and little downloaded.
    """
    wheels = work / "pure"
    pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), "-c", str(ROOT / "constraints.txt"), _PURE)
    for extra in ("", *extras()):
        wanted = f"scorekit[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
        target = ("--dry-run", "--ignore-installed", "--target", str(work / "nothing"), "--find-links", str(wheels))
        try:
            pip("install", "--quiet", *_for(version), *target, wanted)
        except RuntimeError as error:
            yield extra, str(error).strip().splitlines()[-1]
        else:
            yield extra, None


def _for(version: str) -> tuple[str, ...]:
    return ("--python-version", version, "--implementation", "cp", "--only-binary", ":all:")
