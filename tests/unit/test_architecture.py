"""The layer contract of pyproject.toml holds: data flows one way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_import_contracts_hold() -> None:
    # Beside this interpreter and in a process of its own: import-linter's cache must not see the tests' imports.
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_is_on_the_map() -> None:
    page = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "scorekit"
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if path.name != "__init__.py" and name != "__main__.py":
            assert f"`{name}`" in page, f"docs/structure.md does not tell what {name} is for"


def test_every_script_benchmark_and_all_that_tests_share_is_on_the_map() -> None:
    page = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "benchmarks", "scripts", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        folder, _, below = name.partition("/")
        first, is_folder, _ = below.partition("/")
        if first in ("__init__.py", "conftest.py") or first.startswith("test_"):
            continue
        place = f"{folder}/{first}{is_folder}"
        assert f"`{place}`" in page, f"docs/structure.md does not tell what {place} is for"


def test_every_file_on_the_map_is_there() -> None:
    import re

    page = (ROOT / "docs" / "structure.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "scorekit"
    for name in re.findall(r"`([a-z_/0-9]+\.py)`", page):
        assert (source / name).is_file() or (ROOT / name).is_file(), f"{name} is gone"
