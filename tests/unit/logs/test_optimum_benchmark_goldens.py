"""Small logs of optimum-benchmark that are kept, with the result that each must give.

`SCOREKIT_WRITE_GOLDENS=1` writes the results anew, to be read through before they are committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scorekit.logs.foreign import optimum_benchmark, optimum_benchmark_v0
from scorekit.logs.places import Place
from scorekit.records import Result
from tests.golden import make

LOGS = Path(make.__file__).parent / "logs"
READERS: dict[str, Any] = {"optimum_benchmark": optimum_benchmark, "optimum_benchmark_v0": optimum_benchmark_v0}
CASES = [(name, case.name) for name in READERS for case in sorted((LOGS / name).iterdir()) if (case / "log").is_dir()]


def _read(name: str, case: str) -> Result:
    reader = READERS[name]
    place = Place.of_folder(LOGS / name / case / "log", case)
    assert reader.recognises(place)
    (result,) = reader.read(place)
    assert isinstance(result, Result)
    return result


@pytest.mark.parametrize(("name", "case"), CASES)
def test_golden_logs_give_the_result_beside_them(name: str, case: str) -> None:
    told = json.loads(_read(name, case).model_dump_json())
    del told["source"]["scorekit_version"]
    path = LOGS / name / case / "expected.json"
    if os.environ.get("SCOREKIT_WRITE_GOLDENS") == "1":
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    expected = json.loads(path.read_text(encoding="utf-8"))
    assert _rounded(told) == _rounded(expected)


@pytest.mark.parametrize(
    ("name", "case", "wh_per_1000", "faults"),
    [
        # 0.1 of preparing, and generate passes of 3.0 on average.
        ("optimum_benchmark_v0", "text_generation", 3.1, []),
        ("optimum_benchmark_v0", "watt_hours", 3.1, []),
        # Without the repeats 5 and 8 of 3.0 each: eight of 3.0 on average.
        (
            "optimum_benchmark_v0",
            "zero_double_negative",
            3.1,
            [("lost_prefill", 2), ("lost_prefill", 2), ("zero_energy", 5), ("lost_generate", 8)],
        ),
        ("optimum_benchmark_v0", "forward_without_config", None, []),
        ("optimum_benchmark", "text_generation", 5.1, []),
        # 50.1 Wh of 100 images.
        ("optimum_benchmark", "text_to_image", 501, []),
        ("optimum_benchmark", "lost_generate", None, [("lost_generate", None)]),
        ("optimum_benchmark", "idle_gpus", None, [("idle_gpus", None)]),
        # The golden runs generate_h100 and forward_cpu, whose scores these are.
        ("optimum_benchmark", "scorekit", 8.0, []),
        ("optimum_benchmark", "scorekit_cpu", 0.75, []),
    ],
)
def test_golden_logs_hold_these_figures(
    name: str, case: str, wh_per_1000: float | None, faults: list[tuple[str, int | None]]
) -> None:
    result = _read(name, case)
    assert result.wh_per_1000_queries == (None if wh_per_1000 is None else pytest.approx(wh_per_1000))
    assert [(fault.code, fault.repeat) for fault in result.faults] == faults


def test_every_golden_log_is_told_a_figure() -> None:
    marks = test_golden_logs_hold_these_figures.pytestmark  # type: ignore[attr-defined]
    assert {(name, case) for name, case, *_ in marks[0].args[1]} == set(CASES)


def _rounded(value: Any) -> Any:
    """The same with figures of twelve digits: the order of a sum is no matter of the result."""
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value
