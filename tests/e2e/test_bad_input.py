"""Every bad input through the real command: one error that names the thing, its mend, and nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import huggingface_hub
import pyarrow
import pyarrow.parquet
import pytest
from huggingface_hub import errors

from scorekit import bundle
from scorekit.errors import EXIT_FAILED, EXIT_USAGE
from scorekit.tasks import TASKS
from tests.e2e.conftest import INLINE, Result, Tiny, bench_arguments, run_cli, run_inprocess


def assert_refused(result: Result, code: int, *told: str, mend: str) -> None:
    """One `error:` line with all of `told`, one `mend:` line with `mend`, no traceback, and the exit code."""
    lines = result.stderr.splitlines()
    found = [line for line in lines if line.startswith("error:")]
    assert result.rc == code, result.told()
    assert len(found) == 1, result.told()
    assert all(text in found[0] for text in told), result.told()
    (how,) = [line for line in lines if line.startswith("  mend: ")]
    assert mend in how, result.told()
    assert "Traceback" not in result.stderr + result.stdout, result.told()
    assert "Error executing job" not in result.stderr, "Hydra's own line says nothing to a person"


def assert_nothing_half_written(folder: Path) -> None:
    """Below `folder` there is no file but logs, and no marker of a run that is not there."""
    left = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert [name for name in left if not name.endswith(".log")] == []
    assert not list(folder.rglob(f"{bundle.SCRATCH_PREFIX}*"))


def raised(kind: type[Exception]) -> Exception:
    """An error as the Hub's client raises it; its constructors differ between versions and want a response."""
    error = kind.__new__(kind)
    Exception.__init__(error, "as told by the Hub")
    return error


def test_an_unknown_config_lists_the_valid_ones_and_suggests_the_nearest(tmp_path: Path) -> None:
    result = run_cli("bench", "--config-name", "text_genration", "backend.model=org/m", cwd=tmp_path, fresh=True)
    assert_refused(result, EXIT_USAGE, "'text_genration'", *TASKS, mend="--config-name text_generation?")
    assert list(tmp_path.iterdir()) == []


def test_no_config_lists_the_valid_ones(tmp_path: Path) -> None:
    assert_refused(run_inprocess(["backend.model=org/m"], tmp_path), EXIT_USAGE, *TASKS, mend="--config-name")


def test_a_missing_model(tiny: Tiny, tmp_path: Path) -> None:
    arguments = [word for word in bench_arguments(tiny) if not word.startswith("backend.model=")]
    assert_refused(run_inprocess(arguments, tmp_path), EXIT_USAGE, "no model is given", mend="backend.model=ORG/NAME")
    misspelt = run_inprocess([*arguments, "backend.modle=m"], tmp_path)
    assert_refused(misspelt, EXIT_USAGE, "no model is given", mend="backend.model instead of backend.modle?")
    assert_nothing_half_written(tmp_path)


@pytest.mark.parametrize(
    ("setting", "code", "told", "mend"),
    [
        ("backend.model=./nowhere", EXIT_FAILED, "nowhere is not there", "check backend.model"),
        ("backend.model=org/nothing", EXIT_FAILED, "org/nothing is not in the local cache", "unset HF_HUB_OFFLINE"),
        ("backend.processor=./nowhere", EXIT_FAILED, "nowhere is not there", "check backend.processor"),
        (
            "backend.torch_dtype=flaot16",
            EXIT_USAGE,
            "no dtype 'flaot16'; valid: float32, float16, bfloat16",
            "=float16",
        ),
        ("backend.modle=m", EXIT_USAGE, "modle", "did you mean backend.model? "),
        ("scenari.runs=2", EXIT_USAGE, "scenari", "did you mean scenario? "),
        (
            "scenario.input_shapes.batch_siz=2",
            EXIT_USAGE,
            "batch_siz",
            "did you mean scenario.input_shapes.batch_size? ",
        ),
        ("scenario.zzzzzz=2", EXIT_USAGE, "zzzzzz", "  mend: scorekit bench --help lists the settings; --cfg job"),
        ("launcher=proces", EXIT_USAGE, "launcher/proces", "did you mean launcher=process? "),
        ("hydra/launcher=rai", EXIT_USAGE, "hydra/launcher/rai", "did you mean hydra/launcher=ray? "),
        ("scenario.runs=three", EXIT_USAGE, "three", "--cfg job"),
        ("scenario.runs=0", EXIT_USAGE, "scenario.runs=0", "scenario.runs=3"),
        ("scenario.generate_kwargs={min_new_tokens: 1, max_new_tokens: 5}", EXIT_USAGE, "1 to 5 new tokens", "to 5"),
        ("scenario=energy_sta", EXIT_USAGE, "energy_sta", "--cfg job"),
        ("+backend.model_kwargs.token=secret", EXIT_USAGE, "a token on the command line", "HF_TOKEN"),
    ],
    ids=lambda value: value.split("=")[0] if isinstance(value, str) and "=" in value else "",
)
def test_a_setting_that_cannot_be(tiny: Tiny, tmp_path: Path, setting: str, code: int, told: str, mend: str) -> None:
    result = run_inprocess(bench_arguments(tiny, "text_generation", setting), tmp_path)
    assert_refused(result, code, told, mend=mend)
    assert_nothing_half_written(tmp_path)


