"""Every command of every page is one that its program takes; every block says what it is, and why it is not run."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from scorekit import cli
from tests.documentation import taken
from tests.documentation.lines import UnreadableError, commands, programs, variants
from tests.documentation.pages import REASONS, SHOWN, TYPED, Block, blocks, pages, spans
from tests.documentation.taken import own
from tests.e2e.commands import run_cli

PAGES = pages()
_VERBS = "|".join(cli.VERBS)
_IS_TYPED = re.compile(rf"\$ |(?:scorekit (?:{_VERBS})|python3? -m|docker|kubectl|pip3? install|make) ")
_STARTED = re.compile(r"(?:\S+=\S* )*(?:scorekit [a-z]|python -m (?:scripts|benchmarks|scorekit)\b|make [a-z])")


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    for block in blocks(page):
        assert block.language in TYPED | SHOWN, f"{block.place}: say after the fence what it is: {sorted(SHOWN)}"
        assert set(block.reasons) <= REASONS.keys(), f"{block.place}: reasons are {sorted(REASONS)}"
        if block.language in SHOWN and not block.usage:
            typed = [line for line in block.text.splitlines() if _IS_TYPED.match(line)]
            assert not typed, f"{block.place}: a command in a block that holds none: {typed}"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_shown_is_of_its_language(page: str) -> None:
    for block in blocks(page):
        match block.language:
            case "python":
                ast.parse(block.text, block.place)
            case "json":
                json.loads(block.text)
            case "toml":
                tomllib.loads(block.text)
            case "yaml":
                list(yaml.safe_load_all(block.text))


def test_every_command_is_taken_by_its_program(tmp_path: Path) -> None:
    wrong: list[str] = []
    bench: taken.Bench = []
    for page in PAGES:
        for block in blocks(page):
            try:
                for place, text in _texts(block):
                    _check(place, text, bench, wrong)
            except UnreadableError as error:
                wrong.append(str(error))
    wrong += _refused_by_hydra(bench, tmp_path)
    assert not wrong, "\n".join(wrong)
    assert len(bench) >= 8


def _texts(block: Block) -> list[tuple[str, str]]:
    """Every command of a block, with its place."""
    if not block.usage:
        return [(command.place, command.text) for command in commands(block)]
    joined = re.sub(r"\n\s+", " ", block.text.strip())
    return [(f"{block.place}: {line}", one) for line in joined.splitlines() for one in variants(line)]


def _check(place: str, text: str, bench: taken.Bench, wrong: list[str]) -> None:
    try:
        taken.check(text, bench)
    except (taken.WrongCommandError, UnreadableError) as error:
        wrong.append(f"{place}\n  {error}")


def _refused_by_hydra(bench: taken.Bench, folder: Path) -> list[str]:
    """Lines of a plugin's task are left out: a copy of the stem does not have it, and test_plugins.py measures it."""
    lines = [line for line in own.composed(bench) if "code_completion" not in line]
    done = [(line, run_cli(*line, cwd=folder)) for line in lines]
    return [f"scorekit {' '.join(line)}\n{result.told()}" for line, result in done if result.rc]


@pytest.mark.parametrize("page", PAGES)
def test_what_is_run_elsewhere_is_run_there(page: str) -> None:
    for block in blocks(page):
        for other in block.run_in:
            run = {_plain(command.text) for there in blocks(other) if there.run for command in commands(there)}
            for command in commands(block):
                assert _plain(command.text) in run, f"{command.place}\nis not run in {other}"


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\s#\s.*", "", text).split())


def test_commands_within_sentences_have_names_that_are_there() -> None:
    wrong: list[str] = []
    for page in PAGES:
        for text in filter(_STARTED.match, spans(page)):
            try:
                _check_names(text)
            except (AssertionError, UnreadableError, ModuleNotFoundError) as error:
                wrong.append(f"{page}: `{text}`\n  {error}")
    assert not wrong, "\n".join(wrong)


def _check_names(text: str) -> None:
    """A command that may be cut short: its verb, target or module is there, and so is every option."""
    for program in programs(text.replace("[", " ").replace("]", " ").replace("...", " ")):
        if program.name == "scorekit":
            verb, *words = program.words
            assert verb in cli.VERBS, f"there is no command {verb}"
            own.options_there(verb, words)
        elif program.name == "make":
            taken.check(f"make {program.words[0]}", [])
        elif program.words[:1] == ("-m",):
            assert importlib.util.find_spec(program.words[1]) is not None, f"there is no module {program.words[1]}"
