"""Encoding the samples: what is cut, on which side it is padded, what stands before it, and how media are decoded."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import numpy
import pytest
import soundfile
from PIL import Image

from scorekit.errors import BundleError, DatasetError, ModelError
from scorekit.measuring import preprocess
from scorekit.measuring.settings import GENERATE_DEFAULTS, EnergyStarSettings
from scorekit.measuring.tiny import tokenizer as tiny_tokenizer

pytestmark = pytest.mark.transformers

LONG = "word " * 400
RATE = 16_000


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Tokenizers of a decoder, with and without a chat template, and of a T5, fresh for each call."""
    from transformers import AutoTokenizer

    folders = {name: tmp_path_factory.mktemp(name) for name in ("chat", "plain", "t5")}
    tiny_tokenizer.byte_level(folders["chat"], template="<s> $A", chat=True)
    tiny_tokenizer.byte_level(folders["plain"], template="<s> $A")
    tiny_tokenizer.byte_level(folders["t5"], template="$A </s>")
    return lambda name: AutoTokenizer.from_pretrained(str(folders[name]))


def settings(**options: Any) -> EnergyStarSettings:
    made = EnergyStarSettings(**{"dataset_name": "example/data", **options})
    made.generate_kwargs = {**GENERATE_DEFAULTS, **made.generate_kwargs}
    return made


def encode(
    task: str,
    rows: dict[str, list[Any]],
    options: EnergyStarSettings,
    processor: Any,
    folder: Path,
    positions: int = 64,
) -> Any:
    model_config = SimpleNamespace(max_position_embeddings=positions, pad_token_id=0)
    dataset = datasets.Dataset.from_dict(rows)
    return preprocess.preprocess(dataset, task, options, processor, model_config, folder / "encoded.arrow")


def lengths(encoded: Any) -> list[int]:
    return [len(ids) for ids in encoded["input_ids"]]


@pytest.mark.parametrize("new_tokens", [10, 20])
def test_a_decoders_prompt_leaves_room_for_its_answer(tokenizers: Any, tmp_path: Path, new_tokens: int) -> None:
    options = settings(generate_kwargs={"max_new_tokens": new_tokens})
    encoded = encode("text-generation", {"text": [LONG, "word"]}, options, tokenizers("plain"), tmp_path)
    assert lengths(encoded) == [64 - new_tokens, lengths(encoded)[1]]
    assert lengths(encoded)[1] < 10


def test_an_answer_as_long_as_the_model_leaves_one_token_of_the_prompt(tokenizers: Any, tmp_path: Path) -> None:
    options = settings(generate_kwargs={"max_new_tokens": 64})
    assert lengths(encode("text-generation", {"text": [LONG]}, options, tokenizers("plain"), tmp_path)) == [1]


@pytest.mark.parametrize("task", ["summarization", "text-classification", "text2text-generation"])
def test_an_encoders_input_has_the_positions_for_itself(tokenizers: Any, tmp_path: Path, task: str) -> None:
    encoded = encode(task, {"text": [LONG]}, settings(), tokenizers("plain"), tmp_path)
    assert lengths(encoded) == [64]


def test_without_truncation_nothing_is_cut(tokenizers: Any, tmp_path: Path) -> None:
    encoded = encode("text-classification", {"text": [LONG]}, settings(truncation=False), tokenizers("plain"), tmp_path)
    assert lengths(encoded)[0] > 64


def test_a_model_that_names_no_limit_takes_its_tokenizers(tokenizers: Any) -> None:
    plain = tokenizers("plain")
    plain.model_max_length = 77
    assert preprocess._longest_input(SimpleNamespace(), plain) == 77
    # Tokenizers without a limit say 1e30.
    plain.model_max_length = int(1e30)
    assert preprocess._longest_input(SimpleNamespace(), plain) == 512
    nested = SimpleNamespace(text_config=SimpleNamespace(max_position_embeddings=99))
    assert preprocess._longest_input(nested, plain) == 99


def test_two_positions_of_a_roberta_cannot_be_used(tokenizers: Any) -> None:
    roberta = SimpleNamespace(max_position_embeddings=514, pad_token_id=1)
    assert preprocess._longest_input(roberta, tokenizers("plain")) == 512


def test_one_sample_at_a_time_is_not_padded_and_a_batch_is_to_its_own_longest(tokenizers: Any, tmp_path: Path) -> None:
    rows = {"text": ["word", "word word word", "word " * 8, "word"]}
    alone = encode("text-classification", rows, settings(), tokenizers("plain"), tmp_path)
    assert all(0 not in ids.tolist() for ids in alone["input_ids"])
    pairs = encode("text-classification", rows, settings(input_shapes={"batch_size": 2}), tokenizers("plain"), tmp_path)
    first, second, third, fourth = lengths(pairs)
    assert first == second < third == fourth


