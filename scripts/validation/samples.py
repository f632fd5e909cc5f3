"""Data with the lengths of the official sets, made from code: what a model does depends on the lengths, not the words.

Only the lengths of the text-generation prompts are known as figures (9 to 85,690 characters, median 586, mean 1,696);
they are drawn as the quantiles of a log-normal distribution with that median and mean. The others are assumptions from
the public sets that the official ones were drawn from, and say so in the report. A text is cut at its tokens, at 4.2
characters a token of English.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any, Final

from scorekit import tasks
from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.audio_models import SAMPLE_RATE_HZ
from scorekit.measuring.tiny.datasets import TRAIN_FILE
from scorekit.measuring.tiny.sentences import Writer

CHARACTERS_A_TOKEN: Final = 4.2
MEDIAN_CHARACTERS: Final = 586
MEAN_CHARACTERS: Final = 1696
LEAST_CHARACTERS, MOST_CHARACTERS = 9, 85_690
_TINY_TOKENS: Final = 24

LENGTHS: Final[dict[str, str]] = {
    "text_generation": "prompts as the official ones: median 140, mean 404 tokens, cut at what the model holds",
    "summarization": "assumed: a third dialogues (130 tokens), a third news (850), a third papers (cut at 1,024)",
    "text_classification": "assumed: two thirds single sentences (25 tokens), a third film reviews (290)",
    "question_answering": "assumed: questions of 12 tokens, contexts of 150",
    "sentence_similarity": "assumed: sentences of 15 tokens",
    "image_classification": "assumed: photographs of 500 x 375 pixels",
    "object_detection": "assumed: photographs of 640 x 480 pixels",
    "image_to_text": "assumed: photographs of 640 x 480 pixels",
    "automatic_speech_recognition": "assumed: clips of 12 s",
    "text_to_image": "assumed: prompts of 20 words",
}
"""What was measured on, by task."""

Encode = Callable[[str], list[int]]
"""From a text to the end of each of its tokens, counted in characters."""


def prompt_tokens(count: int) -> list[int]:
    """Lengths of so many prompts: quantiles of the official distribution, stretched so that their mean is its mean."""
    sigma = math.sqrt(2 * math.log(MEAN_CHARACTERS / MEDIAN_CHARACTERS))
    normal = NormalDist(math.log(MEDIAN_CHARACTERS), sigma)
    characters = [math.exp(normal.inv_cdf((number + 0.5) / count)) for number in range(count)]
    # The longest hundredth, which few quantiles miss, has a tenth of all characters.
    stretch = MEAN_CHARACTERS * count / sum(characters)
    kept = [min(max(length * stretch, LEAST_CHARACTERS), MOST_CHARACTERS) for length in characters]
    return [max(2, round(length / CHARACTERS_A_TOKEN)) for length in kept]


def _tokens_of(task: str, count: int) -> list[int]:
    if task == "text_generation":
        return prompt_tokens(count)
    in_turn = {"summarization": (130, 850, 1200), "text_classification": (25, 25, 290)}[task]
    return [in_turn[number % 3] for number in range(count)]


def write(folder: Path, task: str, model: Path, *, count: int, tiny: bool) -> None:
    """Write a dataset of the task into an empty folder, as the Hub lays it out.

    Args:
        folder: where it goes.
        task: config name.
        model: folder of the model, whose tokenizer the texts are cut by.
        count: rows.
        tiny: lengths for a tiny model.
    """
    features, pyarrow, parquet = library("datasets"), library("pyarrow"), library("pyarrow.parquet")
    rows = _rows(task, model, count, tiny)
    kinds = {"image": features.Image(), "audio": features.Audio(sampling_rate=SAMPLE_RATE_HZ)}
    schema = features.Features({column: kinds.get(column, features.Value("string")) for column in rows[0]}).arrow_schema
    (folder / TRAIN_FILE).parent.mkdir(parents=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), folder / TRAIN_FILE)


def _rows(task: str, model: Path, count: int, tiny: bool) -> list[dict[str, Any]]:
    chance = random.Random(f"validation {task}")
    columns = tasks.find(task).columns
    if columns == ("image",):
        side = (96, 64) if tiny else (500, 375) if task == "image_classification" else (640, 480)
        return [{"image": {"bytes": _photograph(chance, side), "path": None}} for _ in range(count)]
    if columns == ("audio",):
        return [{"audio": {"bytes": _speech(chance, 1.0 if tiny else 12.0), "path": None}} for _ in range(count)]
    if columns == ("prompt",):
        return [{"prompt": f"{Writer(chance).picture()}, {Writer(chance).picture()}"} for _ in range(count)]
    encode = _encoder(model)
    if task == "question_answering":
        length = _TINY_TOKENS if tiny else 150
        return [{"question": _text(chance, 12, encode), "context": _text(chance, length, encode)} for _ in range(count)]
    if task == "sentence_similarity":
        return [{column: _text(chance, 15, encode) for column in columns} for _ in range(count)]
    lengths = [_TINY_TOKENS] * count if tiny else _tokens_of(task, count)
    # Short and long ones in turn, so that any few of them are much like all.
    chance.shuffle(lengths)
    return [{"text": _text(chance, length, encode)} for length in lengths]


def _encoder(model: Path) -> Encode:
    tokenizer = library("tokenizers").Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    return lambda text: [end for _, end in tokenizer.encode(text, add_special_tokens=False).offsets]


def _text(chance: random.Random, tokens: int, encode: Encode) -> str:
    """Sentences of exactly so many tokens."""
    characters, text, ends = 8 * tokens, "", []
    while len(ends) < tokens:
        text = Writer(chance).passage(characters)
        ends, characters = encode(text), 2 * characters
    return text[: ends[tokens - 1]]


def _photograph(chance: random.Random, side: tuple[int, int]) -> bytes:
    """Soft blotches of colour as JPEG, which is as much work to decode as a photograph of that size."""
    numpy, pil = library("numpy"), library("PIL.Image")
    coarse = numpy.random.default_rng(chance.getrandbits(63)).integers(0, 256, (24, 32, 3), dtype=numpy.uint8)
    buffer = io.BytesIO()
    pil.fromarray(coarse).resize(side, pil.Resampling.BICUBIC).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def _speech(chance: random.Random, seconds: float) -> bytes:
    """A tone in noise, 16 kHz, mono, as FLAC."""
    numpy, soundfile = library("numpy"), library("soundfile")
    times = numpy.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    noise = numpy.random.default_rng(chance.getrandbits(63)).normal(0.0, 0.02, times.shape)
    buffer = io.BytesIO()
    wave = 0.3 * numpy.sin(2 * numpy.pi * chance.uniform(90, 400) * times) + noise
    soundfile.write(buffer, wave, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
