"""How a worker measures: the command, what its end means, and that nothing of it outlives its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scorekit import bundle
from scorekit.portal import leash, phases
from scorekit.portal.assignments import Assignment
from scorekit.portal.measuring import LOG, Bench, MeasuringFailedError, arguments, failure
from scorekit.portal.settings import TOKEN
from scorekit.portal.stopping import Stop
from tests.portal.measured import official_run

JOB = Assignment(id="ab", lease="cd", attempt=1, model="example/model-1b", revision="refs/pr/1", task="text_generation")
HANGS_S = 60.0
"""After which something that should have ended counts as hanging; a limit, not a measure."""


def test_a_job_is_measured_by_the_tasks_own_config(tmp_path: Path) -> None:
    assert arguments(JOB, tmp_path, Bench()) == [
        "--config-name",
        "text_generation",
        "backend.model='example/model-1b'",
        "++backend.model_kwargs.revision='refs/pr/1'",
        "++backend.processor_kwargs.revision='refs/pr/1'",
        f"hydra.run.dir='{tmp_path / 'run'}'",
    ]
    newest = JOB.model_copy(update={"revision": None})
    assert not any("revision" in word for word in arguments(newest, tmp_path, Bench()))


def test_a_launcher_of_hydra_is_passed_on_in_the_mode_in_which_it_works(tmp_path: Path) -> None:
    given = arguments(JOB, tmp_path, Bench("cuda", ("hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu")))
    assert given[-3:] == ["backend.device=cuda", "hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu"]
    assert "-m" in given
    assert f"hydra.sweep.dir='{tmp_path / 'run'}'" in given
    assert not any(word.startswith("hydra.run.dir") for word in given)


_TRACE = "Traceback (most recent call last):\n  File ...\nscorekit.errors.{kind}: {message}\n  mend: x\n"


@pytest.mark.parametrize(
    ("code", "kind", "message", "again"),
    [
        (1, "ModelError", "there is no model example/x on the Hub, or it is private", False),
        (1, "ModelError", "the model example/x is gated: the Hub gives it to those who were granted access", False),
        (1, "ModelError", "the model example/x is not made for text-generation", False),
        (1, "ModelError", "the GPU ran out of memory at sample 0: CUDA out of memory", False),
        (1, "ModelError", "the Hub cannot be reached for the model example/x, and it is not in the local cache", True),
        (1, "DatasetError", "the Hub cannot be reached for the dataset x, and it is not in the local cache", True),
        (1, "HardwareError", "NVML finds no GPU on this machine", True),
        (1, "BundleError", "the disk is full: windows.jsonl could not be written", True),
        (1, "LauncherError", "the measuring process was killed by SIGKILL without a report", True),
        (1, "LauncherError", "the measuring process failed: RuntimeError: shape mismatch", False),
        (2, "UsageError", "there is no config 'x'; valid: text_generation", False),
        (137, "", "", True),
        (143, "", "", True),
        (130, "", "", True),
        (-9, "", "", True),
        (1, "", "", False),
    ],
)  # fmt: skip
def test_what_may_pass_is_tried_again(code: int, kind: str, message: str, again: bool) -> None:
    log = "[INFO] measuring\n"
    if kind:
        log += _TRACE.format(kind=kind, message=message) + f"error: {message}\n  mend: do this\n"
    found = failure(code, log, [])
    assert found.again is again
    assert message in found.message
    assert kind == "" or "mend: do this" in found.message


@pytest.mark.parametrize(
    ("failed", "again"),
    [("no_foreign_processes", True), ("not_throttled", True), ("samples_complete", False), (None, False)],
)
def test_an_invalid_run_is_measured_again_where_the_machine_was_to_blame(
    failed: str | None, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scorekit.portal import measuring
    from scorekit.records import Check, Validity

    checks = () if failed is None else (Check(number=1, name=failed, passed=False, severity="fail", message="x"),)
    validity = Validity(run="x", scorekit_version="0", checks=checks, valid=False)
    monkeypatch.setattr(measuring.logs, "read_validity", lambda _: validity)
    found = failure(3, "", [tmp_path])
    assert found.again is again
    assert "measured, but not valid" in found.message
    assert failed is None or failed in found.message


def test_a_setting_that_mends_is_told_as_a_worker_takes_it() -> None:
    log = "error: no GPU\n  mend: on a machine without one add backend.device=cpu (not comparable)\n"
    assert "add --hydra backend.device=cpu (not" in failure(1, log, []).message


def test_phases_of_a_measurement_are_passed_on_once_each(tmp_path: Path) -> None:
    told: list[str] = []
    log = tmp_path / LOG
    said = (
        b"[x] noise\n 10%\rloading the model a/b\nrepeat 1/3: prefill, 5 samples\nrepeat 1/3: prefill, 5 samples\nwarm"
    )
    with phases.passed_on(log, told.append, look_s=HANGS_S):
        log.write_bytes(said)
    assert told == ["loading the model a/b", "repeat 1/3: prefill, 5 samples"]


def test_a_measurement_that_says_nothing_is_told_to_go_on(tmp_path: Path) -> None:
    told: list[str] = []
    heard = threading.Event()
    with phases.passed_on(tmp_path / LOG, lambda line: (told.append(line), heard.set()), look_s=0.001, quiet_s=0):
        assert heard.wait(HANGS_S)
    assert told[0] == "still measuring after 0 min"


def program(folder: Path, text: str) -> tuple[str, ...]:
    """Something in the place of `scorekit bench`."""
    path = folder / "program.py"
    path.write_text(text)
    return (sys.executable, str(path))


def test_the_run_of_a_measurement_is_found_and_the_token_was_not_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(TOKEN, "sk_secret")
    run = official_run(tmp_path / "made")
    place = tmp_path / "place"
    place.mkdir()
    copies = f"shutil.copytree({str(run)!r}, 'run')\nprint('measured')"
    text = f"import os, shutil\nassert '{TOKEN}' not in os.environ\n{copies}"
    found = Bench(program=program(tmp_path, text))(JOB, place, Stop())
    assert found == place / "run"
    assert (found / bundle.SCORE).is_file()
    assert (place / LOG).read_text() == "measured\n"
    assert f"job ab: measuring begins; all that it says goes to {place / LOG}" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(MeasuringFailedError, match="0 runs were scored"):
        Bench(program=program(tmp_path, "pass"))(JOB, empty, Stop())


def test_a_measurement_that_is_to_end_ends_with_all_that_it_started(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid.part', 'w').write(str(child.pid))\n"
        "import os; os.rename('pid.part', 'pid')\n"
        "time.sleep(600)\n"
    )
    stop = Stop()
    threading.Thread(target=lambda: (_await(tmp_path / "pid"), stop.ask("a test")), daemon=True).start()
    with pytest.raises(MeasuringFailedError, match="signal 15") as ended:
        Bench(program=program(tmp_path, text))(JOB, tmp_path, stop)
    assert ended.value.again
    _await_gone(int((tmp_path / "pid").read_text()))


def test_a_measurement_ends_when_its_worker_is_killed(tmp_path: Path) -> None:
    text = (
        "import os, time\nopen('pid.part', 'w').write(str(os.getpid()))\n"
        "os.rename('pid.part', 'pid')\ntime.sleep(600)\n"
    )
    worker = (
        "import pathlib, sys\n"
        "from scorekit.portal.assignments import Assignment\n"
        "from scorekit.portal.measuring import Bench\n"
        "from scorekit.portal.stopping import Stop\n"
        f"job = Assignment.model_validate_json({JOB.model_dump_json()!r})\n"
        f"Bench(program={program(tmp_path, text)!r})(job, pathlib.Path({str(tmp_path)!r}), Stop())\n"
    )
    started = subprocess.Popen([sys.executable, "-c", worker])
    _await(tmp_path / "pid")
    started.send_signal(signal.SIGKILL)
    started.wait()
    _await_gone(int((tmp_path / "pid").read_text()))


def test_a_command_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    text = (
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open('deaf', 'w').close()\ntime.sleep(600)\n"
    )
    command = [sys.executable, "-m", "scorekit.portal.leash", "0.2", *program(tmp_path, text)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=tmp_path, start_new_session=True)
    _await(tmp_path / "deaf")
    assert started.stdin is not None
    started.stdin.close()
    assert started.wait(HANGS_S) == -signal.SIGKILL


def test_the_leash_tells_how_a_command_ended(tmp_path: Path) -> None:
    for text, code in (("pass", 0), ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)):
        command = [sys.executable, "-m", "scorekit.portal.leash", "1", *program(tmp_path, text)]
        started = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        assert started.wait(HANGS_S) == code
        assert started.stdin is not None
        started.stdin.close()
    assert leash.SIGNALLED == 128


def _await(path: Path) -> None:
    until = time.monotonic() + HANGS_S
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not come"
        time.sleep(0.01)


def _await_gone(pid: int) -> None:
    until = time.monotonic() + HANGS_S
    while _is_alive(pid):
        assert time.monotonic() < until, "it outlived its worker"
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # One that has ended and that nobody has waited for yet is there by name only.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
