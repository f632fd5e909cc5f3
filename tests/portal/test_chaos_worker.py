"""Workers that are killed in mid-job lose no job, and none is handed in or published twice; the short form."""

from __future__ import annotations

from pathlib import Path

from scripts import chaos_worker


def test_each_job_is_handed_in_and_published_once_whoever_is_killed(tmp_path: Path) -> None:
    report = chaos_worker.run(tmp_path, kills=2, seed=1)
    assert report.faults == [], report
    assert report.kills == 2
    assert report.jobs == report.submissions == report.published >= chaos_worker.WORKERS
    assert report.attempts >= report.jobs
    assert report.measured >= report.jobs
