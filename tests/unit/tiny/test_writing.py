"""Writing the tiny models and datasets: the same bytes each time, whole folders or none, errors with their mends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("datasets")
diffusers = pytest.importorskip("diffusers")
safetensors = pytest.importorskip("safetensors")
pytest.importorskip("soundfile")

pytestmark = pytest.mark.transformers

from scorekit.errors import MissingExtraError, ScorekitError, UsageError  # noqa: E402
from scorekit.measuring.tiny import TinyTask, catalogue, recipe, tiny_paths, write_tiny  # noqa: E402
from scorekit.measuring.tiny import datasets as tiny_datasets  # noqa: E402
from scorekit.measuring.tiny._libraries import library, versions  # noqa: E402
from scorekit.tasks import TASKS  # noqa: E402
from tests.unit.tiny.reading import SAMPLES, read_rows  # noqa: E402


def test_same_arguments_give_the_same_bytes(made: dict[str, TinyTask], folder: Path, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    write_tiny(tmp_path, samples=SAMPLES)
    assert torch.equal(state, torch.get_rng_state()), "the caller's random numbers are disturbed"
    assert _content(tmp_path) == _content(folder)
    # Nothing of this machine or this folder stands in them.
    assert not [name for name, data in _content(folder).items() if str(folder).encode() in data]


def test_another_seed_gives_other_weights_and_rows(made: dict[str, TinyTask], tmp_path: Path) -> None:
    other = write_tiny(tmp_path, tasks=["text_generation"], samples=SAMPLES, seed=1)["text_generation"]
    for name in ("model.safetensors", "tokenizer.json"):
        same = (other.model / name).read_bytes() == (made["text_generation"].model / name).read_bytes()
        assert same == (name == "tokenizer.json")
    assert _content(other.dataset) != _content(made["text_generation"].dataset)


def test_fewer_samples_are_the_first_ones(made: dict[str, TinyTask], tmp_path: Path) -> None:
    fewer = write_tiny(tmp_path / "out", tasks=["question_answering"], samples=2)["question_answering"]
    rows = read_rows(made["question_answering"].dataset, tmp_path / "cache")
    assert list(read_rows(fewer.dataset, tmp_path / "cache")) == list(rows.select(range(2)))


def test_what_is_there_is_kept_and_what_is_stale_or_cut_is_written_anew(tmp_path: Path) -> None:
    def write(**changes: Any) -> tuple[int, int]:
        arguments: dict[str, Any] = {"tasks": ["image_classification"], "samples": 2} | changes
        found = write_tiny(tmp_path, **arguments)["image_classification"]
        return found.model.stat().st_ino, found.dataset.stat().st_ino

    first = write()
    assert write() == first
    more = write(samples=3)
    assert (more[0], more[1] != first[1]) == (first[0], True)
    weights = tiny_paths(tmp_path, "image_classification").model / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    assert write(samples=3)[1] == more[1]
    assert weights.read_bytes() == whole
    assert not list(tmp_path.rglob("*.part"))


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "models" / "one"

    def fill(scratch: Path) -> None:
        (scratch / "weights").write_text("whole")

    def fail(scratch: Path) -> None:
        (scratch / "weights").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(ScorekitError, match="No space left"):
        recipe.make_folder(target, {"seed": 1}, fail)
    assert not target.exists()
    assert recipe.make_folder(target, {"seed": 1}, fill)
    with pytest.raises(ScorekitError, match="mend"):
        recipe.make_folder(target, {"seed": 2}, fail)
    assert (target / "weights").read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["one"]


def test_weights_that_cannot_be_written_are_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise safetensors.SafetensorError("No space left on device (os error 28)")

    monkeypatch.setattr(transformers.PreTrainedModel, "save_pretrained", full)
    with pytest.raises(ScorekitError, match="No space left"):
        write_tiny(tmp_path, tasks=["image_classification"])
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_two_writers_at_once_leave_one_whole_folder(tmp_path: Path) -> None:
    target = tmp_path / "one"

    def write(scratch: Path) -> None:
        (scratch / "weights").write_text("whole")

    def write_after_another(scratch: Path) -> None:
        recipe.make_folder(target, {"seed": 1}, write)
        write(scratch)

    recipe.make_folder(target, {"seed": 1}, write_after_another)
    assert recipe.is_made(target, {"seed": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_paths_are_known_without_writing(tmp_path: Path) -> None:
    task = tiny_paths(tmp_path, "asr", "small")
    assert task.task == "automatic_speech_recognition"
    assert task.model == tmp_path / "models" / "small-whisper"
    assert task.extra_models == (tmp_path / "models" / "small-wav2vec2-ctc",)
    assert task.dataset == tmp_path / "datasets" / "ASR"
    assert not list(tmp_path.iterdir())
    assert set(catalogue.MODELS) == set(TASKS)
    assert {catalogue.dataset_name(name) for name in TASKS} == set(tiny_datasets.ROWS)


def test_wrong_names_are_answered_with_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="text_generation, reasoning"):
        write_tiny(tmp_path, tasks=["text_generations"])
    with pytest.raises(UsageError, match="tiny, small"):
        tiny_paths(tmp_path, "reasoning", "large")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least one sample"):
        write_tiny(tmp_path, samples=0)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named_with_its_extra() -> None:
    with pytest.raises(MissingExtraError, match=r'-e "\.\[bench\]"'):
        library("no_such_library_here.part")
    with pytest.raises(MissingExtraError, match="no-such-distribution"):
        versions(("no-such-distribution",))


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = ("torch", "transformers", "diffusers", "datasets", "numpy", "PIL")
    code = f"import sys, scorekit.measuring.tiny; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_recipe_is_recorded(made: dict[str, TinyTask]) -> None:
    record = json.loads((made["text_to_image"].model / recipe.RECIPE_FILE).read_text())
    assert record["recipe"]["seed"] == 20250201
    assert record["recipe"]["libraries"]["diffusers"] == diffusers.__version__
    assert record["files"]["unet/diffusion_pytorch_model.safetensors"] > 0


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
