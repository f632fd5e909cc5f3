"""The GPU's road on a machine without one: models on the CPU, measured on a fake H100 that is named by hand."""

from __future__ import annotations

import getpass
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scorekit import bundle, logs
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, EXIT_USAGE
from scorekit.logs.power_trace import read_power_trace
from scorekit.records import Environment, GpuState, MeterReading, Validity, Window
from scorekit.tasks import MAIN_TASKS, TASKS
from tests.e2e.conftest import FORK, INLINE, Result, Tiny, bench_arguments, run_cli, run_inprocess
from tests.fake_nvml import FakeNvml

TICK_S = 0.1
WINDOW_S = 1.0
LEAST_WINDOW_S = 10.5
"""A hundred ticks, fewer of which no run may have that is scored."""
LATE_S = 0.03
"""So far apart the meter's window and the record's may lie when the machine is busy between the two."""
TOO_SHORT = {"window_length"}
BUSY = {"meters_agree"}
"""Checks that a window of a second may fail on a busy machine: CodeCarbon's own is longer by some hundredths."""
ON_TWO_LIBRARIES = {"text_generation", "image_classification"}
PATIENCE_S = 240
MOST_TRIES = 3
UNSEEN = "was not seen to tick around"
"""What a meter says that the machine left no time; then the run says to measure again, and so a test does."""

SHORT = [
    "scenario.gpus=[0]",
    f"scenario.min_window_s={WINDOW_S}",
    "scenario.idle_s=0.5",
    "scenario.max_gap_s=0.1",
    "scenario.num_samples=2",
    "scenario.cool_down_s=0",
]
STRUCK = ["scenario.min_window_s=4", "scenario.meters=[nvml]"]
LENGTHS = {
    "reasoning": ["scenario.generate_kwargs.max_new_tokens=5"],
    "text_to_image": ["scenario.call_kwargs.num_inference_steps=2"],
    **{
        task: ["scenario.generate_kwargs.max_new_tokens=5", "scenario.generate_kwargs.min_new_tokens=5"]
        for task in ("automatic_speech_recognition", "image_to_text")
    },
}


@pytest.fixture
def fake(fake_nvml: FakeNvml) -> Iterator[FakeNvml]:
    # Its power rises all the time, so that a window of the wrong time has the wrong energy.
    fake_nvml.set(tick_ms=1000 * TICK_S, tick_phase_ms=37, power_w=[(0, 90), (600, 690)])
    yield fake_nvml
    assert fake_nvml.setter_calls() == []


def bench(tiny: Tiny, folder: Path, fake: FakeNvml, task: str, *more: str) -> tuple[Result, Path]:
    """In processes that have had the libraries imported on a machine with a GPU."""
    arguments, run = arguments_for(tiny, folder, task, FORK, *more)
    return run_cli("bench", *arguments, cwd=folder, env=fake.environment()), run


def bench_here(tiny: Tiny, folder: Path, fake: FakeNvml, task: str, *more: str) -> tuple[Result, Path]:
    """In this process, and where it is not inline in a measuring process that is started afresh."""
    arguments, run = arguments_for(tiny, folder, task, *more)
    with fake.here():
        return run_inprocess(arguments, folder), run


def measured(
    how: Callable[..., tuple[Result, Path]], tiny: Tiny, folder: Path, fake: FakeNvml, task: str, *more: str
) -> tuple[Result, Path]:
    """A run of which the machine let the meter see the edges: none that is busy for long is measured on."""
    for number in range(MOST_TRIES):
        own = folder / str(number)
        own.mkdir()
        result, run = how(tiny, own, fake, task, *more)
        if UNSEEN not in result.stderr:
            break
    return result, run


def arguments_for(tiny: Tiny, folder: Path, task: str, *more: str) -> tuple[list[str], Path]:
    run = folder / "run"
    return bench_arguments(tiny, task, *SHORT, *LENGTHS.get(task, []), *more, f"hydra.run.dir={run}"), run


def windows_of(run: Path) -> list[Window]:
    lines = (run / bundle.WINDOWS).read_text(encoding="utf-8").splitlines()
    return [Window.model_validate_json(line) for line in lines]


def failed_checks(run: Path) -> dict[str, str]:
    validity = Validity.model_validate_json((run / bundle.VALIDITY).read_text(encoding="utf-8"))
    return {check.name: check.message for check in validity.checks if not check.passed and check.severity == "fail"}


