"""What is known to be wrong before a process is started, and what is filled in so that nothing is looked up online."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from scorekit.errors import HardwareError, ModelError, ScorekitError, UsageError
from scorekit.measuring import hub, preflight

pytestmark = pytest.mark.transformers


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", "BertForSequenceClassification", "bert")


def write_model(folder: Path, architecture: str | None, model_type: str) -> Path:
    folder.mkdir()
    content: dict[str, Any] = {"model_type": model_type}
    if architecture is not None:
        content["architectures"] = [architecture]
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def config(model: Path | str, **backend: Any) -> DictConfig:
    made: DictConfig = OmegaConf.create(
        {
            "backend": {
                "name": "pytorch",
                "model": str(model),
                "processor": None,
                "task": "text-classification",
                "library": None,
                "model_type": None,
                "device": "cpu",
                "torch_dtype": "float32",
                "no_weights": False,
                "model_kwargs": {},
                **backend,
            },
            "scenario": {"dataset_name": "org/data"},
            "launcher": {"device_isolation": True, "device_isolation_action": "warn"},
        }
    )
    OmegaConf.set_struct(made, True)
    return made


def refusal(made: DictConfig, folder: Path | None = None) -> ScorekitError:
    with pytest.raises(ScorekitError) as caught:
        preflight.prepare(made, folder or Path.cwd())
    assert caught.value.mend
    return caught.value


def test_what_optimum_benchmark_would_look_up_online_is_filled_in(model: Path) -> None:
    made = config(model, task=None)
    files = preflight.prepare(made, Path.cwd())
    assert files is not None
    assert (made.backend["library"], made.backend.model_type) == ("transformers", "bert")
    assert made.backend.task == "text-classification"


def test_paths_are_meant_from_where_the_command_was_started(tmp_path: Path, model: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("model", "./model", "../" + tmp_path.name + "/model"):
        made = config(name, processor=name)
        made.scenario.dataset_name = "data"
        preflight.prepare(made, tmp_path)
        assert made.backend.model == made.backend.processor == str(model)
        assert made.scenario.dataset_name == str(tmp_path / "data")


def test_a_hub_id_stays_one(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(hub, "check_processor", asked.append)
    made = config(model, processor="org/tokenizer")
    preflight.prepare(made, Path.cwd())
    assert (made.backend.processor, made.scenario.dataset_name) == ("org/tokenizer", "org/data")
    assert asked == ["org/tokenizer"]


def test_a_processor_that_cannot_be_reached_is_refused(model: Path) -> None:
    with pytest.raises(ModelError, match="org/tokenizer") as caught:
        preflight.prepare(config(model, processor="org/tokenizer"), Path.cwd())
    assert "HF_HUB_OFFLINE" in str(caught.value)


@pytest.mark.parametrize("key", ["token", "use_auth_token", "hf_token", "api_key"])
def test_a_secret_in_the_config_is_refused(model: Path, key: str) -> None:
    for part in ("model_kwargs", "processor_kwargs"):
        with pytest.raises(UsageError, match="written into the run's files") as caught:
            preflight.prepare(config(model, **{part: {key: "hf_secret"}}), Path.cwd())
        assert "hf_secret" not in str(caught.value)


def test_without_a_dtype_float32_is_asked_for(model: Path) -> None:
    """transformers 5 would take the checkpoint's dtype, which is not the protocol's."""
    made = config(model, torch_dtype=None)
    preflight.prepare(made, Path.cwd())
    assert made.backend.torch_dtype == "float32"


def test_other_backends_are_left_alone(model: Path) -> None:
    assert preflight.prepare(config(model, name="vllm"), Path.cwd()) is None


@pytest.mark.parametrize("missing", ["backend", "scenario", "launcher"])
def test_a_config_that_is_no_benchmark_is_refused(model: Path, missing: str) -> None:
    made = config(model)
    OmegaConf.set_struct(made, False)
    del made[missing]
    error = refusal(made)
    assert isinstance(error, UsageError)
    assert "no backend, scenario and launcher" in error.message


@pytest.mark.parametrize("value", ["???", ""])
def test_a_missing_model_is_refused(value: str) -> None:
    error = refusal(config(value))
    assert isinstance(error, UsageError)
    assert error.message == "no model is given"


def test_folders_that_are_not_there_are_named(model: Path) -> None:
    assert "the model folder /nowhere/m is not there" in refusal(config("/nowhere/m")).message
    assert "the processor folder /nowhere/p is not there" in refusal(config(model, processor="/nowhere/p")).message


@pytest.mark.parametrize(("dtype", "mend"), [("flaot16", "float16"), ("int3", "float32"), ("float64", "float32")])
def test_an_unknown_dtype_lists_the_valid_ones(model: Path, dtype: str, mend: str) -> None:
    error = refusal(config(model, torch_dtype=dtype))
    assert isinstance(error, UsageError)
    assert error.message == f"there is no dtype '{dtype}'; valid: float32, float16, bfloat16, auto"
    assert str(error.mend).startswith("backend.torch_dtype=")


@pytest.mark.parametrize("dtype", [None, *preflight.DTYPES])
def test_known_dtypes_pass(model: Path, dtype: str | None) -> None:
    preflight.prepare(config(model, torch_dtype=dtype), Path.cwd())


def test_an_unknown_device_lists_the_valid_ones(model: Path) -> None:
    assert refusal(config(model, device="gpu")).message == "there is no device 'gpu'; valid: cuda, cpu, mps"


def test_a_device_with_its_number_is_taken_apart(model: Path) -> None:
    assert refusal(config(model, device="cuda:1")).mend == "backend.device=cuda backend.device_ids=1"


def test_cuda_without_a_gpu_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    error = refusal(config(model, device="cuda"))
    assert isinstance(error, HardwareError)
    assert "nvidia-smi finds no NVIDIA GPU" in error.message
    assert "backend.device=cpu" in str(error.mend)


def test_cuda_with_a_driver_that_does_not_answer_is_refused(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert subprocess.run([str(command)], check=False).returncode == 9
    assert "nvidia-smi finds no NVIDIA GPU" in refusal(config(model, device="cuda")).message


def test_a_torch_without_cuda_is_told_apart_from_a_machine_without_a_gpu(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "was built without CUDA" in refusal(config(model, device="cuda")).message


def test_device_isolation_is_switched_off_where_there_is_no_gpu(model: Path) -> None:
    made = config(model)
    preflight.prepare(made, Path.cwd())
    # Even the action alone is refused by optimum-benchmark's inline launcher.
    assert (made.launcher.device_isolation, made.launcher.device_isolation_action) == (False, None)


@pytest.mark.parametrize(
    ("architecture", "model_type", "task", "told"),
    [
        ("BertForSequenceClassification", "bert", "text-generation", "--config-name text_classification"),
        ("GPT2LMHeadModel", "gpt2", "summarization", "--config-name text_generation"),
        ("BertModel", "bert", "question-answering", "choose a model for question-answering"),
    ],
)
def test_a_model_of_another_task_is_refused_with_the_config_that_it_is_for(
    tmp_path: Path, architecture: str, model_type: str, task: str, told: str
) -> None:
    folder = write_model(tmp_path / "other", architecture, model_type)
    error = refusal(config(folder, task=task))
    assert isinstance(error, ModelError)
    assert f"other is a {architecture}" in error.message
    assert told in str(error.mend)


@pytest.mark.parametrize(
    ("architecture", "model_type", "task"),
    [
        ("GPT2LMHeadModel", "gpt2", "text-generation"),
        ("T5ForConditionalGeneration", "t5", "text2text-generation"),
        ("BartForConditionalGeneration", "bart", "summarization"),
        ("BertModel", "bert", "sentence-similarity"),
        ("WhisperForConditionalGeneration", "whisper", "automatic-speech-recognition"),
        ("Wav2Vec2ForCTC", "wav2vec2", "automatic-speech-recognition"),
        ("BlipForConditionalGeneration", "blip", "image-to-text"),
        ("SomebodysOwnModelForCausalLM", "own", "text-generation"),
        (None, "bert", "text-generation"),
    ],
    ids=str,
)
def test_a_model_of_the_task_passes(tmp_path: Path, architecture: str | None, model_type: str, task: str) -> None:
    preflight.prepare(config(write_model(tmp_path / "m", architecture, model_type), task=task), Path.cwd())


def test_random_weights_may_take_any_config(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", "BertForSequenceClassification", "bert")
    preflight.prepare(config(folder, task="text-generation", no_weights=True), Path.cwd())


def test_the_wrong_library_is_refused(model: Path) -> None:
    mend = refusal(config(model, library="diffusers")).mend
    assert mend is not None
    assert mend.partition(".") == ("backend", ".", "library=transformers")


def test_a_pipeline_draws_images_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}', encoding="utf-8")
    made = config(tmp_path, task=None)
    preflight.prepare(made, Path.cwd())
    assert (made.backend["library"], made.backend.task) == ("diffusers", "text-to-image")
    assert "--config-name text_to_image" in str(refusal(config(tmp_path, task="text-generation")).mend)
    assert refusal(config(tmp_path, task=None, no_weights=True)).mend == "backend.no_weights=false"


def test_a_task_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", "SomebodysOwnModel", "own")
    error = refusal(config(folder, task=None))
    assert "cannot be told from its class SomebodysOwnModel" in error.message
    assert "backend.task=" in str(error.mend)
