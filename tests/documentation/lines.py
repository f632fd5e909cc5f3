"""From a block of a page to the commands in it, and from a command to the programs that it starts.

Not a shell: what it does not know it refuses, and no command goes by unread.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.documentation.pages import TYPED, Block

_PROMPT = "$ "
_BEFORE_PROGRAM = frozenset({"until", "while", "if", "then", "do", "else", "!", "{"})
_ENDS = frozenset({"done", "fi", "}"})
_SEPARATORS = frozenset({"|", "||", "&&", ";", "&", ";;"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
SUBSTITUTED = "SUBSTITUTED"
"""Stands in a program's words for what another program prints."""


class UnreadableError(ValueError):
    """A block or a command that is none of what pages may hold; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command as somebody types it.

    Attributes:
        block: that it stands in.
        line: number of its first line in the page.
        text: all of it, its lines joined.
    """

    block: Block
    line: int
    text: str

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.block.page}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Program:
    """One program that a command starts, or a word of the shell's own.

    Attributes:
        name: as it is typed.
        words: what follows, without redirections.
    """

    name: str
    words: tuple[str, ...]


def commands(block: Block) -> list[Command]:
    """The commands of a block, in its order; none of a block that shows something else.

    Raises:
        UnreadableError: a block of commands without any, or whose first line is none.
    """
    if block.language not in TYPED:
        return []
    found: list[Command] = []
    open_line = False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if open_line:
            last = found[-1]
            found[-1] = Command(block, last.line, f"{last.text[:-1].rstrip()} {line.strip().removeprefix('> ')}")
        elif block.language == "console" and line.startswith(_PROMPT):
            found.append(Command(block, number, line.removeprefix(_PROMPT).strip()))
        elif block.language != "console" and line.strip() and not line.lstrip().startswith("#"):
            found.append(Command(block, number, line.strip()))
        elif block.language == "console" and not found:
            raise UnreadableError(f"{block.place}: a console block begins with a command, after `{_PROMPT}`")
        else:
            continue
        open_line = found[-1].text.endswith("\\")
    if open_line or not found:
        raise UnreadableError(f"{block.place}: a block of commands that ends within one, or has none")
    return found


def programs(text: str) -> list[Program]:
    """Every program that a command starts, those within `$(...)` too.

    Raises:
        UnreadableError: quotation marks or brackets without an end.
    """
    outer, inner = _without_substitutions(text)
    found = [program for one in inner for program in programs(one)]
    lexer = shlex.shlex(re.sub(r"(?<=\s)\d(?=>)", "", outer), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for token in lexer:
            if token in _SEPARATORS:
                found += _program(words)
                words = []
            else:
                words.append(token)
    except ValueError as error:
        raise UnreadableError(f"{error}: {text}") from error
    return [*found, *_program(words)]


def _program(words: Sequence[str]) -> Iterator[Program]:
    kept: list[str] = []
    left = iter(words)
    for word in left:
        if word in (">", ">>", "<"):
            if next(left, None) is None:
                raise UnreadableError(f"nothing follows {word}")
        elif kept or not (_ASSIGNMENT.match(word) or word in _BEFORE_PROGRAM):
            kept.append(word)
    if kept and kept[0] not in _ENDS:
        yield Program(kept[0], tuple(kept[1:]))


def _without_substitutions(text: str) -> tuple[str, list[str]]:
    """The text with a word in the place of each `$(...)`, and what stood in them."""
    outer: list[str] = []
    inner: list[str] = []
    at, quoted = 0, False
    while at < len(text):
        if text[at] == "'" and not quoted:
            end = text.find("'", at + 1)
            if end < 0:
                raise UnreadableError(f"No closing quotation: {text}")
            outer.append(text[at : end + 1])
            at = end + 1
        elif text[at] == "#" and not quoted and not text[:at].rpartition(" ")[2]:
            break  # a comment, in which nothing is quoted
        elif text.startswith("$(", at):
            end = _closing(text, at + 2)
            inner.append(text[at + 2 : end])
            outer.append(SUBSTITUTED)
            at = end + 1
        else:
            quoted ^= text[at] == '"'
            outer.append(text[at])
            at += 1
    return "".join(outer), inner


def _closing(text: str, at: int) -> int:
    """Where the bracket that was opened before `at` is closed."""
    depth, quote = 1, ""
    for index in range(at, len(text)):
        sign = text[index]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "()":
            depth += 1 if sign == "(" else -1
            if not depth:
                return index
    raise UnreadableError(f"a bracket without its end: {text}")


def variants(usage: str) -> list[str]:
    """Commands of the shape that a usage tells: all its options at once, and each of several that exclude one another.

    `[--a X | --b Y] [--c N] --role one|two RUN...` becomes `--a X --c 1 --role one RUN` and
    `--b Y --c 1 --role two RUN`.
    """
    choices = [*(inside.split(" | ") for inside in re.findall(r"\[([^\]]*)\]", usage))]
    choices += [word.split("|") for word in usage.split() if word != "|"]
    return [_variant(usage, number) for number in range(max(map(len, choices)))]


def _variant(usage: str, number: int) -> str:
    def chosen(text: str, sign: str) -> str:
        choices = text.split(sign)
        return choices[number % len(choices)]

    text = re.sub(r"\[([^\]]*)\]", lambda found: chosen(found[1], " | "), usage)
    words = [chosen(word, "|") for word in text.replace("...", "").split()]
    return " ".join("1" if word == "N" else word for word in words)
