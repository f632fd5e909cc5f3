"""Reader of optimum-benchmark's first reports (2024 to early 2025), which keep the energy of each repeat in `measures`.

Sources: huggingface/optimum-benchmark, `benchmarks/energy_star/benchmark.py` and later
`scenarios/energy_star/scenario.py`, before the phases were renamed to `load_dataset`, `preprocess_dataset` and
`load_model`. All prefill passes were made first, then all generate passes; `decode.measures[i]` is generate[i] -
prefill[i]. Inputs were prepared once, so `preprocess` has no repeats. The earliest versions made one pass only, and
some of them wrote the whole generate pass as decode: without `measures` the log may not tell, and a fault says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit.logs.foreign.optimum_benchmark_files import generation_of, load
from scorekit.logs.foreign.optimum_benchmark_result import result_of
from scorekit.logs.places import Place
from scorekit.records import Result

FORMAT: Final = "optimum-benchmark/0"
DESCRIPTION: Final = (
    "a log of optimum-benchmark of 2024 (benchmark_report.json with preprocess and prefill, decode, forward or call; "
    "experiment_config.json beside it)"
)


def recognises(place: Place) -> bool:
    """Whether a place claims to be such a log."""
    return generation_of(place) == "v0"


def read(place: Place) -> Iterator[Result]:
    """The one result of such a log.

    Raises:
        LogError: a file cannot be read, a value is of the wrong kind, or two reports contradict each other.
    """
    yield result_of(load(place), log_format=FORMAT, preprocess="preprocess", decode_is_rest=False)
