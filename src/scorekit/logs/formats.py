"""The registry of log formats: which reader understands a folder or a file, told from its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from scorekit import bundle
from scorekit.logs import runs
from scorekit.logs.foreign import (
    ai_energy_benchmarks,
    batch_csv,
    codecarbon_csv,
    codecarbon_json,
    nvidia_smi_csv,
    nvidia_smi_dmon,
    optimum_benchmark,
    optimum_benchmark_v0,
)
from scorekit.logs.places import Place
from scorekit.records import Result


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one log format.

    Attributes:
        format: name and version of the format, as a result's source gives it.
        description: what a log of this format is, for messages.
        recognises: whether a folder or file claims to be of this format; cheap, told from its content, and true for
            broken ones too, so that the reader itself can say what is wrong.
        read: the results of one place. Raises a ScorekitError for what is no such log.
    """

    format: str
    description: str
    recognises: Callable[[Place], bool]
    read: Callable[[Place], Iterator[Result]]


def _reader(module: ModuleType) -> Reader:
    return Reader(module.FORMAT, module.DESCRIPTION, module.recognises, module.read)


FOREIGN: Final[tuple[Reader, ...]] = tuple(
    map(
        _reader,
        (
            optimum_benchmark,
            optimum_benchmark_v0,
            ai_energy_benchmarks,
            codecarbon_json,
            batch_csv,
            codecarbon_csv,
            nvidia_smi_csv,
            nvidia_smi_dmon,
        ),
    )
)
"""Readers of other tools' logs, in the order in which they are asked."""


def recognises_run(place: Place) -> bool:
    """Whether a place is a run folder of our own, whole or broken."""
    return place.names is not None and bundle.is_run(place.names)


def reader_of(place: Place) -> Reader | None:
    """The reader of another tool's log; None where no format is recognised."""
    return next((reader for reader in FOREIGN if reader.recognises(place)), None)


def expected() -> str:
    """What can be read, for messages."""
    return "; ".join([runs.DESCRIPTION, *(reader.description for reader in FOREIGN)])
