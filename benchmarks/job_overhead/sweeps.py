"""A sweep of one tiny model, driven by this process, and what of its job was measuring."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from benchmarks.job_overhead.jobs import Engine, Marks, Timed
from scorekit import bundle
from scorekit.sweep import attempts

TASK: Final = "text_classification"
_BEGINS: Final = re.compile(r"^(\S+ [\d:]+),(\d{3}) .*Allocating energy_star scenario$", re.MULTILINE)


def tiny_settings(scratch: Path) -> tuple[str, list[str]]:
    """A tiny model, and the settings of a short run of it."""
    from scorekit.measuring.tiny import tiny_paths, write_tiny

    write_tiny(scratch / "tiny", tasks=[TASK], samples=4)
    paths = tiny_paths(scratch / "tiny", TASK)
    settings = [
        *("backend.device=cpu", "backend.torch_dtype=float32", f"scenario.dataset_name={paths.dataset}"),
        *("scenario.num_samples=4", "scenario.runs=1", "scenario.warmup_runs=1"),
    ]
    return str(paths.model), settings


def swept(engine: Engine, scratch: Path, model: str, settings: Sequence[str], number: int) -> Timed:
    """`scorekit sweep` of one model, driven by this process."""
    from scorekit import cli

    marks = Marks()
    runs = scratch / f"{engine.name}-{number}"
    told = runs.with_suffix(".txt")
    words = ["sweep", model, "--task", TASK, "--launcher", engine.name, "--runs", str(runs)]
    with told.open("w", encoding="utf-8") as out, contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(out))
        stack.enter_context(engine.marked(marks))
        code = cli.main([*words, "--hydra", *engine.words, *settings])
    if code:
        raise SystemExit(f"the sweep failed with code {code}: {told.read_text(encoding='utf-8')}")
    (job,) = runs.glob(f"{TASK}/*")
    (attempt,) = attempts.read(job)
    assert attempt.process_started_s is not None
    begun_s, ended_s = measuring(job / attempts.RUN)
    started_s = attempt.process_started_s + _boot_later_s()
    kept_s = (job / "attempt-1.json").stat().st_mtime
    return Timed(
        wall_s=marks.gone_s - marks.handed_s,
        start_s=started_s - marks.handed_s,
        measuring_s=ended_s - begun_s,
        ready_s=begun_s - started_s,
        kept_s=kept_s - ended_s,
        noticed_s=marks.noticed_s - kept_s,
    )


def _boot_later_s() -> float:
    """How much later the machine was booted than the whole second that starts of processes are counted from."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - float(psutil.boot_time())


def measuring(run: Path) -> tuple[float, float]:
    """When the scenario of a run began and its last window ended, in s since 1970.

    Raises:
        SystemExit: the run's log does not tell when its scenario began.
    """
    from scorekit.logs import run_bundle

    begins = _BEGINS.search((run / bundle.LOG).read_text(encoding="utf-8"))
    if begins is None:
        raise SystemExit(f"{run / bundle.LOG} does not tell when the scenario began")
    # Logs tell the local time.
    begun = datetime.fromisoformat(begins[1]).astimezone(UTC).timestamp() + int(begins[2]) / 1000
    ended = max(datetime.fromisoformat(window.end_utc) for window in run_bundle.read_windows(run))
    return begun, ended.timestamp()
