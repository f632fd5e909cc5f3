"""The tiny models and datasets: every one loads and runs the way the measuring scenario uses it."""

from __future__ import annotations

import io
import json
import random
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")
diffusers = pytest.importorskip("diffusers")
safetensors = pytest.importorskip("safetensors")
soundfile = pytest.importorskip("soundfile")

pytestmark = pytest.mark.transformers

from scorekit.errors import MissingExtraError, ScorekitError, UsageError  # noqa: E402
from scorekit.measure.tiny import TinyTask, catalogue, recipe, tiny_paths, write_tiny  # noqa: E402
from scorekit.measure.tiny import datasets as tiny_datasets  # noqa: E402
from scorekit.measure.tiny._libraries import library, versions  # noqa: E402
from scorekit.tasks import TASKS  # noqa: E402

SAMPLES = 4
NEW_TOKENS = 10
GREEDY = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False, "num_beams": 1}
PREFILL = GREEDY | {"max_new_tokens": 1, "min_new_tokens": 1}

AUTO_CLASSES = {
    "text_generation": "AutoModelForCausalLM",
    "reasoning": "AutoModelForCausalLM",
    "summarization": "AutoModelForSeq2SeqLM",
    "question_answering": "AutoModelForQuestionAnswering",
    "text_classification": "AutoModelForSequenceClassification",
    "sentence_similarity": "AutoModel",
    "image_classification": "AutoModelForImageClassification",
    "object_detection": "AutoModelForObjectDetection",
    "automatic_speech_recognition": "AutoModelForSpeechSeq2Seq",
    "image_to_text": "AutoModelForImageTextToText",
}
TRANSFORMERS_TASKS = [name for name in TASKS if name != "text_to_image"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="session")
def made(folder: Path) -> dict[str, TinyTask]:
    return write_tiny(folder, samples=SAMPLES)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Models as small as these only wait for further threads, the more so beside other tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that connects anywhere; every try is written down, for libraries may swallow the error."""
    tried: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert not tried


def read_rows(path: Path, cache: Path) -> Any:
    data = datasets.load_dataset(str(path), split="train", cache_dir=str(cache))
    return data.cast_column("audio", datasets.Audio(decode=False)) if "audio" in data.features else data


def load(auto_class: str, path: Path) -> Any:
    model, report = getattr(transformers, auto_class).from_pretrained(path, output_loading_info=True)
    assert not any(report.values()), report
    assert next(model.parameters()).dtype == torch.float32
    return model.eval()


def sound(row: dict[str, Any]) -> tuple[Any, int]:
    samples, rate_hz = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="float32")
    return samples, rate_hz


def encode(task: str, processor: Any, row: dict[str, Any], longest: int) -> Any:
    """What the model is called with for one row of the task's dataset, as a batch of one."""
    cut = {"truncation": True, "max_length": longest, "return_tensors": "pt"}
    if task == "automatic_speech_recognition":
        samples, rate_hz = sound(row)
        return processor([samples], sampling_rate=rate_hz, return_tensors="pt")
    if task == "image_to_text":
        return processor(images=[row["image"]], return_tensors="pt")
    if "image" in row:
        return processor([row["image"].convert("RGB")], return_tensors="pt")
    if task == "reasoning":
        chat = [{"role": "user", "content": row["text"]}]
        thinking = {"add_generation_prompt": True, "enable_thinking": True, "reasoning_effort": "high"}
        return processor.apply_chat_template(chat, tokenize=True, return_dict=True, **thinking, **cut)
    if task == "t5_question_answering":
        return processor([f"question: {row['question']} context: {row['context']}"], **cut)
    return processor(*([row[column]] for column in TASKS[task].columns), **cut)


