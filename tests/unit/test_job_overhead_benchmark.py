"""The benchmark of jobs' costs: what of a run counts as measuring, whose turn it is, and what is told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from benchmarks import job_overhead
from benchmarks.job_overhead import Timed

from scorekit import bundle
from tests import bundles

LINE = "{} 17 INFO energy_star: Allocating energy_star scenario\n"


def test_measuring_is_from_the_scenario_s_beginning_to_the_last_window_s_end(tmp_path: Path) -> None:
    windows = bundles.official_windows()
    bundles.write_bundle(tmp_path / "run", bundles.environment("text_generation"), windows)
    ended = max(datetime.fromisoformat(window.end_utc) for window in windows)
    # As logging writes it: local, with milliseconds behind a comma.
    begun = datetime.fromtimestamp(ended.timestamp() - 90.25).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
    log = tmp_path / "run" / bundle.LOG
    log.write_text("2026-01-01 00:00:00,000 17 INFO process: Allocated\n" + LINE.format(begun), encoding="utf-8")
    first, last = job_overhead.measuring(tmp_path / "run")
    assert last == ended.timestamp()
    assert last - first == pytest.approx(90.25, abs=0.002)
    log.write_text("nothing of it", encoding="utf-8")
    with pytest.raises(SystemExit, match="does not tell when the scenario began"):
        job_overhead.measuring(tmp_path / "run")


def test_turns_alternate_and_the_first_pair_is_for_nothing() -> None:
    seen: list[str] = []

    def sweep(number: int) -> Timed:
        seen.append(f"sweep {number}")
        return Timed(12.0, 2.0, 1.0, noticed_s=0.5)

    def bare() -> Timed:
        seen.append("bare")
        return Timed(10.0, 1.0)

    ours, theirs = job_overhead.turns(sweep, bare, 3)
    assert seen == ["bare", "sweep 0", "sweep 1", "bare", "bare", "sweep 2", "sweep 3", "bare"]
    assert (len(ours), len(theirs)) == (3, 3)


def test_what_is_judged_is_the_cost_without_the_measuring() -> None:
    ours, theirs = [Timed(15.0, 2.0, 3.0, 4.0, 1.0, 0.5)] * 3, [Timed(10.0, 1.0)] * 3
    cost, start = job_overhead.compared("slurm", ours, theirs)
    assert (cost.ratios, cost.verdict) == ((1.2,) * 3, "yes")
    assert (start.ratios, start.verdict) == ((2.0,) * 3, None)
    assert job_overhead.compared("slurm", [Timed(16.0, 2.0, 3.0, 4.0, 1.0, 0.5)] * 3, theirs)[0].verdict == "no"
    told = "\n".join(job_overhead.told("slurm", ours, theirs))
    assert "handing over to start 2.00 s (2.00 to 2.00)" in told
    assert "start to the beginning of measuring 4.00 s" in told
    assert "end of measuring to the result written 1.00 s" in told
    assert "noticed by the sweep 0.50 s" in told
    assert "beside its measuring 12.00 s (12.00 to 12.00), of which scorekit adds 2.00 s" in told
