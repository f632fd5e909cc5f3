"""Slurm's queue says that a job is to come or goes on; nothing else of what Slurm says counts."""

from __future__ import annotations

import subprocess
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.scorekit_sweeps import slurm_launcher
from scorekit import cli
from scorekit.errors import EXIT_USAGE, InvalidRunError, LauncherError, MissingExtraError, ModelError, install_line
from scorekit.sweep import done, engines, plan, slurm
from scorekit.sweep.failures import failure
from tests.unit.sweep.conftest import attempt, job, write_run

Content = Mapping[str, str]


class Cluster:
    """A queue that changes as told, and a clock that goes on only when somebody sleeps."""

    def __init__(self, *contents: Content | None) -> None:
        self.contents = list(contents)
        self.asked = 0
        self.now_s = 1000.0

    def ask(self) -> Content:
        self.asked += 1
        content = self.contents.pop(0) if len(self.contents) > 1 else self.contents[0]
        if content is None:
            raise subprocess.CalledProcessError(1, "squeue", stderr="slurm_load_jobs error: Unable to contact\n")
        return content

    def clock(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s

    def queue(self) -> slurm.Queue:
        return slurm.Queue(self.ask, self.clock)

    def wait(self, queue: slurm.Queue, *names: str, seen: Callable[[], bool] = lambda: True) -> None:
        slurm.wait(queue, names, seen, sleep=self.sleep, clock=self.clock)


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands that were run."""
    found: list[str] = []
    monkeypatch.setattr(slurm.subprocess, "run", lambda command, **_: found.extend(command))
    return found


def test_the_queue_is_read_with_a_reason_for_each_job(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(
            command, 0, "12_0|None\n12_1|launch failed requeued held\n 13|Resources\n", ""
        )

    monkeypatch.setattr(slurm.subprocess, "run", run)
    assert slurm.listing() == {"12_0": "None", "12_1": "launch failed requeued held", "13": "Resources"}
    assert asked[0][0] == "squeue"


def test_it_is_waited_until_no_job_is_left() -> None:
    cluster = Cluster({"1_0": "None", "1_1": "Resources", "9": "None"}, {"1_1": "None", "9": "None"}, {"9": "None"})
    cluster.wait(cluster.queue(), "1_0", "1_1")
    assert cluster.asked == 3, "another's job is not waited for"


def test_a_job_that_is_put_back_into_the_queue_is_waited_for() -> None:
    cluster = Cluster({"1": "None"}, {"1": "BeginTime"}, {"1": "None"}, {})
    cluster.wait(cluster.queue(), "1")
    assert cluster.asked == 4


def test_silence_for_a_while_is_borne() -> None:
    cluster = Cluster({"1": "None"}, *[None] * 100, {"1": "None"}, {})
    cluster.wait(cluster.queue(), "1")
    assert cluster.asked == 103


def test_silence_for_too_long_ends_the_wait_and_says_why() -> None:
    cluster = Cluster({"1": "None"}, None)
    with pytest.raises(LauncherError, match="Unable to contact") as caught:
        cluster.wait(cluster.queue(), "1")
    assert cluster.now_s - 1000 == pytest.approx(slurm.PATIENCE_S, abs=10)
    assert "run the same command again" in (caught.value.mend or "")


@pytest.mark.parametrize("reason", ["PartitionTimeLimit", "launch failed requeued held", "BadConstraints"])
def test_a_job_that_would_wait_for_ever_is_taken_out(
    reason: str, cancelled: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Cluster({"1_0": reason, "1_1": "Resources"}, {"1_0": reason, "1_1": "None"}, {})
    cluster.wait(cluster.queue(), "1_0", "1_1")
    assert cancelled == ["scancel", "1_0"], "once"
    assert reason in capsys.readouterr().err


def test_what_a_network_file_system_shows_late_is_waited_for() -> None:
    cluster = Cluster({})
    cluster.wait(cluster.queue(), "1")
    assert cluster.now_s == 1000
    cluster.wait(cluster.queue(), "1", seen=lambda: cluster.now_s > 1010)
    assert cluster.now_s == pytest.approx(1010, abs=2)
    cluster.now_s = 1000
    cluster.wait(cluster.queue(), "1", seen=lambda: False)
    assert cluster.now_s - 1000 == pytest.approx(slurm.SETTLE_S, abs=2), "a job that was lost is not for ever"


def test_an_attempt_goes_on_while_its_job_is_in_the_queue(tmp_path: Path) -> None:
    cluster = Cluster({"7_1": "None"})
    engine = slurm.SlurmEngine(tmp_path, cluster.queue())
    at_work = attempt(engine="slurm", engine_job="7_1", ended_utc=None)
    assert engine.alive(at_work)
    assert engine.alive(at_work.model_copy(update={"ended_utc": "2026-01-01T00:00:00+00:00"})), "it may begin again"
    assert not engine.alive(at_work.model_copy(update={"engine_job": "7_2"}))
    assert not engine.alive(at_work.model_copy(update={"engine": None})), "one without Slurm is looked for here"
    assert cluster.asked == 1


def test_a_job_that_came_after_the_last_answer_is_found(tmp_path: Path) -> None:
    cluster = Cluster({}, {"7": "None"})
    queue = cluster.queue()
    engine = slurm.SlurmEngine(tmp_path, queue)
    assert queue.now() == {}
    cluster.sleep(2)
    assert engine.alive(attempt(engine="slurm", engine_job="7", ended_utc=None))


def test_while_slurm_is_silent_no_attempt_is_lost(tmp_path: Path) -> None:
    engine = slurm.SlurmEngine(tmp_path, Cluster(None).queue())
    assert engine.alive(attempt(engine="slurm", engine_job="7", ended_utc=None))
    assert not engine.alive(attempt(engine="slurm", engine_job="7"))
    with pytest.raises(LauncherError, match="does not answer"):
        engine.queued()


def test_a_new_driver_knows_what_the_last_one_handed_over(tmp_path: Path) -> None:
    folders = {name: tmp_path / "text_generation" / f"org--{name}" for name in "abc"}
    slurm.hand_over(tmp_path, {"7_0": ("ida", folders["a"]), "7_1": ("idb", folders["b"])})
    slurm.hand_over(tmp_path, {"8": ("idc", folders["c"])})
    slurm.hand_over(tmp_path, {})
    cluster = Cluster({"7_1": "None", "8": "Resources", "9": "None"}, {"8": "None"}, {})
    engine = slurm.SlurmEngine(tmp_path, cluster.queue())
    assert engine.queued() == {"idb", "idc"}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "attempt-1.json").write_text(attempt().model_dump_json())
    (tmp_path / slurm.HANDED_OVER / "7_0.damaged").write_bytes(b"\xff\n")
    engine.wait()
    assert slurm.handed_over(tmp_path) == {}, "all are over"


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts commands of these names into PATH, and nothing else."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()

    def make(*names: str) -> None:
        for name in names:
            (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 1\n")
            (tmp_path / "bin" / name).chmod(0o755)

    return make


def test_without_slurm_the_line_that_installs_it_is_told(
    commands: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands("squeue", "scancel")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["sweep", "org/a", "--task", "text_generation", "--launcher", "slurm"]) == EXIT_USAGE
    err = capsys.readouterr().err
    assert "not on this machine: sbatch, srun" in err
    assert "apt install slurm-client" in err
    assert not (tmp_path / "sweeps").exists(), "nothing is begun"


def test_without_the_official_launcher_the_extra_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(slurm.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError) as caught:
        engines.of("slurm", tmp_path).check()
    assert caught.value.mend == install_line("slurm")


SETTINGS: dict[str, Any] = {
    "submitit_folder": "/shared/.submitit",
    "name": "scorekit",
    "partition": "gpu",
    "account": None,
    "gres": "gpu:h100",
    "cpus_per_task": 4,
    "timeout_min": 90,
    "requeue": True,
    "exclusive": False,
    "array_parallelism": 8,
    "array_size": 1000,
    "additional_parameters": {"mail-type": "END"},
    "wait": True,
}


def test_settings_are_handed_to_sbatch() -> None:
    from scorekit.sweep import slurm_jobs

    assert slurm_jobs.parameters(SETTINGS, 2) == {
        "name": "scorekit",
        "timeout_min": 90,
        "cpus_per_task": 4,
        "slurm_partition": "gpu",
        "slurm_gres": "gpu:h100:2",
        "slurm_array_parallelism": 8,
        "slurm_signal_delay_s": 120,
        "slurm_additional_parameters": {"requeue": True, "mail-type": "END"},
    }
    changed = {**SETTINGS, "gres": "gpu:2", "requeue": False, "exclusive": True, "timeout_min": 1}
    found = slurm_jobs.parameters(changed, 1)
    assert (found["slurm_gres"], found["slurm_exclusive"], found["slurm_signal_delay_s"]) == ("gpu:2", True, 6)
    assert "no-requeue" in found["slurm_additional_parameters"]
    assert "slurm_gres" not in slurm_jobs.parameters(SETTINGS, 0), "a job on the CPU asks for no GPU"


@pytest.mark.parametrize("most", [0, 1, 3, 1000])
@pytest.mark.parametrize("count", [0, 1, 40])
def test_jobs_are_handed_over_in_parts_that_fit_into_an_array(count: int, most: int) -> None:
    for at_once in (1, 256):
        parts = list(slurm_launcher._growing(7, count, most, at_once))
        assert [number for part in parts for number in part] == list(range(7, 7 + count))
        assert all(0 < len(part) <= max(most, 1) for part in parts)


@pytest.mark.parametrize(
    ("at_once", "expected"), [(2, [40]), (39, [40]), (40, [16, 24]), (256, [16, 24]), (1000, [16, 24])]
)
def test_a_limit_of_jobs_at_once_is_not_shared_out_among_arrays(at_once: int, expected: list[int]) -> None:
    assert [len(part) for part in slurm_launcher._growing(0, 40, 1000, at_once)] == expected


@pytest.mark.parametrize(
    ("device", "device_ids", "by_hand", "expected"),
    [
        ("cuda", 0, "auto", 1),
        ("cuda", "0,1,2", None, 3),
        ("cuda", None, "auto", 1),
        ("cpu", 0, "auto", 0),
        ("cpu", None, [0, 1], 2),
    ],
)
def test_a_job_s_gpus(device: str, device_ids: int | str | None, by_hand: object, expected: int) -> None:
    from scorekit.sweep import slurm_jobs

    assert slurm_jobs.gpus_of(device, device_ids, by_hand) == expected


@pytest.fixture
def left(tmp_path: Path) -> Callable[..., Exception | None]:
    """Why a job failed that left this for its driver."""
    import cloudpickle

    from scorekit.sweep import slurm_jobs

    made = job()

    def failure(*outcome: object, run: bool = False) -> Exception | None:
        folder = write_run(tmp_path, made) if run else tmp_path / "none"
        result = tmp_path / "result.pkl"
        if outcome:
            result.write_bytes(cloudpickle.dumps(outcome))
        paths = types.SimpleNamespace(result_pickle=result, stderr=tmp_path / "err.log")
        one = slurm_jobs.Job(0, (), folder, "cpu", None, 0)
        return slurm_jobs.failure(one, types.SimpleNamespace(paths=paths))

    return failure


def test_a_job_that_says_it_is_done_is(left: Callable[..., Exception | None]) -> None:
    assert left("success", (0, None)) is None


def test_an_invalid_measurement_is_no_success(left: Callable[..., Exception | None]) -> None:
    assert isinstance(left("success", (3, None)), InvalidRunError)


def test_a_job_s_own_error_is_told(left: Callable[..., Exception | None]) -> None:
    error = left("success", (None, ModelError("there is no model", mend="another")))
    assert isinstance(error, ModelError)
    assert error.mend == "another"
    assert "ZeroDivisionError: x" in str(left("error", "Traceback\n  1 / 0\nZeroDivisionError: x\n"))


def test_a_job_that_died_is_judged_by_its_run(left: Callable[..., Exception | None]) -> None:
    error = left()
    assert isinstance(error, LauncherError)
    assert "err.log" in (error.mend or "")
    assert left(run=True) is None, "it was killed after its end"


@pytest.mark.parametrize("gpus", [(1, 4), (4, 1)])
def test_jobs_of_too_many_gpus_do_not_keep_the_others_from_slurm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpus: tuple[int, int]
) -> None:
    from scorekit.sweep import slurm_jobs

    refusing(monkeypatch, lambda parameters: parameters.get("slurm_gres") == "gpu:h100:4")
    arrays = list(slurm_jobs.submit(SETTINGS, tmp_path, [job_of(tmp_path, number) for number in gpus]))
    found = {one.gpus: given for array in arrays for one, given in array}
    assert found[1] == "taken"
    assert isinstance(found[4], LauncherError)
    assert "jobs of 4 GPUs each: sbatch: error: Requested node configuration is not available" in found[4].message
    assert "--class-c-gpus" in str(found[4].mend)


def test_what_all_jobs_would_be_refused_for_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scorekit.sweep import slurm_jobs

    refusing(monkeypatch, lambda _: True)
    with pytest.raises(LauncherError, match="Slurm refuses the jobs: sbatch: error: Requested"):
        list(slurm_jobs.submit(SETTINGS, tmp_path, [job_of(tmp_path, 1)]))


def test_a_job_that_slurm_refuses_has_an_attempt_that_tells_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its driver is a job of Slurm's, which is in the queue.
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    made = job()
    slurm.never_begun(tmp_path / plan.folder_of(made), made.id, LauncherError("Slurm refuses it", mend="fewer GPUs"))
    alive = slurm.SlurmEngine(tmp_path, slurm.Queue(lambda: {"7": "None"})).alive
    state = done.look_at(made, tmp_path, alive=alive)
    found = failure(state)
    assert state.state == "failed"
    assert found is not None
    assert (found.message, found.mend) == ("Slurm refuses it", "fewer GPUs")


def job_of(folder: Path, gpus: int) -> Any:
    from scorekit.sweep import slurm_jobs

    return slurm_jobs.Job(gpus, (), folder / str(gpus), "cuda", ",".join(map(str, range(gpus))), gpus)


def refusing(monkeypatch: pytest.MonkeyPatch, refuses: Callable[[dict[str, Any]], bool]) -> None:
    """A Slurm that refuses the jobs with such parameters."""
    from submitit.core.utils import FailedJobError

    from scorekit.sweep import slurm_jobs

    class Executor:
        def __init__(self, **_: Any) -> None:
            self._parameters: dict[str, Any] = {}

        def update_parameters(self, **parameters: Any) -> None:
            self._parameters = parameters

        def map_array(self, _work: Any, jobs: list[Any], *_: Any) -> list[str]:
            if refuses(self._parameters):
                raise FailedJobError("sbatch: error: Requested node configuration is not available")
            return ["taken"] * len(jobs)

    monkeypatch.setattr(slurm_jobs.submitit, "AutoExecutor", Executor)
