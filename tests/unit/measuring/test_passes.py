"""One pass over the samples: every sample once, in order, and a failed one ends it by its number."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import datasets
import pytest
import torch

from scorekit.errors import DatasetError, ModelError
from scorekit.measuring.passes import TokenRows, rows_of, run_pass, sample_error


class Rows(list[int]):
    """Rows as datasets gives them: a slice is a dict of columns."""

    def __getitem__(self, key: Any) -> Any:
        return {"x": super().__getitem__(key)}


class OutOfMemoryError(RuntimeError):
    """Named as torch's own."""


@pytest.mark.parametrize(("batch_size", "batches"), [(1, 5), (2, 3), (5, 1), (8, 1)])
def test_every_sample_is_given_once_and_in_order(batch_size: int, batches: int) -> None:
    seen: list[dict[str, Any]] = []
    outcome = run_pass(Rows(range(5)), batch_size, lambda batch: batch, seen.append, title="pass")
    assert [value for batch in seen for value in batch["x"]] == [0, 1, 2, 3, 4]
    assert (outcome.samples, outcome.batches) == (5, batches)
    assert list(outcome.outputs) == []


@pytest.mark.parametrize("batch_size", [1, 2])
def test_several_passes_go_over_all_samples_in_the_same_order_each_time(batch_size: int) -> None:
    seen: list[dict[str, Any]] = []
    outcome = run_pass(Rows(range(3)), batch_size, lambda batch: batch, seen.append, title="pass", passes=4)
    assert [value for batch in seen for value in batch["x"]] == [0, 1, 2] * 4
    # No batch reaches from one pass into the next.
    assert (outcome.samples, outcome.batches, outcome.passes) == (12, 4 * -(-3 // batch_size), 4)


def test_outputs_of_every_pass_are_kept() -> None:
    outcome = run_pass(Rows(range(2)), 1, lambda b: b, lambda b: b["x"][0], title="pass", keep=lambda x: x, passes=3)
    assert list(outcome.outputs) == [0, 1] * 3


def test_further_passes_are_made_until_the_time_is_over_and_none_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("scorekit.measuring.passes.time", SimpleNamespace(monotonic=lambda: clock[0]))

    def call(_: Any) -> None:
        clock[0] += 1.0

    outcome = run_pass(Rows(range(3)), 1, lambda batch: batch, call, title="pass", passes=2, least_s=10)
    assert (outcome.passes, outcome.samples, clock[0]) == (4, 12, 112.0)
    # With the time over already, as many as were asked for.
    outcome = run_pass(Rows(range(3)), 1, lambda batch: batch, call, title="pass", passes=2, least_s=1)
    assert (outcome.passes, outcome.samples) == (2, 6)


def test_a_sample_that_fails_in_a_later_pass_is_named_as_in_the_first() -> None:
    calls = iter(range(100))

    def call(inputs: dict[str, Any]) -> None:
        if next(calls) == 7:
            raise ValueError("no")

    with pytest.raises(ModelError, match="failed on sample 2:"):
        run_pass(Rows(range(5)), 1, lambda batch: batch, call, title="pass", passes=2)


def test_batches_are_prepared_and_outputs_kept_as_asked() -> None:
    outcome = run_pass(
        Rows(range(4)),
        2,
        lambda batch: {"moved": batch["x"]},
        lambda inputs: sum(inputs["moved"]),
        title="pass",
        keep=lambda output: -output,
    )
    assert list(outcome.outputs) == [-1, -5]


def test_a_sample_that_fails_is_named_by_the_first_of_its_batch() -> None:
    def call(inputs: dict[str, Any]) -> None:
        if 5 in inputs["x"]:
            raise IndexError("index out of range in self\nmore of it")

    with pytest.raises(ModelError) as caught:
        run_pass(Rows(range(8)), 2, lambda batch: batch, call, title="pass")
    assert caught.value.message == "the model failed on sample 4: IndexError: index out of range in self"
    assert "processor" in str(caught.value.mend)


def test_our_own_errors_and_interruptions_pass_through() -> None:
    for error in (DatasetError("no audio"), KeyboardInterrupt()):

        def call(_: Any, error: BaseException = error) -> None:
            raise error

        with pytest.raises(type(error)):
            run_pass(Rows(range(2)), 1, lambda batch: batch, call, title="pass")


def test_memory_that_ran_out_has_a_mend_of_its_own() -> None:
    error = sample_error(7, OutOfMemoryError("CUDA out of memory"))
    assert error.message == "the GPU ran out of memory at sample 7: CUDA out of memory"
    assert "device_map=auto" in str(error.mend)


def test_an_error_without_words_is_named_by_its_class() -> None:
    assert sample_error(0, AssertionError()).message.endswith("AssertionError: AssertionError")


def test_a_long_message_is_cut() -> None:
    assert len(sample_error(0, ValueError("x" * 5000)).message) < 300


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_progress_and_a_pipe_stays_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        run_pass(Rows(range(3)), 1, lambda batch: batch, lambda _: None, title="repeat 1/3 forward", passes=2)
        assert ("repeat 1/3 forward" in stream.getvalue()) is shown
        assert ("sample" in stream.getvalue()) is shown


def encoded(lengths: list[int]) -> datasets.Dataset:
    features = datasets.Features(
        {"input_ids": datasets.List(datasets.Value("int32")), "attention_mask": datasets.List(datasets.Value("int8"))}
    )
    rows = {
        "input_ids": [list(range(length)) for length in lengths],
        "attention_mask": [[1] * length for length in lengths],
    }
    return datasets.Dataset.from_dict(rows, features=features).with_format("torch")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list) or isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    return one.dtype == other.dtype and torch.equal(one, other)


@pytest.mark.parametrize("lengths", [[3, 3, 3, 3, 3], [1, 2, 2, 7, 0]], ids=["equal", "unequal"])
@pytest.mark.parametrize("chosen", [[0, 1, 2, 3, 4], [1, 2, 3], [4, 2, 0]], ids=str)
def test_encoded_text_is_fetched_as_datasets_would(lengths: list[int], chosen: list[int]) -> None:
    dataset = encoded(lengths).select(chosen)
    rows = rows_of(dataset)
    assert isinstance(rows, TokenRows)
    assert len(rows) == len(dataset)
    for start in range(len(rows)):
        for stop in range(start + 1, len(rows) + 2):
            theirs, ours = dataset[start:stop], rows[start:stop]
            assert set(ours) == set(theirs)
            assert all(same(ours[name], theirs[name]) for name in ours), (start, stop, ours, theirs)


def test_a_fetched_batch_may_be_changed_without_harm_to_the_next() -> None:
    rows = rows_of(encoded([2, 2]))
    rows[0:1]["input_ids"].fill_(99)
    assert rows[0:1]["input_ids"].tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "columns",
    [
        {"pixel_values": [[0.5, 1.0]]},
        {"prompt": ["a tree"]},
        {"input_ids": [[1, None]]},
        {"input_ids": [[1, 2], None]},
        {"input_ids": [[1]], "pixel_values": [[0.5]]},
        {"input_ids": []},
    ],
    ids=str,
)
def test_all_else_stays_with_datasets(columns: dict[str, list[Any]]) -> None:
    dataset = datasets.Dataset.from_dict(columns)
    assert rows_of(dataset) is dataset
