"""Tiny datasets under the official names, with the official columns and nothing else.

No other column may stand beside them: a diffusion pipeline is called with every column of its dataset.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from scorekit.measuring.tiny._libraries import library
from scorekit.measuring.tiny.audio_models import SAMPLE_RATE_HZ
from scorekit.measuring.tiny.media import image_png, sound_flac
from scorekit.measuring.tiny.sentences import Writer

Row = dict[str, Any]

TRAIN_FILE: Final = Path("data/train-00000-of-00001.parquet")
"""Where a dataset's rows lie below its folder: the layout of the Hub, which `load_dataset` knows."""

PACKAGES: Final = ("datasets", "numpy", "pillow", "pyarrow", "soundfile")
"""Distributions whose versions the bytes of a dataset depend on."""


def _text(chance: random.Random) -> Row:
    return {"text": Writer(chance).prompt()}


def _article(chance: random.Random) -> Row:
    return {"text": Writer(chance).article()}


def _question(chance: random.Random) -> Row:
    question, context = Writer(chance).question_and_context()
    return {"question": question, "context": context}


def _review(chance: random.Random) -> Row:
    return {"text": Writer(chance).review()}


def _pair(chance: random.Random) -> Row:
    first, second = Writer(chance).pair()
    return {"sentence1": first, "sentence2": second}


def _picture(chance: random.Random) -> Row:
    return {"prompt": Writer(chance).picture()}


def _image(chance: random.Random) -> Row:
    return {"image": {"bytes": image_png(chance), "path": None}}


def _audio(chance: random.Random) -> Row:
    return {"audio": {"bytes": sound_flac(chance), "path": None}}


ROWS: Final[dict[str, Callable[[random.Random], Row]]] = {
    "text_generation": _text,
    "summarization": _article,
    "extractive_qa": _question,
    "text_classification": _review,
    "sentence_similarity": _pair,
    "image_classification": _image,
    "object_detection": _image,
    "ASR": _audio,
    "image_generation": _picture,
    "image_captioning": _image,
}
"""What makes one row of each dataset, from a random generator of its own."""


def write_dataset(folder: Path, name: str, *, samples: int, seed: int) -> None:
    """Write `samples` rows of the dataset `name` into the empty `folder`.

    A row depends on the seed, the name and its number only: 10 samples are the first ten of 64.

    Raises:
        MissingExtraError: a library that it needs is not installed.
    """
    features, pyarrow, parquet = library("datasets"), library("pyarrow"), library("pyarrow.parquet")
    rows = [ROWS[name](random.Random(f"{seed} {name} {number}")) for number in range(samples)]
    kinds = {"image": features.Image(), "audio": features.Audio(sampling_rate=SAMPLE_RATE_HZ)}
    schema = features.Features({column: kinds.get(column, features.Value("string")) for column in rows[0]}).arrow_schema
    (folder / TRAIN_FILE).parent.mkdir(parents=True)
    # Through pyarrow, not Dataset.from_list: that hands audio to torchcodec, which may not be there.
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), folder / TRAIN_FILE)
