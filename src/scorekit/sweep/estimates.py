"""What jobs will take, from earlier results: of the same model, else of the nearest by parameters, else unknown."""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scorekit import store
from scorekit.records import Estimate, EstimateFrom
from scorekit.units import SECONDS_PER_HOUR

MOST_FACTOR: Final = 2.0
"""A model of twice or half the parameters is still near; one further off tells nothing."""
_BYTES: Final = {"float32": 4, "float16": 2, "bfloat16": 2}
_COLUMNS: Final = ("model", "task", "cohort", "parameters", "domain", "duration_s", "queries", "gpu_count")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a job, as far as its length hangs on it.

    Attributes:
        model: Hub id or folder.
        cohort: leaderboard name of its task.
        task: config name.
        gpus: 0 for the CPU; None where it is not told.
        queries: of one repeat; None where it is not told.
        runs: repeats.
        dtype: of the weights.
        parameters: of the model, where the list tells them.
    """

    model: str
    cohort: str
    task: str
    gpus: int | None
    queries: int | None
    runs: int | None
    dtype: str
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    model: str
    parameters: int | None
    s_per_query: float


class Earlier:
    """Earlier results, looked up by model and by parameters.

    Args:
        rows: rows of the store's table.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._parameters: dict[str, int] = {}
        self._same: dict[tuple[str, str, str], _Known] = {}
        near: dict[tuple[str, str], list[_Known]] = defaultdict(list)
        for row in rows:
            model, parameters = row["model"], row["parameters"]
            if not model:
                continue
            if parameters:
                self._parameters[model] = parameters
            if not (row["duration_s"] and row["queries"] and row["domain"] and row["cohort"]):
                continue
            known = _Known(model, parameters, row["duration_s"] / row["queries"])
            # Of several the last one counts; the index is in the order of the files.
            self._same[model, row["task"] or row["cohort"], row["domain"]] = known
            if parameters:
                near[row["cohort"], row["domain"]].append(known)
        self._near = {key: sorted(found, key=lambda each: each.parameters or 0) for key, found in near.items()}
        self._sizes = {key: [each.parameters or 0 for each in found] for key, found in self._near.items()}

    def estimate(self, asked: Asked) -> Estimate:
        """What a job will take; None of all that nothing earlier tells."""
        parameters = asked.parameters or self._parameters.get(asked.model)
        size = _BYTES.get(asked.dtype)
        source: EstimateFrom = "same model"
        known = self._same.get((asked.model, asked.task, _domain(asked)))
        if known is None and parameters is not None:
            known, source = self._nearest(asked, parameters), "nearest by parameters"
        hours = None
        if known is not None and asked.gpus is not None and asked.queries is not None and asked.runs is not None:
            hours = known.s_per_query * asked.queries * asked.runs * max(asked.gpus, 1) / SECONDS_PER_HOUR
        return Estimate(
            device_hours=hours,
            device_hours_from=None if hours is None else source,
            model=None if known is None or hours is None else known.model,
            parameters=parameters,
            weights_bytes=None if parameters is None or size is None else parameters * size,
        )

    def _nearest(self, asked: Asked, parameters: int) -> _Known | None:
        key = (asked.cohort, _domain(asked))
        sizes = self._sizes.get(key, [])
        at = bisect.bisect_left(sizes, parameters)
        near = [each for each in (at - 1, at) if 0 <= each < len(sizes)]
        if not near:
            return None
        best = min(near, key=lambda each: abs(math.log(sizes[each] / parameters)))
        return self._near[key][best] if abs(math.log(sizes[best] / parameters)) <= math.log(MOST_FACTOR) else None


def earlier_results(folder: Path) -> Earlier:
    """The results of a results folder; none where there is no such folder.

    Raises:
        InputError: it is no results folder of this version.
    """
    if not folder.exists():
        return Earlier()
    return Earlier(store.open(folder).table().select(list(_COLUMNS)).to_pylist())


def _domain(asked: Asked) -> str:
    return "cpu+ram" if asked.gpus == 0 else "gpu"
