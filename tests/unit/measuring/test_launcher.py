"""The process launcher: a report or an error comes back from any end of the measuring process, and none stays."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from scorekit import bundle
from scorekit.errors import EXIT_TERMINATED, LauncherError, ModelError, TerminatedError
from scorekit.measuring import child
from scorekit.measuring.launcher import ProcessLauncher
from scorekit.measuring.settings import ProcessSettings
from tests.unit.measuring import launcher_workers as workers

pytestmark = pytest.mark.transformers

PATIENCE_S = 60


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The launcher works in the current folder, and these workers need no optimum-benchmark."""
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(child, "main", workers.light_main)
    return folder


def launch(worker: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    return ProcessLauncher(ProcessSettings(**options)).launch(worker, list(arguments))


def wait_until_gone(pid: int) -> None:
    """A process that has ended may stay as a zombie where nobody asks for its exit code."""
    deadline = time.monotonic() + PATIENCE_S
    while psutil.pid_exists(pid):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        assert time.monotonic() < deadline, f"process {pid} is left over"
        time.sleep(0.05)


def children() -> set[int]:
    """Child processes but for multiprocessing's resource tracker, which stays for all of them."""
    return {
        process.pid
        for process in psutil.Process().children()
        if process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(process.cmdline())
    }


@pytest.mark.parametrize("start_method", ["spawn", "fork"])
def test_a_report_comes_back_from_the_run_folder(start_method: str) -> None:
    before = children()
    found = launch(workers.report, "measured", start_method=start_method)
    assert found.to_dict()["note"] == "measured in run"
    assert children() == before


def test_a_copy_of_a_process_that_has_used_cuda_is_started_afresh(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = children()
    # A spawned process has the real one, which finds nothing.
    monkeypatch.setattr(child, "_parent_has_used_cuda", lambda: True)
    with caplog.at_level("INFO"):
        found = launch(workers.report, "measured", start_method="fork")
    assert found.to_dict()["note"] == "measured in run"
    assert "is started afresh" in caplog.text
    assert children() == before


@pytest.mark.parametrize("used", [True, False])
def test_whether_cuda_was_used_before_the_fork_is_torchs_word(monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    cuda = types.SimpleNamespace(_is_in_bad_fork=lambda: used)
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    assert child._parent_has_used_cuda() == used
    monkeypatch.delitem(sys.modules, "torch")
    assert not child._parent_has_used_cuda()


def test_numactl_is_put_before_a_process_that_is_started_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "numactl"
    program.write_text(f'#!/bin/sh\ntouch {tmp_path}/used\nshift\nexec "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    options = {"numactl": True, "numactl_kwargs": {"cpunodebind": 0}}
    assert launch(workers.report, "measured", start_method="fork", **options).to_dict()["note"] == "measured in run"
    assert (tmp_path / "used").exists()


def test_the_real_child_applies_the_bridge_before_the_worker_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "main", workers.REAL_MAIN)
    assert launch(workers.patched_report).to_dict() == {"applied": True}


def test_a_report_larger_than_the_pipe_does_not_block() -> None:
    assert len(launch(workers.large_report, 1_000_000).to_dict()["note"]) == 1_000_000


def test_an_error_travels_with_its_message_mend_and_exit_code(run_folder: Path) -> None:
    with pytest.raises(ModelError) as caught:
        launch(workers.fail_on_purpose)
    assert (caught.value.message, caught.value.mend) == ("the model is not there", "give another one")
    assert caught.value.exit_code == 1
    assert "Traceback" in (run_folder / bundle.LOG).read_text(encoding="utf-8")


def test_an_unforeseen_error_is_named_and_its_traceback_is_in_the_log(run_folder: Path) -> None:
    with pytest.raises(LauncherError, match="failed: ZeroDivisionError: a bug of ours") as caught:
        launch(workers.fail_unforeseen)
    assert str(run_folder) in str(caught.value.mend)
    assert "in fail_unforeseen" in (run_folder / bundle.LOG).read_text(encoding="utf-8")


def test_a_child_that_ends_without_a_report_is_told_with_its_code_and_last_log_lines() -> None:
    with pytest.raises(LauncherError, match="ended with code 7 without a report") as caught:
        launch(workers.exit_at_once, 7)
    assert "  | " in caught.value.message
    assert "the last thing that was logged" in caught.value.message


def test_a_child_that_is_killed_is_told_with_the_likely_cause() -> None:
    with pytest.raises(LauncherError, match=r"was killed by SIGKILL \(often: out of memory\)"):
        launch(workers.signal_itself, signal.SIGKILL)


def test_a_child_that_dies_in_the_middle_of_its_report_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "main", workers.die_in_the_middle_of_the_report)
    with pytest.raises(LauncherError, match="ended with code 9 without a report"):
        launch(workers.report, "")


def test_a_child_that_does_not_get_ready_is_given_up_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    before = children()
    monkeypatch.setattr(child, "main", workers.never_ready)
    with pytest.raises(LauncherError, match="did not start within 1 s") as caught:
        launch(workers.report, "", startup_timeout_s=1.0)
    assert "launcher.startup_timeout_s" in str(caught.value.mend)
    assert children() == before


def test_a_child_that_dies_at_its_start_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "main", workers.die_at_once)
    with pytest.raises(LauncherError, match="ended with code 3"):
        # Waiting for the timeout would let the test's own limit strike.
        launch(workers.report, "", startup_timeout_s=100_000.0)


def test_a_child_that_cannot_import_its_target_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("only_in_the_parent")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec("def main(*_): ...", module.__dict__)
    monkeypatch.setattr(child, "main", module.__dict__["main"])
    with pytest.raises(LauncherError, match="ended with code 1"):
        launch(workers.report, "", startup_timeout_s=100_000.0)


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminatedError)], ids=["INT", "TERM"]
)
@pytest.mark.parametrize("worker", [workers.signal_parent, workers.signal_parent_and_heed_nothing])
def test_a_signal_to_the_parent_ends_the_child(
    run_folder: Path, number: int, error: type[BaseException], worker: Callable[..., Any]
) -> None:
    assert threading.current_thread() is threading.main_thread(), "Python delivers signals there alone"
    heeds = worker is workers.signal_parent
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(error) as caught:
        launch(worker, number, "pid", stop_timeout_s=PATIENCE_S if heeds else 0.2)
    assert type(caught.value) is error
    wait_until_gone(int((run_folder / "pid").read_text(encoding="utf-8")))
    assert signal.getsignal(signal.SIGTERM) == before
    log = (run_folder / bundle.LOG).read_text(encoding="utf-8") if (run_folder / bundle.LOG).exists() else ""
    assert ("interrupted" in log or "terminated" in log) is heeds


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminatedError)], ids=["INT", "TERM"]
)
def test_a_child_that_is_signalled_itself_ends_the_parent_alike(number: int, error: type[BaseException]) -> None:
    with pytest.raises(error) as caught:
        launch(workers.signal_itself, number)
    assert type(caught.value) is error


@pytest.mark.parametrize("start_method", ["spawn", "fork"])
def test_a_child_ends_when_its_parent_is_killed(run_folder: Path, start_method: str) -> None:
    parent = os.fork()
    if parent == 0:
        try:
            launch(workers.signal_parent, signal.SIGKILL, "pid", start_method=start_method)
        finally:
            os._exit(1)
    _, status = os.waitpid(parent, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    wait_until_gone(int((run_folder / "pid").read_text(encoding="utf-8")))


def test_waiting_costs_the_parent_no_cpu_time() -> None:
    before = time.process_time()
    launch(workers.slow_report, 2.0)
    # A loop that asks again and again would cost about 2 s.
    assert time.process_time() - before < 0.2


def test_outside_of_the_main_thread_there_are_no_signals_but_a_report() -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(launch(workers.report, "measured")))
    thread.start()
    thread.join(PATIENCE_S)
    assert found[0].to_dict()["note"] == "measured in run"


def test_the_exit_code_of_a_terminated_run_is_the_shells() -> None:
    assert TerminatedError("").exit_code == EXIT_TERMINATED == 128 + signal.SIGTERM
