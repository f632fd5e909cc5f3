"""What a chart is: its words, its table, and its specification with and without colours; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import altair as alt

from scorekit.publish.charts.looks import Look, config
from scorekit.publish.charts.wrapping import wrapped

Row = Mapping[str, Any]
ROWS: Final = "rows"
"""Name of the dataset that the table tells too."""
SMALLEST_WIDTH_PX: Final = 240
_PADDING_PX: Final = 5
# A little more than the sizes of the type, so that no line ends at the very edge.
_TITLE_PX: Final = 16.5
_SUBTITLE_PX: Final = 12.4


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a chart's table.

    Attributes:
        field: its name in CSV, with the unit in it.
        title: for people.
        unit: of its figures; None for words and counts.
    """

    field: str
    title: str
    unit: str | None = None

    @property
    def heading(self) -> str:
        """Title and unit."""
        return self.title if self.unit is None else f"{self.title} ({self.unit})"


@dataclass(frozen=True)
class Chart:
    """A chart that can be drawn in any look and width.

    Attributes:
        name: of the kind of chart.
        title: what it shows.
        subtitle: how to read it.
        description: what a reader who does not see it should know.
        columns: of the table.
        rows: of the table, in order; names as they were given.
        design: makes the Altair chart from a look and the choices, without data.
        choices: what else the design hangs on; hashable, and like for like charts, so that each is made once.
        datasets: what is drawn, by name; texts in it are fit to be drawn.
        params: values of the specification's parameters.
        height_px: of the plot; None where it has lanes or an aspect.
        lane_px: height of a lane, where the plot has as many as its rows have places.
        aspect: height of the plot over its width.
        needs: data that the site ships apart, e.g. the world's map.
        empty: why there is nothing to show; None where there is.
    """

    name: str
    title: str
    subtitle: str
    description: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    design: Callable[..., alt.LayerChart]
    choices: tuple[Any, ...] = ()
    datasets: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    height_px: float | None = None
    lane_px: int | None = None
    aspect: float | None = None
    needs: tuple[str, ...] = ()
    empty: str | None = None

    def vega_lite(self, look: Look, width_px: int | None = None, *, titled: bool = False) -> dict[str, Any]:
        """The Vega-Lite specification.

        Args:
            look: its colours.
            width_px: of the picture; None for that of the container, in a page.
            titled: whether title and subtitle are drawn; in a page they are text.
        """
        # What a design made is shared: only the top is written to.
        spec = _designed(self.design, self.choices, look) | self.own()
        spec["width"] = "container" if width_px is None else max(width_px, SMALLEST_WIDTH_PX)
        line_px = None if width_px is None else spec["width"] - 2 * _PADDING_PX
        spec["padding"] = _PADDING_PX
        spec["autosize"] = {"type": "fit-x", "contains": "padding"}
        if self.aspect is not None and width_px is not None:
            spec["height"] = round(spec["width"] * self.aspect)
        spec["config"] = config(look)
        if titled:
            spec["title"] = {
                "text": wrapped(self.title, "bold", line_px and line_px / _TITLE_PX),
                "subtitle": wrapped(self.subtitle, "medium", line_px and line_px / _SUBTITLE_PX),
            }
            spec["background"] = look.background
        return spec

    def own(self) -> dict[str, Any]:
        """What charts of one design and like choices have each for itself in their specification."""
        own: dict[str, Any] = {"datasets": {name: [dict(row) for row in rows] for name, rows in self.datasets.items()}}
        if self.params:
            own["params"] = [{"name": name, "value": value} for name, value in self.params.items()]
        if self.height_px is not None:
            own["height"] = self.height_px
        elif self.lane_px is not None:
            own["height"] = self.lane_px * len({row["place"] for row in self.datasets[ROWS]})
        return own

    def altair(self, look: Look, width_px: int = 720) -> alt.LayerChart:
        """The same as an Altair chart, for notebooks."""
        chart: alt.LayerChart = alt.LayerChart.from_dict(self.vega_lite(look, width_px, titled=True))
        return chart


@lru_cache(maxsize=256)
def _designed(design: Callable[..., alt.LayerChart], choices: tuple[Any, ...], look: Look) -> dict[str, Any]:
    made: dict[str, Any] = design(look, *choices).to_dict(context={"pre_transform": False})
    made.pop("config", None)
    return made


def source(name: str = ROWS) -> alt.NamedData:
    """The dataset of a name, as designs refer to it."""
    return alt.NamedData(name=name)


def layered(*layers: alt.Chart) -> alt.LayerChart:
    """Layers of one plot, the first at the bottom."""
    return alt.LayerChart(layer=list(layers))
