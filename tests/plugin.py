"""Distributions with entry points, made visible to this process as pip would: by a dist-info folder on its path."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "scorekit_example_plugin"
PACKAGE = "scorekit_example_plugin"

EntryPoints = Mapping[str, Mapping[str, str]]
"""By group, name and value."""


def install(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    entry_points: EntryPoints,
    modules: Mapping[str, str] | None = None,
    version: str = "0.1.0",
) -> Path:
    """Put a distribution on the path until the test ends; returns its dist-info folder.

    Args:
        folder: where it lies.
        monkeypatch: of the test.
        name: of the distribution.
        entry_points: what it brings.
        modules: source by name of the module; each name must be used by one test only.
        version: of the distribution.
    """
    info = write(folder, name, entry_points, version)
    for module, source in (modules or {}).items():
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
        # What is imported meanwhile is forgotten with the test.
        monkeypatch.setitem(sys.modules, module, None)
        del sys.modules[module]
    monkeypatch.syspath_prepend(str(folder))
    return info


def write(folder: Path, name: str, entry_points: EntryPoints, version: str = "0.1.0") -> Path:
    """Write what pip writes of a distribution; returns its dist-info folder."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in own.items())
        for group, own in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    return info


def example() -> tuple[str, EntryPoints, str]:
    """Name, entry points and version of the example of docs/extending.md."""
    told = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return told["name"], told["entry-points"], told["version"]


def install_example(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the example of docs/extending.md on the path until the test ends."""
    name, entry_points, version = example()
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    install(folder, monkeypatch, name, entry_points, version=version)


def imported() -> set[str]:
    """Modules of the example that this process has imported."""
    return {name for name in sys.modules if name.partition(".")[0] == PACKAGE}


def forget() -> None:
    """Forget what was imported of the example."""
    for name in imported():
        del sys.modules[name]
