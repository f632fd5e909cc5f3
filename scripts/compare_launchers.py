"""Sweep a list of tiny models by the launchers local, slurm and ray on real engines here, and end with code 1 when
their scores do not agree: `python -m scripts.compare_launchers [--models 20] [--at-once 2] [--repeats 5] [--keep
FOLDER]`, from the root of the repository.

Models compute on the CPU and are measured by the counter of a fake H100 of constant power, the one meter that reads
the same way here under all three: so an energy is the time that a pass took, and all that disturbs the machine is in
it. The list is therefore swept in turns: each launcher gets the first few models, then each the next few (resuming
what is done), in another order each time; and one job at a time, on one node of each engine, as on this machine only
one has it for itself. Run it where nothing else runs: the interval of a run tells of the spread within its minute, and
not of a machine that is slower in the next.

All three must have measured the same models, on the same task, from the same samples, validly. What a model's score is
uncertain by has two parts: the spread within a run, which its 95 % interval states (Score.uncertainty, Student t over
the repeats); and what differs from one run to the next, which no single run can know. To know it here, the list is
swept a second time by `local`: how far its two scores of a model are apart, beyond their intervals, is this machine's
reproducibility. Two scores agree when they differ by no more than the root of the sum of the squares of all three
half-widths: what two measurements of one thing do in 95 of 100 cases. So of 60 pairs some may disagree by chance; the
launchers disagree when more do than that (p < 0.01), or when one's scores are as a whole higher than another's (mean
over the models, p < 0.01).
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.fake_nvml import FakeNvml
from tests.slurm import cluster as slurm_cluster

from scorekit.measuring.tiny import write_tiny
from scorekit.records import Score
from scorekit.sweep import done, driver, plan
from scorekit.uncertainty import student_t_quantile

ROOT: Final = Path(__file__).parents[1]
TASK: Final = "text_classification"
LAUNCHERS: Final = ("local", "slurm", "ray")
AGAIN: Final = "local again"
SWEEPS: Final = {**dict(zip(LAUNCHERS, LAUNCHERS, strict=True)), AGAIN: "local"}
"""By name, with the launcher of each."""
TICK_MS: Final = 10
"""A hundred ticks are in a window of a second."""
BY_CHANCE: Final = 0.05
"""So many of the pairs differ by more than their 95 % intervals although nothing but chance is between them."""
SURE: Final = 0.01


Engines = Mapping[str, tuple[Sequence[str], Mapping[str, str]]]
"""Of each launcher Hydra's settings, and the variables of a sweep's driver."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The scores of one model by two launchers, in Wh per 1,000 queries.

    Attributes:
        model: its name.
        launchers: their names.
        values: of either.
        half_widths: of either's 95 % interval.
        degrees_of_freedom: of either's.
        between_percent: half-width of what differs between two runs beyond their intervals, relative to their mean.
    """

    model: str
    launchers: tuple[str, str]
    values: tuple[float, float]
    half_widths: tuple[float, float]
    degrees_of_freedom: tuple[int, int]
    between_percent: float = 0.0

    @property
    def agree(self) -> bool:
        """Whether they agree."""
        return abs(self.difference_percent) <= self.allowed_percent

    @property
    def allowed_percent(self) -> float:
        """The largest difference with which they agree, relative to their mean."""
        return math.hypot(self.between_percent, *(200 * each / sum(self.values) for each in self.half_widths))

    @property
    def within_variance(self) -> float:
        """Of the difference by the spread within both runs, relative to their mean, in square percent."""
        return sum(
            (200 * half_width / sum(self.values) / student_t_quantile(0.95, degrees)) ** 2
            for half_width, degrees in zip(self.half_widths, self.degrees_of_freedom, strict=True)
        )

    @property
    def difference_percent(self) -> float:
        """How much more the second is than the first, relative to their mean."""
        return 200 * (self.values[1] - self.values[0]) / sum(self.values)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.compare_launchers", description=__doc__.partition(":")[0])
    parser.add_argument("--models", metavar="N", type=int, default=20, help="in the list (default: %(default)s)")
    parser.add_argument("--at-once", metavar="N", type=int, default=2, help="of them in a turn (default: %(default)s)")
    parser.add_argument("--repeats", metavar="N", type=int, default=5, help="of a run (default: %(default)s)")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave the runs in this new folder")
    options = parser.parse_args(argv)
    # Ended before its time, it ends the clusters too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        if options.keep is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="compare-")))
        else:
            folder = options.keep.absolute()
            folder.mkdir(parents=True)
        listed, dataset = write_list(folder, options.models)
        own = stack.enter_context(engines(folder))
        if not sweep_in_turns(folder, own, listed, settings(dataset, options.repeats), options.at_once):
            return 1
        return judged({name: scores(folder / name) for name in SWEEPS})


def write_list(folder: Path, count: int) -> tuple[list[str], Path]:
    """So many tiny models, each with weights of its own, and the dataset of the first."""
    models, dataset = [], None
    for number in range(count):
        made = write_tiny(folder / f"seed-{number}", tasks=[TASK], samples=8, seed=number)[TASK]
        dataset = dataset or made.dataset
        link = folder / f"model-{number:02d}"
        link.symlink_to(made.model)
        models.append(str(link))
    assert dataset is not None
    return models, Path(dataset)


def settings(dataset: Path, repeats: int) -> list[str]:
    """Of every job."""
    return [
        *("backend.device=cpu", "backend.torch_dtype=float32", f"scenario.dataset_name={dataset}"),
        *("scenario.num_samples=8", f"scenario.runs={repeats}", "scenario.warmup_runs=3", "scenario.phases=false"),
        *("scenario.gpus=[0]", "scenario.meters=[nvml]", f"scenario.min_window_s={1.2 * TICK_MS / 10}"),
        *("scenario.idle_s=0.5", "scenario.max_gap_s=0.1", "scenario.cool_down_s=0"),
    ]


@contextlib.contextmanager
def engines(folder: Path) -> Iterator[Engines]:
    """All engines at work; one node of each is used."""
    gpu = folder / "gpu"
    gpu.mkdir()
    fake = FakeNvml(gpu, tick_ms=TICK_MS)
    with slurm_cluster.started(tick_ms=TICK_MS) as slurm, ray_node(fake) as ray:
        node = slurm_cluster.NODES[0]
        yield {
            "local": ([], fake.environment()),
            "slurm": ([f"hydra.launcher.nodelist={node}", "hydra.launcher.partition=low"], slurm.environment()),
            "ray": (["hydra.launcher.num_gpus=1"], ray),
        }


@contextlib.contextmanager
def ray_node(fake: FakeNvml) -> Iterator[Mapping[str, str]]:
    """The variables of a driver that may join a cluster of one node."""
    variables = {
        **fake.environment(),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "RAY_AUTH_TOKEN": uuid.uuid4().hex,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.ray_nodes", "0"],
        cwd=ROOT,
        env={**environment(), **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield {**variables, "RAY_ADDRESS": address}


def environment() -> dict[str, str]:
    """Variables of all processes: what one launcher has, all have."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def sweep_in_turns(folder: Path, own: Engines, listed: Sequence[str], words: Sequence[str], at_once: int) -> bool:
    """Sweep the list by all launchers, by one of them twice; whether every sweep was done."""
    for turn, end in enumerate([*range(at_once, len(listed), at_once), len(listed)]):
        names = list(SWEEPS)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            begun_s = time.monotonic()
            code, told = _sweep(folder / name, SWEEPS[name], own[SWEEPS[name]], listed[:end], words)
            print(f"{end} models by {name}: {time.monotonic() - begun_s:.0f} s", file=sys.stderr, flush=True)
            if code:
                print(f"{name} ended with code {code}:\n{told}", file=sys.stderr)
                return False
    return True


