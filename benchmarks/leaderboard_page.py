"""How large and how quick the leaderboard of 10,000 results is, beside Tabulator; ends with code 1 on a missed goal.

python -m benchmarks.leaderboard_page [--quick] [--json FILE]

Both tables show the same rows, as many a page, in one Chromium, and take turns. Tabulator comes from npm into .cache.
An action is timed from the call to the end of layout, in the page itself. What the page puts off until nobody waits is
timed too, in rows of their own. Of several actions the one is judged that is the slowest in the middle of its rounds.

A first sort is the first thing that is asked of a page that was just loaded, of ours and of Tabulator's: the
leaderboard keeps the orders that it has worked out. Sorting by an order that it has is told beside it, and not judged.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import page_sizes, program, timing
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
_CACHE = program.CACHE / f"tabulator-tables-{TABULATOR}"
_SITE_KB = 200.0  # gzipped
_ROUNDS: Final = 9
_FIRST_ROUNDS: Final = 5
"""Of first sorts: each needs both pages anew."""
_QUICK_ROUNDS: Final = 3
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
_OURS_DEFERS = """(() => {
  const later = window.setTimeout;
  window.deferredMs = [];
  window.setTimeout = (work, ms) => later(() => {
    const start = performance.now();
    work();
    void document.body.offsetHeight;
    window.deferredMs.push(performance.now() - start);
  }, ms);
})()"""
_HAS_DEFERRED = "() => window.deferredMs.length > 0"
_TAKE_DEFERRED = "window.deferredMs.splice(0).reduce((all, one) => all + one, 0)"
"""What the page has put off, and has done since: watched before its own scripts run; whoever reads it, empties it."""
_SORTING = {
    f"by {own}": ((_OURS_SORT, own), (_PEER_SORT, [field, "desc" if own.startswith("-") else "asc"]))
    for own, field in (
        *(("energy", "wh"), ("-energy", "wh"), ("model", "model")),
        *(("-stars", "stars"), ("hardware", "hardware"), ("task", "task")),
    )
}
_COMES_SORTED = "by task"
_FILTERING = {
    f"{key} {wanted}{'' if value else ', taken back'}": (
        (_OURS_FILTER, [key, str(value)]),
        (_PEER_FILTER, [field, how if value else "like", value]),
    )
    for key, field, how, wanted in (
        *(("q", "model", "like", "llama"), ("task", "task", "=", "asr")),
        *(("stars", "stars", "=", 5), ("q", "model", "like", "zel/q")),
    )
    for value in (wanted, "")
}
"""Each of ours beside the same of the peer: script and argument. Every filter is taken back, too."""
_Action = tuple[tuple[str, object], tuple[str, object]]
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def main(argv: list[str] | None = None) -> int:
    options = program.parser("leaderboard_page", __doc__, "fewer runs, for CI").parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        rounds, first_rounds = (_QUICK_ROUNDS,) * 2 if options.quick else (_ROUNDS, _FIRST_ROUNDS)
        rows = measure(Path(folder), rounds, first_rounds)
    return program.conclude(rows, quick=options.quick, file=options.json)


def measure(folder: Path, rounds: int, first_rounds: int) -> list[Comparison]:
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
            return [
                *_sizes(built, site),
                *_first_sorts(browser, built, first_rounds),
                *_actions(browser, built, rounds),
                _first_paint(browser, built, rounds),
            ]
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


class Taken(NamedTuple):
    """What an action took.

    Attributes:
        ours_ms: until the end of layout.
        theirs_ms: the peer's.
        cpu_ratio: of the CPU times of the pages' own threads.
        deferred_ms: what our page put off, and did afterwards.
    """

    ours_ms: float
    theirs_ms: float
    cpu_ratio: float
    deferred_ms: float


def _first_sorts(browser: Browser, built: Path, rounds: int) -> list[Comparison]:
    """Each order asked for of pages that were just loaded, and of which nothing was asked before."""
    # In one of them the page comes.
    actions = {name: action for name, action in _SORTING.items() if name != _COMES_SORTED}
    times: dict[str, list[Taken]] = {name: [] for name in actions}
    for turn in range(rounds + 1):
        # The first turn finds files that were not read before.
        for name, action in actions.items():
            with _loaded(browser, built) as (pages, meters):
                taken = _pair(turn, pages, meters, action)
            times[name] += [taken] if turn else []
    return judged("first_sort", f"first sort of {FIGURES:,} rows", times, Goal(_ACTION_MS, on="ours"))


def _actions(browser: Browser, built: Path, rounds: int) -> list[Comparison]:
    """Orders that were asked for before, and filters, of the same pages again and again."""
    kinds: dict[str, Mapping[str, _Action]] = {"sort": _SORTING, "filter": _FILTERING}
    times: dict[str, dict[str, list[Taken]]] = {kind: {name: [] for name in kinds[kind]} for kind in kinds}
    with _loaded(browser, built) as (pages, meters):
        for turn in range(rounds + 1):
            # The first turn is for the compilers, and for orders to be worked out.
            for kind, actions in kinds.items():
                for name, action in actions.items():
                    taken = _pair(turn, pages, meters, action)
                    times[kind][name] += [taken] if turn else []
    return [
        *judged("sort_again", f"sort of {FIGURES:,} rows again", times["sort"], None),
        *judged("filter", f"filter of {FIGURES:,} rows", times["filter"], Goal(_ACTION_MS, on="ours")),
    ]


def judged(key: str, what: str, times: Mapping[str, Sequence[Taken]], goal: Goal | None) -> list[Comparison]:
    """The row of the action that is the slowest of all in the middle of its rounds, and what was put off after it.

    Args:
        key: of the row.
        what: was done.
        times: of each action by its name, one a round.
        goal: of the row.
    """
    worst = max(times, key=lambda name: statistics.median(taken.ours_ms for taken in times[name]))
    rounds = times[worst]
    ours = tuple(taken.ours_ms for taken in rounds)
    action = Comparison(
        key,
        f"{what}, the slowest: {worst}",
        f"Tabulator {TABULATOR}",
        "ms",
        ours=ours,
        theirs=tuple(taken.theirs_ms for taken in rounds),
        goal=goal,
        cpu_ratios=tuple(taken.cpu_ratio for taken in rounds),
    )
    deferred = tuple(taken.deferred_ms for taken in rounds)
    return [action, Comparison(f"{key}_deferred", "  put off after it", "the action itself", "ms", deferred, ours)]


@contextlib.contextmanager
def _loaded(browser: Browser, built: Path) -> Iterator[tuple[tuple[Page, Page], tuple[_Cpu, _Cpu]]]:
    """Ours and the peer's page, just loaded and at rest, and what meters their CPU time."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        ours, theirs = context.new_page(), context.new_page()
        meters = _Cpu(ours), _Cpu(theirs)
        ours.add_init_script(_OURS_DEFERS)
        ours.bring_to_front()
        ours.goto((built / "leaderboard.html").as_uri())
        _deferred_ms(ours)
        theirs.goto((built / "peer.html").as_uri())
        theirs.evaluate("ready")
        yield (ours, theirs), meters
    finally:
        context.close()


