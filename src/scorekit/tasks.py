"""The task registry: what is measured for each task, which phases count, and what the protocol asks.

Source: the AI Energy Score documentation and optimum-benchmark's energy_star configs. A task is named by its config
(`--config-name`); the leaderboard files use other names for some (`cohort`), and both are accepted everywhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from scorekit import plugins
from scorekit.errors import ScorekitError, UsageError, nearest
from scorekit.plugins import Origin, Registry
from scorekit.records.environment import ModelFacts

Kind = Literal["generate", "forward", "call", "serve"]
"""How the model is called: token by token, one forward pass, as a diffusion pipeline, or by a server that has it."""

PROTOCOL: Final = "ai-energy-score-v1"
SERVING_PROTOCOL: Final = "serving-1"
"""Of runs that measure a server at a stated concurrency: never rated with those of PROTOCOL (docs/serving.md)."""
SERVING: Final = "serving"
"""Task and cohort of such runs: a config's name, but none of `TASKS`, which are PROTOCOL's."""
OTHER_PROTOCOL: Final = "other-task-1"
"""Of runs of a plugin's task: measured as by PROTOCOL, and never rated with its tasks."""
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
        prefixes: texts before the columns in the input of a T5-like model.
        chat_template: whether prompts are put into the model's chat template.
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
    prefixes: tuple[str, ...] = ()
    chat_template: bool = False

    @property
    def counted_phases(self) -> tuple[str, ...]:
        """Phases whose energy makes the score, in order; loading is never among them."""
        return ("preprocess", self.kind)


def _t5(name: str, base: Task, new_tokens: int, *prefixes: str) -> Task:
    return Task(
        name,
        base.cohort,
        "text2text-generation",
        base.dataset,
        base.columns,
        "generate",
        "float32",
        new_tokens,
        prefixes=prefixes,
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
             "generate", "float16", None, True, chat_template=True),
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
        _t5("t5_text_generation", _TEXT_GENERATION, 10, ""),
        _t5("t5_summarization", _SUMMARIZATION, 10, "summarize: "),
        _t5("t5_question_answering", _QUESTION_ANSWERING, DEFAULT_NEW_TOKENS, "question: ", " context: "),
        _t5("t5_text_classification", _TEXT_CLASSIFICATION, 10, "sst2 sentence: "),
    )
}  # fmt: skip

MAIN_TASKS: Final[tuple[str, ...]] = tuple(name for name in TASKS if not name.startswith("t5_"))
"""The ten common tasks and reasoning, in the documentation's order."""

CLASSED_COHORTS: Final = frozenset(task.cohort for task in TASKS.values() if task.has_classes)
"""Cohorts that are split by size; a t5 model in the cohort of text generation has a class as well."""

_BY_COHORT: Final = {task.cohort: task for task in TASKS.values() if not task.name.startswith("t5_")}
_RESERVED: Final = frozenset({*(task.cohort for task in TASKS.values()), SERVING})
"""Names beside those of `TASKS` that mean something already."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How samples are to be encoded.

    Attributes:
        processor: tokenizer, image processor or processor of the model.
        longest_input: tokens at which a text is to be cut; None where none is to be.
        pad: whether the samples of a batch are to be of one length.
    """

    processor: Any
    longest_input: int | None
    pad: bool


Batch = Mapping[str, list[Any]]
"""Some samples: for each column of the dataset its values."""


