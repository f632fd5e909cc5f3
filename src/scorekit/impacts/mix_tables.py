"""Published tables of factors that are small enough to stand here: those of a study, and AI Energy Score's own."""

from __future__ import annotations

from typing import Final

from scorekit.impacts.mixes import Mix, Zone

_NO_WATER: Final = "this edition has no factor for water"

STUDY_MIX: Final = Mix(
    name="ecologits-0.8",
    title="EcoLogits 0.8, as in the French study",
    source="ecologits 0.8.2, electricity_mixes.csv: the five zones of the French study and France. The figures are of "
    "ADEME Base IMPACTS",
    version="0.8.2",
    zones=tuple(
        Zone(code=code, name=name, adpe=adpe, pe=pe, gwp=gwp, water=None, why_none={"water": _NO_WATER})
        for code, name, adpe, pe, gwp in (
            ("WOR", "World", 7.37708e-08, 9.988, 0.590478),
            ("EEE", "European Economic Area", 6.42317e-08, 12.873, 0.509427),
            ("FRA", "France", 4.85798e-08, 9.31353, 0.0800844),
            ("ZAF", "South Africa", 8.62445e-08, 11.357, 1.14915),
            ("ZMB", "Zambia", 1.62193e-07, 0.0899182, 0.0140257),
            ("ZWE", "Zimbabwe", 1.09502e-07, 7.75488, 0.823938),
        )
    ),
)
"""The factors that the study used. France's stand in the package's table, and give the study's figures for France."""

_NOT_IN_TABLE: Final = "AI Energy Score's table has no such factor"

AI_ENERGY_SCORE_MIX: Final = Mix(
    name="ai-energy-score",
    title="AI Energy Score's own table",
    source="AI Energy Score, documentation: factors of ADPe and primary energy for five zones",
    version="2025",
    zones=tuple(
        Zone(
            code=code,
            name=name,
            adpe=adpe,
            pe=pe,
            gwp=None,
            water=None,
            why_none={"gwp": _NOT_IN_TABLE, "water": _NOT_IN_TABLE},
        )
        for code, name, adpe, pe in (
            ("WOR", "World", 7.378e-8, 9.99),
            ("EEE", "European Economic Area", 6.423e-8, 12.9),
            ("USA", "United States", 9.855e-8, 11.4),
            ("CHN", "China", 8.515e-8, 14.1),
            ("FRA", "France", 4.858e-8, 11.3),
        )
    ),
)
"""It has no factors of greenhouse gases and water."""
