"""One chart of each kind, made from rows that are easy to tell apart, and the same from names of strangers."""

from __future__ import annotations

from scorekit.publish import charts
from scorekit.publish.charts import (
    BudgetTerm,
    Chart,
    HistoryPoint,
    ModelEnergy,
    ModelQuality,
    PhaseShare,
    TaskSpread,
    ZoneImpact,
)

HOSTILE = (
    "<script>alert(1)</script>/<img src=x onerror=alert(1)>",
    "</script><!--",
    "theme:text",
    "\u202egnp.exe/\u05d0\u0628",
    "x" * 200,
    "tab\tbell\x07null\x00",
    "datum.wh||alert(1)",
    "\U0001f916\u200d\U0001f525 emoji, \"quoted\", 'and' more",
    "=cmd|' /C calc'!A0",
    "lone \ud800 half",
)
BOUNDS = (3.0, 5.0, 7.0, 9.0)


def models(names: tuple[str, ...] = ("org/small", "org/middle", "org/large")) -> list[ModelEnergy]:
    """Models whose energies rise from 1 Wh."""
    return [
        ModelEnergy(
            model=name,
            task="Text generation, class A",
            energy_wh_per_1000_queries=1.0 + 2.5 * place,
            half_width_95_percent=2.0 if place else None,
            stars=max(1, 5 - place),
            origin="modelled" if place == 1 else "measured",
            hardware="NVIDIA H100 80GB HBM3",
            edition="2026-01",
            parameters=(place + 1) * 10**9 if place != 2 else None,
            chosen=place == 1,
        )
        for place, name in enumerate(names)
    ]


def qualities(names: tuple[str, ...] = ("org/small", "org/middle", "org/large")) -> list[ModelQuality]:
    """Models that answer better the more they take, but for the last, which is not on the front."""
    return [
        ModelQuality(
            model=name,
            results=1 + place,
            energy_wh_per_1000_queries=1.0 + 2.5 * place,
            energy_half_width_95_percent=150.0 if place else None,
            quality=0.4 + 0.1 * place if place < len(names) - 1 else 0.3,
            quality_stderr=0.01 if place != 1 else None,
            quality_interval_95=(0.28, 0.42 + 0.1 * place) if place != 1 else None,
            on_front=place < len(names) - 1,
            certain=None if place == 1 else place == 0,
            questions=1319 if place else None,
            benchmark=name,
            origin="measured" if place else "modelled",
            hardware=name if place else None,
            evaluated_utc=None,
            source_url="https://example.org/results.json" if place else None,
            source_sha256="ab" * 32,
        )
        for place, name in enumerate(names)
    ]


def zones() -> list[ZoneImpact]:
    """Zones with and without data of their own, and two that are no country."""
    found = [
        ZoneImpact(code, code.title(), value)
        for code, value in (
            ("FRA", 0.041), ("DEU", 0.33), ("USA", 0.38), ("ZAF", 0.7), ("SGP", 0.47), ("MLT", 0.46), ("ISL", 0.028),
            ("IND", 0.67), ("CHN", 0.53), ("EEE", 0.25),
        )
    ]  # fmt: skip
    return [
        *found,
        ZoneImpact("WOR", "World", 0.46, caution="looks wrong"),
        ZoneImpact("AFG", "Afghanistan", None, why_none="filled in with the world's"),
    ]


def all_charts(names: tuple[str, ...] = ("org/small", "org/middle", "org/large")) -> dict[str, Chart]:
    """A chart of each kind."""
    points = models(names)
    first, second = names[0], names[-1]
    made = [
        charts.tasks_chart(
            [TaskSpread(name, 3, 2.0 + place, 1.5, 0.5, 9.0, "measured") for place, name in enumerate(names)]
        ),
        charts.cohort_chart(points, BOUNDS),
        charts.extremes_chart(points),
        charts.parameters_chart(points),
        charts.quality_chart(qualities(names), higher_is_better=len(names) == 3),
        charts.history_chart(
            [HistoryPoint(first, "2025-02", second, 3.0, 3), HistoryPoint(second, "2026-01", second, 2.0, None)], first
        ),
        charts.compare_chart(points[:4]),
        charts.phases_chart([PhaseShare(first, second, 0.5, False), PhaseShare(first, "decode", 2.0)], first),
        charts.budget_chart(
            [BudgetTerm(first, "A", 1.5, second), BudgetTerm("Ticks", "B", None), BudgetTerm("All", "together", 1.6)]
        ),
        charts.zones_chart(zones(), impact="global warming potential", unit="kgCO2eq", of=f"1,000 queries of {first}"),
        charts.world_chart(zones(), impact="global warming potential", unit="kgCO2eq", of=f"1,000 queries of {first}"),
    ]
    return {chart.name: chart for chart in made}


def empty_charts() -> dict[str, Chart]:
    """A chart of each kind without a row."""
    made = [
        charts.tasks_chart([]),
        charts.cohort_chart([], BOUNDS),
        charts.extremes_chart([]),
        charts.parameters_chart([]),
        charts.quality_chart([]),
        charts.history_chart([]),
        charts.compare_chart([]),
        charts.phases_chart([]),
        charts.budget_chart([]),
        charts.zones_chart([], impact="water", unit="L"),
        charts.world_chart([], impact="water", unit="L"),
    ]
    return {chart.name: chart for chart in made}
