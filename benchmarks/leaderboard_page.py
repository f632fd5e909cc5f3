"""How large and how quick the leaderboard of 10,000 results is, beside Tabulator; ends with code 1 on a missed goal.

python -m benchmarks.leaderboard_page [--quick] [--json FILE]

Both tables show the same rows, as many a page, in one Chromium, and take turns. Tabulator comes from npm into .cache.
An action is timed from the call to the end of layout, in the page itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import comparison, page_sizes
from benchmarks.comparison import Comparison, Goal
from benchmarks.made_up_results import results
from benchmarks.page_sizes import COLUMNS, rows_as_json_lines, values_of
from scorekit.editions import FEBRUARY_2025
from scorekit.publish.site.build import build
from scorekit.publish.site.columnar import in_order
from scorekit.publish.site.content import Entry, Site
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.names import safe_json
from scorekit.publish.site.pages import SECTIONS
from scorekit.publish.site.pages.leaderboard import ROWS

FIGURES = 10_000
TABULATOR = "6.3.1"
_CACHE = Path(__file__).parents[1] / ".cache" / f"tabulator-tables-{TABULATOR}"
_SITE_KB = 200.0  # gzipped
_ACTION_MS = 50.0
_PAINT_MS = 1000.0
_PEER = """<!doctype html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="tabulator.min.css">
<script src="tabulator.min.js"></script><script src="peer-data.js"></script><div id="peer"></div>
<script src="peer.js"></script></html>
"""
_PEER_SCRIPT = """
var columns = %s.map(function (field) { return {title: field, field: field}; });
var rendered = null;
var table = new Tabulator("#peer", {data: peerData, columns: columns, pagination: true, paginationSize: %d});
table.on("renderComplete", function () { if (rendered) { var done = rendered; rendered = null; done(); } });
var ready = new Promise(function (then) { table.on("tableBuilt", then); });
function timed(action) {
  var start = performance.now();
  var done = new Promise(function (then) { rendered = then; });
  action();
  return done.then(function () { void document.body.offsetHeight; return performance.now() - start; });
}
"""
_OURS_SORT = """sort => {
  const choice = document.querySelector("[data-sort]");
  if (![...choice.options].some(one => one.value === sort)) { choice.add(new Option(sort, sort)); }
  choice.value = sort;
  const start = performance.now();
  choice.dispatchEvent(new Event("change"));
  void document.body.offsetHeight;
  return performance.now() - start;
}"""
_OURS_FILTER = """([key, value]) => {
  const control = document.querySelector(`[data-filter=${key}]`);
  control.value = value;
  const start = performance.now();
  control.dispatchEvent(new Event(key === "q" ? "input" : "change"));
  void document.body.offsetHeight;
  return performance.now() - start;
}"""
_PEER_SORT = "([field, direction]) => timed(() => table.setSort(field, direction))"
_PEER_FILTER = "([field, type, value]) => timed(() => table.setFilter(field, type, value))"
_Times = tuple[float, float, float]
_SORTING = tuple(
    ((_OURS_SORT, own), (_PEER_SORT, [field, "desc" if own.startswith("-") else "asc"]))
    for own, field in (
        *(("energy", "wh"), ("-energy", "wh"), ("model", "model")),
        *(("-stars", "stars"), ("hardware", "hardware"), ("task", "task")),
    )
)
_FILTERING = tuple(
    ((_OURS_FILTER, [key, str(value)]), (_PEER_FILTER, [field, how if value else "like", value]))
    for key, field, how, wanted in (
        *(("q", "model", "like", "llama"), ("task", "task", "=", "asr")),
        *(("stars", "stars", "=", 5), ("q", "model", "like", "zel/q")),
    )
    for value in (wanted, "")
)
"""Each of ours beside the same of the peer: script and argument. Every filter is taken back, too."""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.leaderboard_page", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="fewer runs, for CI")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every run to FILE")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), rounds=3 if options.quick else 15)
    return comparison.conclude(rows, quick=options.quick, file=options.json)


def measure(folder: Path, rounds: int) -> list[Comparison]:
    """All rows."""
    site = gather(results(FIGURES), FEBRUARY_2025, result_ids=[f"{number:064x}" for number in range(FIGURES)])
    sections = tuple(section for section in SECTIONS if section.key in ("home", "leaderboard"))
    built = build(site, folder / "site", sections=sections).folder
    _write_peer(built, in_order(site))
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            return [*_sizes(built, site), *_actions(browser, built, rounds), _first_paint(browser, built, rounds)]
        finally:
            browser.close()


def _sizes(built: Path, site: Site) -> list[Comparison]:
    """What a visit of the leaderboard brings, without charts; and what is read when a figure's source is asked for."""
    found = page_sizes.of_leaderboard(built)
    bare = page_sizes.kb(rows_as_json_lines(site))
    goal = Goal(_SITE_KB, on="ours")
    rows = (
        ("size", "page and data, gzipped", found.page, goal),
        ("whole", "with scripts and styles", found.whole, goal),
        ("sources", "sources, read on demand", found.sources, None),
    )
    reference = "the same rows as JSON lines"
    return [
        Comparison(key, what, reference, "kB", (size,), (bare,), limit, exact=True) for key, what, size, limit in rows
    ]


