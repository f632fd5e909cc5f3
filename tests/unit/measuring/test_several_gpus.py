"""Several GPUs for one model: refused before the model is loaded where the protocol gives it one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from scorekit.errors import UsageError
from scorekit.measuring import bridge, hub, several_gpus
from scorekit.records import ModelFacts
from tests.fake_nvml import FakeNvml

LLAMA_8B = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "vocab_size": 128256}
LLAMA_70B = {"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "vocab_size": 128256}


@pytest.fixture(autouse=True)
def two_gpus(fake_nvml_here: FakeNvml) -> FakeNvml:
    bridge.apply()
    fake_nvml_here.set(gpus=2)
    return fake_nvml_here


def config(
    folder: Path, sizes: dict[str, int], *, scenario: dict[str, Any] | None = None, **backend: Any
) -> DictConfig:
    shape = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **sizes}
    heads = {"num_attention_heads": sizes["hidden_size"] // 128, "num_key_value_heads": 8}
    (folder / "config.json").write_text(json.dumps({**shape, **heads}), encoding="utf-8")
    made: DictConfig = OmegaConf.create(
        {
            "backend": {
                "model": str(folder),
                "task": "text-generation",
                "device": "cuda",
                "device_ids": "0,1",
                "device_map": "auto",
                "no_weights": False,
                "model_kwargs": {},
                **backend,
            },
            "scenario": {"dataset_name": "org/data", "num_samples": 1000, "runs": 10, **(scenario or {})},
            "launcher": {"name": "process"},
        }
    )
    return made


def check(made: DictConfig) -> None:
    several_gpus.check(made, hub.read_model(made.backend.model))


def test_a_model_of_class_a_is_refused_by_name_size_and_mend(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"of class A \(8\.03 B parameters\).* on one GPU: 2 are asked for") as caught:
        check(config(tmp_path, LLAMA_8B))
    assert "backend.device_ids=0" in str(caught.value.mend)
    assert "\n" not in caught.value.message


def test_all_gpus_of_the_machine_are_several_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with pytest.raises(UsageError, match="of class A"):
        check(config(tmp_path, LLAMA_8B, device_ids=None))


def test_class_c_may_use_several(tmp_path: Path) -> None:
    check(config(tmp_path, LLAMA_70B))


@pytest.mark.parametrize(
    "changes",
    [
        {"device_ids": 0},
        {"device": "cpu"},
        {"no_weights": True},
        {"scenario": {"num_samples": 100}},
        {"scenario": {"runs": 3}},
        # What is wrong with it is told elsewhere.
        {"device_ids": "0,7"},
    ],
)
def test_runs_that_are_not_official_or_use_one_gpu_pass(tmp_path: Path, changes: dict[str, Any]) -> None:
    check(config(tmp_path, LLAMA_8B, **changes))


def test_several_gpus_that_nothing_spreads_the_model_over_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it would lie on the first alone") as caught:
        check(config(tmp_path, LLAMA_70B, device_map=None))
    assert "backend.device_map=auto" in str(caught.value.mend)


def test_the_size_of_a_pipeline_or_of_strange_code_stays_unknown(tmp_path: Path) -> None:
    made = config(tmp_path, LLAMA_8B)
    assert several_gpus.parameters_of(made.backend, hub.read_model(str(tmp_path))) == pytest.approx(8.03e9, rel=0.01)
    (tmp_path / "config.json").write_text('{"model_type": "of nobody"}', encoding="utf-8")
    assert several_gpus.parameters_of(made.backend, hub.read_model(str(tmp_path))) is None
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}', encoding="utf-8")
    assert several_gpus.parameters_of(made.backend, hub.read_model(str(tmp_path))) is None
    check(made)


def check_loaded(made: DictConfig, parameters: int | None, count: int = 2) -> None:
    model = ModelFacts(
        name="org/pipeline",
        local=False,
        library="diffusers",
        architecture="Pipeline",
        parameters=parameters,
        random_weights=False,
    )
    several_gpus.check_loaded(made.scenario, made.backend, model, count)


def test_a_size_that_only_the_loaded_model_tells_is_refused_then(tmp_path: Path) -> None:
    made = config(tmp_path, LLAMA_8B)
    with pytest.raises(UsageError, match=r"org/pipeline is of class A \(12 B parameters\).* on one GPU: 2") as caught:
        check_loaded(made, 12_000_000_000)
    assert "backend.device_ids=0" in str(caught.value.mend)
    with pytest.raises(UsageError, match="of class B"):
        check_loaded(made, 30_000_000_000)


def test_a_loaded_model_that_may_lie_on_several_gpus_goes_on(tmp_path: Path) -> None:
    check_loaded(config(tmp_path, LLAMA_8B), 70_000_000_000)
    check_loaded(config(tmp_path, LLAMA_8B), None)
    check_loaded(config(tmp_path, LLAMA_8B), 12_000_000_000, count=1)
    check_loaded(config(tmp_path, LLAMA_8B, scenario={"num_samples": 100}), 12_000_000_000)
    check_loaded(config(tmp_path, LLAMA_8B, no_weights=True), 12_000_000_000)
