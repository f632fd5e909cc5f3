"""Choosing the samples that are measured: their columns, what is empty, how many, and what they are."""

from __future__ import annotations

import errno
import hashlib
import io
from pathlib import Path
from typing import Any

import datasets
import numpy
import pyarrow
import pyarrow.parquet
import pytest
import soundfile
from PIL import Image

from scorekit.errors import DatasetError, UsageError
from scorekit.measuring import data
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.tasks import TASKS


def settings(**options: Any) -> EnergyStarSettings:
    return EnergyStarSettings(**{"dataset_name": "example/data", **options})


def texts(*values: str | None) -> datasets.Dataset:
    return datasets.Dataset.from_dict(
        {"text": list(values), "label": [0] * len(values)},
        features=datasets.Features({"text": datasets.Value("string"), "label": datasets.Value("int64")}),
    )


def media(column: str, kind: Any, *values: dict[str, Any] | None) -> datasets.Dataset:
    schema = datasets.Features({column: kind}).arrow_schema
    return datasets.Dataset(pyarrow.Table.from_pylist([{column: value} for value in values], schema=schema))


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(buffer, "PNG")
    return buffer.getvalue()


def flac() -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, numpy.zeros(160, dtype="float32"), 16_000, format="FLAC")
    return buffer.getvalue()


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_official_columns_are_the_defaults_of_their_task(task: str) -> None:
    entry = TASKS[task]
    options: dict[str, Any] = {"text_column_name": "prompt"} if task == "text_to_image" else {}
    if task.startswith("t5_"):
        options["t5_task"] = task.removeprefix("t5_")
    assert data.columns_of(entry.hf_task, settings(**options)) == entry.columns


def test_a_task_without_preprocessing_is_refused_with_those_that_have_it() -> None:
    with pytest.raises(DatasetError, match="cannot measure the task fill-mask") as caught:
        data.columns_of("fill-mask", settings())
    assert "text-generation" in str(caught.value.mend)


@pytest.mark.parametrize(
    ("task", "options", "named", "mend"),
    [
        ("question-answering", {"context_column_name": "question"}, "question", "scenario.context_column_name=context"),
        (
            "question-answering",
            {"question_column_name": "context"},
            "context",
            "scenario.question_column_name=question",
        ),
        (
            "text2text-generation",
            {"t5_task": "question_answering", "question_column_name": "a", "context_column_name": "a"},
            "a",
            "scenario.context_column_name=context",
        ),
        ("sentence-similarity", {"sentence2_column_name": "sentence1"}, "sentence1", "scenario.sentence2_column_name="),
    ],
)
def test_one_column_for_two_texts_is_refused(task: str, options: dict[str, str], named: str, mend: str) -> None:
    with pytest.raises(UsageError, match=f"name the same column '{named}', and the task reads two") as caught:
        data.columns_of(task, settings(**options))
    assert str(caught.value.mend).startswith(mend)


def test_the_first_samples_are_taken_with_the_tasks_columns_only() -> None:
    chosen = data.choose(texts("a", "b", "c"), "text-generation", settings(num_samples=2))
    assert chosen.rows.column_names == ["text"]
    assert list(chosen.rows["text"]) == ["a", "b"]
    assert (chosen.facts.rows, chosen.facts.columns) == (3, ("text", "label"))
    assert (chosen.facts.name, chosen.facts.local, chosen.facts.split) == ("example/data", False, "train")


def test_all_samples_are_taken_on_request() -> None:
    assert len(data.choose(texts("a", "b", "c"), "text-generation", settings()).rows) == 3


def test_empty_rows_are_left_out_before_the_samples_are_counted() -> None:
    chosen = data.choose(texts("", "a", None, "b"), "text-generation", settings(num_samples=2))
    assert list(chosen.rows["text"]) == ["a", "b"]
    assert chosen.facts.rows == 4


