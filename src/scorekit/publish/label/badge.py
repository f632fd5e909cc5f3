"""A label as a badge: the JSON that shields.io draws one from (https://shields.io/badges/endpoint-badge)."""

from __future__ import annotations

import json
from typing import Any, Final

from scorekit.publish.label import wording
from scorekit.publish.label.characters import clean
from scorekit.publish.label.facts import LabelFacts

_GREEN: Final = "15803d"
_GREY: Final = "5b636a"
_AMBER: Final = "b45309"


def badge(facts: LabelFacts) -> dict[str, Any]:
    """The endpoint's JSON; only an official one is green and counts stars in signs."""
    energy = wording.energy(facts)
    message = f"{energy} Wh per 1k queries" if energy != wording.UNKNOWN else "energy unknown"
    if facts.kind == "official" and facts.stars is not None:
        signs = "\u2605" * facts.stars + "\u2606" * (5 - facts.stars)
        note = ", borderline" if facts.borderline else ""
        return _document("AI energy score", f"{signs} {message} ({clean(facts.edition or '')}{note})", _GREEN)
    if facts.kind == "unrated":
        return _document("AI energy score", f"no star, {message}", _GREY)
    return _document(f"energy, {wording.LOCAL_WORDS}", message, _AMBER)


def badge_text(facts: LabelFacts) -> str:
    """The same as text."""
    return json.dumps(badge(facts), ensure_ascii=False, indent=2) + "\n"


def _document(label: str, message: str, color: str) -> dict[str, Any]:
    return {"schemaVersion": 1, "label": label, "message": message, "color": color}
