"""Golden logs of other tools give what stands beside them, worked out by hand."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from scorekit.logs.places import Place

GOLDEN = Path(__file__).parents[2] / "golden" / "logs"
FORMATS = (
    "ai_energy_benchmarks",
    "batch_csv",
    "codecarbon_csv",
    "codecarbon_json",
    "nvidia_smi_csv",
    "nvidia_smi_dmon",
)
_SUFFIX = ".expected.json"
LOGS = sorted(path for name in FORMATS for path in (GOLDEN / name).iterdir() if not path.name.endswith(_SUFFIX))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_golden_log_gives_what_stands_beside_it(path: Path) -> None:
    reader = import_module(f"scorekit.logs.foreign.{path.parent.name}")
    place = Place.of_file(path)
    assert [name for name in FORMATS if import_module(f"scorekit.logs.foreign.{name}").recognises(place)] == [
        path.parent.name
    ]
    expected = json.loads(path.with_name(path.name + _SUFFIX).read_text(encoding="utf-8"))
    found = [result.model_dump(mode="json") for result in reader.read(place)]
    assert len(found) == len(expected)
    for result, told in zip(found, expected, strict=True):
        result["faults"] = [fault["code"] for fault in result["faults"]]
        _holds(result, told)


def _holds(found: Any, expected: Any) -> None:
    """What is expected stands in what was found, which may hold more."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            _holds(found[name], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected), (found, expected)
        for one, other in zip(found, expected, strict=True):
            _holds(one, other)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9)
    else:
        assert found == expected


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_golden_logs(name: str) -> None:
    assert sum(path.parent.name == name for path in LOGS) >= 2