def test_a_decoders_batch_is_padded_on_the_left(tokenizers: Any, tmp_path: Path) -> None:
    options = settings(input_shapes={"batch_size": 2}, generate_kwargs={"max_new_tokens": 10})
    encoded = encode("text-generation", {"text": ["word", "word word word"]}, options, tokenizers("plain"), tmp_path)
    assert encoded["attention_mask"][0].tolist()[0] == 0
    assert encoded["attention_mask"][0].tolist()[-1] == 1


def test_a_tokenizer_without_padding_pads_with_its_end(tokenizers: Any, tmp_path: Path) -> None:
    plain = tokenizers("plain")
    plain.pad_token = None
    options = settings(input_shapes={"batch_size": 2})
    encode("text-classification", {"text": ["word", "word word"]}, options, plain, tmp_path)
    assert plain.pad_token == plain.eos_token


def test_pairs_are_encoded_together(tokenizers: Any, tmp_path: Path) -> None:
    plain = tokenizers("plain")
    for task, names in (
        ("question-answering", ("question", "context")),
        ("sentence-similarity", ("sentence1", "sentence2")),
    ):
        rows = {names[0]: ["one"], names[1]: ["two three"]}
        encoded = encode(task, rows, settings(), plain, tmp_path)
        assert encoded["input_ids"][0].tolist() == plain("one", "two three")["input_ids"]


def test_t5_is_told_its_task_in_words(tokenizers: Any, tmp_path: Path) -> None:
    t5 = tokenizers("t5")
    options = settings(t5_task="summarization", dataset_prefix1="summarize: ")
    encoded = encode("text2text-generation", {"text": ["a text"]}, options, t5, tmp_path)
    assert encoded["input_ids"][0].tolist() == t5("summarize: a text")["input_ids"]
    options = settings(t5_task="question_answering", dataset_prefix1="question: ", dataset_prefix2=" context: ")
    encoded = encode("text2text-generation", {"question": ["why"], "context": ["so"]}, options, t5, tmp_path)
    assert encoded["input_ids"][0].tolist() == t5("question: why context: so")["input_ids"]


def test_reasoning_goes_through_the_chat_template_with_thinking_on(tokenizers: Any, tmp_path: Path) -> None:
    chat = tokenizers("chat")
    options = settings(
        reasoning=True,
        reasoning_params={"reasoning_effort": "high"},
        generate_kwargs={"max_new_tokens": 20, "min_new_tokens": 1},
    )
    encoded = encode("text-generation", {"text": ["why"]}, options, chat, tmp_path, positions=512)
    text = chat.decode(encoded["input_ids"][0])
    assert "why" in text
    assert "Reasoning: high" in text
    assert text.endswith("<think>\n")