def reading_of(window: Window, meter: str) -> MeterReading:
    (found,) = [reading for reading in window.readings if reading.meter == meter and reading.component == "gpu"]
    return found


def assert_true(fake: FakeNvml, window: Window, gpu: int = 0) -> None:
    """The energy is that of the GPU between the window's times."""
    reading = reading_of(window, "nvml")
    assert (reading.device, reading.origin, reading.source) == (fake.uuid(gpu), "measured", "nvml_counter")
    assert reading.energy_wh is not None, reading.problem
    assert reading.standard_uncertainty_wh is not None
    start_s, end_s = window.start_monotonic_s, window.end_monotonic_s
    true_wh = fake.energy_wh(gpu, start_s, end_s)
    room = max(0.02 * true_wh, 2 * reading.standard_uncertainty_wh)
    most_wh = fake.energy_wh(gpu, start_s - LATE_S, end_s + LATE_S)
    assert true_wh - room <= reading.energy_wh <= most_wh + room, (window.phase, true_wh)


@pytest.mark.parametrize(
    "task",
    [pytest.param(task, marks=[pytest.mark.transformers] if task in ON_TWO_LIBRARIES else []) for task in MAIN_TASKS],
)
def test_a_task_is_measured_on_the_gpu_that_was_named(tiny: Tiny, tmp_path: Path, fake: FakeNvml, task: str) -> None:
    # Each in a process of its own: CodeCarbon finds out once a process whether there are GPUs.
    result, run = measured(bench_here if task in ON_TWO_LIBRARIES else bench, tiny, tmp_path, fake, task)
    assert result.rc == EXIT_INVALID, result.told()
    assert TOO_SHORT <= set(failed_checks(run)) <= TOO_SHORT | BUSY, result.told()
    assert not (run / bundle.SCORE).exists()
    _check_windows(fake, run, task, WINDOW_S)
    _check_files(run)
    _check_trace_and_states(fake, run)
    _check_environment(fake, run)


def test_windows_of_a_hundred_ticks_are_scored(tiny: Tiny, tmp_path: Path, fake: FakeNvml) -> None:
    longer = f"scenario.min_window_s={LEAST_WINDOW_S}"
    result, run = measured(bench, tiny, tmp_path, fake, "text_classification", longer)
    assert result.rc == EXIT_DONE, result.told()
    assert failed_checks(run) == {}
    _check_windows(fake, run, "text_classification", LEAST_WINDOW_S)
    score = logs.read_score(run)
    by_phase = {window.phase: window for window in windows_of(run)}
    per_query_wh = 0.0
    for phase in ("preprocess", "forward"):
        energy_wh, samples = reading_of(by_phase[phase], "nvml").energy_wh, by_phase[phase].samples
        assert energy_wh
        assert samples
        per_query_wh += energy_wh / samples
    assert score.wh_per_1000_queries == pytest.approx(1000 * per_query_wh)
    assert "nvml" in result.stdout
    assert not score.comparable, "the model ran on the CPU"
    assert bundle.SCORE in bundle.read_manifest(run).derived


def _check_windows(fake: FakeNvml, run: Path, task: str, least_s: float) -> None:
    windows = windows_of(run)
    phases = [window.phase for window in windows]
    kind = TASKS[task].kind
    answers = ["prefill", "generate"] if kind == "generate" else [kind]
    assert phases == ["load_dataset", "preprocess", "load_model", "idle_before", *answers, "idle_after"]
    for window in windows:
        # CodeCarbon stands beside it in every window, of the same GPU, with CPU and RAM.
        assert {reading.component for reading in window.readings if reading.meter == "codecarbon"} == {
            "gpu", "cpu", "ram",
        }  # fmt: skip
        assert reading_of(window, "codecarbon").device == fake.uuid(0)
        if window.phase in (*answers, "idle_before", "idle_after"):
            assert_true(fake, window)
        if window.phase in answers:
            assert window.duration_s >= least_s
            assert window.passes
            assert window.samples == 2 * window.passes
            counter = reading_of(window, "nvml").counter
            assert counter is not None
            assert counter.tick_s == pytest.approx(TICK_S, rel=0.2)
            assert (counter.failed_reads, counter.decreased) == (0, False)


