"""`scorekit quality`: how well the models of results answer, beside what they take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

_FOLDER: Final = "results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands within the command, each with its arguments."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    attach = commands.add_parser("attach", help="attach what lm-evaluation-harness found to a result of its model")
    _add_result(attach)
    attach.add_argument(
        "--lm-eval",
        metavar="FILE",
        type=Path,
        required=True,
        help="results_DATE.json of lm_eval 0.4 or later",
    )
    attach.add_argument(
        "--task",
        metavar="NAME",
        action="append",
        default=[],
        help="a task or group of the file; may be given several times (default: all, without the tasks within groups)",
    )
    attach.add_argument(
        "--metric",
        metavar="NAME",
        action="append",
        default=[],
        help="a metric, as acc or with its filter as acc,none; may be given several times (default: all)",
    )
    attach.add_argument(
        "--source",
        metavar="URL",
        help="where others find the file; the site then links to it, and else tells that the file is not published",
    )
    attach.add_argument(
        "--replace", action="store_true", help="put the figures in the place of other values of the same metrics"
    )
    attach.add_argument(
        "--model-matches",
        action="store_true",
        help="you state that the file is of this model, though it names it otherwise; no name of it is kept",
    )
    attach.set_defaults(action=_attach)

    detach = commands.add_parser("detach", help="remove all figures of a result, which stays as it is")
    _add_result(detach)
    detach.set_defaults(action=_detach)

    listed = commands.add_parser("list", help="list the figures that are attached")
    listed.add_argument("--model", metavar="TEXT", help="figures of models whose name holds this")
    listed.add_argument("--json", action="store_true", help="print the figures as a JSON array")
    listed.set_defaults(action=_list)

    for command in (attach, detach, listed):
        command.add_argument(
            "--results",
            metavar="DIR",
            type=Path,
            default=Path(_FOLDER),
            help=f"the results folder (default: {_FOLDER})",
        )


def _add_result(command: argparse.ArgumentParser) -> None:
    """Which result, or results, a command is of."""
    command.add_argument(
        "result",
        metavar="RESULT",
        help="the first 4 or more digits of a result's id, or its model's name; or a run, log or result that was "
        "added to the results folder",
    )
    command.add_argument("--every", action="store_true", help="each result of the model is meant, where it has several")


def _attach(options: argparse.Namespace) -> int:
    from scorekit.verbs import quality

    return quality.attach(
        options.results,
        options.result,
        options.lm_eval,
        tasks=options.task,
        metrics=options.metric,
        url=options.source,
        stated=options.model_matches,
        replace=options.replace,
        every=options.every,
    )


def _detach(options: argparse.Namespace) -> int:
    from scorekit.verbs import quality

    return quality.detach(options.results, options.result, every=options.every)


def _list(options: argparse.Namespace) -> int:
    from scorekit.verbs import quality

    return quality.list_figures(options.results, model=options.model, as_json=options.json)
