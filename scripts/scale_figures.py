"""Write the tables of docs/scale.md: `python -m scripts.scale_figures`, from the root of the repository.

What was measured or published stands in MEASURED, each with its command or source; all else on the page is worked out
from it here. `--power-log` measures again what an hour of a GPU's power log takes. A test fails when the page is stale.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "scale.md"
JOBS: Final = 10_000
REPEATS: Final = 10
GPUS: Final = 64
"""The cluster that the page thinks of."""


class Cohort(NamedTuple):
    """A cohort of the edition of February 2025.

    Attributes:
        models: how many it has.
        sum_wh: of their energies in Wh per 1,000 queries.
    """

    models: int
    sum_wh: float


EDITION: Final = {
    "asr": Cohort(13, 287.373),
    "image_captioning": Cohort(10, 1048.126),
    "image_classification": Cohort(23, 23.183),
    "image_generation": Cohort(12, 6228.478),
    "object_detection": Cohort(7, 23.513),
    "question_answering": Cohort(18, 405.849),
    "sentence_similarity": Cohort(19, 24.024),
    "summarization": Cohort(11, 76.387),
    "text_classification": Cohort(13, 57.032),
    "text_generation A": Cohort(32, 397.958),
    "text_generation B": Cohort(3, 726.026),
    "text_generation C": Cohort(5, 10385.652),
}
"""Published by AI Energy Score (leaderboard of February 2025, one H100 80GB): GPU energies, and no durations."""

SHORT_WINDOWS, SHORT_FILES, SHORT_BYTES = 8, 21, 76_135
LONG_WINDOWS, LONG_FILES, LONG_BYTES = 24, 37, 145_100
POWER_LOG_BYTES: Final = 819_448
PACK_BYTES: Final = 21_141
LIMIT_W, LOW_W = 700.0, 200.0
PLANNING_S, RESUMING_S, SITE_MS = 0.81, 0.63, 4.1
SLURM_JOB_S, RAY_JOB_S = (11.2, 11.2), (11.8, 7.3)
FREE_FILES: Final = 5_000
"""Requests of files in five minutes that the Hub answers a free account."""
MODEL_FILES: Final = 20
"""A guess at the files of a model that are loaded; each is asked for twice, once for its hash."""
CLASS_PARAMETERS: Final = {"A": 20e9, "B": 66e9}

MEASURED: Final = (
    (
        "energy of the edition of February 2025, 166 models, sum of Wh per 1,000 queries",
        f"{sum(each.sum_wh for each in EDITION.values()):,.0f}",
        "AI Energy Score's leaderboard; by cohort in scripts/scale_figures.py",
    ),
    ("the most that an H100 SXM draws", f"{LIMIT_W:.0f} W", "NVIDIA's data sheet of the H100"),
    (
        "a run of 2 repeats, without power log",
        f"{SHORT_FILES} files, {SHORT_BYTES:,} bytes, {SHORT_WINDOWS} windows",
        "`bundles/bart-large` of `python -m scripts.validate_gpu --tiny --fake-nvml`",
    ),
    (
        "a run of 10 repeats, without power log",
        f"{LONG_FILES} files, {LONG_BYTES:,} bytes, {LONG_WINDOWS} windows",
        "`bundles/repeatability` of the same",
    ),
    ("that run packed, with its short power log", f"{PACK_BYTES:,} bytes", "`scorekit pack` of it"),
    (
        "power log of one GPU for an hour",
        f"{POWER_LOG_BYTES:,} bytes",
        "`python -m scripts.scale_figures --power-log`, of made-up readings",
    ),
    (
        "planning 10,000 jobs; going on in a finished sweep of 1,000",
        f"{PLANNING_S} s; {RESUMING_S} s",
        "`python -m benchmarks.sweep_planning`",
    ),
    (
        "a job beside its measuring, and the engine's own bare job: Slurm; Ray, where a worker has its first job",
        "; ".join(f"{ours} s and {bare} s" for ours, bare in (SLURM_JOB_S, RAY_JOB_S)),
        "`python -m benchmarks.job_overhead`",
    ),
    ("site of 10,000 results", f"{SITE_MS} ms a result", "`python -m benchmarks.site_build`"),
    (
        "index of 100,000 results: CPU of a result beside that at 1,000",
        "0.98 to 1.17",
        "`python -m benchmarks.results_index`",
    ),
    (
        "the Hub's limits in five minutes, of files and of its API: free account, PRO, Team",
        "5,000 and 1,000; 12,000 and 2,500; 20,000 and 3,000",
        "[the Hub's page](https://huggingface.co/docs/hub/rate-limits), as of 2026",
    ),
)


def setting(name: str) -> float:
    """A default of official runs, s: of the tasks' base config, else of scorekit's own."""
    for path in ("configs/energy_star/_base_.yaml", "src/scorekit/measuring/settings.py"):
        found = re.search(rf"(?m)^\s*{name}:(?: float =)? ([0-9.]+)$", (ROOT / path).read_text(encoding="utf-8"))
        if found is not None:
            return float(found[1])
    raise LookupError(name)


def hours(cohort: Cohort, power_w: float) -> float:
    """GPU hours of the answering windows of a mean job, which have a least length.

    Args:
        cohort: whose mean is taken.
        power_w: mean power of its GPUs.
    """
    energy_wh = REPEATS * cohort.sum_wh / cohort.models
    return max(energy_wh / power_w, REPEATS * setting("min_window_s") / 3600)


def jobs(cohort: Cohort) -> float:
    """How many of JOBS are of a cohort, in the mix of the edition."""
    return JOBS * cohort.models / sum(each.models for each in EDITION.values())


def windows() -> int:
    """Of an official text generation: loading of data and model, two idle baselines, three phases a repeat."""
    return 4 + 3 * REPEATS


def files() -> int:
    """Files of such a run, its power log and states included."""
    return LONG_FILES + (windows() - LONG_WINDOWS)


def run_bytes(length_h: float) -> float:
    """Of such a run, with its power log."""
    a_window = (LONG_BYTES - SHORT_BYTES) / (LONG_WINDOWS - SHORT_WINDOWS)
    return LONG_BYTES + (windows() - LONG_WINDOWS) * a_window + length_h * POWER_LOG_BYTES


def waits_s() -> tuple[float, float]:
    """Seconds of a job beside its windows that the protocol asks for: least and most."""
    idle = 2 * setting("idle_s")
    return idle, idle + REPEATS * setting("cool_down_s") + windows() * setting("max_gap_s")


def tables() -> dict[str, str]:
    """The page's tables by name."""
    low = {power_w: sum(jobs(each) * hours(each, power_w) for each in EDITION.values()) for power_w in (LIMIT_W, LOW_W)}
    mean_h = low[LOW_W] / JOBS
    least_s, most_s = waits_s()
    cohorts = [
        (
            name,
            f"{jobs(each):,.0f}",
            f"{each.sum_wh / each.models:.4g}",
            *(_short(hours(each, power_w)) for power_w in (LIMIT_W, LOW_W)),
            *(f"{jobs(each) * hours(each, power_w):,.0f}" for power_w in (LIMIT_W, LOW_W)),
        )
        for name, each in EDITION.items()
    ]
    energy_mwh = REPEATS * sum(jobs(each) * each.sum_wh / each.models for each in EDITION.values()) / 1e6
    cohorts.append(("all", f"{JOBS:,}", "", "", "", f"{low[LIMIT_W]:,.0f}", f"{low[LOW_W]:,.0f}"))
    weights = []
    for kind, weight_gb in (
        ("1 B, float32", 4),
        ("7 B, float16", 14),
        ("class A, at most", 40),
        ("class B, at most", 132),
    ):
        # In the shortest job that there is, on every GPU at once: nothing needs more.
        rate = GPUS * weight_gb * 8 / (REPEATS * setting("min_window_s") + least_s)
        weights.append((kind, f"{weight_gb:,}", _short(rate), f"{JOBS * weight_gb / 1000:,.0f}"))
    text = {kind: jobs(EDITION[f"text_generation {kind}"]) for kind in CLASS_PARAMETERS}
    derived = [
        ("energy of the GPUs, ten repeats", f"{energy_mwh:.3g} MWh"),
        ("GPU hours at 700 W, and at 200 W", f"{low[LIMIT_W]:,.0f}, and {low[LOW_W]:,.0f}"),
        (f"days on {GPUS} GPUs", f"{low[LIMIT_W] / GPUS / 24:.2g}, and {low[LOW_W] / GPUS / 24:.2g}"),
        ("idle baselines, gaps and cooling beside, of a job", f"{least_s:.0f} to {most_s:,.0f} s"),
        ("the same of all jobs, GPU hours", f"{JOBS * least_s / 3600:,.0f} to {JOBS * most_s / 3600:,.0f}"),
        ("each second that a job costs beside, in GPU hours", f"{JOBS / 3600:.2g}"),
        ("files of a run of text generation", f"{files()}"),
        ("the same of all, with a tenth tried twice", f"{1.1 * JOBS * files():,.0f}"),
        ("bytes of all runs at 200 W, with a tenth tried twice", f"{1.1 * JOBS * run_bytes(mean_h) / 1e9:.2g} GB"),
        (
            "weights of text generation in float16, at most: class A, and B",
            ", and ".join(f"{text[kind] * CLASS_PARAMETERS[kind] * 2 / 1e12:.0f} TB" for kind in text),
        ),
        ("going on where all is done", f"{JOBS / 1000 * RESUMING_S:.2g} s"),
        ("site of all results", f"{JOBS * SITE_MS / 60_000:.2g} min"),
        (
            f"asking the Hub for {MODEL_FILES} files a model, twice each, by a free account",
            f"{JOBS * MODEL_FILES * 2 / FREE_FILES * 5 / 60:.2g} h at least",
        ),
    ]
    return {
        "measured": _table(("what", "figure", "from"), MEASURED),
        "hours": _table(
            ("cohort", "jobs", "mean Wh per 1,000", "h a job at 700 W", "at 200 W", "GPU hours at 700 W", "at 200 W"),
            cohorts,
        ),
        "derived": _table(("of 10,000 models", "figure"), derived),
        "weights": _table(
            ("model", "weights, GB", f"Gbit/s for {GPUS} GPUs in the shortest jobs", "10,000 of them, TB"), weights
        ),
    }


