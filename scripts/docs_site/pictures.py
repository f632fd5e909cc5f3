"""Pictures that need no browser: labels and charts, drawn by scorekit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHART_WIDTH_PX: Final = 720


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the site.

    Attributes:
        about: what it shows, for those who do not see it.
        caption: what stands below it.
        suffix: of its file.
        has_looks: whether there is one for light and one for dark pages.
    """

    about: str
    caption: str
    suffix: str = "svg"
    has_looks: bool = False


CHARTS: Final = {
    "chart-cohort": ("cohort", {"task": "text_generation", "model_class": "A"}, "the energy of each model of a class"),
    "chart-tasks": ("tasks", {}, "the energies of each task"),
}
"""By picture: the chart's name, what it is asked, and what it shows."""


def make(folder: Path) -> dict[str, Picture]:
    """Draw all of them into a folder; what was drawn, by name."""
    # Only who draws waits for what draws.
    from scripts.docs_site import demonstration

    from scorekit.editions import FEBRUARY_2025
    from scorekit.publish import charts
    from scorekit.publish.charts import registry
    from scorekit.publish.label import label_facts
    from scorekit.publish.label.svg import svg as label_svg
    from scorekit.rating import rate_scores

    folder.mkdir(parents=True)
    score = demonstration.score()
    made = {}
    for name, edition, link, kind in (
        ("label", FEBRUARY_2025, "https://example.org/results/3f9a", "an official label"),
        ("label-local", None, None, "a local label"),
    ):
        (rating,) = rate_scores([score], edition)
        facts = label_facts(rating, score, link)
        (folder / f"{name}.svg").write_text(label_svg(facts), encoding="utf-8")
        made[name] = Picture(f"An energy label: {kind}", f"{kind[0].upper()}{kind[1:]} of a model that is made up.")
    for name, (chart_name, asked, about) in CHARTS.items():
        chart = registry.find(chart_name).make(registry.Asked(site=demonstration.site, **asked))  # type: ignore[arg-type]
        for look in ("light", "dark"):
            drawn = charts.svg(chart, charts.LOOKS[look], _CHART_WIDTH_PX)
            (folder / f"{name}-{look}.svg").write_text(drawn, encoding="utf-8")
        caption = f"The chart {chart_name}: {about}, of results that are made up."
        made[name] = Picture(f"A chart: {about}", caption, has_looks=True)
    return made