def _sweep(
    runs: Path,
    launcher: str,
    engine: tuple[Sequence[str], Mapping[str, str]],
    models: Sequence[str],
    words: Sequence[str],
) -> tuple[int, str]:
    own, variables = engine
    command = [
        *(sys.executable, "-m", "scorekit", "sweep", *models, "--task", TASK, "--launcher", launcher),
        *("--runs", str(runs), "--hydra", *own, *words),
    ]
    found = subprocess.run(
        command, cwd=runs.parent, env={**environment(), **variables}, capture_output=True, text=True, check=False
    )
    return found.returncode, found.stdout + found.stderr


def scores(runs: Path) -> dict[str, Score]:
    """The accepted results of a sweep, by model."""
    found = {}
    for job in plan.load(runs / driver.PLAN).jobs:
        accepted = done.accepted(runs / plan.folder_of(job), job)
        assert accepted is not None
        assert accepted.run is not None
        assert accepted.score is not None
        found[accepted.score.model] = accepted.score
    return found


def judged(found: Mapping[str, Mapping[str, Score]]) -> int:
    """Print how the scores compare; the exit code."""
    unlike = differences(found)
    for line in unlike:
        print(f"not the same: {line}")
    control = [pair for pair in paired(found) if AGAIN in pair.launchers and LAUNCHERS[0] in pair.launchers]
    between_percent = reproducibility_percent(control)
    if control:
        print(_told("the same launcher twice", control))
        print(f"what differs between two runs of one model beyond their intervals: {between_percent:.1f} % at 95 %")
    pairs = paired({name: scores for name, scores in found.items() if name != AGAIN}, between_percent)
    higher = []
    for first, second in itertools.combinations([name for name in found if name != AGAIN], 2):
        some = [pair for pair in pairs if pair.launchers == (first, second)]
        if some:
            print(_told(f"{first} and {second}", some))
            if not same_as_a_whole(some):
                higher.append(f"{first} and {second}")
    most = allowed(len(pairs))
    apart = [pair for pair in pairs if not pair.agree]
    print(_told("all pairs", pairs) + f"; by chance at most {most} would not (p >= {SURE:g})")
    for names in higher:
        print(f"  {names}: the scores are as a whole not the same (p < {SURE:g})")
    for pair in apart:
        values = ", ".join(f"{name} {value:.4g}" for name, value in zip(pair.launchers, pair.values, strict=True))
        print(
            f"  {pair.model}: {values} Wh per 1,000 queries: {pair.difference_percent:+.1f} %, with "
            f"{pair.allowed_percent:.1f} % allowed"
        )
    return 1 if unlike or higher or len(apart) > most else 0


