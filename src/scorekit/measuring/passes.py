"""One pass over all samples: the loop whose energy is the score.

The loop fetches a batch, moves it to the device and calls the model, as optimum-benchmark's does, and does nothing
else: tokens are counted from what was returned after the window has closed.

Fetching is part of the pass, as there: making a row's tensors costs energy too. For encoded text, though, nearly all of
datasets' time for a row is bookkeeping of its own, some percent of a small model's pass, so `rows_of` makes the same
tensors from the same Arrow columns directly.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scorekit.errors import ModelError, ScorekitError
from scorekit.measuring.memory import is_out_of_memory

_EXAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass did.

    Attributes:
        samples: samples given to the model.
        batches: calls of the model.
        outputs: what each call returned, where the call asked to keep it.
        passes: how often the dataset was gone over.
    """

    samples: int
    batches: int
    outputs: Sequence[Any]
    passes: int = 1


class TokenRows:
    """Encoded text, fetched batch by batch as datasets' torch format does, for a fraction of its time.

    Args:
        columns: for each name the offsets of the rows, one more than there are rows, and the values of all rows.
    """

    def __init__(self, columns: Mapping[str, tuple[Sequence[int], Any]]) -> None:
        import numpy
        import torch

        # Looked up here once, so that a fetch imports nothing.
        self._from_numpy = torch.from_numpy
        self._int64 = numpy.dtype(numpy.int64)
        self._columns = tuple((name, offsets, values) for name, (offsets, values) in columns.items())
        self._length = len(self._columns[0][1]) - 1

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: slice) -> dict[str, Any]:
        """A batch: for each column a new tensor of shape (samples, tokens), or a list of them if lengths differ."""
        start, stop, _ = rows.indices(self._length)
        batch = {}
        for name, offsets, values in self._columns:
            first, last, width = offsets[start], offsets[stop], offsets[start + 1] - offsets[start]
            if stop - start == 1 or _evenly_spaced(offsets[start : stop + 1], width):
                batch[name] = self._tensor(values[first:last]).view(stop - start, width)
            else:
                batch[name] = [self._tensor(values[a:b]) for a, b in pairwise(offsets[start : stop + 1])]
        return batch

    def _tensor(self, values: Any) -> Any:
        # The copy makes the tensor the model's own; through numpy it takes a third of torch.tensor()'s time.
        return self._from_numpy(values.astype(self._int64))


def _evenly_spaced(offsets: Sequence[int], width: int) -> bool:
    return all(end - start == width for start, end in pairwise(offsets))


def rows_of(dataset: Any) -> Any:
    """What a pass fetches its batches from.

    Args:
        dataset: encoded samples, as preprocessing made them.

    Returns:
        TokenRows where every column holds lists of integers; else the dataset itself. Images and audio stay with
        datasets: making their tensors takes long enough to be seen in published scores, which include it.
    """
    if not len(dataset) or not all(_holds_integers(feature) for feature in dataset.features.values()):
        return dataset
    table = dataset.with_format("arrow")[:].combine_chunks()
    columns = {name: table.column(name).chunks for name in table.column_names}
    if any(len(chunks) != 1 or chunks[0].null_count or chunks[0].values.null_count for chunks in columns.values()):
        return dataset
    return TokenRows({name: (lists.offsets.to_pylist(), lists.values.to_numpy()) for name, (lists,) in columns.items()})


def _holds_integers(feature: Any) -> bool:
    from datasets import List, Value

    inner = getattr(feature, "feature", None)
    return isinstance(feature, List) and isinstance(inner, Value) and inner.dtype.startswith(("int", "uint"))


def run_pass(
    dataset: Any,
    batch_size: int,
    prepare: Callable[[dict[str, Any]], dict[str, Any]],
    call: Callable[[dict[str, Any]], Any],
    *,
    title: str,
    keep: Callable[[Any], Any] | None = None,
    passes: int = 1,
    least_s: float = 0.0,
) -> Outcome:
    """Call the model once for each batch of the dataset, or as often as `passes` says.

    Args:
        dataset: encoded samples, from `rows_of`; `dataset[i:j]` is a batch as a dict.
        batch_size: samples a call.
        prepare: moves a batch to the device.
        call: the model.
        title: shown on the progress bar.
        keep: what to keep of each output; None keeps nothing.
        passes: how often to go over the dataset.
        least_s: go over it once more, until this time is over. A pass is never cut short.

    Raises:
        ModelError: the model failed on a sample, which is named. A failed sample ends the run: energy of failures
            is no part of a score.
    """
    total = len(dataset)
    outputs: list[Any] = []
    samples = batches = 0
    course = _Course(passes, time.monotonic() + least_s)
    for start in _progress(course.steps(range(0, total, batch_size)), batch_size, total, passes, title):
        batch = dataset[start : start + batch_size]
        samples += len(next(iter(batch.values())))
        try:
            output = call(prepare(batch))
        except ScorekitError:
            raise
        except Exception as error:
            raise sample_error(start, error) from error
        batches += 1
        if keep is not None:
            outputs.append(keep(output))
    return Outcome(samples, batches, outputs, course.done)


class _Course:
    """Passes over the dataset: a number of them, and more until a moment has come."""

    def __init__(self, passes: int, until_s: float) -> None:
        self._passes, self._until_s = passes, until_s
        self.done = 0

    def steps(self, starts: Sequence[int]) -> Iterator[int]:
        """The first sample of each batch."""
        while self.done < self._passes or time.monotonic() < self._until_s:
            yield from starts
            self.done += 1


def sample_error(start: int, error: Exception) -> ModelError:
    """The error for a model that failed on the batch that begins at sample `start`."""
    text = str(error).strip().splitlines()
    first = text[0][:_EXAMPLE_CHARACTERS] if text else type(error).__name__
    if is_out_of_memory(error):
        return ModelError(
            f"the GPU ran out of memory at sample {start}: {first}",
            mend="use a GPU with more memory, several by backend.device_ids and backend.device_map=auto, or a "
            "smaller scenario.input_shapes.batch_size",
        )
    return ModelError(
        f"the model failed on sample {start}: {type(error).__name__}: {first}",
        mend="check that model and processor belong together; the traceback is in benchmark.log",
    )


def _progress(steps: Iterable[int], batch_size: int, total: int, passes: int, title: str) -> Iterator[int]:
    """The steps behind a progress bar with samples/s and time left; without a terminal, the bare steps."""
    if not sys.stderr.isatty():
        yield from steps
        return
    from tqdm import tqdm

    with tqdm(total=total * passes, desc=title, unit="sample", leave=False, mininterval=0.5, dynamic_ncols=True) as bar:
        for start in steps:
            yield start
            bar.update(min(batch_size, total - start))
