"""What a window of our NVML meter takes beside a window of CodeCarbon and of Zeus, around the same work, in turn."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.accuracy.tools import CodeCarbon, Zeus
from benchmarks.comparison import Comparison
from benchmarks.overhead import Turn, Work, windowed

OURS = "nvml"
Make = Callable[[], Sequence[Any]]


class _Peer:
    """A peer's meter, opened and closed as ours is."""

    def __init__(self, tool: Any) -> None:
        self._tool = tool

    def open(self, _: str) -> None:
        self._tool.open()

    def close(self) -> None:
        self._tool.close()

    def readings(self) -> Any:
        return self._tool.answer()

    def stop(self) -> None:
        self._tool.stop()


def made(folder: Path, say: Callable[[str], None]) -> dict[str, Make]:
    """What makes a meter of each peer that can be had."""
    found: dict[str, Make] = {"CodeCarbon": lambda: [_Peer(CodeCarbon(folder))]}
    zeus = peers.zeus_folder(say)
    if zeus is not None:
        # Behind all others, so that it brings only what is not there.
        sys.path.append(str(zeus))
        importlib.import_module("zeus.monitor")
        found["Zeus"] = lambda: [_Peer(Zeus(folder))]
    return found


def turns(work: Work, makes: Mapping[str, Make], count: int) -> dict[str, list[Turn]]:
    """The same work in a window of each, in turn; each is first in some turns. The first turn is for nothing."""
    found: dict[str, list[Turn]] = {name: [] for name in makes}
    names = list(makes)
    for number in range(count + 1):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            meters = makes[name]()
            try:
                turn = windowed(work, meters)
                for meter in meters:
                    meter.readings()
            finally:
                for meter in meters:
                    meter.stop()
            if number:
                found[name].append(turn)
    return found


def rows(found: Mapping[str, Sequence[Turn]]) -> list[Comparison]:
    """What ours takes of a window beside what each peer takes, in percent: threads' CPU, opening, closing."""
    taken = {name: tuple(100 * (one.others_s + one.edges_s) / one.wall_s for one in found[name]) for name in found}
    return [
        Comparison(
            key=f"taken_beside_{name.lower()}",
            what=f"  taken by {OURS}, beside {name}",
            reference=f"a window of {name}",
            unit="%",
            ours=taken[OURS],
            theirs=taken[name],
        )
        for name in found
        if name != OURS
    ]
