"""Which tiny model and dataset stands for each task, and where they lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit import tasks
from scorekit.errors import UsageError
from scorekit.measuring.tiny import audio_models, diffusion_models, text_models, vision_models
from scorekit.measuring.tiny.sizes import SIZES, Size

Builder = Callable[[Path, Size], None]

BUILDERS: Final[dict[str, Builder]] = {
    "llama": text_models.llama,
    "bart": text_models.bart,
    "t5": text_models.t5,
    "bert-question-answering": text_models.bert_question_answering,
    "bert-classifier": text_models.bert_classifier,
    "bert-sentence": text_models.bert_sentence,
    "vit": vision_models.vit,
    "yolos": vision_models.yolos,
    "blip": vision_models.blip,
    "whisper": audio_models.whisper,
    "wav2vec2-ctc": audio_models.wav2vec2_ctc,
    "stable-diffusion": diffusion_models.stable_diffusion,
}
"""What fills an empty folder with each model; a model's folder is named by its size and this name."""

MODELS: Final[dict[str, tuple[str, ...]]] = {
    "text_generation": ("llama",),
    "reasoning": ("llama",),
    "summarization": ("bart",),
    "question_answering": ("bert-question-answering",),
    "text_classification": ("bert-classifier",),
    "sentence_similarity": ("bert-sentence",),
    "image_classification": ("vit",),
    "object_detection": ("yolos",),
    "automatic_speech_recognition": ("whisper", "wav2vec2-ctc"),
    "text_to_image": ("stable-diffusion",),
    "image_to_text": ("blip",),
    "t5_text_generation": ("t5",),
    "t5_summarization": ("t5",),
    "t5_question_answering": ("t5",),
    "t5_text_classification": ("t5",),
}
"""The models of each task by its config name; the first is the one that its config is tried with."""


@dataclass(frozen=True, slots=True)
class TinyTask:
    """What one task is tried with.

    Attributes:
        task: config name of the task.
        model: folder of the model, with its tokenizer or processor.
        dataset: folder of the dataset, for `datasets.load_dataset(str(dataset), split="train")`.
        extra_models: folders of further models that take another path through the same task.
    """

    task: str
    model: Path
    dataset: Path
    extra_models: tuple[Path, ...] = ()


def tiny_paths(folder: Path, task: str, size: Size = "tiny") -> TinyTask:
    """Where the model and dataset of a task lie below `folder`; nothing is written, nor looked for.

    Args:
        folder: the folder that `write_tiny` is given.
        task: config name of a task, or its leaderboard name.
        size: "tiny", or "small" for some times more compute; the dataset is the same for both.

    Raises:
        UsageError: there is no such task or size.
    """
    found = tasks.find(task)
    if size not in SIZES:
        raise UsageError(f"there is no size '{size}'; valid: {', '.join(SIZES)}", mend="choose one of these sizes")
    first, *more = (Path(folder) / "models" / f"{size}-{name}" for name in MODELS[found.name])
    return TinyTask(found.name, first, Path(folder) / "datasets" / dataset_name(found.name), tuple(more))


def dataset_name(task: str) -> str:
    """Name of the official dataset of a task, without its organisation."""
    return tasks.find(task).dataset.rpartition("/")[2]
