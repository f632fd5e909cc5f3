"""The energy of one model as charts show it: a point, its words, and what is told when it is pointed at; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from scorekit.publish.charts.axes import told
from scorekit.publish.charts.chart import Column
from scorekit.publish.charts.wrapping import shortened

UNIT: Final = "Wh per 1,000 queries"
ENERGY: Final = f"Energy ({UNIT}, logarithmic)"
COLUMNS: Final = (
    Column("model", "Model"),
    Column("task", "Task"),
    Column("energy_wh_per_1000_queries", "Energy", UNIT),
    Column("half_width_95_percent", "Uncertainty, 95 %", "%"),
    Column("stars", "Stars"),
    Column("origin", "Origin"),
    Column("hardware", "Hardware"),
    Column("edition", "Edition"),
)


@dataclass(frozen=True, slots=True)
class ModelEnergy:
    """The energy of one model on one task.

    Attributes:
        model: its name, as given.
        task: title of the task, with its class.
        energy_wh_per_1000_queries: positive.
        half_width_95_percent: of its interval; None where not known.
        stars: 1 to 5; None where it has none.
        origin: measured, modelled, mixed or unknown.
        hardware: None where not known.
        edition: that its star is given in; None where not known.
        parameters: of the model; None where not known.
        chosen: whether it is the one that the chart is about.
    """

    model: str
    task: str
    energy_wh_per_1000_queries: float
    half_width_95_percent: float | None = None
    stars: int | None = None
    origin: str = "unknown"
    hardware: str | None = None
    edition: str | None = None
    parameters: int | None = None
    chosen: bool = False

    def row(self) -> dict[str, Any]:
        """Its row of a table, names as given."""
        return {column.field: getattr(self, column.field) for column in COLUMNS}

    def drawn(self) -> dict[str, Any]:
        """What is drawn of it."""
        half = "" if self.half_width_95_percent is None else f" \u00b1 {told(self.half_width_95_percent)} %"
        return {
            "model": shortened(self.model),
            "task": shortened(self.task),
            "wh": self.energy_wh_per_1000_queries,
            "told": told(self.energy_wh_per_1000_queries),
            "energy": f"{told(self.energy_wh_per_1000_queries, UNIT)}{half}",
            "star": "no star" if self.stars is None else f"{self.stars}",
            "origin": self.origin,
            "hollow": self.origin != "measured",
            "hardware": shortened(self.hardware or "unknown"),
            "edition": shortened(self.edition or "unknown"),
            "chosen": self.chosen,
        }


def tooltip(*first: alt.Tooltip) -> list[alt.Tooltip]:
    """What is told of a point: name, energy with its uncertainty, stars, and where it comes from."""
    return [
        alt.Tooltip("model:N", title="Model"),
        *first,
        alt.Tooltip("task:N", title="Task"),
        alt.Tooltip("energy:N", title="Energy"),
        alt.Tooltip("star:N", title="Stars"),
        alt.Tooltip("origin:N", title="Origin"),
        alt.Tooltip("hardware:N", title="Hardware"),
        alt.Tooltip("edition:N", title="Edition"),
    ]


def by_energy(points: Iterable[ModelEnergy]) -> list[ModelEnergy]:
    """Points by rising energy."""
    return sorted(points, key=lambda point: (point.energy_wh_per_1000_queries, point.model, point.task))


def hollow_note(points: Sequence[ModelEnergy]) -> str:
    """What a hollow sign means, where there is one."""
    others = sorted({point.origin for point in points} - {"measured"})
    if not others:
        return ""
    words = " or ".join("of unknown origin" if origin == "unknown" else origin for origin in others)
    return f" Filled signs are measured, hollow ones {words}."
