"""`scorekit chart`: one of the charts as a picture or as data, without a browser."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit.commands import edition_choice
from scorekit.errors import EXIT_DONE, UsageError
from scorekit.messages import say_line

if TYPE_CHECKING:
    from scorekit.publish.charts import Chart
    from scorekit.publish.site.content import Site

_FORMATS: Final = ("svg", "png", "csv", "json")
_WIDTHS_PX: Final = (240, 4000)
_LARGEST_SCALE: Final = 8.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="which chart; --list tells the names")
    parser.add_argument("--list", action="store_true", help="list the charts")
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        help="svg, png, csv for its rows, json for its Vega-Lite specification (default: by FILE's name, else svg)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write to FILE, not to standard output")
    parser.add_argument(
        "--results", metavar="DIR", type=Path, help="the results folder (default: results, where there is one)"
    )
    edition_choice.add_edition(parser, "the edition that stars are given in")
    parser.add_argument("--task", metavar="T", help="leaderboard name of the task")
    parser.add_argument("--class", metavar="C", dest="model_class", choices=("A", "B", "C"), help="A, B or C")
    parser.add_argument("--model", metavar="M", action="append", default=[], help="a model; may be given several times")
    parser.add_argument(
        "--zone", metavar="ZONE", action="append", default=[], help="a zone; may be given several times"
    )
    parser.add_argument(
        "--metric", metavar="M", help="of the chart quality: a metric, `BENCHMARK METRIC`, or its whole name"
    )
    parser.add_argument("--impact", metavar="I", default="gwp", help="gwp, pe, adpe or water (default: %(default)s)")
    parser.add_argument("--mix", metavar="EDITION", help="edition of electricity mixes (default: installed ecologits)")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="look (default: %(default)s)")
    parser.add_argument("--width", metavar="PX", type=int, default=720, help="width in px (default: %(default)s)")
    parser.add_argument("--scale", metavar="N", type=float, default=2.0, help="points of a PNG by px (default: 2)")


def run(options: argparse.Namespace) -> int:
    """Make the chart."""
    from scorekit.commands.label import write
    from scorekit.publish.charts import registry

    if options.list:
        width = max(map(len, registry.CHARTS))
        print("\n".join(f"{name:{width}}  {named.summary}" for name, named in registry.CHARTS.items()))
        return EXIT_DONE
    if options.name is None:
        raise UsageError("no chart is named", mend="see scorekit chart --list")
    low, high = _WIDTHS_PX
    if not low <= options.width <= high:
        raise UsageError(f"a width of {options.width} px", mend=f"choose one from {low} to {high}")
    if not 0.25 <= options.scale <= _LARGEST_SCALE:
        raise UsageError(f"a scale of {options.scale:g}", mend=f"choose one from 0.25 to {_LARGEST_SCALE:g}")
    chart = registry.find(options.name).make(
        registry.Asked(
            site=lambda: _site(options),
            task=options.task,
            model_class=options.model_class,
            models=tuple(options.model),
            zones=tuple(options.zone),
            kind=options.impact,
            metric=options.metric,
            **({} if options.mix is None else {"mix": options.mix}),
        )
    )
    if chart.empty is not None:
        raise UsageError(
            f"there is nothing to show: {chart.empty}",
            mend="name results with --results DIR or an edition with --edition NAME, or another task or model",
        )
    write(options.output, _made(chart, _form(options), options))
    return EXIT_DONE


def _form(options: argparse.Namespace) -> str:
    if options.format is not None:
        form: str = options.format
        return form
    suffix = "" if options.output is None else options.output.suffix.lower().removeprefix(".")
    return suffix if suffix in _FORMATS else "svg"


def _made(chart: Chart, form: str, options: argparse.Namespace) -> bytes:
    import json

    from scorekit.publish import charts

    look = charts.LOOKS[options.theme]
    if form == "csv":
        return charts.csv_text(chart).encode("utf-8", "backslashreplace")
    if form == "json":
        return (json.dumps(chart.vega_lite(look, options.width, titled=True), indent=2) + "\n").encode("ascii")
    if form == "png":
        return charts.png(chart, look, options.width, scale=options.scale)
    return charts.svg(chart, look, options.width).encode("utf-8")


def _site(options: argparse.Namespace) -> Site:
    from scorekit.publish.site import source

    return source.read(options.results, edition_choice.chosen_edition(options), options.editions, report=say_line)
