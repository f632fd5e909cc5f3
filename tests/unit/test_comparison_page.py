"""docs/comparison.md is what its command writes; every cell has evidence, and ours are commands that are there."""

from __future__ import annotations

import argparse
import copy
import importlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from scripts import comparison_page
from scripts.comparison_page import Comparison, Feature

from scorekit import cli

ROOT = comparison_page.ROOT
DATA = yaml.safe_load(comparison_page.DATA.read_text(encoding="utf-8"))
FOUND = Comparison.model_validate(DATA)
NAMES = [feature.name for feature in FOUND.features]
TESTED = re.compile(r"python -m pytest (?P<path>tests/[\w/]+(?:\.py)?)(?:::(?P<test>\w+))?")


def test_the_page_is_what_the_command_writes() -> None:
    page = comparison_page.PAGE.read_text(encoding="utf-8")
    assert page == comparison_page.page(comparison_page.comparison()), "run: python -m scripts.comparison_page"


def test_every_tool_is_asked_every_question() -> None:
    assert len(FOUND.tools) == 8
    assert 20 <= len(NAMES) == len(set(NAMES))
    for feature in FOUND.features:
        assert tuple(feature.peers) == FOUND.peers
        assert all(cell.sources for cell in feature.peers.values())
    # A page that finds nothing better anywhere has not looked.
    assert {tool for feature in FOUND.features for tool in FOUND.peers if feature.peers[tool].more} >= {
        "zeus",
        "mlperf",
    }


def _cell(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["themes"][0]["features"][0]
    return found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: _cell(data).update(zeus=["a counter"]), "by its sources"),
        (lambda data: _cell(data).update(zeus={"not_found_in": []}), "by its sources"),
        (lambda data: _cell(data).update(zeus={"says": "no", "not_found_in": ["cc-gpu"]}), "by its sources"),
        (lambda data: _cell(data).update(zeus={"not_found_in": ["cc-gpu"], "more": True}), "no more than"),
        (lambda data: _cell(data).update(zeus=["a counter", "nowhere"]), "nowhere"),
        (lambda data: _cell(data).update(zeus=["one | two", "cc-gpu"]), "pattern"),
        (lambda data: _cell(data).pop("zeus"), "expected aies, optimum"),
        (lambda data: _cell(data)["ours"].pop("command"), "command"),
        (lambda data: _cell(data)["ours"].update(page="https://example.org"), "page"),
        (lambda data: data["sources"].update(unread=data["sources"]["cc-gpu"]), "unread"),
        (lambda data: data["sources"]["cc-gpu"].update(url="http://example.org/page"), "https"),
        (lambda data: data["sources"]["cc-gpu"].update(url="https://"), "url"),
        (lambda data: data["sources"]["cc-gpu"].pop("read"), "read"),
    ],
)
def test_what_has_no_evidence_is_refused(change: Callable[[dict[str, Any]], object], told: str) -> None:
    data = copy.deepcopy(DATA)
    change(data)
    with pytest.raises(ValidationError, match=told):
        Comparison.model_validate(data)


def test_every_number_leads_to_an_address_of_its_own() -> None:
    page = comparison_page.page(FOUND)
    defined = dict(re.findall(r"^\[(s\d+)\]: (\S+)$", page, flags=re.MULTILINE))
    assert set(re.findall(r"\]\[(s\d+)\]", page)) == set(defined)
    assert len(set(defined.values())) == len(defined) == len(FOUND.sources)
    for url in defined.values():
        assert re.fullmatch(r"https://(?:[a-z0-9-]+\.)+[a-z]{2,}/[\w./~-]+", url), url


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("https://github.com/a/b/blob/main/c.py", False), ("https://github.com/a/b", False),
        ("https://github.com/a/b/blob/v3.3.2/c.py", True), ("https://github.com/a/b/releases/tag/b-v0.1", True),
        ("https://github.com/a/b/tree/02f42536f4c7a746320257b6ad9c94e2186bf565", True),
        ("https://example.org/post", True),
    ],
)  # fmt: skip
def test_an_address_that_shows_something_else_later_says_so(url: str, stays: bool) -> None:
    source = comparison_page.Source(title="b, c.py", read="package 1.0", url=url)  # type: ignore[arg-type]
    assert source.version == ("package 1.0" if stays else "package 1.0; the address shows the newest")


@pytest.mark.parametrize("feature", FOUND.features, ids=NAMES)
def test_what_is_told_of_ours_is_there(feature: Feature) -> None:
    if feature.ours.page is None:
        return
    name, _, heading = feature.ours.page.partition("#")
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert not heading or heading in {_anchor(line) for line in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}


@pytest.mark.parametrize("feature", FOUND.features, ids=NAMES)
def test_commands_are_those_of_this_repository(feature: Feature) -> None:
    command = feature.ours.command
    if tested := TESTED.fullmatch(command):
        path: Path = ROOT / tested["path"]
        assert path.exists()
        assert not tested["test"] or f"def {tested['test']}(" in path.read_text(encoding="utf-8")
        return
    program, *arguments = shlex.split(command)
    if program == "docker":
        assert (arguments[0], arguments[-1]) == ("build", ".")
        assert (ROOT / "Dockerfile").exists()
        return
    assert program == "scorekit"
    _assert_is_taken(arguments)


def _assert_is_taken(arguments: list[str]) -> None:
    """The command line knows the verb and every option of it."""
    verb, *rest = arguments
    if verb.startswith("--"):
        assert cli.main(arguments) == 0
        return
    assert verb in cli.VERBS
    if verb == "bench":
        option, config, *overrides = rest
        assert option == "--config-name"
        assert (ROOT / "configs" / "energy_star" / f"{config}.yaml").exists()
        assert all("=" in override for override in overrides)
        return
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"scorekit.commands.{verb}").add_arguments(parser)
    parser.parse_args(rest)


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
