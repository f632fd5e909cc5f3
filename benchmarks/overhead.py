"""What measuring takes from what is measured: the same work with a window around it and without, in turn.

python -m benchmarks.overhead [--quick] [--json FILE]

The work is generation with the tiny text model on the CPU, under the fake NVML of the tests. Ends with code 1 when a
goal is missed.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import comparison, program
from benchmarks.comparison import Comparison, Goal

WALL_GOAL: Final = Goal(1.005)
TAKEN_GOAL: Final = Goal(0.5, on="ours")
"""Percent of the window's wall time."""
SAMPLER_GOAL: Final = Goal(0.1, on="ours")
"""Percent of a core."""
SURE: Final = 0.005
"""Wall time is judged only where its median ratio is known to so much, which is what the goal leaves."""
METERS: Final = (("nvml",), ("nvml", "codecarbon"))
SAMPLES: Final = 20
NEW_TOKENS: Final = 10

SAMPLING_S: Final = 0.1
"""As the sampler's (`scorekit.measuring.meters.SAMPLING_S`, which cannot be imported before the fake NVML is there)."""

_FAKE: Final = "BENCHMARK_FAKE_NVML"

Work = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Turn:
    """The same work once.

    Attributes:
        wall_s: wall time, of opening and closing too.
        cpu_s: CPU time of the whole process.
        others_s: CPU time of all other threads within the window.
        edges_s: wall time of opening and closing.
    """

    wall_s: float
    cpu_s: float
    others_s: float = 0.0
    edges_s: float = 0.0


def plain(work: Work) -> Turn:
    """Do the work without a window."""
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return Turn(time.monotonic() - wall, time.process_time() - cpu)


def windowed(work: Work, meters: Sequence[Any]) -> Turn:
    """Do the work in a window of each meter, the first being the tightest, as in a run."""
    wall, cpu = time.monotonic(), time.process_time()
    for meter in reversed(meters):
        meter.open("window")
    begun, cpu_begun, thread_begun = time.monotonic(), time.process_time(), time.thread_time()
    work()
    ended, cpu_ended, thread_ended = time.monotonic(), time.process_time(), time.thread_time()
    for meter in meters:
        meter.close()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    others = max(0.0, cpu_ended - cpu_begun - (thread_ended - thread_begun))
    return Turn(wall, cpu, others, wall - (ended - begun))


def asleep_percent(work: Work) -> float:
    """CPU time of a thread that sleeps as often as the sampler does and does nothing else, in percent of a core.

    It is the floor of any sampler in Python: what waking up ten times a second takes beside this work.
    """
    ended = threading.Event()

    def sleep() -> None:
        next_s = time.monotonic()
        while not ended.is_set():
            next_s += SAMPLING_S
            time.sleep(max(0.0, next_s - time.monotonic()))

    thread = threading.Thread(target=sleep, name="asleep", daemon=True)
    thread.start()
    try:
        assert thread.ident is not None
        clock = time.pthread_getcpuclockid(thread.ident)
        begun, cpu_begun = time.monotonic(), time.clock_gettime(clock)
        work()
        return 100 * (time.clock_gettime(clock) - cpu_begun) / (time.monotonic() - begun)
    finally:
        ended.set()
        thread.join()


def pairs(
    work: Work, make: Callable[[], Sequence[Any]], count: int
) -> tuple[list[Turn], list[Turn], list[tuple[float, float]]]:
    """Work with windows and without, each first in every second pair.

    The meters are made before each window and stopped after it, so that none of their threads is there without one.

    Returns:
        Turns with a window, turns without, and for each pair the CPU time of the sampler, and of a thread that only
        sleeps, in percent of a core.
    """
    on: list[Turn] = []
    off: list[Turn] = []
    sampler: list[tuple[float, float]] = []
    for number in range(count + 1):
        if number % 2:
            off.append(plain(work))
        meters = make()
        try:
            on.append(windowed(work, meters))
            for meter in meters:
                meter.readings()
            cost = meters[0].cost()
            took = 100 * cost.cpu_s / cost.window_s
        finally:
            for meter in meters:
                meter.stop()
        sampler.append((took, asleep_percent(work)))
        if not number % 2:
            off.append(plain(work))
    # The first pair warms up.
    return on[1:], off[1:], sampler[1:]


