"""Data: everything on the site as files, what their columns mean, and how to cite them."""

from __future__ import annotations

from collections.abc import Iterator

from scorekit.publish.site import boamps, data
from scorekit.publish.site.content import Site
from scorekit.publish.site.data import COLUMNS, Download
from scorekit.publish.site.pages import Build, File, Page


def pages(site: Site, build: Build) -> Iterator[Page | File]:
    """The page, and the files that it offers."""
    results = [(entry.result, entry.result_id) for entry in site.entries if entry.result is not None]
    reports = boamps.reports(results) if results else None
    groups = {
        "Figures": list(data.figures(site)),
        "Editions": list(data.edition_files(site)),
        "BoAmps": [] if reports is None or not reports.made else [_boamps(reports)],
        "Schemas": list(data.schemas()),
    }
    for downloads in groups.values():
        for download in downloads:
            yield download.file
    yield Page(
        "data.html",
        "Data",
        "data.html",
        "data",
        {
            "groups": {title: downloads for title, downloads in groups.items() if downloads},
            "columns": {name: about for name, (about, _) in COLUMNS.items()},
            "results": len(results),
            "reports": reports,
            "address": build.base_url,
        },
        description="All figures, results and editions of this site as files, with their schemas.",
        styles=("assets/data.css",),
    )


def _boamps(reports: boamps.Reports) -> Download:
    return Download(
        "data/boamps.jsonl",
        "Results as BoAmps reports, JSON lines",
        "Boavizta's format for the energy of AI tasks, one report a line.",
        reports.lines,
        reports.made,
    )
