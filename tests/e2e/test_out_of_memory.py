"""A GPU whose memory runs out in mid-run: the run ends with that, and keeps what it had measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scorekit import bundle
from scorekit.errors import EXIT_FAILED
from scorekit.sweep import failures
from tests.e2e.conftest import INLINE, Tiny, bench_arguments, run_inprocess


def test_memory_that_runs_out_in_the_second_repeat_ends_the_run_and_keeps_the_first(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from scorekit.measuring import bridge

    bridge.apply()
    from optimum_benchmark.backends.pytorch.backend import PyTorchBackend

    run = tmp_path / "run"
    forward = PyTorchBackend.forward

    def until_it_is_full(self: Any, inputs: Any, kwargs: Any) -> Any:
        windows = run / bundle.WINDOWS
        if windows.is_file() and '"phase":"forward"' in windows.read_text(encoding="utf-8"):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...")
        return forward(self, inputs, kwargs)

    monkeypatch.setattr(PyTorchBackend, "forward", until_it_is_full)
    arguments = bench_arguments(tiny, "text_classification", INLINE, "scenario.runs=2", f"hydra.run.dir={run}")
    result = run_inprocess(arguments, tmp_path)
    assert result.rc == EXIT_FAILED, result.told()
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert "the GPU ran out of memory at sample 0: CUDA out of memory" in line
    assert "scenario.input_shapes.batch_size" in result.stderr
    assert failures._MEMORY.search(line)
    assert "Traceback" not in result.stdout + result.stderr
    # The first repeat is there, and nobody takes it for a whole run.
    assert (run / bundle.WINDOWS).read_text(encoding="utf-8").count('"phase":"forward"') == 1
    assert "out of memory" in (run / bundle.INCOMPLETE).read_text(encoding="utf-8")
    assert not (run / bundle.SCORE).exists()
    assert not (run / bundle.MANIFEST).exists()