def renewed(page: str) -> str:
    """The page with its tables as they are worked out."""
    for name, table in tables().items():
        begin, end = f"<!-- {name}: written by scripts/scale_figures.py -->", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise LookupError(f"{PAGE.name} has no place for the table {name}")
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def power_log_bytes() -> int:
    """Of an hour of made-up readings of one GPU that works: power that wanders, a counter that follows it."""
    from scorekit import bundle
    from scorekit.measuring import power_log
    from scorekit.measuring.meters import SAMPLING_S, PowerSample

    chance = random.Random(1)
    counter_mj, power_w, samples = 10**9, 300.0, []
    for number in range(int(3600 / SAMPLING_S)):
        if number % 10 == 0:
            power_w = max(70.0, min(LIMIT_W, power_w + chance.gauss(0, 20)))
        counter_mj += int(power_w * SAMPLING_S * 1000 + chance.gauss(0, 50))
        samples.append(
            PowerSample(
                t_s=1000 + number * SAMPLING_S + chance.random() * 1e-3,
                device="GPU-3f2504e0-4f89-11d3-9a0c-0305e82c3301",
                power_w=round(power_w + chance.gauss(0, 1), 3),
                counter_mj=counter_mj,
                temperature_c=45 + number // 3000,
                sm_clock_mhz=1980 - chance.choice((0, 15, 30)),
                mem_clock_mhz=2619,
                reasons=0,
                utilization_percent=chance.randint(60, 100),
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        power_log.write_power(samples, Path(folder), period_s=SAMPLING_S, sampler_cpu_s=1.0, sampler_wall_s=3600.0)
        return (Path(folder) / bundle.POWER).stat().st_size


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.scale_figures", description=__doc__.partition("\n")[0])
    parser.add_argument("--power-log", action="store_true", help="print what an hour of a power log takes")
    if parser.parse_args(argv).power_log:
        print(f"{power_log_bytes():,} bytes")
        return
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def _table(head: tuple[str, ...], rows: object) -> str:
    lines = [head, ("---",) * len(head), *rows]  # type: ignore[misc]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
