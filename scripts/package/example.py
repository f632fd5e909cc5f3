"""The example of docs/extending.md, built and installed as its page says, beside a scorekit without extras."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.package.behaviour import expect
from scripts.package.building import ROOT, build
from scripts.package.installing import Environment, pip

EXAMPLE: Final = Path("examples", "scorekit_example_plugin")


def judge(environment: Environment, work: Path) -> Iterator[str]:
    """What does not build, cannot be installed, or is not found by scorekit afterwards.

    Args:
        environment: scorekit's, in which the example stays.
        work: an empty folder.
    """
    source = work / "example"
    shutil.copytree(ROOT / EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__"))
    told = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = sorted(name for names in told["entry-points"].values() for name in names)
    try:
        wheel = build(source, work / "example-built").wheel
        pip("--python", str(environment.python), "install", "--quiet", "--no-index", "--no-deps", str(wheel))
    except RuntimeError as error:
        yield f"the example of a plugin: {error}"
        return
    ended = environment.scorekit("doctor", "--json")
    # Its code tells whether a run is possible, which it is not without extras.
    yield from expect("scorekit doctor with a plugin", ended, ended.code, '"plugins"')
    try:
        listed = json.loads(ended.out)["machine"]["plugins"]
    except ValueError:
        return
    found = {one["name"]: one["problem"] for one in listed if one["distribution"] == told["name"]}
    for name in brought:
        if (problem := found.get(name, "scorekit does not find it")) is not None:
            yield f"the example of a plugin: {name}: {problem}"
