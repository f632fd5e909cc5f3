"""`scorekit label`: the energy label of one result."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit.errors import EXIT_DONE, BundleError, UsageError

if TYPE_CHECKING:
    from scorekit.publish.label import LabelFacts

_LOCAL: Final = "local"
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
        help="a score.json, a run folder, a log of another tool, or what `scorekit rate --json` printed; with "
        "--results a model's name or the first digits of a result's id",
    )
    parser.add_argument("--results", metavar="DIR", type=Path, help="take the result from this results folder")
    parser.add_argument("--model", metavar="M", help="which model is meant, where a file holds several")
    parser.add_argument("--task", metavar="T", help="which task is meant, where there are several")
    parser.add_argument(
        "--edition",
        metavar="NAME",
        help=f"a published edition (default: the newest built-in one), or {_LOCAL} for none",
    )
    parser.add_argument(
        "--editions",
        metavar="DIR",
        type=Path,
        default=Path("editions"),
        help="where frozen editions lie beside the built-in ones (default: %(default)s)",
    )
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
            _warn("warning: the names have signs that Inter lacks; fonts of this machine were used, where it has them")
    return EXIT_DONE


def read_facts(options: argparse.Namespace) -> LabelFacts:
    """What is told of the result that the arguments of `add_subject` name."""
    from scorekit import editions
    from scorekit.publish import label

    chosen = None if options.edition == _LOCAL else editions.find(options.edition or editions.LATEST, options.editions)
    if options.results is not None:
        rated = label.rated_in(options.results, options.subject, chosen, task=options.task)
    else:
        rated = label.rated_at(Path(options.subject), chosen, model=options.model, task=options.task)
    facts = label.label_facts(rated.rating, rated.subject, options.link)
    if options.link is not None and facts.link is None:
        _warn("warning: --link is left out: a local result is not verified as official ones are")
    return facts


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
    _warn(f"wrote {output}")


def _made(form: str, facts: LabelFacts, scale: float) -> bytes:
    if form == "badge":
        from scorekit.publish.label.badge import badge_text

        return badge_text(facts).encode("utf-8")
    if form == "svg":
        from scorekit.publish.label.svg import svg

        return svg(facts).encode("utf-8")
    from scorekit.publish.label import pictures

    return pictures.pdf(facts) if form == "pdf" else pictures.png(facts, scale)


def _warn(message: str) -> None:
    print(message, file=sys.stderr)
