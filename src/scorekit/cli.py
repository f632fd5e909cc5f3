"""The command line: `scorekit VERB ...`, thin over the library.

Results go to stdout, as a table or with --json as JSON; messages and errors go to stderr. `scorekit --help`
must feel instant, so nothing beyond the standard library and `scorekit.errors` is imported before a verb
runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn

from scorekit import __version__
from scorekit.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    MissingExtraError,
    ScorekitError,
    TerminatedError,
    UsageError,
    nearest,
)

DEBUG: Final = "SCOREKIT_DEBUG"
_EXIT_PIPE: Final = 141
"""What a shell reports for a program that wrote to a closed pipe (128 + SIGPIPE)."""
_LOCAL: Final = "local"

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
}


_Action = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like all others of scorekit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, mend=f"see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; those of the process when None.

    Returns:
        The exit code: 0 done, 1 failed, 2 wrong usage, 3 measured but invalid, 130 interrupted, 143 terminated.
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
        _say("error: ended by SIGTERM")
        return end.exit_code
    except KeyboardInterrupt:
        _say("error: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; without this Python would complain once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_PIPE
    except ScorekitError as error:
        _say_traceback()
        say_error(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line for people, not a traceback
        _say_traceback()
        _say(f"error: unexpected {type(error).__name__}: {' '.join(str(error).split()) or 'no message'}")
        _say(f"  mend: this is a fault of scorekit; please report it with what {DEBUG}=1 prints")
        return EXIT_FAILED


def run() -> NoReturn:
    """Entry point of the `scorekit` program."""
    sys.exit(main())


def say_error(error: ScorekitError) -> None:
    """Print an error, and how to mend it, to stderr."""
    _say(f"error: {error}")


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        _parser().print_help(sys.stderr)
        return EXIT_USAGE
    verb, rest = arguments[0], arguments[1:]
    if verb == "bench":
        # Hydra has a grammar of its own, --help included, so its arguments are not looked at here.
        return _with_bench_extra(lambda: _bench(rest))
    if not verb.startswith("-") and verb not in _VERBS:
        close = nearest(verb, list(_VERBS))
        raise UsageError(
            f"there is no command '{verb}'; valid: {', '.join(_VERBS)}",
            mend=f"did you mean 'scorekit {close}'?" if close else "see scorekit --help",
        )
    options = _parser().parse_args(arguments)
    action: _Action = options.action
    return action(options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scorekit",
        description="Measure the energy of AI inference and rate it with 1 to 5 stars.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 measured but invalid, 130 interrupted, 143 terminated. "
        f"With {DEBUG}=1 in the environment errors show a traceback.",
    )
    parser.add_argument("--version", action="version", version=f"scorekit {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (summary, add_arguments, action) in _VERBS.items():
        verb = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        add_arguments(verb)
        verb.set_defaults(action=action)
    return parser


def _bench_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "scorekit bench --config-name TASK backend.model=MODEL ... (see scorekit bench --help)"


def _bench(arguments: list[str]) -> int:
    from scorekit import bench

    return bench.main(arguments)


def _tiny_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write the models and datasets")
    parser.add_argument("--task", metavar="T", action="append", help="a task; may be repeated (default: all)")
    parser.add_argument("--samples", metavar="N", type=int, help="rows of each dataset")
    parser.add_argument("--size", choices=("tiny", "small"), help="size of the models (default: tiny)")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of the weights and of the data")


def _tiny(options: argparse.Namespace) -> int:
    from scorekit.measure.tiny import write_tiny

    # What is not given is left to the function's own defaults.
    given = {name: getattr(options, name) for name in ("samples", "size", "seed")}
    asked = {name: value for name, value in given.items() if value is not None}
    made = write_tiny(options.folder, tasks=options.task, **asked)
    for task, found in made.items():
        print(f"{task}: backend.model={found.model} scenario.dataset_name={found.dataset}")
    return EXIT_DONE


def _demo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=Path("demo"),
        help="where to work (default: demo)",
    )
    parser.add_argument("--task", metavar="T", action="append", help="a task; may be repeated (default: all)")


def _demo(options: argparse.Namespace) -> int:
    from scorekit import demo

    return demo.main(options.folder, options.task)


def _parse_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="a run folder, or a folder with runs below it"
    )
    parser.add_argument(
        "--allow-invalid",
        action="store_true",
        help="score a run with failed checks too; its score says that it is not valid, and why",
    )
    parser.add_argument("--json", action="store_true", help="print the scores as a JSON array")


def _parse(options: argparse.Namespace) -> int:
    from scorekit import verbs

    return verbs.parse(options.runs, as_json=options.json, allow_invalid=options.allow_invalid)


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="a run folder, or a folder with runs below it"
    )
    parser.add_argument("--json", action="store_true", help="print the checks of each run as a JSON array")


def _check(options: argparse.Namespace) -> int:
    from scorekit import verbs

    return verbs.check(options.runs, as_json=options.json)


def _rate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scores",
        metavar="SCORE",
        type=Path,
        nargs="+",
        help="a score.json, a run folder, or a folder with such below it",
    )
    parser.add_argument(
        "--edition",
        metavar="NAME",
        help=f"a published edition (default: the latest), or {_LOCAL} to rate the scores among themselves",
    )
    parser.add_argument("--json", action="store_true", help="print the ratings as a JSON array")


def _rate(options: argparse.Namespace) -> int:
    from scorekit import verbs

    return verbs.rate(options.scores, edition=options.edition, as_json=options.json)


def _tasks_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the tasks as a JSON array")


def _tasks(options: argparse.Namespace) -> int:
    from scorekit import verbs

    return verbs.tasks(as_json=options.json)


def _doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config-name", metavar="TASK", help="the task that is thought of, as for scorekit bench")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("--torch", action="store_true", help="load torch and ask it for its GPUs, which takes seconds")


def _doctor(options: argparse.Namespace) -> int:
    from scorekit import doctor

    return doctor.main(config_name=options.config_name, as_json=options.json, ask_torch=options.torch)


def _with_bench_extra(run: Callable[[], int]) -> int:
    """Run what needs the bench extra, and say how to get it where it is missing."""
    try:
        return run()
    except ModuleNotFoundError as error:
        package = _BENCH_PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        raise MissingExtraError(package, "bench") from error


_VERBS: Final[dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], _Action]]] = {
    "bench": (
        "measure a model on a task",
        _bench_arguments,
        lambda _options: _with_bench_extra(lambda: _bench([])),
    ),
    "tiny": (
        "write tiny models and datasets to try every task with",
        _tiny_arguments,
        lambda options: _with_bench_extra(lambda: _tiny(options)),
    ),
    "demo": (
        "measure, parse and rate every task with tiny models",
        _demo_arguments,
        lambda options: _with_bench_extra(lambda: _demo(options)),
    ),
    "parse": ("compute the score of measured runs", _parse_arguments, _parse),
    "check": ("check whether the figures of measured runs can be true", _check_arguments, _check),
    "rate": ("give stars to scores", _rate_arguments, _rate),
    "doctor": ("tell what is on this machine and what is in the way of a run", _doctor_arguments, _doctor),
    "tasks": ("list the tasks and what the protocol asks of them", _tasks_arguments, _tasks),
}


def _say_traceback() -> None:
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exc()


def _say(message: str) -> None:
    print(message, file=sys.stderr)
