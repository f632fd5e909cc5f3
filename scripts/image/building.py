"""The image without an engine: linted, and built by buildah on a bare Debian that debootstrap makes."""

from __future__ import annotations

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from scripts.image import bare_debian
from scripts.image.engine import Buildah, Clock, UnavailableError

ROOT: Final = Path(__file__).resolve().parents[2]
BASE: Final = "localhost/base:check"
IMAGE: Final = "localhost/energy_star:check"
EXTRAS: Final = "bench,container"
"""What the smoke test needs; the other extras are installed in the environment of the tests, of the same versions."""
TOKEN: Final = "hf_Canary0Canary0Canary0Canary0Canary"
"""A secret of whoever builds and measures, which nothing may keep or tell."""
WITH_CUDA: Final = 4
"""How many times as much room the image takes where pip's source has torch with CUDA's libraries."""

_OUT_OF_REACH: Final = re.compile(
    r"(?im)^.*(?:could not (?:connect|resolve)|unable to connect|cannot initiate the connection|temporary failure"
    r"|name or service not known|connection (?:to \S+ )?(?:refused|reset|aborted|broken|failed|timed out)"
    r"|network is unreachable|no route to host|timed out|max retries exceeded|failed to fetch"
    r"|incomplete.?(?:read|download)|hash sum mismatch|http error \d{3}|4(?:0[37]|29) client error|too many requests"
    r"|remote end closed|certificate.verify.failed"
    r"|too many 5\d\d error|5\d\d:? (?:server error|service unavailable|bad gateway|gateway time)"
    r"|proxyerror|sslerror|\(from versions: none\)).*$"
)
"""What apt and pip say of a source of packages that does not answer as it should."""
_MACHINE: Final = {
    "the disk is full": re.compile(r"(?i)no space left on device|disk quota exceeded"),
    "the machine has too little memory": re.compile(
        r"(?i)cannot allocate memory|memoryerror|signal: killed|status 137"
    ),
}


def lint() -> Iterator[str]:
    hadolint = shutil.which("hadolint", path=programs_path())
    assert hadolint is not None
    done = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise UnavailableError(f"hadolint does not work on this machine: signal {-done.returncode}")
    if done.returncode:
        yield f"hadolint: {done.stdout}{done.stderr}"


def make_base(buildah: Buildah, clock: Clock, work: Path, given: Path | None) -> list[str]:
    """The image that the Dockerfile builds on: a bare Debian. Gives the volumes that a build on it needs."""
    try:
        container = buildah("from", "scratch")
        root = Path(buildah("mount", container))
    except RuntimeError as error:
        raise UnavailableError(f"buildah does not work on this machine\n{error}") from error
    volumes = []
    if given is None:
        source = bare_debian.make_source(work / "debian", installed((ROOT / "Dockerfile").read_text(encoding="utf-8")))
        clock.lap("the packages of Debian")
        bare_debian.debootstrap(root, source)
        (root / "etc/apt/sources.list").write_text(source.line("/run/debian"), encoding="ascii")
        volumes.append(f"{source.folder}:/run/debian:ro")
        clock.lap("debootstrap")
    else:
        shutil.copytree(given, root, symlinks=True, dirs_exist_ok=True, copy_function=_copy)
    for used in (*bare_debian.NEEDLESS, "var/cache/apt", "var/lib/apt/lists", "var/log"):
        shutil.rmtree(root / used, ignore_errors=True)
        (root / used).mkdir()
    try:
        # As the build will run its steps.
        buildah("run", "--isolation", "chroot", "--network", "host", container, "--", "true")
    except RuntimeError as error:
        raise UnavailableError(f"buildah runs nothing on this machine\n{error}") from error
    buildah("commit", "--quiet", "--rm", "--disable-compression", container, BASE)
    clock.lap("the base as an image")
    return volumes