def test_reasoning_without_a_chat_template_is_refused(tokenizers: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no chat template") as caught:
        encode("text-generation", {"text": ["why"]}, settings(reasoning=True), tokenizers("plain"), tmp_path)
    assert "scenario.reasoning=false" in str(caught.value.mend)


def test_a_model_without_a_processor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no tokenizer or processor") as caught:
        encode("text-classification", {"text": ["a"]}, settings(), None, tmp_path)
    assert "backend.processor" in str(caught.value.mend)


def test_the_processor_of_another_task_is_refused_by_its_name(tokenizers: Any, tmp_path: Path) -> None:
    rows = {"image": [{"bytes": image_bytes(), "path": None}]}
    with pytest.raises(ModelError, match="cannot encode samples for image-classification"):
        encode("image-classification", rows, settings(), tokenizers("plain"), tmp_path)
    with pytest.raises(ModelError, match="no feature extractor for audio"):
        encode("automatic-speech-recognition", {"audio": [wave(RATE)]}, settings(), tokenizers("plain"), tmp_path)


def test_prompts_for_images_stay_text_under_the_pipelines_name(tmp_path: Path) -> None:
    rows = {"caption": ["a tree"]}
    encoded = encode("text-to-image", rows, settings(text_column_name="caption"), None, tmp_path)
    assert encoded[:1] == {"prompt": ["a tree"]}


def image_bytes() -> bytes:
    buffer = io.BytesIO()
    # Grey, as photographs may be; models want three channels.
    Image.new("L", (6, 4), 200).save(buffer, "PNG")
    return buffer.getvalue()


def image_sizes(images: list[Any]) -> dict[str, list[Any]]:
    return {"pixel_values": [[*image.size, len(image.getbands())] for image in images]}


def test_images_are_decoded_to_three_channels_from_bytes_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(image_bytes())
    rows = {"image": [{"bytes": image_bytes(), "path": None}, {"bytes": None, "path": str(tmp_path / "a.png")}]}
    encoded = encode("image-classification", rows, settings(), image_sizes, tmp_path)
    assert [values.tolist() for values in encoded["pixel_values"]] == [[6, 4, 3]] * 2


def wave(rate: int, seconds: float = 0.5, channels: int = 1) -> dict[str, Any]:
    times = numpy.arange(int(rate * seconds)) / rate
    tone = numpy.sin(2 * numpy.pi * 440 * times).astype("float32") / 2
    buffer = io.BytesIO()
    soundfile.write(buffer, numpy.stack([tone, 0 * tone][:channels], axis=1), rate, format="FLAC")
    return {"bytes": buffer.getvalue(), "path": None}


class Extractor:
    """Takes waves as a feature extractor does, and gives them back."""

    sampling_rate = RATE

    def __call__(self, waves: list[Any], sampling_rate: int) -> dict[str, Any]:
        assert sampling_rate == RATE
        return {"input_values": [wave.tolist() for wave in waves]}


@pytest.mark.parametrize(("rate", "channels"), [(RATE, 1), (RATE, 2), (44_100, 1), (8_000, 2)])
def test_audio_is_one_channel_at_the_models_rate(tmp_path: Path, rate: int, channels: int) -> None:
    rows = {"audio": [wave(rate, channels=channels)]}
    encoded = encode("automatic-speech-recognition", rows, settings(), Extractor(), tmp_path)
    (heard,) = (numpy.asarray(values) for values in encoded["input_values"])
    assert len(heard) == pytest.approx(RATE / 2, abs=2)
    # The second channel is silent, so the mean of two is half as loud as the first.
    assert abs(heard).max() == pytest.approx(0.5 / channels, rel=0.05)
    # The tone is still 440 Hz: a wrong rate would make another of it.
    spectrum = numpy.abs(numpy.fft.rfft(heard))
    assert numpy.argmax(spectrum) * RATE / len(heard) == pytest.approx(440, abs=4)


@pytest.mark.parametrize(
    ("task", "column", "processor"),
    [
        ("image-classification", "image", image_sizes),
        ("automatic-speech-recognition", "audio", Extractor()),
    ],
)
@pytest.mark.parametrize("value", [{"bytes": b"nonsense", "path": None}, "text"], ids=["bytes", "text"])
def test_a_column_of_something_else_is_told(tmp_path: Path, task: str, column: str, processor: Any, value: Any) -> None:
    with pytest.raises(DatasetError, match=f"column '{column}' holds something that is not") as caught:
        encode(task, {column: [value]}, settings(), processor, tmp_path)
    assert f"scenario.{column}_column_name=COLUMN" in str(caught.value.mend)


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    def full(_: list[str], **__: Any) -> dict[str, Any]:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(BundleError, match="disk is full"):
        encode("text-classification", {"text": ["a"]}, settings(), full, tmp_path)


def test_a_full_disk_is_told_as_such_though_datasets_then_fails_otherwise(tmp_path: Path) -> None:
    def full(_: list[str], **__: Any) -> dict[str, Any]:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            # What its writer does when it closes the file that could not be written.
            raise ValueError("I/O operation on closed file")

    with pytest.raises(BundleError, match="disk is full"):
        encode("text-classification", {"text": ["a"]}, settings(), full, tmp_path)


def test_sizes_count_tokens_without_padding_and_widths_with_it(tokenizers: Any, tmp_path: Path) -> None:
    options = settings(input_shapes={"batch_size": 2})
    rows = {"text": ["word", "word word word", "word word"]}
    plain = tokenizers("plain")
    alone = [len(plain(text)["input_ids"]) for text in rows["text"]]
    sizes = preprocess.input_sizes(encode("summarization", rows, options, plain, tmp_path), 2)
    assert sizes is not None
    assert sizes.tokens == sum(alone)
    assert sizes.widths == (max(alone[:2]), alone[2])


def test_there_are_no_sizes_where_there_is_no_text(tmp_path: Path) -> None:
    rows = {"image": [{"bytes": image_bytes(), "path": None}]}
    encoded = encode("image-to-text", rows, settings(), lambda images: image_sizes(images), tmp_path)
    assert preprocess.input_sizes(encoded, 1) is None


def test_texts_that_are_cut_are_counted(tokenizers: Any) -> None:
    plain = tokenizers("plain")
    rows = datasets.Dataset.from_dict({"text": ["word", "word " * 40, "word " * 60]})
    longest = SimpleNamespace(max_position_embeddings=len(plain("word " * 40)["input_ids"]) + 5)
    assert preprocess.count_cut(rows, "text-classification", settings(), plain, longest) == 1
    # A decoder's answer takes its room from the prompt, and the second one then is too long, too.
    lengths = {"generate_kwargs": {"max_new_tokens": 20, "min_new_tokens": 20}}
    assert preprocess.count_cut(rows, "text-generation", settings(**lengths), plain, longest) == 2
    assert preprocess.count_cut(rows, "text-classification", settings(truncation=False), plain, longest) == 0
    assert preprocess.count_cut(rows, "image-classification", settings(), plain, longest) is None


def test_questions_that_are_cut_are_counted_without_their_template(tokenizers: Any) -> None:
    chat = tokenizers("chat")
    options = settings(reasoning=True, generate_kwargs={"max_new_tokens": 8, "min_new_tokens": 1})
    rows = datasets.Dataset.from_dict({"text": ["word", "word " * 400]})
    longest = SimpleNamespace(max_position_embeddings=64)
    assert preprocess.count_cut(rows, "text-generation", options, chat, longest) == 1
