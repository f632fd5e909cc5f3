"""The reference of the documentation's site holds every command with every option, and schemas that are schemas."""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator
from scripts import formats_page
from scripts.docs_site import api_pages, commands_page, schemas, tasks_page

from scorekit import cli, tasks
from tests.plugin import EXAMPLE, PACKAGE

PAGE = commands_page.page()


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from parsers(child)


def section(name: str) -> str:
    """What the page tells of one command."""
    found = re.search(rf"^#+ {re.escape(name)}$(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} has no section"
    return found[1]


@pytest.mark.parametrize("verb", [verb for verb in cli.VERBS if verb != "bench"])
def test_a_command_stands_with_every_argument(verb: str) -> None:
    for parser in parsers(cli.parser(verb)):
        told = section(parser.prog)
        for action in parser._actions:
            if (
                isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
                or action.help == argparse.SUPPRESS
            ):
                continue
            names = action.option_strings or [str(action.metavar or action.dest)]
            for name in names:
                assert name in told, f"{parser.prog} {name}"
            if action.help:
                assert len(re.findall(rf"^\| `{re.escape(names[0])}[ `].*\| \S", told, re.MULTILINE)) == 1, names


def test_the_command_that_hydra_reads_stands_with_its_settings() -> None:
    assert "scenario.num_samples" in section("scorekit bench")


def test_commands_of_commands_are_known() -> None:
    assert {"results add", "edition freeze", "portal serve"} <= commands_page.nested()


def test_every_schema_is_one_and_describes_a_format() -> None:
    found = {name: json.loads(content) for name, content in schemas.files()}
    assert len(found) == len(formats_page.FILES)
    for name, schema in found.items():
        Draft202012Validator.check_schema(schema)
        assert schema["properties"], name
        assert f"(schemas/{name})" in schemas.page()


def test_every_task_stands_with_its_config() -> None:
    page = tasks_page.page()
    for task in tasks.TASKS.values():
        assert f"## {task.name}\n" in page
        assert f"dataset_name: {task.dataset}" in page


def test_every_page_of_the_api_names_modules_that_are_there() -> None:
    import importlib

    for page in api_pages.PAGES.values():
        for module in page.modules:
            assert importlib.import_module(module).__doc__, module
            assert f"\n::: {module}\n" in api_pages.markdown(page)


def test_all_that_the_example_of_a_plugin_is_built_on_stands_on_a_page() -> None:
    shown = {module for page in api_pages.PAGES.values() for module in page.modules}
    for path in (EXAMPLE / "src" / PACKAGE).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("scorekit"):
                assert node.module in shown, f"{path.name} imports {node.module}"
