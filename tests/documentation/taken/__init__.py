"""Whether each program that a page tells people to start is there and takes the words it is given, without starting it.

One function a program; a program that none is written for is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.documentation.lines import Program, programs
from tests.documentation.taken import containers, own, python
from tests.documentation.taken.wrong import Bench, Look, WrongCommandError, options, refuse_unless

__all__ = ["Bench", "WrongCommandError", "check"]

_CURL: Final = dict.fromkeys(("--fail", "--silent", "--show-error", "--location"), 0) | dict.fromkeys(
    ("--output", "-o", "-H", "-d", "-X", "-F", "--data-binary"), 1
)


def check(text: str, bench: Bench) -> None:
    """Look at every program of a command.

    Args:
        text: as it is typed.
        bench: gets the words of each `scorekit bench`, which Hydra has to compose.

    Raises:
        WrongCommandError: a program that is not known, or words that it does not take.
    """
    found = programs(text)
    refuse_unless(bool(found) or bool(re.match(r"[A-Z_]+=", text)), "it starts nothing")
    for program in found:
        name = Path(program.name).name or program.name
        refuse_unless(name in KNOWN, f"'{program.name}' is no program that tests/documentation/taken knows")
        KNOWN[name](program, bench)


def _curl(program: Program, _bench: Bench) -> None:
    _, addresses = options(program.words, _CURL)
    refuse_unless(len(addresses) == 1 and "://" in addresses[0], "curl asks one address")


def _transformers(program: Program, _bench: Bench) -> None:
    command, *words = program.words
    options(words, {"--device": 1, "--port": 1})
    refuse_unless(command == "serve", f"transformers {command}")


def _hub(program: Program, _bench: Bench) -> None:
    command, *words = program.words
    options(words, {"--repo-type": 1})
    refuse_unless((command, *words[:1]) == ("auth", "login") or command == "download", f"hf {command}")


def _plain(_program: Program, _bench: Bench) -> None:
    """A program of every system, whose words are few and plain."""


KNOWN: Final[dict[str, Look]] = {
    "scorekit": own.scorekit,
    "python": python.python,
    "python3": python.python,
    "make": python.make,
    "pip": python.pip,
    "docker": containers.docker,
    "kubectl": containers.kubectl,
    "apptainer": containers.apptainer,
    "srun": containers.srun,
    "curl": _curl,
    "transformers": _transformers,
    "hf": _hub,
    **dict.fromkeys(
        ("umask", "mkdir", "cd", "cat", "echo", "printf", "id", "kill", "break", "sleep", "export"), _plain
    ),
    **dict.fromkeys((".", "tr", "openssl", "sudo", "systemctl", "ssh-keygen", "git"), _plain),
}
"""Every program that pages may name."""
