"""The registry of log formats: which reader understands a folder or a file, told from its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from types import ModuleType
from typing import Any, Final

from pydantic import ValidationError

from scorekit import bundle, plugins
from scorekit.errors import LogError, ScorekitError
from scorekit.logs import measurement_file, runs
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
from scorekit.plugins import Origin, Registry
from scorekit.records import Result, first_complaint


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one log format.

    Attributes:
        format: name and version of the format, as a result's source gives it, e.g. `codecarbon-csv/1`.
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
"""scorekit's own readers of other tools' logs, in the order in which they are asked."""

_MEASUREMENTS: Final = _reader(measurement_file)
"""The one file of ours that is a log by itself."""


def _name_of(form: str) -> str:
    """The name of a format's reader: `gpu_tally` of `gpu-tally/1`."""
    return form.partition("/")[0].replace("-", "_")


def _accept(name: str, loaded: Any, origin: Origin) -> Reader:
    plugins.expect(loaded, Reader, name)
    reader: Reader = loaded
    if _name_of(reader.format) != name or not reader.format.partition("/")[2]:
        expected = f"{name.replace('_', '-')}/1"
        raise ValueError(
            f"its format is {reader.format!r}, expected the name of its entry point and a version: {expected}"
        )

    def recognises(place: Place) -> bool:
        try:
            return bool(reader.recognises(place))
        except Exception as error:  # noqa: BLE001 - a reader that fails knows no log, and hides none from the others
            plugins.warn(plugins.failed("log reader", name, origin, error, instead="read no log of its format"))
            return False

    def read(place: Place) -> Iterator[Result]:
        try:
            for result in reader.read(place):
                yield _checked(result, reader.format)
        except ScorekitError:
            raise
        except ValidationError as error:
            raise LogError(
                f"{place.label}: the log reader '{name}' of {origin} makes no result of it: {first_complaint(error)}",
                mend="get the file again, or leave it out",
            ) from error
        except Exception as error:
            failure = plugins.failed("log reader", name, origin, error, instead="leave the log out")
            raise LogError(f"{place.label}: {failure.message}", mend=failure.mend) from error

    return Reader(reader.format, f"{reader.description} (by {origin})", recognises, read)


def _checked(result: Result, form: str) -> Result:
    """What a plugin's reader gives, where it is no more than another tool's log."""
    plugins.expect_a(Result, result)
    if result.source.format != form:
        raise ValueError(f"it gives a result of format {result.source.format!r}, expected {form!r}")
    if result.comparable or result.score is not None:
        raise ValueError("it gives a result with a score, or one that is comparable, as only scorekit's own runs are")
    return result


REGISTRY: Final[Registry[Reader]] = Registry(
    "scorekit.log_readers",
    "log reader",
    {reader.format: reader for reader in FOREIGN},
    _accept,
    reserved={"scorekit", *(_name_of(reader.format) for reader in (_MEASUREMENTS, *FOREIGN))},
)
"""scorekit's own readers by format, and those of plugins by name."""


def recognises_run(place: Place) -> bool:
    """Whether a place is a run folder of our own, whole or broken."""
    return place.names is not None and bundle.is_run(place.names)


def reader_of(place: Place) -> Reader | None:
    """The reader of a log that is no run folder, scorekit's own first; None where no format is recognised."""
    every = chain((_MEASUREMENTS,), FOREIGN, REGISTRY.plugins())
    return next((reader for reader in every if reader.recognises(place)), None)


def expected() -> str:
    """What can be read, for messages."""
    every = (_MEASUREMENTS, *FOREIGN, *REGISTRY.plugins())
    return "; ".join([runs.DESCRIPTION, *(reader.description for reader in every)])
