"""What the guard looks at: each work of ours beside its floor, small enough that all take less than a minute of CPU.

Modules are imported where their work is prepared: with `--only`, nothing else is.
"""

from __future__ import annotations

import datetime
import functools
import importlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.guard.turns import Count, Pair, of_children

Row = Pair | Count
YARDSTICK: Final = "a fixed piece of plain Python"
_FOLDERS, _RUNS, _RESULTS, _SHOWN, _JOBS, _RESUMED = 40, 3, 150, 500, 1000, 40


def yardstick(times: int) -> Callable[[], object]:
    """Work that has nothing to do with ours and always stays as it is: strings, dictionaries, JSON, arithmetic.

    It stands as the floor where the bare work is so short that no clock sees it.
    """
    document = {
        f"key {number}": {"value": number / 7, "name": f"model-{number}", "list": [1, 2, 3]} for number in range(99)
    }

    def once() -> float:
        text = json.dumps(document)
        total = 0.0
        for name, entry in sorted(json.loads(text).items()):
            total += entry["value"] * len(name.upper().replace(" ", "-").split("-"))
        return total

    return lambda: [once() for _ in range(times)]


def _repeated(times: int, work: Callable[[], object]) -> Callable[[], object]:
    return lambda: [work() for _ in range(times)]


def start(folder: Path) -> Row:
    """A start of the command line."""
    from benchmarks.startup import PROGRAM, program

    commands = ([str(program(PROGRAM)), "--help"], [sys.executable, "-c", "pass"])
    # Python's own bytecode cache must be there, whatever the machine's custom: without it each start compiles.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(command: list[str]) -> Callable[[], object]:
        return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)

    return Pair("start", "scorekit --help", "python -c pass", run(commands[0]), run(commands[1]), of_children)


