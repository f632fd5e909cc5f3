"""Locks of GPUs: one run at a time, whatever becomes of it; two runs wait instead of sharing."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from scorekit.errors import HardwareError
from scorekit.measuring import gpu_lock
from tests.fake_nvml.fake import FakeNvml

PATIENCE_S = 60
A, B = "GPU-aaaa", "GPU-bbbb"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(gpu_lock.FOLDER, str(tmp_path / "locks"))
    return tmp_path / "locks"


def is_free(folder: Path, name: str) -> bool:
    """Whether nobody holds a lock, asked as another process would."""
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def holder(code: str = "") -> subprocess.Popen[str]:
    """A process that holds GPU A until it is told to end."""
    script = (
        "import sys\nfrom scorekit.measuring import gpu_lock\n"
        f"with gpu_lock.held(['{A}'], 0, 'model on task'):\n    print('held', flush=True)\n    {code or 'pass'}\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_is_held_within_the_block_and_free_after_it(folder: Path) -> None:
    with gpu_lock.held([B, A, A], 0):
        assert not is_free(folder, A)
        assert not is_free(folder, B)
        assert [lock.name for lock in gpu_lock.held_here()] == [A, B]
        with gpu_lock.held([A], 0):
            pass  # What this process holds already is left alone.
        assert not is_free(folder, A)
    assert is_free(folder, A)
    assert gpu_lock.held_here() == ()


def test_the_folder_and_its_files_are_for_all_users(folder: Path) -> None:
    with gpu_lock.held([A], 0):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
        assert stat.S_IMODE((folder / f"{A}.lock").stat().st_mode) == 0o666


def test_a_second_run_fails_at_once_or_waits_and_says_for_whom(folder: Path) -> None:
    process = holder()
    told = rf"the GPU {A} is in use by another measured run \(process {process.pid}, since 20.*, model on task\)"
    try:
        with pytest.raises(HardwareError, match=told) as caught, gpu_lock.held([A], 0):
            pass
        assert "launcher.gpu_wait_s" in str(caught.value.mend)
        with pytest.raises(HardwareError, match=r"also after 0\.3 s"), gpu_lock.held([A, B], 0.3):
            pass
        assert gpu_lock.held_here() == ()
        threading.Timer(0.5, process.stdin.close).start()  # type: ignore[union-attr]
        with gpu_lock.held([A], PATIENCE_S):
            assert not is_free(folder, A)
    finally:
        process.kill()
        process.wait()


def test_the_kernel_gives_back_the_lock_of_a_process_that_is_killed(folder: Path) -> None:
    process = holder()
    process.send_signal(signal.SIGKILL)
    process.wait()
    with gpu_lock.held([A], 0):
        assert not is_free(folder, A)


def sleeping(_locks: Any, ready: Any) -> None:
    ready.set()
    time.sleep(PATIENCE_S)


def test_a_child_that_outlives_its_parent_holds_the_lock_as_well(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    with gpu_lock.held([A], 0):
        child = context.Process(target=sleeping, args=(gpu_lock.held_here(), ready))
        child.start()
        assert ready.wait(PATIENCE_S)
    try:
        assert not is_free(folder, A), "this process gave its hold up, the child did not"
    finally:
        child.kill()
        child.join()
    assert is_free(folder, A)


def test_a_lock_that_is_a_link_or_cannot_be_opened_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    (tmp_path / "victim").write_text("precious")
    (folder / f"{A}.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(HardwareError, match="cannot be opened"), gpu_lock.held([A], 0):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


def test_what_a_stranger_wrote_into_a_lock_is_no_matter(folder: Path) -> None:
    folder.mkdir()
    path = folder / f"{A}.lock"
    path.write_text('["what?"]')
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(HardwareError, match="which does not say who it is"), gpu_lock.held([A], 0):
            pass
    finally:
        os.close(descriptor)


def config(**backend: Any) -> Any:
    scenario = {"gpus": backend.pop("gpus", "auto")}
    return OmegaConf.create({"backend": {"device": "cuda", "device_ids": None, **backend}, "scenario": scenario})


def test_a_run_locks_the_gpus_that_it_uses_and_those_that_it_measures(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(gpus=3)
    first, second, third = (fake_nvml_here.uuid(number) for number in range(3))
    assert gpu_lock.names(config(device_ids="0"), {}) == (first,)
    assert set(gpu_lock.names(config(device_ids="2,0"), {})) == {first, third}
    assert gpu_lock.names(config(device_ids=None), {"CUDA_VISIBLE_DEVICES": second}) == (second,)
    assert set(gpu_lock.names(config(device_ids="0", gpus=[1]), {})) == {first, second}
    assert gpu_lock.names(config(device="cpu", gpus=[1]), {}) == (second,)
    assert gpu_lock.names(config(device_ids="7"), {}) == (), "it is refused later, with the reason"
    assert gpu_lock.names(config(device="cpu"), {}) == ()


def test_within_a_sweep_the_cpu_is_locked_where_it_is_measured() -> None:
    assert gpu_lock.names(config(device="cpu"), {gpu_lock.SWEEP_JOB: "7"}) == (gpu_lock.CPU,)


def test_of_a_slice_the_whole_gpu_is_locked_where_the_driver_tells_it(fake_nvml_here: FakeNvml) -> None:
    assert gpu_lock.whole_gpu("MIG-1234") == "MIG-1234", "this driver knows no such slice"
    assert gpu_lock.whole_gpu(A) == A
    assert gpu_lock.names(config(device_ids="MIG-1234"), {}) == ("MIG-1234",)


def test_the_folder_is_that_of_the_machine_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu_lock.folder({gpu_lock.FOLDER: str(tmp_path / "other")}) == tmp_path / "other"
    assert gpu_lock._is_open_to_all(Path("/tmp")) == bool(os.stat("/tmp").st_mode & stat.S_IWOTH)
    assert not gpu_lock._is_open_to_all(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(HardwareError, match="cannot be made") as caught:
        gpu_lock.folder({gpu_lock.FOLDER: str(tmp_path / "file" / "below")})
    assert gpu_lock.FOLDER in str(caught.value.mend)
