"""The benchmark of jobs' costs: what of a run counts as measuring, whose turn it is, and what is told."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from benchmarks import bare_job
from benchmarks.comparison import Comparison
from benchmarks.job_overhead import __main__ as program
from benchmarks.job_overhead import costs, on_ray, sweeps
from benchmarks.job_overhead.jobs import Engine, Timed

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
    first, last = sweeps.measuring(tmp_path / "run")
    assert last == ended.timestamp()
    assert last - first == pytest.approx(90.25, abs=0.002)
    log.write_text("nothing of it", encoding="utf-8")
    with pytest.raises(SystemExit, match="does not tell when the scenario began"):
        sweeps.measuring(tmp_path / "run")


def test_turns_alternate_and_the_first_pair_is_for_nothing() -> None:
    seen: list[str] = []

    def sweep(number: int) -> Timed:
        seen.append(f"sweep {number}")
        return Timed(12.0, 2.0, 1.0, noticed_s=0.5)

    def bare() -> Timed:
        seen.append("bare")
        return Timed(10.0, 1.0)

    ours, theirs = program.turns(sweep, bare, 3)
    assert seen == ["bare", "sweep 0", "sweep 1", "bare", "bare", "sweep 2", "sweep 3", "bare"]
    assert (len(ours), len(theirs)) == (3, 3)


def test_what_is_judged_is_the_cost_without_the_measuring() -> None:
    ours, theirs = [Timed(15.0, 2.0, 3.0, 4.0, 1.0, 0.5)] * 3, [Timed(10.0, 1.0, ready_s=5.0)] * 3
    cost, start, before, after = costs.compared("slurm", ours, theirs)
    assert (cost.ratios, cost.verdict) == ((1.2,) * 3, "yes")
    assert (start.ratios, start.verdict) == ((2.0,) * 3, None)
    assert (before.ours, before.theirs, before.verdict) == ((6.0,) * 3, (6.0,) * 3, None)
    assert (after.ours, after.theirs, after.verdict) == ((6.0,) * 3, (4.0,) * 3, None)
    assert costs.compared("slurm", [Timed(16.0, 2.0, 3.0, 4.0, 1.0, 0.5)] * 3, theirs)[0].verdict == "no"
    told = "\n".join(costs.told("slurm", ours, theirs))
    assert "handing over to start 2.00 s (2.00 to 2.00)" in told
    assert "start to the beginning of measuring 4.00 s" in told
    assert "end of measuring to the result written 1.00 s" in told
    assert "noticed by the sweep 0.50 s" in told
    assert "beside its measuring 12.00 s (12.00 to 12.00), of which scorekit adds 2.00 s" in told


@contextlib.contextmanager
def _idle(name: str) -> Iterator[Engine]:
    yield Engine(name, lambda: Timed(10.0, 1.0), lambda _: contextlib.nullcontext())


@pytest.fixture
def without_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slurm is not on the machine; jobs and imports take no time."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setattr("signal.signal", lambda *_: None)
    # What the benchmark sets is undone.
    for name in ("HF_HUB_OFFLINE", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(sweeps, "tiny_settings", lambda _: ("tiny", []))
    monkeypatch.setattr(sweeps, "swept", lambda *_: Timed(11.0, 1.0, 0.0, 0.5, 0.5, 0.5))
    monkeypatch.setattr(on_ray, "started", lambda: _idle("ray"))
    monkeypatch.setattr(costs, "imports", lambda n: Comparison("imports", "", "", "s", (2.0,) * n, (1.0,) * n))


@pytest.mark.usefixtures("without_slurm")
def test_without_slurm_ray_is_measured_and_the_rest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = tmp_path / "found.json"
    assert program.main(["--json", str(found)]) == 0
    document = json.loads(found.read_text(encoding="utf-8"))
    keys = [row["key"] for row in document["comparisons"]]
    assert keys == ["ray_job", "ray_start", "ray_before", "ray_after", "imports"]
    (left_out,) = document["left_out"]
    assert left_out.startswith("slurm (no slurmctld, slurmd, munged, sbatch,")
    assert left_out.endswith(": apt-get install slurmctld slurmd slurm-client munge)")
    assert "maria" not in left_out
    assert "slurmdbd" not in left_out
    assert f"left out: {left_out}" in capsys.readouterr().out


@pytest.mark.usefixtures("without_slurm")
@pytest.mark.parametrize("words", [["--engine", "slurm"], []])
def test_an_engine_that_was_asked_for_and_nothing_at_all_are_failures(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="apt-get install slurmctld slurmd slurm-client munge"):
        program.main(words)


def test_the_libraries_that_imports_stand_beside_are_nothing_of_scorekit_nor_what_it_measures_by() -> None:
    assert {name.partition(".")[0] for name, _ in bare_job.LIBRARIES} == {"torch", "datasets", "transformers"}