def modules(_: Path) -> Row:
    """What a start loads."""

    def loaded(code: str) -> int:
        command = [sys.executable, "-c", f"import contextlib, io, sys\n{code}\nprint(len(sys.modules))"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    asked = (
        "from scorekit import cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): cli.main(['--help'])"
    )
    return Count("modules", "modules loaded by scorekit --help", "by python", lambda: (loaded(asked), loaded("pass")))


def stars(_: Path) -> Row:
    """Stars of many energies."""
    from benchmarks import ratings
    from scorekit.star_arrays import stars_of

    given = ratings.make_input(100_000)
    return Pair(
        "stars", "100,000 stars, 40 times", "the same in numpy, unchecked",
        lambda: [stars_of(*given) for _ in range(40)], lambda: [ratings.gathered(*given) for _ in range(40)],
    )  # fmt: skip


def rating(_: Path) -> Row:
    """Stars of scores, with their uncertainty."""
    from benchmarks import made_up_results
    from scorekit.editions import FEBRUARY_2025
    from scorekit.rating import rate_scores

    scores = made_up_results.results(_RESULTS)
    return Pair(
        "rating", f"{_RESULTS} scores rated", YARDSTICK, lambda: rate_scores(scores, FEBRUARY_2025), yardstick(60)
    )


def parse_foreign(folder: Path) -> Row:
    """Logs of optimum-benchmark."""
    from benchmarks import parsing

    parsing.write_foreign(folder, _FOLDERS)
    folders = sorted(folder.iterdir())
    return Pair(
        "parse_foreign", f"{_FOLDERS} folders of optimum-benchmark read", "open and json.loads, 6 times",
        lambda: parsing.read(folders), lambda: [parsing.floor(folders) for _ in range(6)],
    )  # fmt: skip


def parse_own(folder: Path) -> Row:
    """Run folders of ours as a run on a GPU leaves them, hashed and checked."""
    from benchmarks import parsing

    parsing.write_gpu_runs(folder, _RUNS)
    folders = sorted(folder.iterdir())
    return Pair(
        "parse_own", f"{_RUNS} GPU runs of scorekit read", "read, hash, parse JSON and the trace, 5 times",
        lambda: parsing.read(folders), lambda: [parsing.hashing_floor(folders) for _ in range(5)],
    )  # fmt: skip


def verifying(folder: Path) -> Row:
    """The shortest submission that there can be."""
    from benchmarks import verify
    from scorekit import submission
    from scorekit.editions import FEBRUARY_2025
    from scorekit.records import Terms

    terms = Terms(edition=FEBRUARY_2025, now_utc=verify.NOW.isoformat())
    ((_, _, content),) = verify.submissions(folder, verify.LENGTHS[:1])
    return Pair(
        "verify", "verify a submission", "unpack, hash, parse JSON",
        lambda: submission.verify_bytes(content, terms), lambda: verify.floor(content),
    )  # fmt: skip


def label(_: Path) -> Row:
    """Labels, each with a name and a link of its own."""
    from benchmarks import labels
    from scorekit.publish.label.svg import svg

    # Texts that were drawn before are kept.
    numbers = itertools.count()
    return Pair(
        "label", "40 labels as SVG", YARDSTICK,
        lambda: [svg(labels.facts(next(numbers))) for _ in range(40)], yardstick(60),
    )  # fmt: skip


def index(folder: Path) -> Row:
    """The index of a results folder, from nothing."""
    from benchmarks import results_index

    results_index.write_results(folder, _RESULTS)
    return Pair(
        "index", f"index of {_RESULTS} results", "reading and hashing their files 10 times",
        lambda: results_index.build_index(folder), _repeated(10, lambda: results_index.read_all(folder)),
    )  # fmt: skip


def _built(out: Path, results: list[Any], keys: tuple[str, ...]) -> Any:
    from scorekit.editions import FEBRUARY_2025
    from scorekit.publish.site.build import build
    from scorekit.publish.site.gathering import gather
    from scorekit.publish.site.pages import SECTIONS

    shown = gather(results, FEBRUARY_2025, result_ids=[f"{number:064x}" for number in range(len(results))])
    build(shown, out, sections=tuple(section for section in SECTIONS if section.key in keys))
    return shown


@functools.cache
def pages() -> Mapping[str, tuple[float, float]]:
    """kB of Home and of the leaderboard of a site, beside its rows as JSON lines; all gzipped."""
    from benchmarks import made_up_results, page_sizes

    with tempfile.TemporaryDirectory() as name:
        built = Path(name) / "site"
        shown = _built(built, made_up_results.results(_SHOWN), ("home", "leaderboard"))
        home, board = page_sizes.kb((built / "index.html").read_bytes()), page_sizes.of_leaderboard(built).page
    bare = page_sizes.kb(page_sizes.rows_as_json_lines(shown))
    return {"home_bytes": (home, bare), "leaderboard_bytes": (board, bare)}


def site(_: Path) -> Row:
    """Home and leaderboard, from results to text; writing the files is left to the disk."""
    from benchmarks import made_up_results
    from scorekit import __version__
    from scorekit.editions import FEBRUARY_2025
    from scorekit.publish.site.environment import Renderer
    from scorekit.publish.site.gathering import gather
    from scorekit.publish.site.pages import SECTIONS, Build, Page

    results = made_up_results.results(_RESULTS)
    result_ids = [f"{number:064x}" for number in range(len(results))]
    sections = tuple(section for section in SECTIONS if section.key in ("home", "leaderboard"))
    facts = Build(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), __version__, None, None)
    modules = [importlib.import_module(f"scorekit.publish.site.pages.{section.module}") for section in sections]

    def ours() -> None:
        shown = gather(results, FEBRUARY_2025, result_ids=result_ids)
        renderer = Renderer(shown, facts, sections)
        for module in modules:
            for item in module.pages(shown, facts):
                if isinstance(item, Page):
                    renderer.render(item)

    return Pair("site", f"Home and leaderboard of {_RESULTS} results as text", YARDSTICK, ours, yardstick(60))


def _bytes(key: str, what: str) -> Callable[[Path], Row]:
    return lambda _: Count(key, f"{what} of {_SHOWN} results, gzipped", "its rows as JSON lines", lambda: pages()[key])


def planning(folder: Path) -> Row:
    """The plan of a sweep."""
    from benchmarks import sweep_planning

    ours, floor = sweep_planning.planning_works(folder, _JOBS)
    return Pair(
        "planning",
        f"planning {_JOBS:,} jobs",
        "json.dumps of the plan, 5 times",
        ours,
        lambda: [floor() for _ in range(5)],
    )


def resuming(folder: Path) -> Row:
    """A sweep that is done."""
    from benchmarks import sweep_planning

    ours, floor = sweep_planning.resuming_works(folder, _RESUMED)
    return Pair(
        "resuming", f"resuming a finished sweep of {_RESUMED}", "reading its manifests and scores, 5 times",
        ours, lambda: [floor() for _ in range(5)],
    )  # fmt: skip


WORKS: Final[Mapping[str, Callable[[Path], Row]]] = {
    "start": start,
    "modules": modules,
    "stars": stars,
    "rating": rating,
    "parse_foreign": parse_foreign,
    "parse_own": parse_own,
    "verify": verifying,
    "label": label,
    "index": index,
    "site": site,
    "home_bytes": _bytes("home_bytes", "Home"),
    "leaderboard_bytes": _bytes("leaderboard_bytes", "leaderboard"),
    "planning": planning,
    "resuming": resuming,
}
"""Each is given an empty folder of its own."""