def test_cuda_without_a_gpu(tiny: Tiny, tmp_path: Path, no_accelerator: None) -> None:
    result = run_inprocess(bench_arguments(tiny, "text_generation", "backend.device=cuda"), tmp_path)
    assert_refused(result, EXIT_FAILED, "backend.device=cuda", "no NVIDIA GPU", mend="backend.device=cpu")
    assert_nothing_half_written(tmp_path)


@pytest.mark.parametrize(
    ("task", "other", "mend"),
    [
        ("text_generation", "text_classification", "--config-name text_classification"),
        ("summarization", "text_generation", "--config-name text_generation"),
        ("text_classification", "text_to_image", "--config-name text_to_image"),
    ],
)
def test_a_model_of_the_wrong_task(tiny: Tiny, tmp_path: Path, task: str, other: str, mend: str) -> None:
    result = run_inprocess(bench_arguments(tiny, task, f"backend.model={tiny[other].model}"), tmp_path)
    assert_refused(result, EXIT_FAILED, tiny[other].model.name, TASKS[task].hf_task, mend=mend)
    assert_nothing_half_written(tmp_path)


@pytest.mark.parametrize(
    ("kind", "told", "mend"),
    [
        (errors.GatedRepoError, "org/m is gated", "HF_TOKEN"),
        (errors.RepositoryNotFoundError, "there is no model org/m on the Hub", "HF_TOKEN"),
        (errors.LocalEntryNotFoundError, "the Hub cannot be reached for the model org/m", "HF_HUB_OFFLINE=1"),
        (ConnectionError, "the Hub cannot be reached for the model org/m", "HF_TOKEN"),
    ],
    ids=["gated", "missing", "no-network-client", "no-network-system"],
)
def test_a_model_that_the_hub_does_not_give(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], told: str, mend: str
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise raised(kind)

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    result = run_inprocess(bench_arguments(tiny, "text_generation", "backend.model=org/m"), tmp_path)
    assert_refused(result, EXIT_FAILED, told, mend=mend)
    assert_nothing_half_written(tmp_path)


def dataset(folder: Path, **columns: list[str]) -> str:
    folder.mkdir()
    table = pyarrow.table({name: pyarrow.array(values, pyarrow.string()) for name, values in columns.items()})
    pyarrow.parquet.write_table(table, folder / "train.parquet")
    return f"scenario.dataset_name={folder}"


def test_one_column_for_two_texts_is_refused_before_a_process_is_started(tiny: Tiny, tmp_path: Path) -> None:
    arguments = bench_arguments(tiny, "question_answering", "scenario.context_column_name=question")
    result = run_inprocess(arguments, tmp_path)
    assert_refused(
        result,
        EXIT_USAGE,
        "scenario.question_column_name and scenario.context_column_name name the same column 'question'",
        mend="scenario.context_column_name=context",
    )
    assert_nothing_half_written(tmp_path)
    assert "loading the dataset" not in result.stderr + result.stdout


def test_a_dataset_without_the_column_as_the_measuring_process_tells_it(tiny: Tiny, tmp_path: Path) -> None:
    result = run_inprocess(bench_arguments(tiny, "text_classification", "scenario.text_column_name=body"), tmp_path)
    assert_refused(result, EXIT_FAILED, "no column 'body'", "it has: text", mend="scenario.text_column_name=COLUMN")
    assert_nothing_half_written(tmp_path / "runs")


