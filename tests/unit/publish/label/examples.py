"""Labels made up for tests."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from scorekit.publish.label.facts import LabelFacts
from scorekit.records import Reason

LINK = "https://energy.example.org/results/example/model-1b/3f9a1c"
REASONS = (
    Reason(code="hardware", message="no GPU was used: found Example CPU 9000, expected one NVIDIA H100 80GB"),
    Reason(code="samples", message="20 queries a repeat, expected 1000"),
)
OFFICIAL = LabelFacts(
    kind="official",
    provider="example",
    name="model-1b",
    revision="0" * 40,
    scored=datetime.date(2025, 6, 1),
    task="text_generation",
    model_class="A",
    hardware="NVIDIA H100 80GB HBM3",
    gpu_count=1,
    energy_wh_per_1000=5.8231,
    domain="gpu",
    origin="measured",
    uncertainty_percent=2.13,
    queries=1000,
    runs=10,
    dataset="AIEnergyScore/text_generation",
    stars=4,
    edition="2025-02",
    rule="equal_width",
    cohort_size=32,
    star_probability=0.999,
    borderline=False,
    out_of_range=None,
    no_star_because=None,
    reasons=(),
    link=LINK,
    files={"windows.jsonl": "a" * 64},
    scorekit_version="0.1.0",
)


def official(**changes: Any) -> LabelFacts:
    """An official label with some facts changed."""
    return dataclasses.replace(OFFICIAL, **changes)


def local(**changes: Any) -> LabelFacts:
    """A local label with some facts changed."""
    facts: dict[str, Any] = {"kind": "local", "edition": None, "link": None, "reasons": REASONS, "cohort_size": 3}
    return official(**facts | changes)


def unrated(**changes: Any) -> LabelFacts:
    """A label of a comparable result that the edition has no star for."""
    reason = Reason(code="edition", message="edition 2025-02 has no thresholds for reasoning")
    facts: dict[str, Any] = {"kind": "unrated", "stars": None, "edition": None, "task": "reasoning"}
    return official(**facts | {"reasons": (reason,), "no_star_because": reason.message} | changes)
