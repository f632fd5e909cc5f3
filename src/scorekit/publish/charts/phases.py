"""Where the energy of a repeat went: the phases of its run, one beside the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from scorekit.publish.charts import axes, lanes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import Look
from scorekit.publish.charts.wrapping import shortened

_COLUMNS: Final = (
    Column("run", "Run"),
    Column("phase", "Phase"),
    Column("energy_wh", "Energy of one repeat", "Wh"),
    Column("share_percent", "Share", "%"),
    Column("counted", "Counts for the score"),
)
_ORDER: Final = ("preprocess", "prefill", "decode", "generate", "forward", "call", "serve")
_MOST_SERIES: Final = 7
_STEP_PX: Final = 54


@dataclass(frozen=True, slots=True)
class PhaseShare:
    """Energy of one phase in one repeat of a run. Phases of a run do not overlap.

    Attributes:
        run: what was run, e.g. a task or a model.
        phase: its name.
        energy_wh: not negative.
        counted: whether it is a term of the score.
    """

    run: str
    phase: str
    energy_wh: float
    counted: bool = True


def phases_chart(shares: Sequence[PhaseShare], title: str = "Energy by phase") -> Chart:
    """The phases of one run, or of several, stacked.

    Args:
        shares: of phases; those of a run stand in the order of its work.
        title: of the chart.
    """
    runs = list(dict.fromkeys(share.run for share in shares))
    total = {run: sum(share.energy_wh for share in shares if share.run == run) for run in runs}
    names = sorted(dict.fromkeys(share.phase for share in shares), key=_rank)
    ordered = sorted(shares, key=lambda share: (runs.index(share.run), names.index(share.phase)))
    rows: tuple[dict[str, Any], ...] = tuple(
        {
            "run": share.run,
            "phase": share.phase,
            "energy_wh": share.energy_wh,
            "share_percent": round(100 * share.energy_wh / total[share.run], 4) if total[share.run] > 0 else None,
            "counted": share.counted,
        }
        for share in ordered
    )
    seen: set[str] = set()
    drawn, left = [], dict.fromkeys(runs, 0.0)
    for share, row in zip(ordered, rows, strict=True):
        begin = left[share.run]
        left[share.run] = begin + share.energy_wh
        percent = row["share_percent"]
        drawn.append(
            {
                "place": runs.index(share.run),
                "first": share.run not in seen,
                "label": f"{shortened(share.run, 70)} \u00b7 {axes.told(total[share.run], 'Wh')}",
                "run": shortened(share.run),
                "phase": _phase(share),
                "from": begin,
                "to": left[share.run],
                "middle": begin + share.energy_wh / 2,
                "energy": axes.told(share.energy_wh, "Wh"),
                "share": "unknown" if percent is None else f"{percent:.3g} %",
                "wide": 0.0 if percent is None else percent * total[share.run] / 100 / max(total.values()),
                "counted": "yes" if share.counted else "no",
            }
        )
        seen.add(share.run)
    series = tuple(dict.fromkeys(str(row["phase"]) for row in sorted(drawn, key=lambda row: _rank(str(row["phase"])))))
    return Chart(
        name="phases",
        title=title,
        subtitle="Energy of one repeat, in the order of the work; what is not counted is no part of the score.",
        description=_description(ordered, total),
        columns=_COLUMNS,
        rows=rows,
        design=_design,
        choices=(series,),
        datasets={ROWS: drawn},
        lane_px=_STEP_PX,
        empty=None if any(value > 0 for value in total.values()) else "no phase has an energy of its own",
    )


def _design(look: Look, series: tuple[str, ...]) -> alt.LayerChart:
    colours = [look.series[number % _MOST_SERIES] for number in range(len(series))]
    axis = alt.Axis(grid=True, labelExpr=axes.LABEL, tickCount=5)
    x = alt.X("from:Q", title="Energy of one repeat (Wh)", axis=axis, scale=alt.Scale(zero=True, nice=False))
    color = alt.Color(
        "phase:N",
        scale=alt.Scale(domain=series, range=colours),
        legend=alt.Legend(title=None, symbolType="square", columns=axes.COLUMNS, labelLimit=axes.LABEL_LIMIT),
    )
    told = [
        alt.Tooltip("run:N", title="Run"),
        alt.Tooltip("phase:N", title="Phase"),
        alt.Tooltip("energy:N", title="Energy"),
        alt.Tooltip("share:N", title="Share"),
        alt.Tooltip("counted:N", title="Counts for the score"),
    ]
    base = alt.Chart(source())
    return layered(
        base.mark_bar(size=22, yOffset=lanes.MARK_DOWN_PX, stroke=look.background, strokeWidth=1).encode(
            x=x, x2="to:Q", y=lanes.lane(), color=color, tooltip=told
        ),
        base.transform_filter("datum.wide > 0.14")
        .mark_text(baseline="middle", yOffset=lanes.MARK_DOWN_PX, color=look.background, fontWeight=700)
        .encode(x=alt.X("middle:Q"), y=lanes.lane(), text="share:N", tooltip=told),
        lanes.names(look, only_first=True),
    )


def _phase(share: PhaseShare) -> str:
    name = shortened(share.phase, 40)
    return name if share.counted else f"{name} (not counted)"


def _rank(phase: str) -> tuple[int, str]:
    name = phase.removesuffix(" (not counted)")
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), phase)


def _description(shares: Sequence[PhaseShare], total: dict[str, float]) -> str:
    if not shares:
        return "No phase has an energy."
    largest = max(shares, key=lambda share: share.energy_wh)
    return (
        f"Energy of one repeat by phase: {len(shares)} {'phase' if len(shares) == 1 else 'phases'} of "
        f"{len(total)} {'run' if len(total) == 1 else 'runs'}. The largest is {_phase(largest)} of "
        f"{shortened(largest.run)}, {axes.told(largest.energy_wh, 'Wh')}."
    )