def _check_files(run: Path) -> None:
    manifest = bundle.read_manifest(run)
    bundle.check(run, manifest)
    raw = {bundle.CONFIG, bundle.REPORT, bundle.BENCHMARK, bundle.WINDOWS, bundle.ENVIRONMENT}
    assert raw | {bundle.POWER, bundle.GPU_STATES} <= set(manifest.measured)
    assert not (run / bundle.INCOMPLETE).exists()
    assert not list(run.glob("*.part"))
    report = json.loads((run / bundle.REPORT).read_text(encoding="utf-8"))
    answered = [part for name, part in report.items() if name in ("prefill", "forward", "call")]
    assert answered
    assert all(part["energy"]["gpu"] > 0 for part in answered)


def _check_trace_and_states(fake: FakeNvml, run: Path) -> None:
    trace = read_power_trace(run / bundle.POWER)
    assert set(trace.devices) == {fake.uuid(0)}
    samples = trace.devices[fake.uuid(0)]
    windows = windows_of(run)
    assert samples.t_s[0] < windows[0].start_monotonic_s
    # The last one may come just before the end.
    assert samples.t_s[-1] > windows[-1].end_monotonic_s - 0.3
    assert all(90 <= power <= 690 for power in samples.power_w)
    lines = (run / bundle.GPU_STATES).read_text(encoding="utf-8").splitlines()
    states = [GpuState.model_validate_json(line) for line in lines]
    assert [(state.when, state.repeat) for state in states] == [("start", None), ("repeat", 0), ("end", None)]
    assert {(state.device, state.foreign_processes) for state in states} == {(fake.uuid(0), 0)}


def _check_environment(fake: FakeNvml, run: Path) -> None:
    text = (run / bundle.ENVIRONMENT).read_text(encoding="utf-8")
    environment = Environment.model_validate_json(text)
    (gpu,) = environment.gpus
    assert (gpu.name, gpu.uuid, gpu.memory_mib) == ("NVIDIA H100 80GB HBM3", fake.uuid(0), 81559)
    assert (gpu.power_limit_default_w, gpu.mig, gpu.architecture) == (700, False, "hopper")
    assert environment.run.gpus_by_hand
    assert environment.run.meters == ("nvml", "codecarbon")
    assert environment.torch_gpus == ()
    words = list(_texts(json.loads(text)))
    assert not [word for word in words if str(Path.home()) in word.split() or f"{Path.home()}/" in word]
    assert not {socket.gethostname(), getpass.getuser()} & set(words)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def test_one_gpu_of_eight_is_counted_alone_and_slices_and_foreign_processes_end_a_score(
    tiny: Tiny, tmp_path: Path, fake: FakeNvml
) -> None:
    """Two faults in one run, each told by its own check; the energy beside them is true."""
    fake.set(gpus=8)
    fake.set(5, power_w=[(0, 200), (600, 500)], mig=1, processes=[1])
    result, run = bench(tiny, tmp_path, fake, "text_classification", "scenario.gpus=[5]")
    assert result.rc == EXIT_INVALID, result.told()
    failed = failed_checks(run)
    named = {"no_foreign_processes", "whole_gpu"}
    assert named <= set(failed) <= named | TOO_SHORT | BUSY, failed
    assert "1 foreign process" in failed["no_foreign_processes"]
    assert "MIG is on" in failed["whole_gpu"]
    assert "measured, but not scored" in result.stderr
    assert not (run / bundle.SCORE).exists()
    for window in windows_of(run):
        gpus = {reading.device for reading in window.readings if reading.component == "gpu"}
        assert gpus == {fake.uuid(5)}
        if window.phase == "forward":
            assert_true(fake, window, 5)
    assert set(read_power_trace(run / bundle.POWER).devices) == {fake.uuid(5)}


