"""What a model is, read from a folder or from the Hub's cache; and what each failure of the Hub means to a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import errors

from scorekit.errors import ModelError
from scorekit.measuring import hub

pytestmark = pytest.mark.transformers

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def raised(kind: type[Exception]) -> Exception:
    """An error as the Hub's client raises it; its constructors differ between versions and want a response."""
    error = kind.__new__(kind)
    Exception.__init__(error, "as told by the Hub")
    return error


def model_folder(folder: Path, **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def cached(cache: Path, name: str, filename: str, content: dict[str, Any]) -> Path:
    """A repository in the layout of the Hub's cache, as a download leaves it."""
    folder = cache / f"models--{name.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT, encoding="utf-8")
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / filename).write_text(json.dumps(content), encoding="utf-8")
    return cache


def test_a_folder_of_transformers(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", architectures=["BertForSequenceClassification"], model_type="bert")
    assert hub.read_model(str(folder)) == hub.ModelFiles(
        name="m",
        local=True,
        revision=None,
        loader="transformers",
        architecture="BertForSequenceClassification",
        model_type="bert",
        random_weights=False,
    )


def test_a_folder_of_diffusers(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}', encoding="utf-8")
    found = hub.read_model(str(tmp_path))
    assert (found.loader, found.architecture) == ("diffusers", "StableDiffusionPipeline")


def test_a_folder_of_timm(tmp_path: Path) -> None:
    found = hub.read_model(str(model_folder(tmp_path, architecture="resnet18", pretrained_cfg={})))
    assert (found.loader, found.architecture, found.model_type) == ("timm", "resnet18", "resnet18")


def test_a_config_without_a_class_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    assert hub.read_model(str(model_folder(tmp_path, model_type="bert"))).architecture is None


def test_a_model_that_scorekit_made_has_random_weights(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, architectures=["X"])
    (folder / hub.TINY_MARKER).write_text("{}", encoding="utf-8")
    assert hub.read_model(str(folder)).random_weights


def test_a_links_name_is_the_models(tmp_path: Path) -> None:
    model_folder(tmp_path / "3f2a", architectures=["X"])
    (tmp_path / "my-model").symlink_to(tmp_path / "3f2a")
    assert hub.read_model(str(tmp_path / "my-model")).name == "my-model"


@pytest.mark.parametrize("name", ["/nowhere/model", "./nowhere", "../nowhere", "~/nowhere/model"])
def test_a_folder_that_is_not_there_is_told_as_a_folder(name: str) -> None:
    with pytest.raises(ModelError, match=f"the model folder {name} is not there"):
        hub.read_model(name)


def test_a_folder_without_a_config_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"neither config\.json nor model_index\.json"):
        hub.read_model(str(tmp_path))


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_broken_config_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json.*JSON"):
        hub.read_model(str(tmp_path))


def test_a_cached_model_is_found_offline_with_its_revision(tmp_path: Path) -> None:
    cache = cached(tmp_path, "org/model", "config.json", {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"})
    found = hub.read_model("org/model", cache_dir=str(cache))
    assert (found.name, found.local, found.revision) == ("org/model", False, COMMIT)
    assert (found.loader, found.architecture, found.model_type) == ("transformers", "GPT2LMHeadModel", "gpt2")
    assert hub.read_model("org/model", revision=COMMIT, cache_dir=str(cache)) == found


def test_a_cached_pipeline_is_found_offline_with_its_revision(tmp_path: Path) -> None:
    cache = cached(tmp_path, "org/images", "model_index.json", {"_class_name": "FluxPipeline"})
    found = hub.read_model("org/images", cache_dir=str(cache))
    assert (found.loader, found.architecture, found.revision) == ("diffusers", "FluxPipeline", COMMIT)


def test_a_model_that_is_not_cached_names_the_offline_mode(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="org/other is not in the local cache, and HF_HUB_OFFLINE is set") as caught:
        hub.read_model("org/other", cache_dir=str(tmp_path))
    assert "unset HF_HUB_OFFLINE" in str(caught.value.mend)


@pytest.mark.parametrize("name", ["a/b/c", "two words", "org/", "org/na..me", "x" * 200])
def test_what_is_neither_a_folder_nor_a_hub_id_is_told_so(name: str) -> None:
    with pytest.raises(ModelError, match="is neither a folder that exists nor a Hub id"):
        hub.read_model(name)


@pytest.mark.parametrize(
    ("kind", "told", "mend"),
    [
        (errors.GatedRepoError, "org/m is gated", "set HF_TOKEN"),
        (errors.RevisionNotFoundError, "org/m has no such revision", "main is taken"),
        (errors.RepositoryNotFoundError, "there is no model org/m on the Hub", "HF_TOKEN"),
        (errors.HFValidationError, "'org/m' is neither a folder", "./FOLDER"),
        (errors.LocalEntryNotFoundError, "the Hub cannot be reached for the model org/m", "HF_HUB_OFFLINE=1"),
        (ConnectionError, "the Hub cannot be reached", "HF_TOKEN"),
        (TimeoutError, "the Hub cannot be reached", "check the network"),
        (errors.OfflineModeIsEnabled, "not in the local cache, and HF_HUB_OFFLINE is set", "hf download org/m"),
        (RuntimeError, "org/m could not be read: as told by the Hub", "HF_TOKEN"),
    ],
)
def test_each_failure_of_the_hub_says_what_it_is_and_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception], told: str, mend: str
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    message, found = hub.hub_error("model", "org/m", raised(kind))
    assert told in message
    assert mend in found


@pytest.mark.parametrize("value", ["1", "ON", "true"])
def test_in_offline_mode_an_unreachable_hub_is_the_modes_doing(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    message, _ = hub.hub_error("dataset", "org/d", raised(errors.LocalEntryNotFoundError))
    assert "the dataset org/d is not in the local cache, and HF_HUB_OFFLINE is set" in message


@pytest.mark.parametrize("value", ["", "0", "false", "OFF", "no"])
def test_offline_mode_that_is_switched_off_is_not_blamed(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    message, _ = hub.hub_error("dataset", "org/d", raised(errors.LocalEntryNotFoundError))
    assert "cannot be reached" in message


@pytest.mark.parametrize("kind", [errors.GatedRepoError, errors.RepositoryNotFoundError, ConnectionError])
def test_what_a_download_raises_becomes_a_model_error(monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    def fail(*_: object, **__: object) -> str:
        raise raised(kind)

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(ModelError) as caught:
        hub.read_model("org/m")
    assert caught.value.message == hub.hub_error("model", "org/m", raised(kind))[0]


def test_a_repository_without_a_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise raised(errors.EntryNotFoundError)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(ModelError, match=r"org/m holds neither config\.json nor model_index\.json"):
        hub.read_model("org/m")
