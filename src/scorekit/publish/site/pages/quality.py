"""Energy and quality: models by what they take and how well they answer, and the Pareto front of each metric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from scorekit.publish.charts import SharedSpecs, figure, quality_chart
from scorekit.publish.site import quality
from scorekit.publish.site.content import Site
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page, script_data
from scorekit.publish.site.quality import Group

PATH: Final = "quality.html"
SPECS_PATH: Final = "data/quality-specs.js"
MOST_GROUPS: Final = 60
"""So many groups are shown, those of most models first; all figures are in the data."""


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The page; without groups it says how a site comes by them."""
    found = quality.figures(site)
    largest = sorted(found.groups, key=lambda group: -len(group.standings))[:MOST_GROUPS]
    kept = {group.key for group in largest}
    shared = SharedSpecs()
    groups = [(group, _chart(group, shared)) for group in found.groups if group.key in kept]
    if shared.specs:
        yield script_data("chartSpecs", shared.specs, SPECS_PATH)
    yield Page(
        PATH,
        "Energy and quality",
        "quality.html",
        "quality",
        {
            "groups": groups,
            "left_out": len(found.groups) - len(groups),
            "figures": found,
            "measures": list(dict.fromkeys(group.measure.title for group, _ in groups)),
        },
        description="Models by the energy they take and the quality of their answers, with the Pareto front.",
        scripts=(*((SPECS_PATH,) if shared.specs else ()), *CHART_SCRIPTS, "assets/groups.js"),
        styles=(*CHART_STYLES, "assets/groups.css", "assets/quality.css"),
    )


def _chart(group: Group, shared: SharedSpecs) -> Markup | None:
    """None where there is nothing to compare."""
    if len(group.standings) == 1:
        return None
    title = f"{group.measure.title}: energy and quality, {group.cohort.title}, {group.kind}"
    chart = quality_chart(quality.points(group), higher_is_better=group.measure.higher_is_better, title=title)
    return figure(chart, f"chart-{group.key}", shared=shared)