def installed(dockerfile: str) -> list[str]:
    """The packages of Debian that a Dockerfile installs."""
    commands = re.findall(r"apt-get install([^&|;>]*)", dockerfile)
    return [word for command in commands for word in command.split() if word != "\\" and not word.startswith("-")]


def _copy(source: str, target: str) -> None:
    """A file with its owner; nothing for the devices of a root folder, which an engine makes anew."""
    found = os.lstat(source)
    if stat.S_ISREG(found.st_mode):
        shutil.copy2(source, target)
        os.chown(target, found.st_uid, found.st_gid)
        os.chmod(target, stat.S_IMODE(found.st_mode))


def build(buildah: Buildah, work: Path, volumes: list[str], *, full: bool) -> None:
    """Build with this machine's settings of pip, none of which is written into the image.

    Raises:
        RuntimeError: the Dockerfile cannot be built, with the end of what was said.
        UnavailableError: a source of packages is out of reach.
    """
    settings = work / "pip-settings"
    settings.mkdir()
    values: dict[str, str] = {}
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    # The environment's come first in the list, and before the files' in force.
    for key, value in re.findall(r"""(?m)^[^=]*?([\w-]+)=(['"].*['"])$""", told.stdout):
        # A list may stand in several lines.
        values.setdefault(key, " ".join(ast.literal_eval(value).split()))
    for key, value in values.items():
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if path.is_absolute() and path.is_file():
                shutil.copy2(path, settings / f"{key}-{path.name}")
                values[key] = values[key].replace(word, f"/run/pip-settings/{key}-{path.name}")
            elif path.is_absolute() and path.is_dir():
                # The links of an index may lead to folders beside it.
                shared = path.parent if word.startswith("file://") else path
                volumes = [*volumes, f"{shared}:{shared}:ro"]
    if not full:
        # pip wants the opposite of the option's name: no bytecode.
        values["no-compile"] = "no"
    text = "".join(f"{key} = {value}\n" for key, value in values.items())
    (settings / "pip.conf").write_text(f"[global]\n{text}", encoding="utf-8")
    volumes = [*volumes, f"{settings}:/run/pip-settings:ro", f"{settings / 'pip.conf'}:/etc/pip.conf:ro"]
    log = work / "build.log"
    try:
        buildah(
            *("build-using-dockerfile", "--isolation", "chroot", "--network", "host", "--layers=false"),
            *("--logfile", str(log), "--build-arg", f"BASE={BASE}", "--tag", IMAGE),
            *(() if full else ("--build-arg", f"EXTRAS={EXTRAS}")),
            *(option for volume in dict.fromkeys(volumes) for option in ("--volume", volume)),
            str(ROOT),
            # A token of whoever builds must not come in.
            environ={"HF_TOKEN": TOKEN},
        )
    except RuntimeError as error:
        said = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
        reason = why_unavailable(f"{said}\n{error}")
        if reason is not None:
            raise UnavailableError(f"{reason}\n{said[-8000:]}") from error
        raise RuntimeError(f"the build failed:\n{said[-8000:]}\n{error}") from error


def why_unavailable(said: str) -> str | None:
    """What a build that failed owes to this machine or its network; None where the fault is the Dockerfile's.

    Args:
        said: what buildah and its steps said.
    """
    step = re.split(r"(?m)^(?:\[\S+\] )?STEP ", said)[-1]
    for reason, sign in _MACHINE.items():
        if sign.search(step):
            return reason
    found = _OUT_OF_REACH.search(step)
    return None if found is None else f"a source of packages is out of reach: {found[0].strip()[:300]}"


def room() -> int:
    """How many times the room is needed that torch for the CPU needs; pip gives the image what it gave this Python."""
    names = (found.name or "" for found in metadata.distributions())
    return WITH_CUDA if any(re.match(r"(?i)nvidia[-_]cu", name) for name in names) else 1


def programs_path() -> str:
    """Where programs are looked for, those of this Python's environment first."""
    return f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
