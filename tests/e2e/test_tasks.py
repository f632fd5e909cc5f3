"""Every task of the protocol end to end through `scorekit bench`, on tiny models: the same code that runs on a GPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorekit import bundle, logs
from scorekit.records import Score, Window
from scorekit.tasks import TASKS
from tests.e2e.conftest import FORK, INLINE, Result, Tiny, bench_arguments, run_cli, run_inprocess

pytestmark = pytest.mark.transformers

SAMPLES = 3
RUNS = 2
REASONING_TOKENS = 12
SPEECH = "automatic_speech_recognition"
LAUNCHED = {"text_generation": "spawn", "reasoning": "fork", "text_to_image": "fork"}
"""Tasks that are measured here in a process of their own, and how that begins. All others are so in the demo and by
optimum-benchmark's own configs; here they are measured in this process, where the same code runs."""


def measure(tiny: Tiny, folder: Path, task: str, *more: str) -> tuple[Score, Path, Result]:
    """Measure a task and return its score, run folder and what was printed."""
    settings = [f"scenario.num_samples={SAMPLES}", f"scenario.runs={RUNS}"]
    if task == "reasoning":
        settings.append(f"scenario.generate_kwargs.max_new_tokens={REASONING_TOKENS}")
    arguments = bench_arguments(tiny, task, *settings, *more)
    result = run_cli("bench", *arguments, cwd=folder) if FORK in more else run_inprocess(arguments, folder)
    assert result.rc == 0, result.told()
    (run,) = logs.find_runs(folder / "runs")
    return logs.read_score(run), run, result


def windows_of(run: Path) -> list[Window]:
    lines = (run / bundle.WINDOWS).read_text(encoding="utf-8").splitlines()
    return [Window.model_validate_json(line) for line in lines]


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_task_is_measured_and_scored(tiny: Tiny, tmp_path: Path, task: str) -> None:
    launched = f"launcher.start_method={LAUNCHED[task]}" if task in LAUNCHED else INLINE
    score, run, result = measure(tiny, tmp_path, task, launched)
    entry = TASKS[task]
    assert score.task == task
    assert score.cohort == entry.cohort
    assert score.wh_per_1000_queries > 0
    assert (score.queries, score.runs) == (SAMPLES, RUNS)
    assert not score.comparable
    codes = {reason.code for reason in score.not_comparable_because}
    assert {"hardware", "random_weights", "samples", "repeats"} <= codes
    assert f"{tiny[task].model.name}" in result.stdout
    _check_bundle(run)
    phases = {phase.phase for phase in score.phases}
    tokens = _tokens(windows_of(run), entry.kind)
    if entry.kind == "generate":
        assert {"preprocess", "prefill", "generate", "decode"} == phases
        if task == "reasoning":
            assert all(SAMPLES <= count <= SAMPLES * REASONING_TOKENS for count in tokens)
            assert score.wh_per_1000_output_tokens is not None
        else:
            assert entry.new_tokens is not None
            assert tokens == [SAMPLES * entry.new_tokens] * RUNS
    else:
        assert {"preprocess", entry.kind} == phases
        assert tokens == [None] * RUNS


def _tokens(windows: list[Window], kind: str) -> list[int | None]:
    return [window.output_tokens for window in windows if window.phase == kind]


def _check_bundle(run: Path) -> None:
    """All files of the bundle are there, and the manifest tells of each."""
    manifest = bundle.read_manifest(run)
    bundle.check(run, manifest)
    raw = {bundle.CONFIG, bundle.REPORT, bundle.BENCHMARK, bundle.WINDOWS, bundle.ENVIRONMENT}
    assert raw <= set(manifest.measured)
    assert set(manifest.derived) == bundle.DERIVED
    assert not (run / bundle.INCOMPLETE).exists()
    assert not list(run.glob(".encoded-*"))
    assert not list(run.glob("*.part"))
    listed = {*manifest.measured, *manifest.derived, bundle.MANIFEST, bundle.LOG}
    assert {path.name for path in run.iterdir() if path.is_file()} == listed


def test_prefill_makes_one_token_and_its_report_is_optimum_benchmarks(tiny: Tiny, tmp_path: Path) -> None:
    _, run, _ = measure(tiny, tmp_path, "summarization", INLINE)
    prefill = [window for window in windows_of(run) if window.phase == "prefill"]
    assert [window.output_tokens for window in prefill] == [SAMPLES] * RUNS
    report: dict[str, Any] = json.loads((run / bundle.REPORT).read_text(encoding="utf-8"))
    assert set(report) == {"load_dataset", "preprocess_dataset", "load_model", "prefill", "decode"}
    assert report["prefill"]["energy"]["unit"] == "kWh"
    assert report["prefill"]["energy"]["total"] > 0
    names = {path.name for path in run.glob("*_codecarbon.json")}
    assert {"load_model_codecarbon.json", "prefill_codecarbon.json", "generate_codecarbon.json"} <= names


def test_without_phases_the_prefill_pass_is_left_out(tiny: Tiny, tmp_path: Path) -> None:
    score, run, _ = measure(tiny, tmp_path, "text_generation", "scenario.phases=false", INLINE)
    assert {phase.phase for phase in score.phases} == {"preprocess", "generate"}
    assert "generate" in json.loads((run / bundle.REPORT).read_text(encoding="utf-8"))


def test_ctc_speech_models_make_one_forward_pass(tiny: Tiny, tmp_path: Path) -> None:
    (model,) = tiny[SPEECH].extra_models
    score, run, _ = measure(tiny, tmp_path, SPEECH, f"backend.model={model}", INLINE)
    assert {phase.phase for phase in score.phases} == {"preprocess", "forward"}
    assert _tokens(windows_of(run), "forward") == [None] * RUNS


def test_a_batch_of_several_counts_each_samples_tokens(tiny: Tiny, tmp_path: Path) -> None:
    score, run, _ = measure(tiny, tmp_path, "text_generation", "scenario.input_shapes.batch_size=2", INLINE)
    generate = [window for window in windows_of(run) if window.phase == "generate"]
    assert [window.batches for window in generate] == [2] * RUNS
    assert [window.output_tokens for window in generate] == [SAMPLES * 10] * RUNS
    assert "batch_size" in {reason.code for reason in score.not_comparable_because}


def test_random_weights_from_a_folder(tiny: Tiny, tmp_path: Path) -> None:
    score, run, _ = measure(tiny, tmp_path, "text_classification", "backend.no_weights=true", INLINE)
    assert '"random_weights": true' in (run / bundle.ENVIRONMENT).read_text(encoding="utf-8")
    assert "random_weights" in {reason.code for reason in score.not_comparable_because}


def test_several_jobs_at_once(tiny: Tiny, tmp_path: Path) -> None:
    """Hydra's multirun: two values of a setting, two bundles, neither in folders named after a path."""
    arguments = bench_arguments(tiny, "text_classification", "scenario.warmup_runs=0,1", FORK, "-m")
    arguments.remove("scenario.warmup_runs=1")
    result = run_cli("bench", *arguments, cwd=tmp_path)
    assert result.rc == 0, result.told()
    runs = logs.find_runs(tmp_path / "sweeps")
    model = tiny["text_classification"].model.name
    assert [run.relative_to(tmp_path).as_posix() for run in runs] == [
        f"sweeps/text_classification/0-{model}",
        f"sweeps/text_classification/1-{model}",
    ]
