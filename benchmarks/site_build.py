"""Prints how long a site takes to build for 100, 1,000 and 10,000 results and how large its Home is, and ends with
code 1 when a goal is missed.

python -m benchmarks.site_build [--quick] [--json FILE] [--folder DIR]
"""

from __future__ import annotations

import gc
import gzip
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest import mock

from benchmarks import made_up_results, program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import Took, in_order, took
from scorekit.editions import FEBRUARY_2025
from scorekit.publish.site import labels
from scorekit.publish.site.build import build
from scorekit.publish.site.gathering import gather
from scorekit.records import Result

SIZES = (100, 1_000, 10_000)
QUICK_SIZES = (50, 200, 800)
LABELLED = labels.MOST_LABELS / SIZES[-1]
"""The share of the results that have a label, in a site of every size: what the largest site can have.

Else each result of a smaller site would have the work of a label, and only a fifth of those of the largest one, which
hides so much of what grows faster than the results.
"""
LINEAR = Goal(1.5)
"""CPU time of each further result up to the largest site, relative to one up to the site before it: 1 is linear.

Further ones, because what every site has (the edition's members, assets) would count more among few results.
"""
HOME = Goal(1.5)
"""Bytes of Home of the largest site, relative to the smallest: it must not grow with the results."""
_ROUNDS = 5


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("site_build", __doc__, "small sites, for CI: seconds instead of minutes")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where the sites are built for a while")
    options = parser.parse_args(argv)
    sizes = QUICK_SIZES if options.quick else SIZES
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        rows = builds(Path(made), sizes, rounds=2 if options.quick else _ROUNDS)
    return program.conclude(rows, quick=options.quick, file=options.json)


def builds(folder: Path, sizes: tuple[int, ...], rounds: int) -> list[Comparison]:
    """Gathering and writing each site, in turn with a copy of the files that came of it.

    The smallest site is the first in every second round, the largest in the others.
    """
    taken: dict[int, list[Took]] = {size: [] for size in sizes}
    floors: dict[int, list[Took]] = {size: [] for size in sizes}
    homes: dict[int, int] = {}
    megabytes: dict[int, float] = {}
    # What is made once a process (fonts, templates, Vega's bundle) is no part of a result's time.
    _build(folder / "warm", 10)
    for number in range(rounds):
        for size in in_order(sizes, number):
            program.say(f"site of {size:,} results ...")
            site = folder / str(size)
            results = made_up_results.results(size)
            # What was left by the site before is no part of this one's time.
            gc.collect()
            with mock.patch.object(labels, "MOST_LABELS", round(LABELLED * size)):
                taken[size].append(took(partial(write, site, results)))
            floors[size].append(took(partial(shutil.copytree, site, folder / "copy")))
            shutil.rmtree(folder / "copy")
            homes[size] = len(gzip.compress((site / "index.html").read_bytes(), mtime=0))
            megabytes[size] = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
            shutil.rmtree(site)
    found = [
        Comparison.of_turns(
            key=f"build_{size}",
            what=f"site of {size:,} results ({megabytes[size]:,.0f} MB, {LABELLED:.0%} with labels), each",
            reference="copying its files",
            unit="ms",
            ours=taken[size],
            theirs=floors[size],
            scale=1e3 / size,
        )
        for size in sizes
    ]
    small, middle, large = sizes[-3:]
    found.append(
        Comparison(
            key="linear",
            what=f"CPU of each further result, {middle:,} to {large:,}",
            reference=f"{small:,} to {middle:,}",
            unit="ms",
            ours=_further_ms(taken, middle, large),
            theirs=_further_ms(taken, small, middle),
            goal=LINEAR,
        )
    )
    found.append(
        Comparison(
            key="home",
            what=f"Home among {large:,}, gzipped",
            reference=f"among {sizes[0]:,}",
            unit="kB",
            ours=(homes[large] / 1e3,),
            theirs=(homes[sizes[0]] / 1e3,),
            goal=HOME,
            exact=True,
        )
    )
    return found


def _further_ms(taken: dict[int, list[Took]], few: int, many: int) -> tuple[float, ...]:
    """CPU time, in each round, of a result that many have and few have not."""
    pairs = zip(taken[few], taken[many], strict=True)
    return tuple((longer.cpu_s - shorter.cpu_s) * 1e3 / (many - few) for shorter, longer in pairs)


def _build(out: Path, size: int) -> None:
    write(out, made_up_results.results(size))


def write(out: Path, results: list[Result]) -> None:
    """A site of results in memory: gathered, rendered, written."""
    build(gather(results, FEBRUARY_2025, [FEBRUARY_2025]), out)


if __name__ == "__main__":
    sys.exit(main())