def test_a_row_is_empty_when_one_of_its_columns_is() -> None:
    rows = datasets.Dataset.from_dict({"question": ["a", "b", "c"], "context": ["x", "", "z"]})
    chosen = data.choose(rows, "question-answering", settings())
    assert list(chosen.rows["question"]) == ["a", "c"]


def test_missing_media_is_empty() -> None:
    rows = media("image", datasets.Image(), {"bytes": None, "path": None}, {"bytes": png(), "path": None})
    assert len(data.choose(rows, "image-classification", settings()).rows) == 1


def test_a_batch_of_several_keeps_empty_rows() -> None:
    chosen = data.choose(texts("", "a"), "text-generation", settings(input_shapes={"batch_size": 2}))
    assert len(chosen.rows) == 2


def test_a_missing_column_is_told_with_those_that_are_there() -> None:
    with pytest.raises(DatasetError) as caught:
        data.choose(texts("a"), "text-generation", settings(text_column_name="prompt"))
    assert caught.value.message == "the dataset example/data has no column 'prompt'; it has: text, label"
    assert caught.value.mend == "name the right one with scenario.text_column_name=COLUMN"


@pytest.mark.parametrize("task", ["question-answering", "text2text-generation"])
def test_the_option_of_the_missing_column_is_named(task: str) -> None:
    rows = datasets.Dataset.from_dict({"question": ["a"], "passage": ["x"]})
    with pytest.raises(DatasetError, match="no column 'context'") as caught:
        data.choose(rows, task, settings(t5_task="question_answering"))
    assert caught.value.mend == "name the right one with scenario.context_column_name=COLUMN"


def test_more_samples_than_there_are_is_told_with_how_many_there_are() -> None:
    with pytest.raises(DatasetError) as caught:
        data.choose(texts("a", "", "b"), "text-generation", settings(num_samples=3))
    assert caught.value.message == "scenario.num_samples=3, but example/data has 2 usable rows (of 3)"
    assert caught.value.mend == "scenario.num_samples=2, or -1 for all"


def test_a_dataset_without_rows_is_told_apart_from_one_with_empty_rows() -> None:
    with pytest.raises(DatasetError, match=r"example/data is empty\n"):
        data.choose(texts(), "text-generation", settings())
    with pytest.raises(DatasetError, match="all 2 rows of example/data are empty in text"):
        data.choose(texts("", None), "text-generation", settings())


def test_several_splits_at_once_are_refused() -> None:
    splits = datasets.DatasetDict({"train": texts("a"), "test": texts("b")})
    with pytest.raises(DatasetError, match="holds several splits"):
        data.choose(splits, "text-generation", settings())


def test_images_and_audio_stay_encoded() -> None:
    images = data.choose(
        media("image", datasets.Image(), {"bytes": png(), "path": None}), "object-detection", settings()
    )
    assert images.rows[0]["image"]["bytes"] == png()
    sounds = data.choose(
        media("audio", datasets.Audio(), {"bytes": flac(), "path": None}), "automatic-speech-recognition", settings()
    )
    assert sounds.rows[0]["audio"]["bytes"] == flac()


def test_a_fingerprint_is_a_sha256_of_lengths_and_contents() -> None:
    expected = hashlib.sha256("text\n1\na2\nä".encode()).hexdigest()
    assert data.fingerprint({"text": ["a", "ä"]}, ("text",)) == expected


def test_a_fingerprint_tells_content_order_boundaries_and_columns_apart() -> None:
    variants = [
        ({"x": ["ab", "c"]}, ("x",)),
        ({"x": ["a", "bc"]}, ("x",)),
        ({"x": ["c", "ab"]}, ("x",)),
        ({"x": ["ab", "d"]}, ("x",)),
        ({"x": ["ab"]}, ("x",)),
        ({"y": ["ab", "c"]}, ("y",)),
        ({"x": ["ab"], "y": ["c"]}, ("x", "y")),
    ]
    assert len({data.fingerprint(rows, columns) for rows, columns in variants}) == len(variants)


