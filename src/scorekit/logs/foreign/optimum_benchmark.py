"""Reader of optimum-benchmark 0.5 and 0.6 (2025), and of a report that scorekit wrote in their form.

Phases are `load_dataset`, `preprocess_dataset`, `load_model`, then `prefill` and `decode`, or `forward`, or `call`. One
pass is made; `decode` is generate - prefill, and CodeCarbon's data of the generate pass stand in
`generate_codecarbon.json`. scorekit's own report holds means over its repeats, and `generate` where prefill was not
told apart. Source: optimum_benchmark 0.6.0, `scenarios/energy_star/scenario.py` and `trackers/energy.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit.logs.foreign.optimum_benchmark_files import generation_of, load
from scorekit.logs.foreign.optimum_benchmark_result import result_of
from scorekit.logs.places import Place
from scorekit.records import Result

FORMAT: Final = "optimum-benchmark/0.5"
DESCRIPTION: Final = (
    "a log of optimum-benchmark 0.5 or 0.6 (benchmark_report.json with preprocess_dataset and prefill, decode, forward "
    "or call; benchmark_config.json beside it; or benchmark.json with both)"
)


def recognises(place: Place) -> bool:
    """Whether a place claims to be such a log."""
    return generation_of(place) == "0.5"


def read(place: Place) -> Iterator[Result]:
    """The one result of such a log.

    Raises:
        LogError: a file cannot be read, a value is of the wrong kind, or two reports contradict each other.
    """
    yield result_of(load(place), log_format=FORMAT, preprocess="preprocess_dataset", decode_is_rest=True)
