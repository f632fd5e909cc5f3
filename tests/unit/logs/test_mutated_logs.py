"""1,000 damaged logs of every format: each is read right or refused with the file named, and none ends in a traceback.

The seeds are fixed, so that every run damages the same.
"""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any, Final

import pytest

from scorekit import logs
from scorekit.errors import ScorekitError
from scorekit.logs import Refusal
from scorekit.records import Result
from scorekit.units import kwh_to_wh, per_1000
from tests.bundles import environment, official_windows, write_bundle
from tests.unit.logs.mutations import mutations

WRITERS: Final = (
    "ai_energy_benchmarks",
    "batch_csv",
    "codecarbon_csv",
    "codecarbon_json",
    "nvidia_smi_csv",
    "nvidia_smi_dmon",
    "optimum_benchmark",
    "optimum_benchmark_v0",
)
COUNT: Final = 1000
PARTS: Final = 10


def _corpus(folder: Path) -> dict[str, dict[str, bytes]]:
    """One valid log of every format: the content of its files by name."""
    found = {name: dict(importlib.import_module(f"tests.log_writers.{name}").example()) for name in WRITERS}
    run = write_bundle(folder / "run", environment(), official_windows())
    found["run"] = {path.name: path.read_bytes() for path in run.iterdir()}
    return found


def _check(found: logs.Found, label: str) -> None:
    if isinstance(found, Refusal):
        assert isinstance(found.error, ScorekitError)
        assert found.error.message
        assert "cannot be worked with" not in found.error.message, "a reader expects whatever a stranger may write"
        assert label in f"{found.label} {found.error.message}", found
        return
    assert isinstance(found, Result)
    assert (found.wh_per_1000_queries is None) == (found.refused is not None)
    if found.energy_kwh is None:
        assert found.refused
        return
    assert math.isfinite(found.energy_kwh)
    assert found.energy_kwh > 0
    figure = found.corrected or found.published
    assert found.energy_kwh == figure.energy_kwh
    if found.wh_per_1000_queries is not None:
        assert found.queries is not None
        assert found.wh_per_1000_queries == pytest.approx(per_1000(kwh_to_wh(found.energy_kwh), found.queries))
    # What cannot be told is said, and never taken for something.
    told: dict[str, Any] = found.model_dump()
    for name in found.unknown:
        assert told.get(name) is None


@pytest.mark.parametrize("part", range(PARTS))
def test_a_damaged_log_is_read_right_or_refused(part: int, tmp_path: Path) -> None:
    corpus = _corpus(tmp_path)
    names = sorted(corpus)
    for seed in range(part, COUNT, PARTS):
        # Each format in turn, and of its files each in turn.
        name = names[seed // PARTS % len(names)]
        files = corpus[name]
        readable = sorted(file for file in files if file.endswith((".json", ".jsonl", ".csv", ".log", ".txt")))
        damaged = readable[seed // (PARTS * len(names)) % len(readable)]
        kind = "csv" if damaged.endswith((".csv", ".log", ".txt")) else "json"
        folder = tmp_path / f"log{seed}"
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_bytes(mutations(seed, content, kind) if file == damaged else content)  # type: ignore[arg-type]
        for found in logs.read_logs([folder]):
            _check(found, folder.name)


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_is_recognised_by_its_own_reader_alone(name: str, tmp_path: Path) -> None:
    module = importlib.import_module(f"scorekit.logs.foreign.{name}")
    from scorekit.logs.places import Place

    for file, content in importlib.import_module(f"tests.log_writers.{name}").example().items():
        (tmp_path / file).write_bytes(content)
    places = [Place.of_folder(tmp_path), *(Place.of_file(path) for path in sorted(tmp_path.iterdir()))]
    claimed = {reader.format for place in places for reader in logs.FOREIGN if reader.recognises(place)}
    beside = {"codecarbon-json/1"} if name == "optimum_benchmark" else set()
    assert module.FORMAT in claimed
    assert claimed <= {module.FORMAT} | beside


def test_all_formats_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    for name in WRITERS:
        (tmp_path / name).mkdir()
        for file, content in importlib.import_module(f"tests.log_writers.{name}").example().items():
            (tmp_path / name / file).write_bytes(content)
    found = list(logs.read_logs([tmp_path]))
    assert not [refusal for refusal in found if isinstance(refusal, Refusal)]
    formats = {result.source.format for result in found if isinstance(result, Result)}
    assert formats == {reader.format for reader in logs.FOREIGN}
