"""One pass over all samples: the loop whose energy is the score.

The loop fetches a batch, moves it to the device and calls the model, as optimum-benchmark's does, and does nothing
else: tokens are counted from what was returned after the window has closed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scorekit.errors import ModelError, ScorekitError

_EXAMPLE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass did.

    Attributes:
        samples: samples given to the model.
        batches: calls of the model.
        outputs: what each call returned, where the call asked to keep it.
    """

    samples: int
    batches: int
    outputs: Sequence[Any]


def run_pass(
    dataset: Any,
    batch_size: int,
    prepare: Callable[[dict[str, Any]], dict[str, Any]],
    call: Callable[[dict[str, Any]], Any],
    *,
    title: str,
    keep: Callable[[Any], Any] | None = None,
) -> Outcome:
    """Call the model once for each batch of the dataset.

    Args:
        dataset: encoded samples; `dataset[i:j]` is a batch as a dict.
        batch_size: samples a call.
        prepare: moves a batch to the device.
        call: the model.
        title: shown on the progress bar.
        keep: what to keep of each output; None keeps nothing.

    Raises:
        ModelError: the model failed on a sample, which is named. A failed sample ends the run: energy of failures
            is no part of a score.
    """
    total = len(dataset)
    outputs: list[Any] = []
    batches = 0
    for start in _progress(range(0, total, batch_size), batch_size, total, title):
        try:
            output = call(prepare(dataset[start : start + batch_size]))
        except ScorekitError:
            raise
        except Exception as error:
            raise sample_error(start, error) from error
        batches += 1
        if keep is not None:
            outputs.append(keep(output))
    return Outcome(total, batches, outputs)


def sample_error(start: int, error: Exception) -> ModelError:
    """The error for a model that failed on the batch that begins at sample `start`."""
    text = str(error).strip().splitlines()
    first = text[0][:_EXAMPLE_CHARACTERS] if text else type(error).__name__
    if type(error).__name__ == "OutOfMemoryError":
        return ModelError(
            f"the GPU ran out of memory at sample {start}: {first}",
            mend="use a GPU with more memory, several by backend.device_ids and backend.device_map=auto, or a "
            "smaller scenario.input_shapes.batch_size",
        )
    return ModelError(
        f"the model failed on sample {start}: {type(error).__name__}: {first}",
        mend="check that model and processor belong together; SCOREKIT_DEBUG=1 shows the traceback",
    )


def _progress(steps: range, batch_size: int, total: int, title: str) -> Iterator[int]:
    """The steps behind a progress bar with samples/s and time left; without a terminal, the bare steps."""
    if not sys.stderr.isatty():
        yield from steps
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=title, unit="sample", leave=False, mininterval=0.5, dynamic_ncols=True) as bar:
        for start in steps:
            yield start
            bar.update(min(batch_size, total - start))
