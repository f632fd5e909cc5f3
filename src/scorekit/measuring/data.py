"""Loading a dataset and choosing the samples that are measured.

Images and audio stay encoded here: they are decoded by the preprocessing that is measured, and audio never through
torchcodec, which datasets would use and which needs a matching ffmpeg.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorekit import tasks
from scorekit.errors import DatasetError, UsageError
from scorekit.measuring import hub
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.records import DatasetFacts

COLUMN_OPTIONS = {
    "text-generation": ("text_column_name",),
    "summarization": ("text_column_name",),
    "text-classification": ("text_column_name",),
    "feature-extraction": ("text_column_name",),
    "text2text-generation": ("text_column_name",),
    "text-to-image": ("text_column_name",),
    "question-answering": ("question_column_name", "context_column_name"),
    "sentence-similarity": ("sentence1_column_name", "sentence2_column_name"),
    "image-classification": ("image_column_name",),
    "object-detection": ("image_column_name",),
    "image-to-text": ("image_column_name",),
    "automatic-speech-recognition": ("audio_column_name",),
}
"""For each Hugging Face task that can be measured, the options that name its columns."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples to be measured, with media still encoded, and the facts about them."""

    rows: Any
    facts: DatasetFacts
    columns: tuple[str, ...]


def columns_of(task: str, settings: EnergyStarSettings) -> tuple[str, ...]:
    """Names of the columns that the task reads.

    Raises:
        DatasetError: the scenario has no preprocessing for the task.
        UsageError: two of its columns are one.
    """
    if settings.extra_task is not None:
        return tasks.extra_task(settings.extra_task).columns
    if task not in COLUMN_OPTIONS:
        raise DatasetError(
            f"the energy_star scenario cannot measure the task {task}",
            mend=f"choose one of {', '.join(sorted(COLUMN_OPTIONS))}",
        )
    options = _options(task, settings)
    columns = tuple(str(getattr(settings, option)) for option in options)
    for number, column in enumerate(columns):
        if column in columns[:number]:
            pair = (options[columns.index(column)], options[number])
            # The one that is not as every official dataset calls it.
            changed = next(option for option in reversed(pair) if getattr(EnergyStarSettings, option) != column)
            raise UsageError(
                f"scenario.{pair[0]} and scenario.{pair[1]} name the same column '{column}', and the task reads two",
                mend=f"scenario.{changed}={getattr(EnergyStarSettings, changed)}, or another column",
            )
    return columns


def _options(task: str, settings: EnergyStarSettings) -> tuple[str, ...]:
    asks = task == "text2text-generation" and settings.t5_task == "question_answering"
    return COLUMN_OPTIONS["question-answering" if asks else task]


def load(settings: EnergyStarSettings) -> Any:
    """The split named by the settings.

    Raises:
        DatasetError: it cannot be found, reached or read.
    """
    import datasets

    name = settings.dataset_name
    if hub.is_folder(name) and not Path(name).exists():
        raise DatasetError(
            f"the dataset folder {name} is not there",
            mend="check scenario.dataset_name; a Hub id is ORG/NAME",
        )
    try:
        if (Path(name) / "state.json").is_file():
            return datasets.load_from_disk(name)
        if (Path(name) / "dataset_dict.json").is_file():
            splits = datasets.load_from_disk(name)
            if settings.dataset_split not in splits:
                raise ValueError(f"Unknown split '{settings.dataset_split}'; it has: {', '.join(splits)}")
            return splits[settings.dataset_split]
        return datasets.load_dataset(
            name,
            settings.dataset_config or None,
            split=settings.dataset_split,
            revision=settings.dataset_revision,
        )
    except Exception as error:
        raise _load_error(settings, error) from error


_EMPTY = (
    "corresponds to no data",
    "is empty",
    "doesn't contain any data files",
    "No (supported) data files",
    "No columns to parse from file",
    "BatchSize must be greater than 0",
)
"""What datasets says of folders and files without rows; its readers do not expect them, and stumble differently."""


def _load_error(settings: EnergyStarSettings, error: Exception) -> DatasetError:
    from datasets.exceptions import DatasetNotFoundError

    name, text = settings.dataset_name, str(error)
    if hub.is_full_disk(error):
        message, mend = hub.hub_error("dataset", name, error)
        return DatasetError(message, mend=mend)
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if "Unknown split" in text:
        return DatasetError(f"{name}: {text}", mend="choose one with scenario.dataset_split=SPLIT")
    if "BuilderConfig" in text or "Config name is missing" in text:
        return DatasetError(f"{name}: {text}", mend="choose one with scenario.dataset_config=NAME")
    if hub.is_folder(name):
        stumble = IndexError if (Path(name) / "state.json").is_file() else StopIteration
        if isinstance(cause, stumble) or any(words in f"{text}{cause}" for words in _EMPTY):
            return DatasetError(f"the dataset {name} is empty", mend="choose a dataset with samples in it")
        why = next(iter(str(cause).splitlines()), type(cause).__name__)
        return DatasetError(
            f"the dataset folder {name} cannot be read: {why}",
            mend="it must hold Parquet, JSON Lines or CSV files, or be written by save_to_disk()",
        )
    if isinstance(error, DatasetNotFoundError) and "gated" in text:
        return DatasetError(f"the dataset {name} is gated", mend="ask for access on its page, then set HF_TOKEN")
    message, mend = hub.hub_error("dataset", name, cause if isinstance(cause, Exception) else error)
    return DatasetError(message, mend=mend + "; `scorekit tiny FOLDER` makes small datasets to try")