@dataclass(frozen=True, slots=True)
class ExtraTask:
    """A task that a plugin brings: measured like those of the protocol, and none of them.

    It is rated in a cohort of its own, which has its name, and never officially.

    Attributes:
        name: config name, as given to `--config-name`.
        hf_task: the Hugging Face task that the model is loaded for.
        dataset: Hub id of its dataset.
        columns: columns of the dataset that `encode` is given; a row that is empty in one of them is left out.
        kind: how the model is called: token by token, or one forward pass.
        encode: makes of samples what the model takes, by the names of its arguments; measured as `preprocess`.
        dtype: of the model, where it is not quantised.
        new_tokens: tokens generated for a query; None for a forward pass.
        split: of the dataset.
        num_samples: queries in one repeat.
        brought_by: distribution and version; told by the registry.
    """

    name: str
    hf_task: str
    dataset: str
    columns: tuple[str, ...]
    kind: Literal["generate", "forward"]
    encode: Callable[[Batch, Encoding], Mapping[str, Any]]
    dtype: str = "float32"
    new_tokens: int | None = None
    split: str = OFFICIAL_SPLIT
    num_samples: int = OFFICIAL_SAMPLES
    brought_by: str | None = None


def _accept(name: str, loaded: Any, origin: Origin) -> ExtraTask:
    plugins.expect(loaded, ExtraTask, name)
    task: ExtraTask = loaded
    if task.kind not in ("generate", "forward"):
        raise ValueError(f"its kind is {task.kind!r}, expected generate or forward")
    if not (isinstance(task.columns, tuple) and task.columns and callable(task.encode)):
        raise ValueError("expected a tuple of columns, and a function that encodes them")
    if (task.kind == "generate") != (isinstance(task.new_tokens, int) and task.new_tokens >= 1):
        raise ValueError(f"new_tokens is {task.new_tokens}, expected 1 or more to generate, and None otherwise")

    def encode(batch: Batch, how: Encoding) -> Mapping[str, Any]:
        try:
            return task.encode(batch, how)
        except ScorekitError:
            raise
        except Exception as error:
            raise plugins.failed("task", name, origin, error, instead="measure another task") from error

    return dataclasses.replace(task, encode=encode, brought_by=str(origin))


REGISTRY: Final[Registry[Task | ExtraTask]] = Registry("scorekit.tasks", "task", TASKS, _accept, _RESERVED)
"""The protocol's tasks, and those of plugins, by config name."""


def extra_task(name: str) -> ExtraTask:
    """The task of a plugin.

    Raises:
        UsageError: no plugin brings a task of that name.
        PluginError: the plugin cannot be used.
    """
    if isinstance(found := REGISTRY.find(name), ExtraTask):
        return found
    raise UsageError(
        f"no installed plugin brings a task '{name}'",
        mend="scorekit doctor lists what plugins bring; install its plugin",
    )


def config_name(name: str) -> str:
    """Config name of a task by any of its names, be it of the protocol or of a plugin.

    Raises:
        UsageError: no task has that name; lists the valid ones and the nearest.
    """
    task = known(name) or _BY_COHORT.get(name)
    if task is not None:
        return task.name
    return name if name in REGISTRY.plugin_names() else find(name).name


def known(name: str | None) -> Task | None:
    """The task of the protocol by its config name; None for any other name, and where none is told."""
    return None if name is None else TASKS.get(name)


def cohort_of(name: str | None) -> str | None:
    """Leaderboard name of a task's cohort, by the task's config name; None where it is not known.

    Any task that is none of the protocol's is a cohort of its own, so that its runs are read where its plugin is not.
    """
    task = known(name)
    if task is not None:
        return task.cohort
    return name if name is not None and plugins.NAME.fullmatch(name) and name not in _RESERVED else None


def protocol_of(name: str | None) -> str:
    """Protocol of runs of a task; one that was not told may only be the official protocol's."""
    return PROTOCOL if name is None or name in TASKS else OTHER_PROTOCOL


def find(name: str) -> Task:
    """The task of the protocol by its config name or its leaderboard name.

    Raises:
        UsageError: none has that name; lists the valid ones and the nearest.
    """
    task = known(name) or _BY_COHORT.get(name)
    if task is not None:
        return task
    origin = REGISTRY.origin(name)
    if origin is not None:
        raise UsageError(
            f"the task '{name}' is that of {origin}, and none of the protocol's",
            mend=f"choose one of {', '.join(TASKS)}",
        )
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
