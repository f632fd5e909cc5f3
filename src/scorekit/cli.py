"""The command line: `scorekit VERB ...`, thin over the library.

Results go to stdout, as a table or with --json as JSON; messages and errors go to stderr. `scorekit --help` must feel
instant, so nothing beyond the standard library, `scorekit.errors` and `scorekit.messages` is imported before a verb
runs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, NoReturn

from scorekit import __version__, messages
from scorekit.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_PIPE,
    EXIT_USAGE,
    MissingExtraError,
    ScorekitError,
    TerminatedError,
    UsageError,
    nearest,
)

EXIT_CODES: Final = (
    "0 done, 1 failed, 2 wrong usage, 3 measured but invalid,\n"
    "4 one job of a plan failed, and would again, 75 another process works on it,\n"
    "130 interrupted, 141 nobody reads the output, 143 terminated"
)
"""All of them, in lines that a terminal has room for."""

# Imports that fail where the bench extra is not installed; any other missing module is a fault, not a missing
# extra.
_BENCH_PACKAGES: Final = {
    "accelerate": "accelerate",
    "codecarbon": "codecarbon",
    "datasets": "datasets",
    "diffusers": "diffusers",
    "hydra": "hydra-core",
    "numpy": "numpy",
    "omegaconf": "omegaconf",
    "huggingface_hub": "huggingface_hub",
    "optimum_benchmark": "optimum-benchmark",
    "psutil": "psutil",
    "safetensors": "safetensors",
    "soxr": "soxr",
    "PIL": "pillow",
    "pynvml": "nvidia-ml-py",
    "soundfile": "soundfile",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "transformers": "transformers",
    "yaml": "PyYAML",
}


# The same for charts that are drawn, and labels as PNG and PDF.
_PUBLISH_PACKAGES: Final = {"pypdf": "pypdf", "vl_convert": "vl-convert-python"}

# And for the portal, and those who talk to one.
_PORTAL_PACKAGES: Final = {
    "alembic": "alembic",
    "authlib": "Authlib",
    "fastapi": "fastapi",
    "fsspec": "fsspec",
    "httpx2": "httpx2",
    "huggingface_hub": "huggingface_hub",
    "itsdangerous": "itsdangerous",
    "prometheus_client": "prometheus_client",
    "psycopg": "psycopg",
    "python_multipart": "python-multipart",
    "sqlalchemy": "SQLAlchemy",
    "starlette": "starlette",
    "uvicorn": "uvicorn",
}

EXTRAS: Final = {"bench": _BENCH_PACKAGES, "publish": _PUBLISH_PACKAGES, "portal": _PORTAL_PACKAGES}
"""For each extra the imports that it brings, and the package that each belongs to."""


class Command(NamedTuple):
    """A command of the program; its module is `scorekit.commands.NAME`.

    Attributes:
        summary: one line for --help.
        extra: the extra of scorekit that it needs; None for one that the light install runs.
    """

    summary: str
    extra: str | None = None


VERBS: Final[dict[str, Command]] = {
    "bench": Command("measure a model on a task", "bench"),
    "sweep": Command("measure many models, each once, and go on where it was cut off", "bench"),
    "tiny": Command("write tiny models and datasets to try every task with", "bench"),
    "demo": Command("measure, parse and rate every task with tiny models", "bench"),
    "parse": Command("compute the score of measured runs"),
    "check": Command("check whether the figures of measured runs can be true"),
    "rate": Command("give stars to scores"),
    "edition": Command("gather, freeze and compare the editions that stars are given in"),
    "label": Command("make the energy label of a result: SVG, PNG, PDF or badge", "publish"),
    "chart": Command("draw a chart of results, editions or regions: SVG, PNG, CSV", "publish"),
    "card": Command("make the block for a model card of a result"),
    "results": Command("keep results in a folder, look into them, and take data out"),
    "quality": Command("keep beside results how well their models answer, as lm-evaluation-harness has found"),
    "site": Command("write leaderboard, charts, models and data as a site of plain files, and look at it"),
    "impact": Command("tell what an energy means in a country: greenhouse gases, primary energy, elements, water"),
    "calculate": Command("tell what an answer of a model takes, by a named method, and what that means in a country"),
    "pack": Command("pack measured runs into one file to hand in, with what you agree to publish and nothing else"),
    "verify": Command("verify a submission: whole, signed, by the rules, new, and with figures that can be true"),
    "submit": Command("hand in a submission at a portal, and go on where an upload broke off", "portal"),
    "portal": Command("serve a portal for submissions and requests, and look after it", "portal"),
    "worker": Command("measure what a portal has been asked for, and hand it in", "portal"),
    "doctor": Command("tell what is on this machine and what is in the way of a run"),
    "tasks": Command("list the tasks and what the protocol asks of them"),
}
"""All commands, in the order in which --help lists them."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others of scorekit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, mend=f"see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; those of the process when None.

    Returns:
        The exit code: one of those that `scorekit --help` tells.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
        return code
    except SystemExit as end:
        # argparse ends --help and --version this way.
        return end.code if isinstance(end.code, int) else EXIT_DONE if end.code is None else EXIT_FAILED
    except TerminatedError as end:
        messages.say("error: ended by SIGTERM")
        return end.exit_code
    except KeyboardInterrupt:
        messages.say("error: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; without this Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except ScorekitError as error:
        messages.say_traceback()
        messages.say_error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line for people, not a traceback
        messages.say_traceback()
        messages.say(f"error: unexpected {type(error).__name__}: {' '.join(str(error).split()) or 'no message'}")
        messages.say(f"  mend: this is a fault of scorekit; please report it with what {messages.DEBUG}=1 prints")
        return EXIT_FAILED


def run() -> NoReturn:
    """Entry point of the `scorekit` program."""
    sys.exit(main())


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        _parser().print_help(sys.stderr)
        return EXIT_USAGE
    verb, rest = arguments[0], arguments[1:]
    if verb.startswith("-"):
        _parser().parse_args(arguments)
        raise UsageError(f"{verb} is no command", mend="see scorekit --help")
    if verb not in VERBS:
        close = nearest(verb, list(VERBS))
        raise UsageError(
            f"there is no command '{verb}'; valid: {', '.join(VERBS)}",
            mend=f"did you mean 'scorekit {close}'?" if close else "see scorekit --help",
        )
    command = VERBS[verb]
    return _with_extra(command, lambda: _run(verb, rest))


def _run(verb: str, arguments: list[str]) -> int:
    module = importlib.import_module(f"scorekit.commands.{verb}")
    if verb == "bench":
        # Hydra has a grammar of its own.
        code: int = module.main(arguments)
        return code
    options = parser(verb).parse_args(arguments)
    # A command with commands of its own sets which of them is meant.
    action: Callable[[argparse.Namespace], int] = getattr(options, "action", None) or module.run
    return action(options)


def parser(verb: str) -> argparse.ArgumentParser:
    """The parser of a command's arguments; `bench` has none, for Hydra reads its own."""
    summary = VERBS[verb].summary
    made = _Parser(prog=f"scorekit {verb}", description=f"{summary[0].upper()}{summary[1:]}.")
    importlib.import_module(f"scorekit.commands.{verb}").add_arguments(made)
    return made


def _parser() -> argparse.ArgumentParser:
    """The parser of what stands before any command: --help and --version."""
    width = max(map(len, VERBS))
    listed = "\n".join(f"  {name:{width}}  {command.summary}" for name, command in VERBS.items())
    parser = _Parser(
        prog="scorekit",
        usage="scorekit COMMAND ...",
        description="Measure the energy of AI inference and rate it with 1 to 5 stars.",
        epilog=f"commands (scorekit COMMAND --help tells more):\n{listed}\n\n"
        f"Exit codes: {EXIT_CODES}.\n"
        f"With {messages.DEBUG}=1 in the environment errors show a traceback.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"scorekit {__version__}")
    return parser


def _with_extra(command: Command, run: Callable[[], int]) -> int:
    """Run what needs an extra, and say how to get it where it is missing."""
    try:
        return run()
    except ModuleNotFoundError as error:
        package = EXTRAS.get(command.extra or "", {}).get((error.name or "").partition(".")[0])
        if command.extra is None or package is None:
            raise
        raise MissingExtraError(package, command.extra) from error
