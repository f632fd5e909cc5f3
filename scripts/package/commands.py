"""What is typed into an install without extras, with the exit code that it must have and the words that it must say."""

from __future__ import annotations

from typing import Final

from scorekit.errors import install_line

OFFICIAL: Final = "2025-02"

Expected = tuple[list[str], int, tuple[str, ...]]
"""A command, its exit code, and words that it says."""

RUN: Final = "golden/generate_h100_counter"
_MODEL: Final = "example/model-1b"
_CHART: Final = ["chart", "cohort", "--edition", OFFICIAL, "--task", "text_generation", "--class", "A", "--format"]
_READING: Final[list[Expected]] = [
    (["parse", RUN, "--read-only"], 0, (_MODEL,)),
    (["check", RUN], 0, ()),
    (["rate", RUN, "--edition", OFFICIAL, "--json"], 0, (f'"edition": "{OFFICIAL}"', '"stars": ')),
    (["rate", "one.json", "other.json", "--edition", "local"], 0, ("example/one", "example/other")),
    (["tasks"], 0, ("text_generation",)),
]
_KEEPING: Final[list[Expected]] = [
    (["results", "add", RUN, "golden/call_h100"], 0, ()),
    (["results", "list"], 0, (_MODEL,)),
    (["results", "export", "--format", "parquet", "-o", "results.parquet"], 0, ()),
    (["results", "query", "SELECT 1"], 2, (install_line("data"),)),
]
_SHOWING: Final[list[Expected]] = [
    (["label", RUN, "-o", "label.svg"], 0, ()),
    (["label", RUN, "-o", "badge.json"], 0, ()),
    (["label", RUN, "-o", "label.png"], 2, (install_line("publish"),)),
    (["label", RUN, "-o", "label.pdf"], 2, (install_line("publish"),)),
    (["card", RUN], 0, ("## Energy of inference",)),
    ([*_CHART, "csv"], 0, ("model",)),
    ([*_CHART, "json"], 0, ("vega-lite",)),
    ([*_CHART, "svg"], 2, (install_line("publish"),)),
    ([*_CHART, "png"], 2, (install_line("publish"),)),
    (
        ["site", "build", "--out", "site", "--edition", OFFICIAL],
        0,
        ("Charts are shown as tables", install_line("publish")),
    ),
]
_MEANING: Final[list[Expected]] = [
    (["impact", "--energy-wh", "35", "--zone", "FRA", "--mix", "ecologits-0.8"], 0, ()),
    (["impact", "--energy-wh", "35", "--zone", "FRA"], 2, (install_line("impact"),)),
]
_CLAUSES: Final = ("--accept-public-data", "--accept-integrity", "--accept-representation")
_HANDING_IN: Final[list[Expected]] = [
    (
        ["pack", RUN, "-o", "packed.zip", "--name", "Ada Lovelace", "--allow-invalid", *_CLAUSES],
        0,
        ("packed.zip",),
    ),
    (["verify", "packed.zip", "--json"], 0, ('"verdict": "accepted"',)),
    (["verify", "golden/submissions/open.zip", "--json"], 0, ('"verdict": "accepted"',)),
]
_WITH_EXTRAS: Final[list[Expected]] = [
    (["bench", "--config-name", "text_generation", "backend.model=model"], 2, (install_line("bench"),)),
    (["demo", "demo"], 2, (install_line("bench"),)),
    (["tiny", "tiny"], 2, (install_line("bench"),)),
    (["portal", "migrate", "--data", "portal"], 2, (install_line("portal"),)),
    (["submit", "packed.zip", "--portal", "http://127.0.0.1:9", *_CLAUSES], 2, (install_line("portal"),)),
]
EXPECTED: Final = (*_READING, *_KEEPING, *_SHOWING, *_MEANING, *_HANDING_IN, *_WITH_EXTRAS)
"""In the order in which they are typed, in one folder."""
WRITTEN: Final = {
    "label.svg": b"<svg",
    "badge.json": b"{",
    "results.parquet": b"PAR1",
    "packed.zip": b"PK",
    "site/index.html": b"<!doctype html>",
    "site/data.html": b"<!doctype html>",
    "site/assets/charts.js": b"//",
    "site/assets/chart-runtime.js": b"(function",
}
"""What these commands leave, and how it begins."""
