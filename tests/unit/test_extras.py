"""What needs an extra is in it, and what needs none is not: labels as SVG and the site come with scorekit itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from scorekit.cli import EXTRAS, VERBS
from scorekit.errors import install_line

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "golden" / "generate_h100_counter"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", one)[0].lower().replace("_", "-") for one in requirements}


@pytest.mark.parametrize("extra", EXTRAS)
def test_what_a_command_misses_is_brought_by_its_extra_and_not_by_scorekit_itself(extra: str) -> None:
    known = packages_distributions()
    brought = _names(PROJECT["optional-dependencies"][extra])
    for module, package in EXTRAS[extra].items():
        assert package.lower().replace("_", "-") in brought, f"{module}: {package}"
        assert module not in known or package.lower() in {name.lower() for name in known[module]}
    assert not brought & _names(PROJECT["dependencies"]) - {"numpy"}


def test_every_extra_of_a_command_is_one() -> None:
    asked = {command.extra for command in VERBS.values() if command.extra}
    assert asked <= set(EXTRAS) <= set(PROJECT["optional-dependencies"])


def _without(modules: str, code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    hidden = f"import sys; sys.modules.update(dict.fromkeys({modules.split()!r}))\nfrom scorekit.cli import main\n"
    return subprocess.run(
        [sys.executable, "-c", hidden + code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_site_and_label_are_made_without_what_draws_charts(tmp_path: Path) -> None:
    done = _without(
        "vl_convert pypdf torch numpy",
        f"made = main(['label', {str(RUN)!r}, '-o', 'label.svg']), main(['site', 'build', '--out', 'site'])\n"
        f"print(made, main(['label', {str(RUN)!r}, '-o', 'label.png']))",
        tmp_path,
    )
    assert done.stdout.splitlines()[-1] == "(0, 0) 2", done.stderr
    assert (tmp_path / "label.svg").read_bytes().startswith(b"<svg")
    assert not (tmp_path / "label.png").exists()
    assert b"without what draws charts" in (tmp_path / "site" / "assets" / "chart-runtime.js").read_bytes()
    told = "Charts are shown as tables, for 'vl-convert-python' is not installed, which draws them"
    assert f"{told}; {install_line('publish')}" in done.stderr