def test_more_samples_than_the_dataset_has(tiny: Tiny, tmp_path: Path) -> None:
    result = run_inprocess(bench_arguments(tiny, "text_classification", "scenario.num_samples=99", INLINE), tmp_path)
    assert_refused(result, EXIT_FAILED, "scenario.num_samples=99", "16 usable rows", mend="scenario.num_samples=16")
    assert_nothing_half_written(tmp_path / "runs")


def test_an_empty_dataset(tiny: Tiny, tmp_path: Path) -> None:
    setting = dataset(tmp_path / "hollow", text=[])
    result = run_inprocess(bench_arguments(tiny, "text_classification", setting, INLINE), tmp_path)
    assert_refused(result, EXIT_FAILED, "hollow", "empty", mend="choose a dataset with samples in it")
    assert_nothing_half_written(tmp_path / "runs")


@pytest.mark.parametrize("name", ["./nowhere", "org/nothing"])
def test_a_dataset_that_is_not_there(tiny: Tiny, tmp_path: Path, name: str) -> None:
    arguments = bench_arguments(tiny, "text_classification", f"scenario.dataset_name={name}", INLINE)
    mend = "check scenario.dataset_name" if name.startswith(".") else "HF_HUB_OFFLINE"
    assert_refused(run_inprocess(arguments, tmp_path), EXIT_FAILED, name.removeprefix("./"), mend=mend)
    assert_nothing_half_written(tmp_path / "runs")


def test_a_model_folder_without_weights(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "hollow"
    shutil.copytree(tiny["text_classification"].model, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    arguments = bench_arguments(tiny, "text_classification", f"backend.model={folder}", INLINE)
    assert_refused(run_inprocess(arguments, tmp_path), EXIT_FAILED, "hollow could not be loaded", mend="whole")
    assert_nothing_half_written(tmp_path / "runs")


def test_somebodys_own_files_are_neither_sealed_nor_removed(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    (tmp_path / ".env").write_text("KEY=1", encoding="utf-8")
    arguments = bench_arguments(tiny, "text_classification", INLINE, "hydra.run.dir=.")
    assert_refused(run_inprocess(arguments, tmp_path), EXIT_USAGE, "thesis.txt", mend="hydra.run.dir=FOLDER")
    (tmp_path / "thesis.txt").rename(tmp_path / "thesis.log")
    result = run_inprocess([*arguments, "scenario.num_samples=99"], tmp_path)
    assert_refused(result, EXIT_FAILED, "16 usable rows", mend="scenario.num_samples=16")
    assert {path.name for path in tmp_path.iterdir()} == {".env", "thesis.log", bundle.LOG}


def test_a_second_run_leaves_the_first_ones_bundle_as_it_was(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = bench_arguments(tiny, "text_generation", INLINE, f"hydra.run.dir={run}")
    assert run_inprocess(arguments, tmp_path).rc == 0
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    # optimum-benchmark warns of a length that is given once only, at a time at which Hydra still writes the log.
    again = run_inprocess([*arguments, "~scenario.generate_kwargs.min_new_tokens", "scenario.num_samples=3"], tmp_path)
    assert again.rc == 0, again.told()
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    second = tmp_path / "run.2"
    assert bundle.is_complete(second)
    config = json.loads((second / bundle.CONFIG).read_text(encoding="utf-8"))
    assert config["scenario"]["num_samples"] == 3


def test_every_failed_job_of_a_sweep_is_told(tiny: Tiny, tmp_path: Path) -> None:
    good = os.fspath(tiny["text_classification"].model)
    arguments = [
        *bench_arguments(tiny, "text_classification", INLINE, f"backend.model=./first,{good},./second"),
        "-m",
    ]
    result = run_inprocess(arguments, tmp_path)
    assert result.rc == EXIT_FAILED, result.told()
    told = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert [name for name in ("first", "second") if any(f"{name} is not there" in line for line in told)] == [
        "first",
        "second",
    ]
    complete = [path.parent for path in tmp_path.rglob(bundle.MANIFEST)]
    assert len(complete) == 1
    assert bundle.is_complete(complete[0])
