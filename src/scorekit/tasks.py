"""The task registry: what is measured for each task, which phases count, and what the protocol asks.

Source: the AI Energy Score documentation and optimum-benchmark's energy_star configs. A task is named by its config
(`--config-name`); the leaderboard files use other names for some (`cohort`), and both are accepted everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from scorekit.errors import UsageError, nearest
from scorekit.records.environment import ModelFacts

Kind = Literal["generate", "forward", "call", "serve"]
"""How the model is called: token by token, one forward pass, as a diffusion pipeline, or by a server that has it."""

PROTOCOL: Final = "ai-energy-score-v1"
SERVING_PROTOCOL: Final = "serving-1"
"""Of runs that measure a server at a stated concurrency: never rated with those of PROTOCOL (docs/serving.md)."""
SERVING: Final = "serving"
"""Task and cohort of such runs: a config's name, but none of `TASKS`, which are PROTOCOL's."""
OFFICIAL_SAMPLES: Final = 1000
OFFICIAL_BATCH_SIZE: Final = 1
OFFICIAL_RUNS: Final = 10
OFFICIAL_GPU: Final = "NVIDIA H100 80GB"
OFFICIAL_IMAGE_STEPS: Final = 30
OFFICIAL_SPLIT: Final = "train"
DEFAULT_NEW_TOKENS: Final = 100
REASONING_NEW_TOKENS: Final = 8192
"""Limit for reasoning, where the number of tokens is the model's own choice."""
CLASS_A_MAX_PARAMETERS: Final = 20_000_000_000
CLASS_B_MAX_PARAMETERS: Final = 66_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the protocol.

    Attributes:
        name: config name, as given to `--config-name`.
        cohort: the leaderboard's name; models of one cohort are rated together.
        hf_task: the Hugging Face task.
        dataset: Hub id of the official dataset.
        columns: columns that the dataset must have.
        kind: how the model is called.
        dtype: the dtype that the protocol asks for an unquantised model.
        new_tokens: tokens generated for a query; None where nothing is generated, or where only a limit is set.
        has_classes: whether the cohort is split into the size classes A, B and C.
    """

    name: str
    cohort: str
    hf_task: str
    dataset: str
    columns: tuple[str, ...]
    kind: Kind
    dtype: str = "float32"
    new_tokens: int | None = None
    has_classes: bool = False

    @property
    def counted_phases(self) -> tuple[str, ...]:
        """Phases whose energy makes the score, in order; loading is never among them."""
        return ("preprocess", self.kind)


def _t5(name: str, base: Task, new_tokens: int) -> Task:
    return Task(
        name,
        base.cohort,
        "text2text-generation",
        base.dataset,
        base.columns,
        "generate",
        "float32",
        new_tokens,
    )


_TEXT_GENERATION = Task(
    "text_generation", "text_generation", "text-generation", "AIEnergyScore/text_generation", ("text",),
    "generate", "float16", 10, True,
)  # fmt: skip
_SUMMARIZATION = Task(
    "summarization", "summarization", "summarization", "AIEnergyScore/summarization", ("text",),
    "generate", "float32", 10,
)  # fmt: skip
_QUESTION_ANSWERING = Task(
    "question_answering", "question_answering", "question-answering", "AIEnergyScore/extractive_qa",
    ("question", "context"), "forward",
)  # fmt: skip
_TEXT_CLASSIFICATION = Task(
    "text_classification", "text_classification", "text-classification", "AIEnergyScore/text_classification",
    ("text",), "forward",
)  # fmt: skip

TASKS: Final[dict[str, Task]] = {
    task.name: task
    for task in (
        _TEXT_GENERATION,
        Task("reasoning", "reasoning", "text-generation", "AIEnergyScore/text_generation", ("text",),
             "generate", "float16", None, True),
        _SUMMARIZATION,
        _QUESTION_ANSWERING,
        _TEXT_CLASSIFICATION,
        Task("sentence_similarity", "sentence_similarity", "sentence-similarity",
             "AIEnergyScore/sentence_similarity", ("sentence1", "sentence2"), "forward"),
        Task("image_classification", "image_classification", "image-classification",
             "AIEnergyScore/image_classification", ("image",), "forward"),
        Task("object_detection", "object_detection", "object-detection",
             "AIEnergyScore/object_detection", ("image",), "forward"),
        Task("automatic_speech_recognition", "asr", "automatic-speech-recognition",
             "AIEnergyScore/ASR", ("audio",), "generate", "float32", DEFAULT_NEW_TOKENS),
        Task("text_to_image", "image_generation", "text-to-image",
             "AIEnergyScore/image_generation", ("prompt",), "call"),
        Task("image_to_text", "image_captioning", "image-to-text",
             "AIEnergyScore/image_captioning", ("image",), "generate", "float32", DEFAULT_NEW_TOKENS),
        _t5("t5_text_generation", _TEXT_GENERATION, 10),
        _t5("t5_summarization", _SUMMARIZATION, 10),
        _t5("t5_question_answering", _QUESTION_ANSWERING, DEFAULT_NEW_TOKENS),
        _t5("t5_text_classification", _TEXT_CLASSIFICATION, 10),
    )
}  # fmt: skip

MAIN_TASKS: Final[tuple[str, ...]] = tuple(name for name in TASKS if not name.startswith("t5_"))
"""The ten common tasks and reasoning, in the documentation's order."""

CLASSED_COHORTS: Final = frozenset(task.cohort for task in TASKS.values() if task.has_classes)
"""Cohorts that are split by size; a t5 model in the cohort of text generation has a class as well."""

_BY_COHORT: Final = {task.cohort: task for task in TASKS.values() if not task.name.startswith("t5_")}


def find(name: str) -> Task:
    """The task of a config name or of a leaderboard name.

    Raises:
        UsageError: no task has that name; lists the valid ones and the nearest.
    """
    task = TASKS.get(name) or _BY_COHORT.get(name)
    if task is not None:
        return task
    close = nearest(name, [*TASKS, *_BY_COHORT])
    raise UsageError(
        f"there is no task '{name}'; valid: {', '.join(TASKS)}",
        mend=f"did you mean '{close}'?" if close else "choose one of the names above",
    )


def official_dataset_ids(task: Task) -> tuple[str, ...]:
    """Hub ids that hold the task's official dataset: today's and the older organisation's name."""
    return (task.dataset, task.dataset.replace("AIEnergyScore/", "EnergyStarAI/"))


def class_of(model: ModelFacts) -> Literal["A", "B", "C"] | None:
    """Size class of a loaded model: by its parameters, or as told where a submission keeps their number back."""
    return model_class(model.parameters) or model.model_class


def model_class(parameters: int | None) -> Literal["A", "B", "C"] | None:
    """Size class by the number of parameters; None when that is unknown."""
    if parameters is None:
        return None
    if parameters <= CLASS_A_MAX_PARAMETERS:
        return "A"
    return "B" if parameters <= CLASS_B_MAX_PARAMETERS else "C"
