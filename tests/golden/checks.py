"""Write what every check says of every spoilt run: `python -m tests.golden.checks`, into tests/golden/checks.json.

What a check says, and the figures that it gives, is what a person reads who measured, and what programs read in
validity.json. A change of either shows in the difference of that file, and is made on purpose or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scorekit.validity import CHECKS
from tests.evidence import check_of, cpu_evidence, good_evidence
from tests.unit.validity.spoilt import CASES

FILE = Path(__file__).with_suffix(".json")
DIGITS = 9
"""After the point of a figure; further ones may be other ones with another C library."""


def said(name: str) -> list[dict[str, Any]]:
    """What one check says of good runs and of those that are spoilt for it, in the order of their table."""
    changes = [change for check, change, _, _ in CASES if check == name]
    runs = [("a good run", good_evidence()), ("a good run on a CPU", cpu_evidence())]
    runs += [(f"spoilt run {number}", change(good_evidence())) for number, change in enumerate(changes, start=1)]
    rows = []
    for run, evidence in runs:
        told = check_of(evidence, name).model_dump(mode="json", exclude={"number", "name"})
        rows.append({"check": name, "of": run, **_rounded(told)})
    return rows


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def text() -> str:
    """The file's."""
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for check in CHECKS for row in said(check.__name__))
    return f"[\n{rows}\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
