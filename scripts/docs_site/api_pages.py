"""Pages of the Python API: which modules stand on which page. mkdocstrings fills them in from the code itself."""

from __future__ import annotations

from typing import Final, NamedTuple


class ApiPage(NamedTuple):
    """One page.

    Attributes:
        title: its heading.
        about: a sentence or two.
        modules: what it shows, each with everything public in it.
    """

    title: str
    about: str
    modules: tuple[str, ...]


PAGES: Final[dict[str, ApiPage]] = {
    "index": ApiPage(
        "Python API",
        "What a notebook or program begins with. Each command of the command line mirrors one call.",
        ("scorekit",),
    ),
    "records": ApiPage(
        "Records",
        "The records at every file boundary: immutable, strict about names. [Formats](../../formats.md) tells what "
        "each field holds, and [JSON Schemas](../schemas.md) can be taken away.",
        ("scorekit.records",),
    ),
    "errors": ApiPage(
        "Errors",
        "Every error that a user can mend is a `ScorekitError`, with its exit code, what was found, and a `mend`.",
        ("scorekit.errors",),
    ),
    "logs": ApiPage(
        "Logs",
        "From files to scores and results. [Logs that can be read](../../logs.md) tells each format.",
        ("scorekit.logs",),
    ),
    "rating": ApiPage(
        "Rating and editions",
        "From scores to stars. [Editions and rules](../../editions.md) tells what they mean.",
        ("scorekit.rating", "scorekit.explain", "scorekit.scales", "scorekit.editions"),
    ),
    "validity": ApiPage(
        "Validity",
        "The checks of a run. [Validity checks](../../validity.md) tells each with its thresholds.",
        ("scorekit.validity",),
    ),
    "uncertainty": ApiPage(
        "Uncertainty",
        "The statistics of repeats. [Uncertainty](../../uncertainty.md) tells the terms and their sources.",
        ("scorekit.uncertainty",),
    ),
    "units": ApiPage("Units", "All conversions, exact, in one place.", ("scorekit.units",)),
    "impacts": ApiPage(
        "Impacts",
        "What an energy means in a country. [Impacts](../../impact.md) tells methods and sources.",
        ("scorekit.impacts",),
    ),
    "store": ApiPage(
        "Results store",
        "Results in a folder, and questions to them. [The results store](../../store.md) tells what is promised.",
        ("scorekit.store",),
    ),
    "submission": ApiPage(
        "Submissions",
        "Packing and verifying. [Submissions](../../submissions.md) tells what is in one.",
        ("scorekit.submission",),
    ),
    "publish": ApiPage(
        "Labels, charts and site",
        "What is published. [Labels](../../labels.md), [charts](../../charts.md), [the site](../../site.md).",
        ("scorekit.publish.label", "scorekit.publish.charts", "scorekit.publish.site.build"),
    ),
    "extending": ApiPage(
        "For plugins",
        "What a task, a log reader, a meter and a rule of your own are made of. "
        "[Extending](../../extending.md) walks an example.",
        (
            "scorekit.tasks",
            "scorekit.logs.fields",
            "scorekit.logs.places",
            "scorekit.logs.foreign.results",
            "scorekit.measuring.meters",
        ),
    ),
}
"""By the name of each page's file."""


def markdown(page: ApiPage) -> str:
    """A page as mkdocstrings takes it."""
    blocks = "\n\n".join(f"::: {module}" for module in page.modules)
    return f"# {page.title}\n\n{page.about}\n\n{blocks}\n"
