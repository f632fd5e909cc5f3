"""Runs that are cut short, run out of disk, or meet another: what is left is marked, and the next run works."""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import datasets
import psutil
import pytest

from scorekit import bundle
from scorekit.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_TERMINATED
from scorekit.records import Window
from tests.e2e.commands import environment, start
from tests.e2e.conftest import FORK, Tiny, bench_arguments, run_inprocess

PATIENCE_S = 240
# Each pass takes about a second, so that there is a middle to be interrupted in.
LONG = (
    "scenario.runs=100",
    "scenario.generate_kwargs.max_new_tokens=200",
    "scenario.generate_kwargs.min_new_tokens=200",
)
DISK_BYTES = 24 * 1024
FILE_BYTES = 8 * 1024


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.1)


def is_measuring(run: Path) -> bool:
    """Whether the first pass has been measured; many are still to come."""
    windows = run / bundle.WINDOWS
    return windows.is_file() and '"phase":"generate"' in windows.read_text(encoding="utf-8")


def assert_kept_as_incomplete(run: Path) -> None:
    lines = (run / bundle.WINDOWS).read_text(encoding="utf-8").splitlines()
    phases = [Window.model_validate_json(line).phase for line in lines]
    assert "generate" in phases
    assert (run / bundle.INCOMPLETE).is_file()
    assert (run / bundle.LOG).is_file()
    for name in (bundle.MANIFEST, bundle.REPORT, bundle.BENCHMARK, bundle.SCORE):
        assert not (run / name).exists()
    assert not list(run.glob(f"{bundle.SCRATCH_PREFIX}*"))
    assert not bundle.is_complete(run)


@pytest.mark.parametrize(
    ("number", "code", "sweep"),
    [(signal.SIGINT, EXIT_INTERRUPTED, False), (signal.SIGTERM, EXIT_TERMINATED, True)],
    ids=["ctrl-c", "sigterm-in-a-sweep"],
)
def test_a_signal_in_the_middle(tiny: Tiny, tmp_path: Path, number: int, code: int, sweep: bool) -> None:
    arguments = bench_arguments(tiny, "text_generation", *LONG, f"hydra.run.dir={tmp_path / 'run'}")
    run = tmp_path / "run"
    if sweep:
        run = tmp_path / "sweep" / "0"
        arguments += [f"hydra.sweep.dir={run.parent}", "hydra.sweep.subdir=${hydra.job.num}", "backend.seed=1,2"]
        arguments.append("-m")
    # Ctrl-C reaches the whole group. Where a person sends it, the command is started afresh, as a person's is.
    process = start("bench", *arguments, cwd=tmp_path, fresh=not sweep)
    try:
        wait_for(lambda: is_measuring(run) or process.poll() is not None, "measuring")
        if process.poll() is None:
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, number)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert process.returncode == code, out + err
    assert len([line for line in err.splitlines() if line.startswith("error:")]) == 1, err
    assert "Traceback" not in out + err, err
    _, left = psutil.wait_procs(family, timeout=PATIENCE_S)
    assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []
    assert_kept_as_incomplete(run)
    # A sweep ends as a whole: its second job was never begun.
    assert sorted(path.name for path in run.parent.iterdir() if path.is_dir()) == [run.name]
    again = run_inprocess(bench_arguments(tiny, "text_generation", "launcher=inline", f"hydra.run.dir={run}"), tmp_path)
    assert again.rc == 0, again.told()
    assert bundle.is_complete(run.with_name(f"{run.name}.2"))
    assert_kept_as_incomplete(run)


def test_a_measuring_process_that_is_killed(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"

    def kill() -> None:
        wait_for(lambda: is_measuring(run), "measuring")
        for process in psutil.Process().children():
            if "spawn_main" in " ".join(process.cmdline()):
                process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    result = run_inprocess(bench_arguments(tiny, "text_generation", *LONG, f"hydra.run.dir={run}"), tmp_path)
    killer.join()
    assert result.rc == EXIT_FAILED, result.told()
    assert "error: the measuring process was killed by SIGKILL (often: out of memory)" in result.stderr
    assert "  | " in result.stderr, "its last log lines"
    assert_kept_as_incomplete(run)


def test_two_runs_at_once_into_one_folder_take_two(tiny: Tiny, tmp_path: Path) -> None:
    arguments = bench_arguments(tiny, "text_classification", FORK, f"hydra.run.dir={tmp_path / 'run'}")
    processes = [start("bench", *arguments, cwd=tmp_path) for _ in range(2)]
    try:
        for process in processes:
            out, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0, out + err
    finally:
        for process in processes:
            process.kill()
    runs = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    assert [path.name for path in runs] == ["run", "run.2"]
    for run in runs:
        assert bundle.is_complete(run)
        bundle.check(run, bundle.read_manifest(run))


def can_mount() -> bool:
    done = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return done.returncode == 0


def test_a_disk_that_gets_full(tiny: Tiny, tmp_path: Path) -> None:
    """On a disk of a few blocks; where none may be mounted, with a limit on the size of every file."""
    disk = tmp_path / "disk"
    disk.mkdir()
    measure = [
        *(sys.executable, "-m", "scorekit", "bench"),
        *bench_arguments(tiny, "text_generation", "scenario.runs=10", FORK, f"hydra.run.dir={disk / 'run'}"),
    ]
    # Else the limit would strike datasets first, which keeps its own copy of the rows elsewhere.
    datasets.load_dataset(os.fspath(tiny["text_generation"].dataset), split="train")
    small_disk = shutil.which("unshare") is not None and can_mount()
    # The listing comes from within: such a disk is gone with the process that mounted it.
    script = f"{shlex.join(measure)}; code=$?; cd {shlex.quote(str(disk))}; find . -type f; exit $code"
    if small_disk:
        script = f"mount -t tmpfs -o size={DISK_BYTES} none {shlex.quote(str(disk))} || exit 99; {script}"
    done = subprocess.run(
        [*(["unshare", "-Urm"] if small_disk else []), "sh", "-c", script],
        cwd=tmp_path,
        env=environment(),
        timeout=PATIENCE_S,
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=None if small_disk else limit_files,
    )
    assert done.returncode == EXIT_FAILED, done.stdout + done.stderr
    (told,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert ("the disk is full" if small_disk else "File too large") in told
    assert str(disk / "run") in told
    assert "  mend: " in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    left = {Path(line).name for line in done.stdout.splitlines() if line.startswith("./run/")}
    assert not left & {bundle.MANIFEST, bundle.SCORE, bundle.BENCHMARK}
    assert not [name for name in left if name.endswith(".part")]
    # What was measured before is kept and marked; before the first pass nothing is but the log.
    assert left <= {bundle.LOG} or bundle.INCOMPLETE in left


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
