"""`scorekit label`: the energy label of one result."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit.commands import edition_choice
from scorekit.errors import EXIT_DONE, BundleError, InputError, UsageError, nearest
from scorekit.messages import say

if TYPE_CHECKING:
    from scorekit.publish.label import LabelFacts

_RESULTS: Final = "results"
_FORMATS: Final = ("svg", "png", "pdf", "badge")
_SUFFIXES: Final = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".json": "badge"}
_LARGEST_SCALE: Final = 16.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_subject(parser)
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        help="svg, png, pdf, or badge for the JSON of a shields.io badge (default: by the name of FILE, else svg)",
    )
    parser.add_argument("--scale", metavar="N", type=float, default=2.0, help="size of a PNG (default: 2, for print)")


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name one result, where it can be verified, and where the output goes."""
    parser.add_argument(
        "subject",
        metavar="SCORE",
        help="a score.json, a run folder, a log of another tool, or what `scorekit rate --json` printed; or a model's "
        "name or the first digits of a result's id, looked up in the results folder and then among the editions",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        type=Path,
        help=f"take the result from this results folder (default: {_RESULTS}, where SCORE is no file or folder)",
    )
    parser.add_argument("--model", metavar="M", help="which model is meant, where a file holds several")
    parser.add_argument("--task", metavar="T", help="which task is meant, where there are several")
    edition_choice.add_edition(parser)
    parser.set_defaults(program=parser.prog)
    parser.add_argument("--link", metavar="URL", help="where the result can be verified")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write to FILE, not to standard output")


def run(options: argparse.Namespace) -> int:
    """Make the label."""
    form = options.format or _SUFFIXES.get("" if options.output is None else options.output.suffix.lower(), "svg")
    if not 0.1 <= options.scale <= _LARGEST_SCALE:
        raise UsageError(f"a scale of {options.scale:g}", mend=f"choose one from 0.1 to {_LARGEST_SCALE:g}")
    facts = read_facts(options)
    write(options.output, _made(form, facts, options.scale))
    if form in ("png", "pdf"):
        from scorekit.publish.label.pictures import beyond_inter

        if beyond_inter(facts):
            say("warning: the names have signs that Inter lacks; fonts of this machine were used, where it has them")
    return EXIT_DONE


def read_facts(options: argparse.Namespace) -> LabelFacts:
    """What is told of the result that the arguments of `add_subject` name.

    Raises:
        UsageError: several results are meant, or the arguments ask for what cannot be.
        InputError: there is no such result, or it cannot be read.
    """
    from scorekit.publish import label

    chosen = edition_choice.chosen_edition(options)
    if options.results is not None:
        rated = label.rated_in(options.results, options.subject, chosen, task=options.task)
    elif Path(options.subject).exists():
        rated = label.rated_at(Path(options.subject), chosen, model=options.model, task=options.task)
    else:
        unkept = _not_kept(options.subject)
        if unkept is not None:
            return _published(options, unkept)
        rated = label.rated_in(Path(_RESULTS), options.subject, chosen, task=options.task)
    facts = label.label_facts(rated.rating, rated.subject, options.link)
    _tell_link(options, facts)
    return facts


def _not_kept(wanted: str) -> UsageError | None:
    """Why the results folder of this place has no results of a model, or of an id; None where it has."""
    from scorekit import store

    folder = Path(_RESULTS)
    if not store.is_store(folder):
        return UsageError(f"there is no results folder '{_RESULTS}' here")
    try:
        store.open(folder).find(wanted)
    except UsageError as error:
        return error
    return None


def _published(options: argparse.Namespace, unkept: UsageError) -> LabelFacts:
    """The figure of a model in an edition, where there is no result of it."""
    from scorekit import editions
    from scorekit.publish import label

    if options.edition == edition_choice.LOCAL:
        among = []
    elif options.edition is not None:
        among = [editions.find(options.edition, options.editions)]
    else:
        among = editions.usable(options.editions)
    facts = label.published(options.subject, among, task=options.task, link=options.link)
    if facts is None:
        raise _not_found(options, unkept, label.names_of(among))
    say(f"no result of {options.subject} is here: its published figure of edition {facts.edition} is taken")
    _tell_link(options, facts)
    return facts


def _not_found(options: argparse.Namespace, unkept: UsageError, models: list[str]) -> InputError:
    subject, program = options.subject, options.program
    task = "" if options.task is None else f" for the task {options.task}"
    where = f"edition {options.edition}" if options.edition else f"any edition in '{options.editions}'"
    unnamed = "" if options.edition == edition_choice.LOCAL else f", nor does {where} name such a model{task}"
    close = nearest(subject, models)
    if close is not None and close != subject:
        mend = f"did you mean: {program} {shlex.quote(close)}"
    else:
        mend = unkept.mend or (
            f"of a run: {program} runs/TASK/MODEL; of a result kept elsewhere: {program} {shlex.quote(subject)} "
            "--results DIR; of a published figure: scorekit edition import SOURCE --name NAME, then scorekit edition "
            "freeze NAME, then this again"
        )
    return InputError(f"'{subject}' is no file or folder here; {unkept.message}{unnamed}", mend=mend)


def _tell_link(options: argparse.Namespace, facts: LabelFacts) -> None:
    if options.link is not None and facts.link is None:
        say("warning: --link is left out: a local result is not verified as official ones are")


def write(output: Path | None, content: bytes) -> None:
    """Write to a file in one step, or to standard output."""
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    from scorekit import atomic

    try:
        atomic.write_bytes(output, content, elsewhere="-o FILE")
    except BundleError:
        if not output.parent.is_dir():
            raise UsageError(f"there is no folder {output.parent}", mend="make it, or choose another FILE") from None
        raise
    say(f"wrote {output}")


def _made(form: str, facts: LabelFacts, scale: float) -> bytes:
    if form == "badge":
        from scorekit.publish.label.badge import badge_text

        return badge_text(facts).encode("utf-8")
    if form == "svg":
        from scorekit.publish.label.svg import svg

        return svg(facts).encode("utf-8")
    from scorekit.publish.label import pictures

    return pictures.pdf(facts) if form == "pdf" else pictures.png(facts, scale)