def test_a_fingerprint_is_of_the_samples_and_not_of_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    inside = media("image", datasets.Image(), {"bytes": png(), "path": "other.png"})
    beside = media("image", datasets.Image(), {"bytes": None, "path": str(tmp_path / "a.png")})
    prints = {data.choose(rows, "object-detection", settings()).facts.fingerprint for rows in (inside, beside)}
    assert len(prints) == 1
    more = data.choose(texts("a", "b"), "text-generation", settings(num_samples=1))
    less = data.choose(texts("a"), "text-generation", settings(num_samples=1))
    assert more.facts.fingerprint == less.facts.fingerprint


def write_parquet(folder: Path, split: str = "train") -> Path:
    (folder / "data").mkdir(parents=True)
    table = pyarrow.table({"text": ["a", "b"]})
    pyarrow.parquet.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


def test_a_folder_is_loaded_from_any_of_its_layouts(tmp_path: Path) -> None:
    rows = texts("a", "b")
    folders = [write_parquet(tmp_path / "parquet"), tmp_path / "disk", tmp_path / "splits"]
    rows.save_to_disk(str(folders[1]))
    datasets.DatasetDict({"train": rows, "test": texts("c")}).save_to_disk(str(folders[2]))
    for folder in folders:
        found = data.load(settings(dataset_name=str(folder)))
        assert list(found["text"]) == ["a", "b"], folder.name
        facts = data.choose(found, "text-generation", settings(dataset_name=str(folder))).facts
        assert (facts.name, facts.local, facts.revision) == (folder.name, True, None)


def test_an_unknown_split_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    write_parquet(tmp_path / "parquet")
    datasets.DatasetDict({"train": texts("a")}).save_to_disk(str(tmp_path / "splits"))
    for name in ("parquet", "splits"):
        with pytest.raises(DatasetError, match=r"[Uu]nknown split.*test.*train") as caught:
            data.load(settings(dataset_name=str(tmp_path / name), dataset_split="test"))
        assert "scenario.dataset_split" in str(caught.value.mend)


@pytest.mark.parametrize("name", ["nothing", "saved", "train.parquet", "rows.parquet", "a.jsonl", "a.csv"])
def test_a_folder_without_rows_is_empty_in_any_of_its_layouts(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "hollow"
    folder.mkdir()
    if name == "saved":
        texts().save_to_disk(str(folder))
    elif name == "train.parquet":
        texts().to_parquet(str(folder / name))
    elif name == "rows.parquet":
        pyarrow.parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), folder / name)
    elif name != "nothing":
        (folder / name).touch()
    options = settings(dataset_name=str(folder))
    with pytest.raises(DatasetError, match="hollow is empty"):
        data.choose(data.load(options), "text-generation", options)


def test_a_folder_that_is_missing_or_of_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere is not there"):
        data.load(settings(dataset_name=str(tmp_path / "nowhere")))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "data.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match="broken cannot be read"):
        data.load(settings(dataset_name=str(tmp_path / "broken")))


def test_a_hub_id_that_is_not_cached_names_the_offline_mode() -> None:
    with pytest.raises(DatasetError, match="example/nothing is not in the local cache") as caught:
        data.load(settings(dataset_name="example/nothing"))
    assert "HF_HUB_OFFLINE" in str(caught.value)
    assert "scorekit tiny" in str(caught.value.mend)


@pytest.mark.parametrize(
    "error",
    [OSError("Not enough disk space. Needed: Unknown size"), OSError(errno.ENOSPC, "No space left on device")],
)
def test_a_full_disk_is_told_and_not_taken_for_a_fault_of_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def load_dataset(*_: object, **__: object) -> None:
        raise RuntimeError("An error occurred while generating the dataset") from error

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    for name in (str(tmp_path), "org/data"):
        with pytest.raises(DatasetError, match=r"the disk is full: the dataset .* could not be written") as caught:
            data.load(settings(dataset_name=name))
        assert "HF_HOME=FOLDER" in str(caught.value.mend)
