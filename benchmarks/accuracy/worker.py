"""One process: the windows of one row, one after the other, with all meters open in each.

python -m benchmarks.accuracy.worker ROW SEED FOLDER TOOL,TOOL SECONDS,SECONDS,...

FOLDER is where the fake NVML's config lies that the environment names. Writes FOLDER/observations.jsonl.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fake_nvml import FakeNvml

from benchmarks.accuracy.observations import Observation
from benchmarks.accuracy.rows import BASE_W, BEFORE_S, TICK_S, Row, row
from benchmarks.accuracy.tools import AI_ENERGY_BENCHMARKS, OPENS_SLOWLY, TOOLS, Answer, Tool, quiet

RESULT = "observations.jsonl"
READY = "ready"
GO = "go"
_LEAD_S = BEFORE_S + 0.4
"""From the change of the fake's settings to the window: the library must have seen them before they begin."""
_PATIENCE_S = 300.0


def fake_for(chosen: Row, folder: Path) -> FakeNvml:
    """The fake machine of a row, as it is before the meters are made."""
    fake = FakeNvml(folder, gpus=chosen.gpus, tick_ms=TICK_S * 1000, power_w=BASE_W, **chosen.always)
    for gpu in range(chosen.gpus):
        if gpu != chosen.used:
            fake.set(gpu, power_w=200.0)
    return fake


def main(key: str, seed: int, folder: Path, tools: Sequence[str], windows_s: Sequence[float]) -> None:
    quiet()
    logging.disable(logging.CRITICAL)
    _load(tools)
    (folder / READY).touch()
    deadline = time.monotonic() + _PATIENCE_S
    # All processes begin when the last one has loaded its libraries, which would disturb the others' windows.
    while not (folder.parent / GO).exists():
        if time.monotonic() > deadline:
            raise SystemExit("was not told to begin")
        time.sleep(0.05)
    randomness = random.Random(f"{key} {seed}")
    time.sleep(randomness.random() * 2)
    for seconds in windows_s:
        found = _window(row(key), seconds, folder, tools, randomness)
        with (folder / RESULT).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(dataclasses.asdict(one)) + "\n" for one in found)


def _load(tools: Sequence[str]) -> None:
    if "scorekit" in tools:
        import scorekit.measuring.meters.nvml  # noqa: F401
    if "codecarbon" in tools:
        import codecarbon
    if "optimum-benchmark" in tools:
        import optimum_benchmark.trackers.energy  # noqa: F401
    if "zeus" in tools:
        # Behind all others, so that it brings only what is not there.
        sys.path.append(os.environ["ACCURACY_ZEUS"])
        import zeus.monitor  # noqa: F401
    if AI_ENERGY_BENCHMARKS in tools:
        import codecarbon  # noqa: F401


def _window(
    chosen: Row, seconds: float, folder: Path, tools: Sequence[str], randomness: random.Random
) -> list[Observation]:
    # A machine of its own for every window: a fault of the one before is gone.
    fake = fake_for(chosen, folder)
    started: dict[str, Tool] = {}
    said: dict[str, Answer] = {}
    for name in tools:
        _try(said, name, lambda name=name: started.update({name: TOOLS[name](folder)}))
    opened: dict[str, float] = {}
    closed: dict[str, float] = {}

    def open_those(names: Sequence[str]) -> None:
        for name in names:
            _try(said, name, started[name].open)
            opened[name] = time.monotonic()

    # scorekit's is the tightest window, as the first meter's is in a run; each is judged over its own.
    inwards = list(reversed(started))
    slow = [name for name in inwards if name in OPENS_SLOWLY]
    open_those(slow)
    begun_s = fake.now()
    start_s = begun_s + _LEAD_S + randomness.random() * TICK_S
    # Work does not last for a whole number of ticks.
    end_s = (begun_s if slow else start_s) + seconds + randomness.random() * TICK_S
    _plan(fake, chosen, start_s, end_s, randomness)
    _sleep_until(fake.t0 + start_s)
    open_those([name for name in inwards if name not in slow])
    _sleep_until(fake.t0 + end_s)
    for name in reversed(inwards):
        closed[name] = time.monotonic()
        _try(said, name, started[name].close)
    for name, tool in started.items():
        _try(said, name, lambda name=name, tool=tool: said.update({name: tool.answer()}))
        _try({}, name, tool.stop)
    return [
        Observation(
            row=chosen.key,
            window_s=seconds,
            tool=name,
            exact_wh=fake.energy_wh(chosen.used, opened[name], closed[name]) if name in opened else None,
            energy_wh=said[name].energy_wh,
            problem=said[name].problem,
        )
        for name in tools
    ]


def _plan(fake: FakeNvml, chosen: Row, start_s: float, end_s: float, randomness: random.Random) -> None:
    points = chosen.trace(start_s, end_s, randomness)
    # What was, must stay: the counter is the integral of the whole trace.
    fake.set(chosen.used, power_w=[(0.0, BASE_W), (points[0][0], BASE_W), *points])
    fake.set(chosen.used, **chosen.faults(start_s, end_s))


def _try(said: dict[str, Answer], name: str, step: Any) -> None:
    """Do a step of a meter that has not failed yet; a failure is its answer."""
    if name in said and said[name].problem is not None:
        return
    try:
        step()
    except Exception as error:  # noqa: BLE001 - whatever a meter raises is what it says of the window
        text = str(error).partition("\n")[0]
        said[name] = Answer(None, f"{type(error).__name__}: {text}")


def _sleep_until(t_s: float) -> None:
    while (left_s := t_s - time.monotonic()) > 0:
        time.sleep(left_s)


if __name__ == "__main__":
    _, _key, _seed, _folder, _tools, _windows = sys.argv
    main(_key, int(_seed), Path(_folder), _tools.split(","), [float(one) for one in _windows.split(",")])
