"""Writes vectors.json: results of the calculator and of impacts, to check another implementation by.

`python -m tests.golden.impact.make`, from the root of the repository. A page has the same data from
`scorekit.impacts.page_data()`, and must come to the same figures to a relative difference of 1e-9. The vectors belong
to the release of ecologits that constraints.txt pins.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scorekit import impacts

PATH = Path(__file__).with_name("vectors.json")
SCHEMA = "scorekit.impact-vectors/1"
# A range, one number, a deployment with a known speed, several GPUs, a PUE that is a range, and an alias.
MODELS = {
    "ecologits": ("gpt-4o", "gpt-35-turbo", "claude-opus-4-5", "mistral-small-2603", "c4ai-aya-expanse-32b"),
    "ecologits-0.8": ("gpt-4o", "gpt-3.5", "gpt-4", "gpt-4-turbo", "gpt-4o-mini"),
}
# Own data throughout; the world's water; the world's ADPe, PE and water; no GWP either; the world itself.
ZONES = {"ecologits": ("FRA", "ZAF", "ABW", "CAF", "WOR"), "ecologits-0.8": ("FRA", "WOR", "ZAF", "ZMB")}


def vectors() -> dict[str, Any]:
    """Inputs with what must come out of them."""
    return {
        "schema_version": SCHEMA,
        "relative_difference": 1e-9,
        "calculations": [
            _calculation(edition, name, text)
            for edition in MODELS
            for name in MODELS[edition]
            for text in impacts.TEXTS
        ],
        "footprints": [_footprint(edition, code) for edition in ZONES for code in ZONES[edition]],
    }


def _calculation(edition: str, name: str, text: str) -> dict[str, Any]:
    method = impacts.find_method(edition)
    mix = impacts.find_mix(method.mix)
    model = impacts.find_model(method.models, name, method.name)
    tokens = impacts.TEXTS[text].tokens
    found = impacts.calculate(model, method, tokens, impacts.find_zone(mix, "FRA"), mix)
    return {
        "method": method.name,
        "provider": model.provider,
        "model": model.name,
        "tokens": tokens,
        "mix": mix.name,
        "zone": "FRA",
        "origin": found.origin,
        "terms_wh": {each.name: _pair(each.energy_wh) for each in found.footprint.terms},
        "energy_wh": _pair(found.footprint.energy_wh),
        "impacts": _impacts(found.footprint),
        "making": {each.name: _pair(each.value) for each in found.making},
    }


def _footprint(edition: str, code: str) -> dict[str, Any]:
    mix = impacts.find_mix(edition)
    found = impacts.footprint([impacts.term("given", 35.0, "given")], impacts.find_zone(mix, code), mix)
    return {
        "energy_wh": 35.0,
        "mix": mix.name,
        "zone": code,
        "impacts": _impacts(found),
        "with_world_factor": {each.name: _pair(each.with_world_factor) for each in found.figures},
    }


def _impacts(found: impacts.Footprint) -> dict[str, Any]:
    return {figure.name: _pair(figure.value) for figure in found.figures}


def _pair(value: impacts.Range | None) -> list[float] | None:
    return None if value is None else [value.low, value.high]


def write(path: Path = PATH) -> None:
    path.write_text(json.dumps(vectors(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
