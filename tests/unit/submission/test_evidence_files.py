"""The samples of a submission: gaps stay gaps, and what is no column of numbers is refused."""

from __future__ import annotations

import importlib
import json
import math
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorekit import submission
from scorekit.submission import archive, evidence_files
from scorekit.submission.archive import Limits
from scorekit.submission.evidence_files import EvidenceError
from scorekit.validity import DeviceTrace
from tests.bundles import NVML_GPU
from tests.evidence import good_evidence
from tests.unit.submission.made import codes, judge, request, thinned, write_run

Columns = dict[str, Any]


def test_the_run_of_a_long_trace_is_valid_as_it_was_when_one_of_ten_samples_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = good_evidence()
    assert evidence.trace is not None
    samples = evidence.trace.devices[NVML_GPU]
    drawn = random.Random(5)
    late = replace(samples, t_s=[t_s + drawn.uniform(0, 0.005) for t_s in samples.t_s])
    trace = replace(evidence.trace, devices={NVML_GPU: late})
    # The package's function of that name hides the module.
    module = importlib.import_module("scorekit.submission.pack")
    monkeypatch.setattr(module, "MOST_POWER_SAMPLES", len(samples.t_s) // 10)
    folder = write_run(tmp_path / "run", replace(evidence, trace=trace, star_probability=None))
    packed = submission.pack([folder], request())
    power = json.loads(archive.read(packed.content, Limits())["runs/1/power.json"])
    assert power["kept_one_of"] == 10
    verdict = judge(packed.content)
    assert codes(verdict) == set()
    assert [run.validity.valid for run in verdict.runs if run.validity is not None] == [True]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder: Path = write_run(tmp_path_factory.mktemp("run") / "run", thinned(good_evidence()))
    return archive.read(submission.pack([folder], request()).content, Limits())


def _trace(files: dict[str, bytes], change: Callable[[Columns], object]) -> tuple[Columns, DeviceTrace]:
    """The columns of the GPU after a change, and how they are read."""
    document = json.loads(files["runs/1/power.json"])
    (columns,) = document["devices"].values()
    change(columns)
    changed = files | {"runs/1/power.json": json.dumps(document).encode()}
    trace = evidence_files.read(changed, "runs/1").evidence("run").trace_of(NVML_GPU)
    assert trace is not None
    return columns, trace


def test_a_gap_in_a_column_is_no_number_and_is_left_out(files: dict[str, bytes]) -> None:
    columns, trace = _trace(files, lambda found: found["power_w"].__setitem__(3, None))
    assert math.isnan(trace.power_w[3])
    everything = (-math.inf, math.inf)
    assert list(trace.values("power_w", *everything)) == [watts for watts in columns["power_w"] if watts is not None]
    assert list(trace.times("power_w", *everything)) == columns["t_s"][:3] + columns["t_s"][4:]
    assert list(trace.values("counter_mj", *everything)) == columns["counter_mj"]


def test_columns_without_a_gap_are_read_as_they_are(files: dict[str, bytes]) -> None:
    columns, trace = _trace(files, lambda _: None)
    for name, values in columns.items():
        assert list(getattr(trace, name)) == values


@pytest.mark.parametrize(
    ("period_s", "known"), [(0.001, True), (600, True), (None, True), (0, False), (-0.1, False), (601, False)]
)
def test_the_period_is_one_that_a_power_is_sampled_at(
    files: dict[str, bytes], period_s: float | None, known: bool
) -> None:
    document = json.loads(files["runs/1/power.json"]) | {"period_s": period_s}
    changed = files | {"runs/1/power.json": json.dumps(document).encode()}
    if known:
        trace = evidence_files.read(changed, "runs/1").evidence("run").trace
        assert trace is not None
        assert trace.period_s == period_s
        return
    with pytest.raises(EvidenceError, match="it is no PackedPower of this version: period_s") as error:
        evidence_files.read(changed, "runs/1")
    assert error.value.file == "runs/1/power.json"


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["t_s"].__setitem__(3, None),
        lambda found: found["power_w"].__setitem__(3, "70"),
        lambda found: found["power_w"].__setitem__(slice(3, 5), [None, "70"]),
        lambda found: found["power_w"].__setitem__(3, 2.0**101),
        lambda found: found["power_w"].__setitem__(slice(3, 5), [None, 10**400]),
        lambda found: found["power_w"].pop(),
        lambda found: found["t_s"].reverse(),
        lambda found: found.pop("reasons"),
    ],
    ids=["no time", "text", "text and a gap", "too large", "far too large", "shorter", "falling times", "no column"],
)
def test_what_is_no_column_of_numbers_is_refused(files: dict[str, bytes], change: Callable[[Columns], object]) -> None:
    with pytest.raises(EvidenceError) as error:
        _trace(files, change)
    assert error.value.file == "runs/1/power.json"
