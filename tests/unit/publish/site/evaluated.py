"""Sites of results with figures of quality, made up."""

from __future__ import annotations

from typing import Any

from scorekit.logs import result_of
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.records import Quality, QualityFigure, QualitySource, Result
from scorekit.store.quality import Attached, InForce
from tests.bundles import local_score, official_score

ACC: dict[str, Any] = {
    "task": "mmlu", "metric": "acc", "filter": "none", "higher_is_better": True, "stderr": 0.01, "num_fewshot": 5,
    "samples": 14042, "samples_of": 14042,
}  # fmt: skip
SOURCE = QualitySource(name="results.json", sha256="ab" * 32, url="https://example.org/results.json")
OFFICIAL = ("org/small", "org/middle", "org/worse", "org/large")


def in_force(result: Result, number: int, *figures: dict[str, Any], **changes: Any) -> tuple[InForce, ...]:
    """Figures of a result whose id is its number."""
    record = Quality(
        result_sha256=f"{number:064x}"[::-1],
        model=result.model,
        figures=tuple(QualityFigure(**(ACC | one)) for one in figures),
        scorekit_version="0.1.0",
        **({"matched_by": "name", "source": SOURCE} | changes),
    )
    return tuple(InForce(figure, Attached(record, "cd" * 32)) for figure in record.figures)


def site_of(*given: tuple[Result, tuple[dict[str, Any], ...]], changes: dict[str, Any] | None = None) -> Site:
    """Results, each with its figures."""
    results = [result for result, _ in given]
    ids = [f"{number:064x}"[::-1] for number in range(len(given))]
    figures = {
        ids[number]: in_force(result, number, *told, **(changes or {}))
        for number, (result, told) in enumerate(given)
        if told
    }
    return gather(results, None, [], result_ids=[identity[:12] for identity in ids], quality=figures)


def official(model: str, energy_wh: float) -> Result:
    return result_of(official_score(model, energy_wh=energy_wh), f"runs/{model}")


def local(model: str, energy_wh: float, **changes: Any) -> Result:
    return result_of(local_score(model, energy_wh=energy_wh, **changes), f"runs/{model}")


def four() -> Site:
    """Four comparable models, of which the third is worse than the second and takes more."""
    values = zip(OFFICIAL, (1.0, 2.0, 5.0, 9.0), (0.4, 0.55, 0.5, 0.7), strict=True)
    return site_of(*((official(model, wh), ({"value": value},)) for model, wh, value in values))
