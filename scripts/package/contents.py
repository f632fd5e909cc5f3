"""What wheel and sdist must hold, to the last file, and what they say of themselves."""

from __future__ import annotations

import email.message
import email.parser
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from markdown_it import MarkdownIt
from scripts.package.building import ROOT, Built

from scorekit import __version__

PACKAGES: Final = ("src/scorekit/", "src/hydra_plugins/")
CONFIGS: Final = "configs/"
IN_SDIST: Final = (*PACKAGES, CONFIGS, "CHANGELOG.md", "CITATION.cff", "LICENSE", "NOTICE", "README.md", "constraints")
"""How the paths of files begin that come into the sdist, beside its settings and its metadata."""
INFO: Final = f"scorekit-{__version__}.dist-info/"
NEEDED: Final = (
    "scorekit/py.typed",
    "scorekit/configs/energy_star/text_generation.yaml",
    "scorekit/publish/charts/geometry/world.json",
    "scorekit/publish/charts/licences/vega.txt",
    "scorekit/publish/label/fonts/Inter-Bold.ttf",
    "scorekit/publish/label/fonts/OFL.txt",
    "scorekit/publish/site/assets/charts.js",
    "scorekit/publish/site/templates/home.html",
    "scorekit/portal/web/templates/desk_editions.html",
    f"{INFO}licenses/LICENSE",
    f"{INFO}licenses/NOTICE",
    f"{INFO}licenses/src/scorekit/publish/label/fonts/OFL.txt",
)
"""One of each kind of file that is no code."""


def in_wheel(tracked: list[str]) -> set[str]:
    """The files of the wheel that tracked files make, each where it stands there, and those of its metadata."""
    settings = _settings()
    made = {name.removeprefix("src/") for name in tracked if name.startswith(PACKAGES)}
    made |= {f"scorekit/{name}" for name in tracked if name.startswith(CONFIGS)}
    made |= {f"{INFO}{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    return made | {f"{INFO}licenses/{name}" for name in settings["license-files"]}


def in_sdist(tracked: list[str]) -> set[str]:
    """The files of the sdist."""
    return {name for name in tracked if name.startswith(IN_SDIST)} | {".gitignore", "PKG-INFO", "pyproject.toml"}


def judge(built: Built, again: Built, tracked: list[str], places: list[Path]) -> Iterator[str]:
    """What is wrong with what was built.

    Args:
        built: of the tracked files.
        again: of the sdist of that.
        tracked: their paths.
        places: folders of this machine, which nothing may name.
    """
    wheel, sdist = of_wheel(built.wheel), of_sdist(built.sdist)
    yield from _differences("the wheel", set(wheel), in_wheel(tracked))
    yield from _differences("the sdist", set(sdist), in_sdist(tracked))
    yield from (f"the wheel lacks {name}" for name in NEEDED if name not in wheel)
    for first, second, what in ((built.wheel, again.wheel, "wheel"), (built.sdist, again.sdist, "sdist")):
        if first.name != second.name or first.read_bytes() != second.read_bytes():
            yield f"the {what} that is built out of the sdist is another one than that of the repository"
    for name, content in {**sdist, **wheel}.items():
        named = [place for place in places if names(content, place)]
        yield from (f"{name} names {place}, a folder of this machine" for place in named)
    yield from judge_metadata(wheel.get(f"{INFO}METADATA", b"").decode("utf-8"))
    yield from _twine(built)


def names(content: bytes, place: Path) -> bool:
    """Whether a folder of this machine stands in a text, and not only as a part of other names: /app in /appending."""
    return re.search(rb"(?<![\w.-])" + re.escape(os.fsencode(place)) + rb"(?![\w-])", content) is not None


def judge_metadata(text: str) -> Iterator[str]:
    """What is wrong with the wheel's METADATA."""
    settings = _settings()
    told = email.parser.Parser().parsestr(text)
    expected = {
        "Name": "scorekit",
        "Version": __version__,
        "Requires-Python": settings["requires-python"],
        "License-Expression": settings["license"],
        "Description-Content-Type": "text/markdown",
    }
    for key, value in expected.items():
        if told[key] != value:
            yield f"METADATA says {key}: {told[key]}, expected {value}"
    if "Typing :: Typed" not in told.get_all("Classifier", []):
        yield "METADATA does not say that scorekit is typed"
    if set(told.get_all("Provides-Extra", [])) != set(settings["optional-dependencies"]):
        yield "METADATA has other extras than pyproject.toml"
    yield from _judge_readme(told)


def _judge_readme(told: email.message.Message) -> Iterator[str]:
    """Whether the README shows as it is meant to, by the rules of CommonMark with tables."""
    payload = told.get_payload()
    shown = MarkdownIt("commonmark").enable("table").render(payload if isinstance(payload, str) else "")
    words = re.sub(r"<pre>.*?</pre>|<code>.*?</code>", "", shown, flags=re.DOTALL)
    if not shown.startswith("<h1>scorekit</h1>"):
        yield "the README in METADATA does not begin with its heading"
    if "```" in words or re.search(r"<p>(?:#+ |\|)", words):
        yield "the README in METADATA has a block or heading that is not shown as one"


def of_wheel(path: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def of_sdist(path: Path) -> dict[str, bytes]:
    """The files of an sdist, without the folder that they all lie in."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is not None:
                found[member.name.partition("/")[2]] = file.read()
    return found


def _differences(what: str, found: set[str], expected: set[str]) -> Iterator[str]:
    yield from (f"{what} has {name}, which is not expected" for name in sorted(found - expected))
    yield from (f"{what} lacks {name}" for name in sorted(expected - found))


def _twine(built: Built) -> Iterator[str]:
    command = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", str(built.sdist), str(built.wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"twine check: {(done.stdout + done.stderr).strip()}"


def _settings() -> Mapping[str, Any]:
    found: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found