def reproducibility_percent(control: Sequence[Pair]) -> float:
    """Half-width at 95 % of the difference between two runs of one model by one launcher, without what the spread
    within them explains; relative to their mean."""
    if not control:
        return 0.0
    variance = statistics.fmean(pair.difference_percent**2 - pair.within_variance for pair in control)
    return student_t_quantile(0.95, len(control)) * math.sqrt(max(0.0, variance))


def same_as_a_whole(pairs: Sequence[Pair]) -> bool:
    """Whether the mean difference over the models is one that chance explains."""
    if len(pairs) < 3:
        return True
    apart = [pair.difference_percent for pair in pairs]
    error = statistics.stdev(apart) / math.sqrt(len(apart))
    return abs(statistics.fmean(apart)) <= student_t_quantile(1 - SURE, len(apart) - 1) * error


def differences(found: Mapping[str, Mapping[str, Score]]) -> list[str]:
    """In what the sets differ beside their energies: models, and what was measured of each."""
    first, *others = found
    lines = []
    for launcher in others:
        if set(found[first]) != set(found[launcher]):
            lines.append(f"models of {first} and {launcher}: {sorted(set(found[first]) ^ set(found[launcher]))}")
        for model in sorted(set(found[first]) & set(found[launcher])):
            here, there = figures(found[first][model]), figures(found[launcher][model])
            lines += [
                f"{name} of {model}: {here[name]} by {first}, {there[name]} by {launcher}"
                for name in here
                if here[name] != there[name]
            ]
    return lines


def figures(score: Score) -> dict[str, Any]:
    """What of a score no launcher may change."""
    return {
        "the task": score.task,
        "the protocol": score.provenance.protocol,
        "the number of repeats": score.runs,
        "the number of queries": score.queries,
        "what was asked": score.conditions,
        "the domain": score.domain,
        "the hardware": score.hardware,
        "the counted phases": tuple(phase.phase for phase in score.phases if phase.counted),
        "the tokens made": tuple(repeat.output_tokens for repeat in score.repeats),
        "whether it is valid": score.valid,
        "whether it is comparable": score.comparable,
        "the reasons of that": sorted(reason.code for reason in score.not_comparable_because),
        "whether it has an interval": half_width(score) is not None,
    }


def paired(found: Mapping[str, Mapping[str, Score]], between_percent: float = 0.0) -> list[Pair]:
    """Every two scores of a model."""
    pairs = []
    for first, second in itertools.combinations(found, 2):
        for model in sorted(set(found[first]) & set(found[second])):
            one, other = found[first][model], found[second][model]
            values = (one.wh_per_1000_queries, other.wh_per_1000_queries)
            # Without an interval nothing agrees with it.
            widths = (half_width(one) or 0.0, half_width(other) or 0.0)
            # One repeat has no interval, and so no degrees of freedom that are looked at.
            degrees = (max(1, one.runs - 1), max(1, other.runs - 1))
            pairs.append(Pair(model, (first, second), values, widths, degrees, between_percent))
    return pairs


def half_width(score: Score) -> float | None:
    """Of the 95 % interval, in Wh per 1,000 queries; None where the run has none."""
    interval = None if score.uncertainty is None else score.uncertainty.interval_95_wh_per_1000
    return None if interval is None else (interval[1] - interval[0]) / 2


def allowed(pairs: int) -> int:
    """The most pairs that may disagree: more do so by chance in fewer than one of a hundred comparisons."""
    left = 1.0
    for count in range(pairs + 1):
        left -= math.comb(pairs, count) * BY_CHANCE**count * (1 - BY_CHANCE) ** (pairs - count)
        if left < SURE:
            return count
    return pairs


def _told(what: str, pairs: Sequence[Pair]) -> str:
    agree = sum(pair.agree for pair in pairs)
    apart = [pair.difference_percent for pair in pairs]
    return (
        f"{what}: {agree} of {len(pairs)} agree; the difference is {statistics.fmean(apart):+.1f} % in the mean, "
        f"{statistics.median(map(abs, apart)):.1f} % to either side in the middle, with "
        f"{statistics.median(pair.allowed_percent for pair in pairs):.1f} % allowed"
    )


if __name__ == "__main__":
    sys.exit(main())