def choose(dataset: Any, task: str, settings: EnergyStarSettings) -> Samples:
    """The first `num_samples` rows that are not empty.

    An empty row is left out at batch size 1 because a model cannot run on it; so does optimum-benchmark.

    Raises:
        DatasetError: a column is missing, or there are too few rows.
    """
    columns = columns_of(task, settings)
    if not hasattr(dataset, "column_names") or isinstance(dataset.column_names, dict):
        raise DatasetError(
            f"{settings.dataset_name} holds several splits",
            mend="choose one with scenario.dataset_split=SPLIT",
        )
    missing = [column for column in columns if column not in dataset.column_names]
    if missing:
        raise DatasetError(
            f"the dataset {settings.dataset_name} has no column '{missing[0]}'; "
            f"it has: {', '.join(dataset.column_names) or 'none'}",
            mend=_other_column(task, settings, columns.index(missing[0])),
        )
    total = len(dataset)
    rows = _undecoded(dataset.select_columns(list(columns)))
    if settings.input_shapes["batch_size"] == 1:
        keep = [
            index
            for index, row in enumerate(zip(*(rows[column] for column in columns), strict=True))
            if not any(_is_empty(value) for value in row)
        ]
        if len(keep) < total:
            rows = rows.select(keep)
    if len(rows) == 0:
        raise DatasetError(
            f"the dataset {settings.dataset_name} is empty"
            if total == 0
            else f"all {total} rows of {settings.dataset_name} are empty in {', '.join(columns)}",
            mend="choose a dataset with samples in it",
        )
    if settings.num_samples > len(rows):
        raise DatasetError(
            f"scenario.num_samples={settings.num_samples}, but {settings.dataset_name} has "
            f"{len(rows)} usable rows (of {total})",
            mend=f"scenario.num_samples={len(rows)}, or -1 for all",
        )
    if settings.num_samples != -1:
        rows = rows.select(range(settings.num_samples))
    facts = DatasetFacts(
        name=Path(settings.dataset_name).name if hub.is_folder(settings.dataset_name) else settings.dataset_name,
        local=hub.is_folder(settings.dataset_name),
        revision=settings.dataset_revision or _revision(dataset),
        split=settings.dataset_split,
        rows=total,
        columns=tuple(dataset.column_names),
        fingerprint=fingerprint(rows, columns),
    )
    return Samples(rows, facts, columns)


def _other_column(task: str, settings: EnergyStarSettings, number: int) -> str:
    """How the right column is named, for the one of that number."""
    if settings.extra_task is not None:
        return f"scenario.dataset_name=DATASET, with the columns of {settings.extra_task}"
    return f"name the right one with scenario.{_options(task, settings)[number]}=COLUMN"


def fingerprint(rows: Any, columns: tuple[str, ...]) -> str:
    """sha256 over the samples' content: for each row and column its length in bytes, then the bytes."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{column}\n".encode())
        for value in rows[column]:
            data = _content(value)
            digest.update(f"{len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()


def _undecoded(dataset: Any) -> Any:
    from datasets import Audio, Image

    for column, feature in dataset.features.items():
        if isinstance(feature, Audio):
            dataset = dataset.cast_column(column, Audio(decode=False))
        elif isinstance(feature, Image):
            dataset = dataset.cast_column(column, Image(decode=False))
    return dataset


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict):
        return not value.get("bytes") and not value.get("path")
    return value is None or value == ""


def _content(value: Any) -> bytes:
    if isinstance(value, dict):
        data = value.get("bytes")
        if data is None and value.get("path"):
            with open(value["path"], "rb") as file:
                data = file.read()
        return bytes(data or b"")
    return str(value).encode("utf-8")


def _revision(dataset: Any) -> str | None:
    """The commit in the download URLs that datasets keeps, where there is one."""
    checksums = getattr(getattr(dataset, "info", None), "download_checksums", None) or {}
    for url in checksums:
        if "@" in url:
            return str(url.split("@", 1)[1].split("/", 1)[0])
    return None