def _actions(browser: Browser, built: Path, rounds: int) -> list[Comparison]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    ours, theirs = context.new_page(), context.new_page()
    meters = [_Cpu(ours), _Cpu(theirs)]
    ours.goto((built / "leaderboard.html").as_uri())
    theirs.goto((built / "peer.html").as_uri())
    theirs.evaluate("ready")
    times: dict[str, list[_Times]] = {"sort": [], "filter": []}
    for turn in range(rounds + 1):
        # The first turn is for the compilers.
        for kind, actions in (("sort", _SORTING), ("filter", _FILTERING)):
            found = [_pair(turn, (ours, theirs), meters, action) for action in actions]
            times[kind] += found if turn else []
    context.close()
    return [
        Comparison(
            kind,
            f"{kind} {FIGURES:,} rows",
            f"Tabulator {TABULATOR}",
            "ms",
            ours=tuple(pair[0] for pair in pairs),
            theirs=tuple(pair[1] for pair in pairs),
            goal=Goal(_ACTION_MS, on="ours"),
            cpu_ratios=tuple(pair[2] for pair in pairs),
        )
        for kind, pairs in times.items()
    ]


class _Cpu:
    """CPU time of a page's own thread, which other programs on the machine disturb less than wall time."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent_ms(self) -> float:
        """So far."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")) * 1000


def _pair(turn: int, pages: Sequence[Page], meters: Sequence[_Cpu], action: Sequence[tuple[str, object]]) -> _Times:
    """Wall times of one action on both pages, and the ratio of their CPU times; who comes first changes."""
    wall, cpu = [0.0, 0.0], [0.0, 0.0]
    for place in (0, 1) if turn % 2 else (1, 0):
        script, argument = action[place]
        pages[place].bring_to_front()
        before = meters[place].spent_ms()
        wall[place] = float(pages[place].evaluate(script, argument))
        cpu[place] = meters[place].spent_ms() - before
    return wall[0], wall[1], cpu[0] / cpu[1] if cpu[1] else float("nan")


def _first_paint(browser: Browser, built: Path, rounds: int) -> Comparison:
    """Of Home, beside a page of one word; each visit in a fresh context, without any cache."""
    times: list[list[float]] = [[], []]
    for turn in range(rounds):
        for place in (0, 1) if turn % 2 else (1, 0):
            context = browser.new_context(viewport={"width": 390, "height": 844})
            page = context.new_page()
            page.goto((built / ("index.html", "floor.html")[place]).as_uri())
            page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
            times[place].append(float(page.evaluate(_FIRST_PAINT)))
            context.close()
    ours, theirs = (tuple(one) for one in times)
    goal = Goal(_PAINT_MS, on="ours")
    return Comparison("paint", "first paint of Home", "a page of one word", "ms", ours, theirs, goal)


def _write_peer(built: Path, rows: Sequence[Entry]) -> None:
    """A page with Tabulator over the same rows, and one of a word, beside the site."""
    for name, member in (("tabulator.min.js", "js"), ("tabulator.min.css", "css")):
        (built / name).write_bytes(_tabulator(f"package/dist/{member}/{name}"))
    data = [values_of(entry) for entry in rows]
    (built / "peer-data.js").write_text(f"var peerData = {safe_json(data)};\n", encoding="ascii")
    (built / "peer.js").write_text(_PEER_SCRIPT % (json.dumps(COLUMNS), ROWS), encoding="ascii")
    (built / "peer.html").write_text(_PEER, encoding="ascii")
    (built / "floor.html").write_text("<!doctype html><title>floor</title><p>word</p>\n", encoding="ascii")


def _tabulator(member: str) -> bytes:
    archive = _CACHE / f"tabulator-tables-{TABULATOR}.tgz"
    if not archive.is_file():
        _CACHE.mkdir(parents=True, exist_ok=True)
        package = f"tabulator-tables@{TABULATOR}"
        subprocess.run(["npm", "pack", package, "--silent", "--pack-destination", str(_CACHE)], check=True, timeout=300)
    with tarfile.open(archive) as opened:
        held = opened.extractfile(member)
        assert held is not None
        return held.read()


if __name__ == "__main__":
    sys.exit(main())
