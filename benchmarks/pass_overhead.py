"""What a measured pass costs beyond the model: a real one, beside a bare loop over the same model and samples.

The scenario runs as it always does: its dataset, preprocessing, backend, warm-up, windows and CodeCarbon. Only in its
passes of generation, after every few samples, the bare loop does the same samples too, before the pass on one turn
and after it on the next. Both so meet the same disturbances from other programs, and the bare loop's time is taken
off the pass's. What a pass does once (open and close the meters, count tokens, write the window) and what the meters'
threads use is spread over its slices.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.comparison import Comparison, Goal
from scorekit.measure import bridge
from scorekit.measure.scenario import EnergyStarScenario
from scorekit.measure.settings import EnergyStarSettings
from scorekit.measure.tiny import write_tiny

bridge.apply()

import torch  # noqa: E402
from optimum_benchmark import PyTorchConfig  # noqa: E402
from optimum_benchmark.backends.pytorch.backend import PyTorchBackend  # noqa: E402

GOAL = Goal(1.02)
SAMPLES = 200
NEW_TOKENS = 10
SLICE = 5
"""Samples a slice: many enough that a slice is not just what the other loop left in the caches."""

Loop = Callable[[range], None]
"""Does the samples of these numbers."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass, cut in slices.

    Attributes:
        measured_s: wall time of each slice of the measured pass, with its share of what the pass does once.
        loops_s: for each other loop, the wall time of each slice.
        cpu_ratio: CPU time of the whole measured pass, meters included, to that of the bare loop.
    """

    measured_s: tuple[float, ...]
    loops_s: dict[str, tuple[float, ...]]
    cpu_ratio: float

    def ratios(self, loop: str) -> tuple[float, ...]:
        """Of each slice: the loop's time to the bare loop's; `measured` is the measured pass."""
        times = self.measured_s if loop == "measured" else self.loops_s[loop]
        return tuple(ours / bare for ours, bare in zip(times, self.loops_s["bare"], strict=True))


def measure(passes: int, *, explain: bool) -> list[Comparison]:
    """Run the passes; one more comes first for nothing.

    Args:
        passes: measured passes of 200 samples each.
        explain: also time a bare loop that fetches its rows, and optimum-benchmark's loop.

    Returns:
        The comparison with the goal, and with `explain` those that say where the time goes.
    """
    done = _run(passes + 1, explain=explain)[1:]
    rows = [_compare(done, "measured", "pass_overhead", "measured pass of 200 samples", GOAL)]
    if explain:
        rows.append(_compare(done, "fetching", "fetching", "  a bare loop that also fetches its rows"))
        rows.append(_compare(done, "theirs", "their_loop", "  optimum-benchmark's loop, unmeasured"))
    return rows


def _compare(done: Sequence[Pass], loop: str, key: str, what: str, goal: Goal | None = None) -> Comparison:
    def times(name: str) -> tuple[float, ...]:
        return tuple(sum(one.measured_s if name == "measured" else one.loops_s[name]) for one in done)

    return Comparison(
        key=key,
        what=what,
        reference="bare loop",
        unit="s",
        ours=times(loop),
        theirs=times("bare"),
        goal=goal,
        ratios=tuple(statistics.median(one.ratios(loop)) for one in done),
        cpu_ratios=tuple(one.cpu_ratio for one in done) if loop == "measured" else (),
    )


def _timed(work: Callable[[], None]) -> tuple[float, float, float]:
    """Wall time, CPU time of this thread, and CPU time of all other threads while `work` ran, in s."""
    before = time.monotonic(), time.thread_time(), time.process_time()
    work()
    wall, thread, process = (
        time.monotonic() - before[0],
        time.thread_time() - before[1],
        time.process_time() - before[2],
    )
    return wall, thread, max(0.0, process - thread)


class _Turns:
    """The rows of a pass, which let the other loops do each slice, in turn before and after the pass does it."""

    def __init__(self, rows: Any, loops: dict[str, Loop]) -> None:
        self._rows = rows
        self._loops = loops
        self._waiting: range | None = None
        self._slice_begun = 0.0
        self.measured_s: list[float] = []
        self.loops_s: dict[str, list[float]] = {name: [] for name in loops}
        self.loops_cpu_s = dict.fromkeys(loops, 0.0)
        self.others_cpu_s = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: slice) -> Any:
        number, within = divmod(key.start, SLICE)
        if within == 0:
            self.end_slice(time.monotonic())
            self.run_waiting()
            numbers = range(key.start, min(key.start + SLICE, len(self)))
            if number % 2:
                self._waiting = numbers
            else:
                self._run(self._loops, numbers)
            self._slice_begun = time.monotonic()
        return self._rows[key]

    def end_slice(self, now: float) -> None:
        """The pass has done its slice."""
        if self._slice_begun:
            self.measured_s.append(now - self._slice_begun)

    def run_waiting(self) -> None:
        """Do what the pass was first to do, in the opposite order."""
        if self._waiting is not None:
            self._run(reversed(self._loops), self._waiting)
            self._waiting = None

    def _run(self, names: Iterable[str], numbers: range) -> None:
        for name in names:
            wall, thread, others = _timed(partial(self._loops[name], numbers))
            self.loops_s[name].append(wall)
            self.loops_cpu_s[name] += thread
            self.others_cpu_s += others


class _Benchmark(EnergyStarScenario):
    """The scenario, with the other loops taking turns with its passes."""

    explain = False

    def _load_model(self) -> None:
        super()._load_model()
        self.passes: list[Pass] = []
        # The bare loop's inputs are on the device before it starts, as a person would write it.
        self.inputs = [self.backend.prepare_inputs(self.rows[at : at + 1]) for at in range(self.num_samples)]

    def _repeat(self, repeat: int) -> None:
        self.plain_rows = rows = self.rows
        loops: dict[str, Loop] = {"bare": self._bare}
        if self.explain:
            loops |= {"fetching": self._fetching, "theirs": self._theirs}
        self.rows = turns = _Turns(rows, loops)
        try:
            wall, thread, others = _timed(partial(self._measure, "generate", repeat, self._call))
        finally:
            self.rows = rows
        window = self.recorder.windows[-1]
        if window.output_tokens != NEW_TOKENS * SAMPLES:
            raise SystemExit(f"the pass made {window.output_tokens} tokens, not {NEW_TOKENS * SAMPLES}")
        turns.end_slice(window.end_monotonic_s)
        inside = sum(map(sum, turns.loops_s.values()))
        inside_cpu = sum(turns.loops_cpu_s.values())
        # The meters' threads also work while other loops run, which is time that these would not have taken alone.
        others_here = others - turns.others_cpu_s
        once = wall - inside - sum(turns.measured_s)
        turns.run_waiting()
        extra = (once + others_here) / len(turns.measured_s)
        self.passes.append(
            Pass(
                measured_s=tuple(value + extra for value in turns.measured_s),
                loops_s={name: tuple(values) for name, values in turns.loops_s.items()},
                cpu_ratio=(thread - inside_cpu + others_here) / turns.loops_cpu_s["bare"],
            )
        )

    def _bare(self, numbers: range) -> None:
        model, options, inputs = self.backend.pretrained_model, self.config.generate_kwargs, self.inputs
        with torch.inference_mode():
            for number in numbers:
                model.generate(**inputs[number], **options)

    def _fetching(self, numbers: range) -> None:
        # Not self.rows, which are the ones that take turns.
        model, options, rows = self.backend.pretrained_model, self.config.generate_kwargs, self.plain_rows
        with torch.inference_mode():
            for number in numbers:
                model.generate(**rows[number : number + 1], **options)

    def _theirs(self, numbers: range) -> None:
        # What its energy_star scenario does in a pass of generation, less progress bar and trackers.
        backend, dataset = self.backend, self.encoded
        for number in numbers:
            inputs = backend.prepare_inputs(dataset[number : number + 1])
            backend.generate(inputs, self.config.generate_kwargs)


def _run(passes: int, *, explain: bool) -> list[Pass]:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, _inside(Path(name)) as folder:
        tiny = write_tiny(folder / "tiny", tasks=["text_generation"], samples=SAMPLES)["text_generation"]
        backend = PyTorchBackend(
            PyTorchConfig(
                model=str(tiny.model),
                processor=str(tiny.model),
                task="text-generation",
                device="cpu",
                torch_dtype="float32",
            )
        )
        scenario = _Benchmark(
            EnergyStarSettings(
                dataset_name=str(tiny.dataset),
                num_samples=SAMPLES,
                truncation=True,
                input_shapes={"batch_size": 1},
                generate_kwargs={"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS},
                runs=passes,
                phases=False,
            )
        )
        scenario.explain = explain
        scenario.run(backend)
        return scenario.passes


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)