@pytest.mark.parametrize("task", TRANSFORMERS_TASKS)
def test_model_answers_its_dataset(task: str, made: dict[str, TinyTask], tmp_path: Path) -> None:
    data = read_rows(made[task].dataset, tmp_path)
    model = load(AUTO_CLASSES.get(task, "AutoModelForSeq2SeqLM"), made[task].model)
    processor = transformers.AutoProcessor.from_pretrained(made[task].model)
    longest = getattr(model.config, "max_position_embeddings", 512) - NEW_TOKENS
    for row in data:
        inputs = encode(task, processor, row, longest)
        with torch.inference_mode():
            if TASKS[task].kind == "forward":
                outputs = model(**inputs)
                tensors = [value for value in outputs.values() if torch.is_tensor(value)]
                assert tensors
                assert all(torch.isfinite(tensor).all() for tensor in tensors)
            else:
                long, short = model.generate(**inputs, **GREEDY), model.generate(**inputs, **PREFILL)
                assert long.shape[1] - short.shape[1] == NEW_TOKENS - 1
                answer = long[0, -NEW_TOKENS:].tolist()
                special = getattr(processor, "tokenizer", processor).all_special_ids
                assert not set(answer) & set(special), "padding passes for an answer"


def test_ctc_model_labels_frames(made: dict[str, TinyTask], tmp_path: Path) -> None:
    asr = made["automatic_speech_recognition"]
    model = load("AutoModelForCTC", asr.extra_models[0])
    processor = transformers.AutoProcessor.from_pretrained(asr.extra_models[0])
    for row in read_rows(asr.dataset, tmp_path):
        inputs = encode(asr.task, processor, row, 0)
        with torch.inference_mode():
            logits = model(**inputs).logits
        assert torch.isfinite(logits).all()
        assert isinstance(processor.batch_decode(logits.argmax(-1))[0], str)


def test_pipeline_draws_its_dataset(made: dict[str, TinyTask], tmp_path: Path) -> None:
    task = made["text_to_image"]
    data = read_rows(task.dataset, tmp_path)
    _, report = transformers.CLIPTextModel.from_pretrained(task.model / "text_encoder", output_loading_info=True)
    assert not any(report.values()), report
    pipeline = diffusers.AutoPipelineForText2Image.from_pretrained(task.model)
    pipeline.set_progress_bar_config(disable=True)
    with torch.inference_mode():
        images = pipeline(**data[:1], num_inference_steps=2, num_images_per_prompt=1).images
    assert [image.size for image in images] == [(64, 64)]


@pytest.mark.parametrize("task", list(TASKS))
def test_dataset_has_the_official_columns_and_no_other(task: str, made: dict[str, TinyTask], tmp_path: Path) -> None:
    data = read_rows(made[task].dataset, tmp_path)
    assert tuple(data.column_names) == TASKS[task].columns
    assert len(data) == SAMPLES
    assert made[task].dataset.name == TASKS[task].dataset.split("/")[1]
    if "image" in data.features:
        assert all(min(row["image"].size) >= 64 for row in data)
    if "audio" in data.features:
        for row in data:
            samples, rate_hz = sound(row)
            assert rate_hz == 16_000
            assert 0.5 <= len(samples) / rate_hz <= 2.0


def test_prompts_are_spread_like_the_official_ones() -> None:
    texts = [tiny_datasets.ROWS["text_generation"](random.Random(number))["text"] for number in range(400)]
    lengths = sorted(map(len, texts))
    assert lengths[0] >= 9
    assert 150 < statistics.median(lengths) < 400
    assert statistics.mean(lengths) > 1.5 * statistics.median(lengths)
    assert 3_000 < lengths[-1] <= 9_000
    assert len(set(texts)) > 390


