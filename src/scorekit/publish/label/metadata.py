"""A label's facts for machines: JSON-LD in schema.org's terms, as an Observation."""

from __future__ import annotations

import json
import math
from typing import Any

from scorekit.publish.label import wording
from scorekit.publish.label.facts import LabelFacts
from scorekit.units import QUERIES_PER_SCORE


def json_ld(facts: LabelFacts) -> dict[str, Any]:
    """The facts as a JSON-LD document; what is not known is left out, and named in `unknown`.

    An Observation is a QuantitativeValue, so its value and unit stand in it directly. What schema.org has no term for
    is a PropertyValue.
    """
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Observation",
        "name": wording.title(facts),
        "description": wording.description(facts),
        "measuredProperty": {
            "@type": "Property",
            "name": "inference energy",
            "description": f"energy of {QUERIES_PER_SCORE:,} queries",
        },
        "unitText": wording.UNIT,
    }
    model: dict[str, Any] = {"@type": "SoftwareApplication", "name": facts.model}
    if facts.provider is not None:
        model["creator"] = {"@type": "Organization", "name": facts.provider}
    if facts.revision is not None:
        model["softwareVersion"] = facts.revision
    unknown = []
    if not facts.model:
        unknown.append("model")
    else:
        document["observationAbout"] = model
    energy = facts.energy_wh
    if energy is None:
        unknown.append("value")
    else:
        document["value"] = energy
        margin = None if facts.uncertainty_percent is None else energy * (facts.uncertainty_percent / 100)
        if margin is not None and math.isfinite(margin):
            document["marginOfError"] = {
                "@type": "QuantitativeValue",
                "value": margin,
                "unitText": wording.UNIT,
                "description": "half of the 95 % interval, with the cohort's own board left as it is",
            }
    if facts.scored is None:
        unknown.append("observationDate")
    else:
        document["observationDate"] = facts.scored.isoformat()
    if facts.link is not None:
        document["url"] = facts.link
    properties = _properties(facts)
    unknown += [name for name in ("task", "hardware", "domain", "uncertainty") if properties[name] is None]
    document["additionalProperty"] = [
        {"@type": "PropertyValue", "propertyID": f"scorekit:{name}", "name": name.replace("_", " "), "value": value}
        for name, value in properties.items()
        if value is not None
    ]
    if unknown:
        document["additionalProperty"].append(
            {"@type": "PropertyValue", "propertyID": "scorekit:unknown", "name": "unknown", "value": unknown}
        )
    return document


def json_ld_text(facts: LabelFacts) -> str:
    """The document in ASCII on one line, without signs that XML or HTML would read."""
    text = json.dumps(json_ld(facts), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _properties(facts: LabelFacts) -> dict[str, Any]:
    local = facts.kind == "local"
    return {
        "kind": wording.LOCAL_WORDS if local else facts.kind,
        "stars": facts.stars,
        "stars_are": None if facts.stars is None else "official" if facts.kind == "official" else "local",
        "no_star_because": None if facts.stars is not None else wording.no_star(facts),
        "no_official_star_because": [reason.message for reason in facts.reasons] or None,
        "edition": facts.edition,
        "rule": facts.rule,
        "cohort_size": facts.cohort_size,
        "star_probability": facts.star_probability,
        "borderline": facts.borderline,
        "out_of_range": facts.out_of_range,
        "task": facts.task,
        "model_class": facts.model_class,
        "hardware": facts.hardware,
        "gpu_count": facts.gpu_count,
        "domain": facts.domain,
        "origin": facts.origin,
        "uncertainty": facts.uncertainty_percent,
        "queries": facts.queries,
        "repeats": facts.runs,
        "dataset": facts.dataset,
        "files_sha256": facts.files or None,
        "scorekit_version": facts.scorekit_version,
    }
