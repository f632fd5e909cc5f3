"""power.parquet and gpu_states.jsonl: what was sampled of the GPUs, written for others to judge."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from scorekit import atomic, bundle
from scorekit.measuring import gpu_probe, gpus
from scorekit.measuring.meters import SAMPLING_S, Meter, PowerSample, SamplerCost
from scorekit.measuring.meters.samples import SampleLog
from scorekit.records import POWER_SCHEMA

LOGGER = logging.getLogger("scorekit")
_ROWS: Final = 1024 * 1024
"""Of a row group, as pyarrow writes them by itself: so many samples are objects at a time."""


class StateLog:
    """Appends the state of every measured GPU at moments between windows.

    Args:
        uuids: the GPUs.
        folder: the run folder.
        own: the processes of the run; None of them where they cannot be told from others'.
        computing: how many of them may compute on a GPU; None where that is not known.
    """

    def __init__(
        self,
        uuids: Sequence[str],
        folder: Path,
        own: Callable[[], set[int] | None] = lambda: gpus.family(os.getpid()),
        computing: Callable[[], int | None] = gpu_probe.computing_by_torch,
    ) -> None:
        self._uuids = tuple(uuids)
        self._folder = folder
        self._own, self._computing = own, computing

    def record(self, when: Literal["start", "repeat", "end"], repeat: int | None = None) -> None:
        """One line for each GPU."""
        own = self._own() if self._uuids else set()
        for uuid in self._uuids:
            state = gpus.state(uuid, when, repeat, own or (), self._computing)
            if own is None:
                state = state.model_copy(update={"foreign_processes": None})
            atomic.append_line(self._folder / bundle.GPU_STATES, state.model_dump_json())


@contextlib.contextmanager
def traced(active: Sequence[Meter], folder: Path) -> Iterator[None]:
    """Meters that run until the block ends, also one that does not end well; their samples are written then.

    A meter is stopped whether its samples could be written or not. Where they could not and the block ended by an
    error, that error is the one to tell, and the other is logged.

    Args:
        active: meters that were started.
        folder: the run folder.

    Raises:
        BundleError: the samples cannot be written.
    """
    with contextlib.ExitStack() as stack:
        for meter in active:
            stack.callback(_stop, meter)
        try:
            yield
        except BaseException:
            try:
                write_traces(active, folder)
            except Exception as error:  # noqa: BLE001 - whatever it is, the first error is the one to tell
                LOGGER.warning("%s could not be written: %s", bundle.POWER, error)
            raise
        write_traces(active, folder)


def _stop(meter: Meter) -> None:
    with contextlib.suppress(Exception):
        meter.stop()


def write_traces(active: Sequence[Meter], folder: Path) -> None:
    """Write the samples of the first meter that takes any; none leave no file."""
    for meter in active:
        samples = meter.trace()
        if samples:
            cost: SamplerCost | None = meter.cost() if hasattr(meter, "cost") else None
            write_power(
                samples,
                folder,
                period_s=SAMPLING_S,
                sampler_cpu_s=None if cost is None else cost.cpu_s,
                sampler_wall_s=None if cost is None else cost.window_s,
            )
            return


def write_power(
    samples: Sequence[PowerSample],
    folder: Path,
    *,
    period_s: float,
    sampler_cpu_s: float | None,
    sampler_wall_s: float | None,
) -> None:
    """Write the samples as power.parquet (columns and metadata: records.POWER_SCHEMA).

    Args:
        samples: of all GPUs, in the order of time.
        folder: the run folder.
        period_s: time between the samples of one GPU.
        sampler_cpu_s: CPU time that sampling took within windows.
        sampler_wall_s: length of all windows.
    """
    import pyarrow
    import pyarrow.parquet

    types = {
        "t_s": pyarrow.float64(),
        "device": pyarrow.string(),
        "power_w": pyarrow.float64(),
        "counter_mj": pyarrow.int64(),
        "temperature_c": pyarrow.int32(),
        "sm_clock_mhz": pyarrow.int32(),
        "mem_clock_mhz": pyarrow.int32(),
        "reasons": pyarrow.int64(),
        "utilization_percent": pyarrow.int32(),
    }
    about = {"schema_version": POWER_SCHEMA, "period_s": repr(period_s)}
    if sampler_cpu_s is not None and sampler_wall_s is not None:
        about |= {"sampler_cpu_s": repr(sampler_cpu_s), "sampler_wall_s": repr(sampler_wall_s)}
    assert tuple(types) == PowerSample._fields
    schema = pyarrow.schema(types.items(), metadata=about)
    buffer, count = io.BytesIO(), len(samples)
    with pyarrow.parquet.ParquetWriter(buffer, schema, compression="zstd") as writer:
        for start in range(0, count, _ROWS):
            stop = min(start + _ROWS, count)
            columns = [pyarrow.array(_column(samples, name, start, stop), kind) for name, kind in types.items()]
            writer.write_table(pyarrow.table(columns, schema=schema))
    atomic.write_bytes(folder / bundle.POWER, buffer.getvalue())


def _column(samples: Sequence[PowerSample], name: str, start: int, stop: int) -> Sequence[object]:
    if isinstance(samples, SampleLog):
        return samples.column(name, start, stop)
    return [getattr(sample, name) for sample in samples[start:stop]]
