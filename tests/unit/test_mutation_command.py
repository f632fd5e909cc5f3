"""What `make mutation` and `make coverage` make of what their tools tell."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import Any

from scripts import coverage
from scripts.mutation import __main__ as mutation

ROOT = Path(__file__).parents[2]


def test_a_survivor_is_known_by_what_was_changed_and_not_by_its_number() -> None:
    diff = "--- a\n+++ a\n@@ -1,3 +1,3 @@\n def f(a):\n-    return a < 1\n+    return a <= 1\n"
    found = mutation.of_diff("scorekit.units.f", diff)
    assert found == mutation.Survivor("scorekit.units.f", "return a < 1", "return a <= 1")
    assert mutation.known(f"# Page\n\n## Why\n\n{found.line()}\n") == {found: "Why"}


def test_every_line_of_the_page_of_survivors_can_be_read_and_has_its_reason() -> None:
    page = mutation.PAGE.read_text(encoding="utf-8")
    found = mutation.known(page)
    assert len(found) == sum(line.startswith("- ") for line in page.splitlines())
    assert all(found.values())


def test_a_change_that_no_test_has_run_is_open() -> None:
    told = ("killed", "timeout", "survived", "no tests", "not checked", "segfault", "suspicious", "skipped")
    found = mutation.undecided((f"m.{status}", status, ROOT) for status in told)
    assert found == ["- m.no tests: no tests", "- m.not checked: not checked", "- m.segfault: segfault",
                     "- m.skipped: skipped", "- m.suspicious: suspicious"]  # fmt: skip


def mutmut_options() -> dict[str, Any]:
    options: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    return options


def test_all_that_the_tests_of_mutants_import_is_copied_for_them() -> None:
    options = mutmut_options()
    tests = {"tests", *options["also_copy"]}
    assert tests <= set(mutation.COPIED)
    folders = {path.name for path in ROOT.iterdir() if any(path.glob("*.py")) or any(path.glob("*/__init__.py"))}
    assert {"tests", "scripts", "benchmarks"} <= folders
    imported = set()
    for name in options["pytest_add_cli_args_test_selection"]:
        found = ROOT / name
        for path in found.rglob("*.py") if found.is_dir() else [found]:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.module is not None:
                    imported.add(node.module.partition(".")[0])
                elif isinstance(node, ast.Import):
                    imported.update(alias.name.partition(".")[0] for alias in node.names)
    assert imported & folders <= tests
    assert "benchmarks" in imported


def test_the_pure_middle_is_what_the_contract_names() -> None:
    middle = coverage.pure_middle(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    for name in middle:
        path = ROOT / "src" / Path(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), f"{name} is gone"
    assert coverage.belongs("scorekit.logs.foreign.faults", middle)
    assert not coverage.belongs("scorekit.logs_of_others", middle)
    assert not coverage.belongs("scorekit.measuring.windows", middle)


def test_a_module_without_branches_lacks_none() -> None:
    assert coverage.Row("a", 0, 0, (), ()).percent == 100.0
    assert coverage.Row("a", 8, 6, (), ()).percent == 75.0
