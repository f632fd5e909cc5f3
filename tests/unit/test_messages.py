"""Messages to people: their words, and that no file's name in them reaches the terminal as it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import scorekit
from scorekit.messages import counted, say, say_line


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 queries"), (1, "1 query"), (2, "2 queries"), (1000, "1,000 queries")]
)
def test_a_noun_is_singular_for_one_alone(number: int, told: str) -> None:
    assert counted(number, "query", "queries") == told
    assert counted(number, "job") == told.replace("queries", "jobs").replace("query", "job")


def test_nothing_that_is_told_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31mred\x07\r\x9b2J, né\nbelow")
    assert capsys.readouterr().err == "a?[31mred???2J, né\nbelow\n"


def test_what_stands_on_one_line_stays_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    say_line("left out: a\x1b[31m\nerror: forged")
    assert capsys.readouterr().err == "left out: a?[31m?error: forged\n"


def test_no_module_prints_to_people_past_it() -> None:
    """`print(..., file=sys.stderr)` would hand a terminal whatever a file is called."""
    source = Path(scorekit.__file__).parent
    found = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "print"
        and any(word.arg == "file" and ast.unparse(word.value) == "sys.stderr" for word in call.keywords)
    }
    assert found == {"messages.py"}