def rows(
    names: Sequence[str], on: Sequence[Turn], off: Sequence[Turn], sampler: Sequence[tuple[float, float]]
) -> list[Comparison]:
    """What the turns say of these meters."""
    what = "+".join(names)
    ratios = [a.wall_s / b.wall_s for a, b in zip(on, off, strict=True)]
    error = error_of_median(ratios)
    found = [
        Comparison(
            key=f"wall_{what}",
            what=f"work in a window of {what}",
            reference="the same work without",
            unit="s",
            ours=tuple(one.wall_s for one in on),
            theirs=tuple(one.wall_s for one in off),
            goal=WALL_GOAL,
            cpu_ratios=tuple(a.cpu_s / b.cpu_s for a, b in zip(on, off, strict=True)),
            noise=f"the median is known to {error:.3f} only: the machine is too busy" if error > SURE else "",
        ),
        Comparison(
            key=f"taken_{what}",
            what=f"  taken by {what}: threads' CPU, opening, closing",
            reference="the window",
            unit="%",
            ours=tuple(100 * (one.others_s + one.edges_s) / one.wall_s for one in on),
            theirs=(100.0,) * len(on),
            goal=TAKEN_GOAL,
        ),
    ]
    if names == METERS[0]:
        found.append(
            Comparison(
                key="sampler_cpu",
                what="  CPU of the sampler in the window",
                reference="a thread that only sleeps",
                unit="%",
                ours=tuple(ours for ours, _ in sampler),
                theirs=tuple(floor for _, floor in sampler),
                goal=SAMPLER_GOAL,
            )
        )
    return found


def error_of_median(values: Sequence[float]) -> float:
    """Standard error of a median, from the middle half of its values: 1.25 of the mean's, if they scatter normally.

    A normal distribution's middle half is 1.35 standard deviations wide.
    """
    low, high = comparison.quartiles(values)
    return 1.2533 * (high - low) / 1.349 / math.sqrt(len(values))


def work_of(folder: Path, seconds: float) -> Work:
    """Generation over the same samples, as often as takes about so long."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from scorekit.measuring.tiny import write_tiny

    torch.set_num_threads(1)
    tiny = write_tiny(folder / "tiny", tasks=["text_generation"], samples=SAMPLES)["text_generation"]
    model: Any = AutoModelForCausalLM.from_pretrained(tiny.model)
    tokenizer = AutoTokenizer.from_pretrained(tiny.model)
    texts = [f"Sentence number {number} of the benchmark says nothing." for number in range(SAMPLES)]
    inputs = [tokenizer(text, return_tensors="pt", return_token_type_ids=False) for text in texts]

    def once() -> None:
        with torch.inference_mode():
            for one in inputs:
                model.generate(**one, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False)

    once()
    # On a busy machine the quickest is the nearest to what it takes.
    times = max(1, round(seconds / min(plain(once).wall_s for _ in range(5))))

    def work() -> None:
        for _ in range(times):
            once()

    return work


def measure(count: int, peers_count: int, seconds: float) -> list[Comparison]:
    """All rows; to be called in a process that finds the fake NVML."""
    from tests.fake_nvml import FakeNvml

    from benchmarks import window_peers
    from scorekit.measuring import meters

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fake = FakeNvml(Path(os.environ[_FAKE]), tick_ms=100)
        request = meters.MeterRequest(gpu_ids=(fake.uuid(),), country_iso_code="USA", folder=folder)
        work = work_of(folder, seconds)
        found = []
        for names in METERS:
            found += rows(names, *pairs(work, partial(meters.start, names, request), count))
        makes = {window_peers.OURS: lambda: meters.start(METERS[0], request), **window_peers.made(folder, program.say)}
        return found + window_peers.rows(window_peers.turns(work, makes, peers_count))


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("overhead", __doc__, "fewer and shorter windows, for CI: a minute or two")
    options = parser.parse_args(argv)
    if _FAKE not in os.environ:
        return _below_the_fake(sys.argv[1:] if argv is None else argv)
    count, peers_count, seconds = (2, 2, 6.0) if options.quick else (9, 5, 10.0)
    found = measure(count, peers_count, seconds)
    notes = [f"{row.what.strip()}: {row.noise}" for row in found if row.noise]
    return program.conclude(found, quick=options.quick, file=options.json, notes=notes, seconds=seconds)


def _below_the_fake(arguments: Sequence[str]) -> int:
    """Run this module in a process whose NVML is the fake: libraries ask for NVML as soon as they are imported."""
    from tests.fake_nvml import FakeNvml

    with tempfile.TemporaryDirectory() as name:
        fake = FakeNvml(Path(name), tick_ms=100)
        environment = {**os.environ, **program.ONE_THREAD_OFFLINE, **fake.environment(), _FAKE: name}
        command = [sys.executable, "-m", "benchmarks.overhead", *arguments]
        return subprocess.run(command, env=environment, cwd=program.ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
