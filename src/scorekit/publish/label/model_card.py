"""The block for a model card: YAML that the Hub reads, where its fields fit, and Markdown for people.

The Hub's `model-index` holds results of evaluations: a task, a dataset, a metric and its source. An official energy
fits there. Its `co2_eq_emissions` holds the emissions of training, in grams; the energy of inference is something else,
and is not written there.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from scorekit import tasks
from scorekit.publish.label import wording
from scorekit.publish.label.characters import clean
from scorekit.publish.label.facts import LabelFacts
from scorekit.units import QUERIES_PER_SCORE

METRIC: Final = "energy_wh_per_1000_queries"
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]|~$<>&])")


def card(facts: LabelFacts) -> str:
    """Front matter, where there is any, and a section to be put into a model card."""
    index = model_index(facts)
    front = "" if index is None else f"---\nmodel-index:\n{_yaml([index])}---\n\n"
    return front + _section(facts)


def model_index(facts: LabelFacts) -> dict[str, Any] | None:
    """The entry of `model-index`.

    None for a result that is not comparable, which would there look like one that is, and where the dataset or the
    task is not known, without which the Hub takes no entry.
    """
    if facts.kind == "local" or facts.dataset is None or facts.task is None or facts.energy_wh is None:
        return None
    metric: dict[str, Any] = {
        "type": METRIC,
        "name": f"Inference energy (Wh per {QUERIES_PER_SCORE:,} queries)",
        "value": facts.energy_wh,
    }
    result: dict[str, Any] = {
        "task": {"type": tasks.find(facts.task).hf_task, "name": clean(wording.task(facts))},
        "dataset": {"type": clean(facts.dataset), "name": clean(facts.dataset)},
        "metrics": [metric],
    }
    if facts.link is not None:
        result["source"] = {"name": "Energy result, to be verified", "url": facts.link}
    return {"name": clean(facts.name or ""), "results": [result]}


def _section(facts: LabelFacts) -> str:
    energy = wording.energy(facts)
    figure = energy if energy == wording.UNKNOWN else f"{energy} {wording.UNIT}"
    rows = [
        ("Inference energy", figure),
        ("Uncertainty", wording.uncertainty(facts)),
        ("Covers", wording.covers(facts)),
        ("Stars", wording.stars(facts)),
        ("Edition", clean(facts.edition or "") or "none"),
        # Without an edition the rule is one among those given; with no star none was used.
        ("Rule", "none" if facts.edition is None and facts.stars is None else clean(facts.rule)),
        ("Task", wording.task(facts)),
        ("Hardware", wording.hardware(facts)),
        ("Scored", wording.month(facts)),
    ]
    if facts.borderline:
        rows.insert(4, ("Borderline", "by the uncertainty the star may be another one"))
    if facts.kind != "official":
        rows.append(("Why no official star", wording.reasons(facts) or wording.no_star(facts)))
    lines = ["## Energy of inference", ""]
    if facts.kind == "local":
        lines += [f"**{wording.LOCAL_WORDS.capitalize()} with official ones.**", ""]
    lines += ["| | |", "|---|---|", *(f"| {name} | {_markdown(value)} |" for name, value in rows)]
    if facts.link is not None:
        lines += ["", f"[Verify this score](<{facts.link}>)"]
    return "\n".join(lines) + "\n"


def _markdown(text: str) -> str:
    """Text that Markdown takes as it is, HTML included."""
    return _MARKUP.sub(r"\\\1", text)


def _yaml(value: Any, depth: int = 1) -> str:
    """Lists and mappings as YAML; a scalar as JSON, which YAML reads too."""
    indent = "  " * depth
    if isinstance(value, list):
        return "".join(f"{indent}- {_yaml(item, depth + 1).lstrip(' ')}" for item in value)
    lines = []
    for key, item in value.items():
        if isinstance(item, dict | list):
            lines.append(f"{indent}{key}:\n{_yaml(item, depth + 1)}")
        else:
            lines.append(f"{indent}{key}: {json.dumps(item, ensure_ascii=False)}\n")
    return "".join(lines)
