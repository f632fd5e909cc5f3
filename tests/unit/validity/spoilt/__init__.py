"""Runs with one thing spoilt, for each check: a module of rows for each module of checks in `scorekit.validity`."""

from __future__ import annotations

from tests.unit.validity.spoilt import (
    against_power,
    conditions,
    counters,
    energy,
    gpus,
    meters,
    protocol,
    repeatability,
)
from tests.unit.validity.spoilt.changes import Case

CASES: list[Case] = [
    *energy.CASES,
    *counters.CASES,
    *against_power.CASES,
    *meters.CASES,
    *gpus.CASES,
    *conditions.CASES,
    *protocol.CASES,
    *repeatability.CASES,
]
