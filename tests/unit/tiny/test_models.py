"""The tiny models and datasets: every one loads and runs the way the measuring scenario uses it."""

from __future__ import annotations

import io
import random
import statistics
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("datasets")
diffusers = pytest.importorskip("diffusers")
pytest.importorskip("safetensors")
soundfile = pytest.importorskip("soundfile")

pytestmark = pytest.mark.transformers

from scorekit.measuring.tiny import TinyTask, write_tiny  # noqa: E402
from scorekit.measuring.tiny import datasets as tiny_datasets  # noqa: E402
from scorekit.tasks import TASKS  # noqa: E402
from tests.unit.tiny.reading import SAMPLES, read_rows  # noqa: E402

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


def _models(task: TinyTask) -> tuple[Path, ...]:
    return (task.model, *task.extra_models)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
