"""A model of class A that is asked for on two GPUs in a run of the protocol: refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.errors import EXIT_USAGE
from tests.e2e.conftest import Tiny, bench_arguments, run_inprocess
from tests.fake_nvml import FakeNvml

OFFICIAL = ["scenario.num_samples=1000", "scenario.runs=10"]
ON_TWO = ["backend.device=cuda", "backend.device_ids='0,1'"]


@pytest.mark.parametrize(
    ("arguments", "told", "mend"),
    [
        ([*OFFICIAL, *ON_TWO, "backend.device_map=auto"], "of class A", "backend.device_ids=0"),
        (ON_TWO, "it would lie on the first alone", "backend.device_map=auto"),
    ],
    ids=["class A", "not spread"],
)
def test_it_is_refused_in_one_line_with_its_mend(
    tiny: Tiny,
    tmp_path: Path,
    fake_nvml_here: FakeNvml,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
    mend: str,
) -> None:
    import torch

    monkeypatch.setattr(torch.version, "cuda", "12.8")
    fake_nvml_here.set(gpus=2)
    run = tmp_path / "run"
    result = run_inprocess(bench_arguments(tiny, "text_classification", *arguments, f"hydra.run.dir={run}"), tmp_path)
    assert result.rc == EXIT_USAGE, result.told()
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert told in line
    assert mend in result.stderr
    assert "Traceback" not in result.told()
    assert not run.exists()
