"""A bare Debian, and a source of the few packages that are installed into it, both from what this machine's apt knows.

debootstrap and apt read all of a release's list of packages time and again, which takes them longer than the packages.
So they get a source with a list of its own: the packages that are needed, as apt has downloaded and verified them.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Final

from scripts.image.engine import UnavailableError

NEEDLESS: Final = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man")
"""Folders that Debian's own slim images do without."""
_MEND: Final = "\n  mend: apt-get update, or --base FOLDER"


@dataclass(frozen=True)
class Source:
    """A source of Debian's packages on this disk.

    Attributes:
        folder: where it is.
        codename: of the release.
    """

    folder: Path
    codename: str

    def line(self, place: str) -> str:
        """Its line for apt's sources.list, where the folder is mounted at a place."""
        return f"deb [trusted=yes] file:{place} {self.codename} main\n"


def make_source(folder: Path, wanted: Iterable[str]) -> Source:
    """A source with what a bare system of this machine's release and some packages need.

    Args:
        folder: a new one.
        wanted: names of packages that are to be installed later.

    Raises:
        UnavailableError: this machine's apt knows no such packages, or cannot download them.
    """
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = release.get("VERSION_CODENAME", "?")
    architecture = _told("dpkg", "--print-architecture").strip()
    of_list = "$(CODENAME) $(COMPONENT) $(ARCHITECTURE) $(FILENAME)"
    targets = _told("apt-get", "indextargets", "--format", of_list, "Created-By: Packages")
    lists = [line.split()[3] for line in targets.splitlines() if line.startswith(f"{codename} main {architecture} ")]
    if not lists:
        raise UnavailableError(f"no source of Debian's packages is known here{_MEND}")
    stanzas = read_list(_told("/usr/lib/apt/apt-helper", "cat-file", lists[0]))
    chosen = needed(stanzas, wanted)
    pool, index = folder / "pool", folder / f"dists/{codename}/main/binary-{architecture}"
    for made in (pool, index):
        made.mkdir(parents=True)
    listed = [stanzas[name] for name in chosen]
    versions = [f"{field(stanza, 'Package')}={field(stanza, 'Version')}" for stanza in listed]
    _told("apt-get", "-q", "download", *versions, place=pool)
    here = [re.sub(r"(?m)^Filename: .*", f"Filename: pool/{_file(stanza)}", stanza) for stanza in listed]
    (index / "Packages").write_text("\n\n".join(here) + "\n\n", encoding="utf-8")
    content = (index / "Packages").read_bytes()
    (index.parents[1] / "Release").write_text(
        f"Suite: {codename}\nCodename: {codename}\nDate: {formatdate(usegmt=True)}\n"
        f"Components: main\nArchitectures: {architecture}\nSHA256:\n"
        f" {hashlib.sha256(content).hexdigest()} {len(content)} main/binary-{architecture}/Packages\n",
        encoding="ascii",
    )
    return Source(folder, codename)


def debootstrap(root: Path, source: Source) -> None:
    """A bare Debian without manuals, as its slim images are.

    Args:
        root: an empty folder.
        source: where its packages come from.

    Raises:
        UnavailableError: debootstrap failed.
    """
    settings = root / "etc/dpkg/dpkg.cfg.d/bare"
    settings.parent.mkdir(parents=True)
    # What is installed need not outlive a power cut, as in the official images.
    excluded = "".join(f"path-exclude=/{path}/*\n" for path in NEEDLESS)
    settings.write_text(f"force-unsafe-io\n{excluded}", encoding="ascii")
    _told("debootstrap", "--no-check-gpg", "--variant=minbase", source.codename, str(root), source.folder.as_uri())


def read_list(text: str) -> dict[str, str]:
    """The stanzas of a list of packages, by name."""
    return {stanza.split("\n", 1)[0].removeprefix("Package: "): stanza for stanza in text.strip().split("\n\n")}


def field(stanza: str, name: str) -> str:
    """A field of a stanza; empty where it has none."""
    found = re.search(rf"(?m)^{name}: (.*)$", stanza)
    return found[1] if found else ""


def needed(stanzas: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """The packages of a bare system, some more, and all that they depend on.

    Of alternatives it is one that is asked for anyway, else the first that there is.

    Raises:
        UnavailableError: one that is wanted is not there.
    """
    left = [name for name, stanza in stanzas.items() if "\nPriority: required\n" in stanza]
    left += ["apt", *(name for name in ("usr-is-merged",) if name in stanzas), *wanted]
    asked, chosen = set(left), set[str]()
    while left:
        name = left.pop()
        if name in chosen:
            continue
        if name not in stanzas:
            raise UnavailableError(f"the list of packages has no {name}{_MEND}")
        chosen.add(name)
        for clause in f"{field(stanzas[name], 'Pre-Depends')},{field(stanzas[name], 'Depends')}".split(","):
            alternatives = [re.split(r"[ :(]", alternative.strip())[0] for alternative in clause.split("|")]
            # A name that only others provide is of the required ones: awk.
            there = [alternative for alternative in alternatives if alternative in stanzas]
            left += [name for name in there if name in asked][:1] or there[:1]
    return sorted(chosen)


def _file(stanza: str) -> str:
    """The name that `apt-get download` gives a package."""
    version = field(stanza, "Version").replace(":", "%3a")
    return f"{field(stanza, 'Package')}_{version}_{field(stanza, 'Architecture')}.deb"


def _told(*command: str, place: Path | None = None) -> str:
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise UnavailableError(f"{command[0]} failed: {said.splitlines()[-1] if said else 'silently'}{_MEND}\n{said}")
    return done.stdout
