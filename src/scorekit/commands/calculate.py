"""`scorekit calculate`: what an answer of a model takes, and what that means in a zone."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit.errors import EXIT_DONE, UsageError

if TYPE_CHECKING:
    from scorekit.impacts import Calculation
    from scorekit.records import Result

_EXAMPLE: Final = "e.g. scorekit calculate --model gpt-4o --text small_conversation --zone FRA"
_MEASURED: Final = "measured"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--model", metavar="MODEL", help="a model of the method")
    parser.add_argument(
        "--result",
        metavar="RUN",
        type=Path,
        help="a run, score.json or another tool's log of one model, for the method 'measured'",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--text", metavar="TEXT", help="a kind of text, e.g. tweet")
    length.add_argument("--tokens", metavar="N", type=float, help="output tokens of the answer")
    length.add_argument("--queries", metavar="N", type=float, help="with --result: queries like those measured")
    parser.add_argument("--zone", metavar="ZONE", help="a country's name or ISO alpha-3 code; WOR is the world")
    parser.add_argument(
        "--method",
        metavar="EDITION",
        help="edition of the method (default: installed ecologits; with --result: measured)",
    )
    parser.add_argument("--mix", metavar="EDITION", help="edition of electricity mixes (default: the method's)")
    parser.add_argument(
        "--pue", metavar="X", type=float, help="with --result: the data centre's energy over its computers'"
    )
    for what in ("models", "zones", "texts", "methods"):
        parser.add_argument(f"--list-{what}", action="store_true", help=f"list the {what}")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(options: argparse.Namespace) -> int:
    """Calculate, or list what there is."""
    from scorekit.tables.impact import calculation_table
    from scorekit.verbs.output import show

    if not _listed(options):
        found = _measured(options) if _is_measured(options) else _modelled(options)
        show(found, lambda layout: calculation_table(found, layout), as_json=options.json)
    return EXIT_DONE


def _listed(options: argparse.Namespace) -> bool:
    """Print the list that was asked for; whether one was."""
    from scorekit import impacts
    from scorekit.tables.impact import models_table, names_table, texts_table, zones_table
    from scorekit.verbs.output import show

    name = options.method or impacts.CURRENT
    if options.list_texts:
        texts = list(impacts.TEXTS.values())
        show(texts, lambda layout: texts_table(texts, layout), as_json=options.json)
    elif options.list_methods:
        modelled = [impacts.find_method(each) for each in impacts.method_names() if each != _MEASURED]
        rows = [*((each.name, each.source) for each in modelled), (_MEASURED, "a result of your own: --result RUN")]
        show(
            [{"name": each, "source": source} for each, source in rows],
            lambda layout: names_table("method", rows, layout),
            as_json=options.json,
        )
    elif options.list_models:
        method = impacts.find_method(name)
        show(method.models, lambda layout: models_table(method, layout), as_json=options.json)
    elif options.list_zones:
        mix = impacts.find_mix(options.mix or (impacts.CURRENT if name == _MEASURED else impacts.find_method(name).mix))
        show(mix, lambda layout: zones_table(mix, layout), as_json=options.json)
    else:
        return False
    return True


def _is_measured(options: argparse.Namespace) -> bool:
    if options.result is not None and options.method not in (None, _MEASURED):
        raise UsageError(
            f"--result goes with the method '{_MEASURED}', not with {options.method}", mend="leave one out"
        )
    return options.result is not None or options.method == _MEASURED


def _modelled(options: argparse.Namespace) -> Calculation:
    from scorekit import impacts

    for option, given in (("--model", options.model), ("--zone", options.zone)):
        if given is None:
            raise UsageError(f"{option} is missing", mend=_EXAMPLE)
    if options.queries is not None or options.pue is not None:
        option = "--queries" if options.queries is not None else "--pue"
        raise UsageError(
            f"{option} goes with --result only: a method has its own figures",
            mend="leave it out; `scorekit impact` takes an energy with any PUE",
        )
    method = impacts.find_method(options.method or impacts.CURRENT)
    model = impacts.find_model(method.models, options.model, method.name)
    tokens, text = _length(options)
    mix = impacts.find_mix(options.mix or method.mix)
    return impacts.calculate(model, method, tokens, impacts.find_zone(mix, options.zone), mix, text=text)


def _measured(options: argparse.Namespace) -> Calculation:
    from scorekit import impacts

    for option, given in (("--result", options.result), ("--zone", options.zone)):
        if given is None:
            raise UsageError(
                f"{option} is missing", mend="e.g. scorekit calculate --result RUN --queries 1000 --zone FRA"
            )
    if options.model is not None:
        raise UsageError("--model and --result name two models", mend="leave --model out: the result names its own")
    mix = impacts.find_mix(options.mix or impacts.CURRENT)
    zone = impacts.find_zone(mix, options.zone)
    result = _only_result(options.result)
    if options.queries is not None:
        return impacts.of_queries(result, options.queries, zone, mix, pue=options.pue)
    tokens, text = _length(options)
    return impacts.of_tokens(result, tokens, zone, mix, pue=options.pue, text=text)


def _only_result(path: Path) -> Result:
    """The result of one log; several would need a choice."""
    from itertools import islice

    from scorekit import logs
    from scorekit.errors import LogError

    found = list(islice(logs.read_logs([path]), 2))
    for each in found:
        if isinstance(each, logs.Refusal):
            raise each.error
    if len(found) != 1 or isinstance(found[0], logs.Refusal):
        raise LogError(f"{path} holds {'several results' if found else 'no result'}, expected one", mend="name the log")
    return found[0]


def _length(options: argparse.Namespace) -> tuple[float, str | None]:
    """Tokens of the answer, and the kind of text where one was named."""
    from scorekit import impacts

    if options.text is not None:
        text = impacts.find_text(options.text)
        return text.tokens, text.name
    if options.tokens is None:
        raise UsageError(
            "the length of the answer is missing",
            mend="give --text TEXT (`scorekit calculate --list-texts`) or --tokens N",
        )
    return options.tokens, None
