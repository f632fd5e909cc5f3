"""The layer contract of pyproject.toml holds: data flows one way. docs/structure.md names every file, by its layers."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
PACKAGE = PurePosixPath("src/scorekit")
NAMED_BY_FILE = (".py", ".js")
"""Modules: within the package and Hydra's plugins no name of a folder stands for them."""
NO_SHORTER = {"src/", "src/hydra_plugins/", "benchmarks/", "scripts/", "tests/"}
"""Folders whose names alone tell nothing of what is in them."""
PYTESTS = ("__init__.py", "__main__.py", "conftest.py")


def page() -> str:
    return (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")


def test_import_contracts_hold() -> None:
    # Beside this interpreter and in a process of its own: import-linter's cache must not see the tests' imports.
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_is_on_the_map() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"`([^`\n]+)`", page()))
    for name in filter(None, listed.split("\0")):
        path = PurePosixPath(name)
        if path.name in PYTESTS or not (ROOT / name).exists():
            continue
        places = {name} if _is_module(path) else {name, *(f"{folder}/" for folder in path.parents)} - NO_SHORTER
        if path.is_relative_to(PACKAGE):
            places |= {place.removeprefix(f"{PACKAGE}/") for place in places}
        assert places & named, f"docs/structure.md does not tell what {name} is for"


def _is_module(path: PurePosixPath) -> bool:
    return path.parts[0] == "src" and path.suffix in NAMED_BY_FILE


def test_every_file_on_the_map_is_there() -> None:
    beside_us = {"scorekit/configs"}
    for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", page()):
        if name not in beside_us and ("/" in name or name.endswith(".py")):
            assert (ROOT / PACKAGE / name).exists() or (ROOT / name).exists(), f"{name} is gone"


def test_the_map_has_the_order_of_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (flow,) = (contract for contract in contracts if contract["id"] == "flow")
    layer_of = {name.strip(): number for number, layer in enumerate(flow["layers"]) for name in layer.split("|")}
    table = page().partition("| layer | module")[2].partition("\n\n")[0]
    modules = [PurePosixPath(name) for name in re.findall(r"^\|[^|]*\| `([^`]+)` \|", table, re.MULTILINE)]
    layers = [layer_of[module.parts[0].removesuffix(".py")] for module in modules]
    assert layers == sorted(layers)
    assert set(layers) == set(layer_of.values())