def in_the_forward_pass(run: Path, strike: Callable[[], None]) -> threading.Thread:
    """Strike once the window of idling before the answers is written: what follows is the forward pass."""

    def wait() -> None:
        deadline = time.monotonic() + PATIENCE_S
        windows = run / bundle.WINDOWS
        while time.monotonic() < deadline:
            if windows.is_file() and '"phase":"idle_before"' in windows.read_text(encoding="utf-8"):
                strike()
                return
            time.sleep(0.02)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_a_reset_and_a_foreign_start_in_mid_run_are_named_and_not_scored(
    tiny: Tiny, tmp_path: Path, fake: FakeNvml
) -> None:
    def strike() -> None:
        now = fake.now()
        fake.set(reset_at_s=now + 1.5, processes=[(1, now + 1.0, now + 1000)])

    thread = in_the_forward_pass(tmp_path / "run", strike)
    # The pass is long enough for both to come within it, however late the machine is.
    result, run = bench(tiny, tmp_path, fake, "text_classification", *STRUCK)
    thread.join()
    assert result.rc == EXIT_INVALID, result.told()
    failed = failed_checks(run)
    assert {"counter_unbroken", "no_foreign_processes"} <= set(failed)
    assert "went backwards" in failed["counter_unbroken"]
    assert "at the end: 1 foreign process" in failed["no_foreign_processes"]
    (forward,) = [window for window in windows_of(run) if window.phase == "forward"]
    reading = reading_of(forward, "nvml")
    assert reading.energy_wh is None
    assert "went backwards" in str(reading.problem)
    # The person at the terminal learns of it at once, and not only at the end.
    assert "gave no energy" in result.stderr
    assert not (run / bundle.SCORE).exists()
    report = json.loads((run / bundle.REPORT).read_text(encoding="utf-8"))
    assert report["forward"]["energy"] is None
    bundle.check(run, bundle.read_manifest(run))


def test_a_driver_that_is_lost_in_mid_run_is_a_named_failure(tiny: Tiny, tmp_path: Path, fake: FakeNvml) -> None:
    thread = in_the_forward_pass(tmp_path / "run", lambda: fake.set(errors=f"all:15@{fake.now() + 1.5}.."))
    result, run = bench(tiny, tmp_path, fake, "text_classification", *STRUCK)
    thread.join()
    assert result.rc == EXIT_INVALID, result.told()
    assert "GPU is lost" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not (run / bundle.SCORE).exists()
    # What was measured before is kept, with the problem beside the reading.
    (forward,) = [window for window in windows_of(run) if window.phase == "forward"]
    assert reading_of(forward, "nvml").energy_wh is None
    assert "GPU is lost" in str(reading_of(forward, "nvml").problem)
    assert (run / bundle.POWER).is_file()


@pytest.mark.parametrize(
    ("settings", "arguments", "code", "told", "mend"),
    [
        ({"init_errors": "init:9"}, [], EXIT_FAILED, "NVML", "nvidia-smi"),
        ({"init_errors": "init:4"}, [], EXIT_FAILED, "Insufficient Permissions", "--gpus all"),
        ({"errors": "energy:3"}, [], EXIT_FAILED, "gives no energy counter", "scenario.meters=[codecarbon]"),
        ({"errors": "energy:4"}, [], EXIT_FAILED, "Insufficient Permissions", "nvidia-smi"),
        ({"errors": "handle:15"}, [], EXIT_FAILED, "does not answer", "fell off the bus"),
        ({"gpus": 0}, [], EXIT_FAILED, "finds no GPU", "backend.device=cpu"),
        ({}, ["scenario.gpus=[1]"], EXIT_USAGE, "names the GPU 1, but this machine has one", "nvidia-smi -L"),
        ({}, ["scenario.gpus=[0,0]"], EXIT_USAGE, "twice", "each GPU once"),
        ({}, ["scenario.gpus=[]"], EXIT_USAGE, "names no GPU", "scenario.gpus="),
        ({}, ["scenario.gpus=auto", "scenario.meters=[nvml]"], EXIT_USAGE, "no GPU to measure", "scenario.gpus=[0]"),
    ],
    ids=["no driver", "no permission", "no counter", "no permission for it", "fell off", "none", "not there", "twice",
         "empty", "none in use"],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_at_the_start(
    tiny: Tiny,
    tmp_path: Path,
    fake: FakeNvml,
    settings: dict[str, Any],
    arguments: list[str],
    code: int,
    told: str,
    mend: str,
) -> None:
    fake.set(**settings)
    result, run = bench_here(tiny, tmp_path, fake, "text_classification", INLINE, *arguments)
    assert result.rc == code, result.told()
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert told in line, result.told()
    assert mend in result.stderr, result.told()
    assert "Traceback" not in result.stdout + result.stderr
    assert not run.exists() or {path.name for path in run.iterdir()} <= {bundle.LOG}