def _deferred_ms(page: Page) -> float:
    """What was put off by the last action, once it is done."""
    page.wait_for_function(_HAS_DEFERRED)
    return float(page.evaluate(_TAKE_DEFERRED))


class _Cpu:
    """CPU time of a page's own thread, which other programs on the machine disturb less than wall time."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent_ms(self) -> float:
        """So far."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")) * 1000


def _pair(turn: int, pages: Sequence[Page], meters: Sequence[_Cpu], action: _Action) -> Taken:
    """One action on both pages; who comes first changes."""
    wall, cpu, deferred_ms = [0.0, 0.0], [0.0, 0.0], 0.0
    for place in timing.in_order((1, 0), turn):
        script, argument = action[place]
        pages[place].bring_to_front()
        before = meters[place].spent_ms()
        wall[place] = float(pages[place].evaluate(script, argument))
        cpu[place] = meters[place].spent_ms() - before
        if place == 0:
            # Neither in the peer's turn nor dropped by the next action.
            deferred_ms = _deferred_ms(pages[place])
    # A clock that has not moved would make no ratio.
    return Taken(wall[0], wall[1], cpu[0] / max(cpu[1], 1e-6), deferred_ms)


def _first_paint(browser: Browser, built: Path, rounds: int) -> Comparison:
    """Of Home, beside a page of one word; each visit in a fresh context, without any cache."""
    times: list[list[float]] = [[], []]
    for turn in range(rounds):
        for place in timing.in_order((1, 0), turn):
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