def test_byte_level_tokenizer_encodes_anything(made: dict[str, TinyTask]) -> None:
    for task in ("text_generation", "summarization", "t5_summarization"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(made[task].model)
        text = "Naïve cats, 猫 and\n\ttabs: the river measures energy."
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
        assert tokenizer.unk_token_id not in ids
        assert len(tokenizer(text * 500, truncation=True)["input_ids"]) == 512
        english = "The quiet river follows the bridge near the station in the afternoon."
        assert len(tokenizer(english)["input_ids"]) < 2 * len(english.split())


def test_special_tokens_stand_where_the_models_expect_them(made: dict[str, TinyTask]) -> None:
    for task, first, last in (
        ("text_generation", "<s>", None),
        ("summarization", "<s>", "</s>"),
        ("t5_summarization", None, "</s>"),
        ("question_answering", "[CLS]", "[SEP]"),
    ):
        tokenizer = transformers.AutoTokenizer.from_pretrained(made[task].model)
        tokens = tokenizer.convert_ids_to_tokens(tokenizer("the river")["input_ids"])
        assert first is None or tokens[0] == first
        assert last is None or tokens[-1] == last
        config = transformers.AutoConfig.from_pretrained(made[task].model)
        assert (config.vocab_size, config.pad_token_id) == (len(tokenizer), tokenizer.pad_token_id)


def test_chat_template_switches_thinking(made: dict[str, TinyTask]) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(made["reasoning"].model)
    chat = [{"role": "user", "content": "Count to three."}]

    def render(**options: object) -> str:
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **options)
        assert isinstance(text, str)
        return text

    assert render().endswith("<|assistant|>\n<think>\n")
    assert render(enable_thinking=True, unheard_of=1) == render()
    assert render(enable_thinking=False).endswith("</think>\n\n")
    assert "Reasoning: low" in render(reasoning_effort="low")


def test_reasoning_answers_end_at_different_lengths(made: dict[str, TinyTask], tmp_path: Path) -> None:
    task = made["reasoning"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(task.model)
    model = load("AutoModelForCausalLM", task.model)
    lengths = set()
    for row in read_rows(task.dataset, tmp_path):
        inputs = encode("reasoning", tokenizer, row, 300)
        with torch.inference_mode():
            answer = model.generate(**inputs, max_new_tokens=64, do_sample=False)
        lengths.add(answer.shape[1] - inputs["input_ids"].shape[1])
    assert len(lengths) > 1
    assert min(lengths) < 64


def test_text_generation_runs_in_half_precision(made: dict[str, TinyTask]) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(made["text_generation"].model).half().eval()
    with torch.inference_mode():
        logits = model(torch.tensor([[1, 20, 30]])).logits
    assert logits.dtype == torch.float16
    assert torch.isfinite(logits).all()


def test_models_are_small_and_the_small_size_does_more(made: dict[str, TinyTask], tmp_path: Path) -> None:
    told: list[str] = []
    small = write_tiny(tmp_path, samples=1, size="small", report=told.append)
    assert [line.split(" ")[1].rstrip(":") for line in told] == list(small)
    assert told[0].startswith(f"[1/{len(small)}] ")
    for task in TASKS:
        for one, other in zip(_models(made[task]), _models(small[task]), strict=True):
            assert _bytes(one) < 5_000_000
            assert 4 * _bytes(one) < _bytes(other) < 30_000_000
            assert (one.name, other.name) == (f"tiny-{one.name[5:]}", f"small-{one.name[5:]}")


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
    with pytest.raises(MissingExtraError, match=r"scorekit\[bench\]"):
        library("no_such_library_here.part")
    with pytest.raises(MissingExtraError, match="no-such-distribution"):
        versions(("no-such-distribution",))


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = ("torch", "transformers", "diffusers", "datasets", "numpy", "PIL")
    code = f"import sys, scorekit.measure.tiny; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_recipe_is_recorded(made: dict[str, TinyTask]) -> None:
    record = json.loads((made["text_to_image"].model / recipe.RECIPE_FILE).read_text())
    assert record["recipe"]["seed"] == 20250201
    assert record["recipe"]["libraries"]["diffusers"] == diffusers.__version__
    assert record["files"]["unet/diffusion_pytorch_model.safetensors"] > 0


def _models(task: TinyTask) -> tuple[Path, ...]:
    return (task.model, *task.extra_models)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
