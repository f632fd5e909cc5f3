"""What pages tell people to type works, page by page, in the order in which it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.lines import Command, commands
from tests.documentation.needs import NEEDS, Needs
from tests.documentation.pages import blocks, pages
from tests.documentation.shells import Shell, type_all

README = "README.md"
OPERATIONS = "docs/operations.md"
WALK = "The whole path once"
"""README and this part of OPERATIONS have tests of their own, which look at more than exit codes."""


def run_here(page: str) -> list[Command]:
    """The commands of a page that its test types; of OPERATIONS those outside of the walk."""
    found = [block for block in blocks(page) if block.run and (page, block.heading) != (OPERATIONS, WALK)]
    return [command for block in found for command in commands(block)]


def walk() -> list[Command]:
    """The commands of the walk of OPERATIONS."""
    return [
        command for block in blocks(OPERATIONS) if block.run and block.heading == WALK for command in commands(block)
    ]


def test_what_pages_need_is_of_pages() -> None:
    assert NEEDS.keys() <= set(pages())


TYPED = [page for page in pages() if page != README and run_here(page)]


@pytest.mark.parametrize("page", TYPED)
def test_the_commands_of_a_page_work(page: str, tmp_path: Path, scorekit_program: Path) -> None:
    needs = NEEDS.get(page, Needs())
    folder = tmp_path / "reader"
    folder.mkdir()
    needs.files(folder)
    variables = needs.environment(folder)
    # A copy of a process that is there already does not see what its variables would have made of it.
    shell = Shell(folder, tmp_path if variables else scorekit_program, variables)
    try:
        done = type_all(run_here(page), shell, stands_for=needs.stands_for)
    finally:
        shell.close()
    assert done
