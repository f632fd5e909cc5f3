"""A part of a GPU machine's validation from its model to the report, under the fake NVML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from scripts import validate_gpu
from scripts.validation import build, parts
from scripts.validation.parts import PARTS, Setup

from scorekit import bundle
from scorekit.errors import EXIT_DONE, EXIT_INVALID
from tests.e2e.conftest import run_inprocess
from tests.fake_nvml import FakeNvml


def test_an_architecture_is_built_measured_and_reported(
    tmp_path: Path, fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvml_here.set(tick_ms=100, tick_phase_ms=37, power_w=300)

    def here(arguments: Sequence[str], log: Path, _limit_s: float, accept: Sequence[int] = (0,), gpu: int = 0) -> int:
        """In this process, which has the libraries already."""
        log.parent.mkdir(parents=True, exist_ok=True)
        if arguments[1] == "scripts.validation.build":
            return build.main([*arguments[2:]])
        # CodeCarbon finds out once a process whether there are GPUs.
        words = ["scenario.meters=[nvml]" if word.startswith("scenario.meters=") else word for word in arguments[3:]]
        result = run_inprocess(words, tmp_path)
        log.write_text(result.told(), encoding="utf-8")
        assert result.rc in accept, result.told()
        return result.rc

    monkeypatch.setattr(parts, "run", here)
    setup = Setup("cpu", 0, True, tmp_path / "out", tmp_path / "cache", 40)
    (part,) = [part for part in PARTS if part.name == "minilm"]
    code = validate_gpu.validate(setup, [part], 25, {})
    # A busy machine may spoil a window of a second, but never the way through.
    assert code in (EXIT_DONE, EXIT_INVALID)
    told = json.loads((setup.out / "report.json").read_text(encoding="utf-8"))["parts"][0]
    assert (told["name"], told["state"], told["data"]["task"]) == ("minilm", "done", "sentence_similarity")
    assert told["data"]["wh_per_1000"] > 0
    assert len(told["data"]["by_repeat"]) == 2
    assert [row["phase"] for row in told["data"]["meters"]] == ["forward", "forward"]
    text = (setup.out / "report.md").read_text(encoding="utf-8")
    assert "| minilm | sentence_similarity | avsolatorio/GIST-all-MiniLM-L6-v2 |" in text
    assert "a rehearsal on tiny shapes and the CPU" in text
    assert (setup.out / "bundles" / "minilm" / bundle.WINDOWS).is_file()
    # The weights are gone when they were measured.
    assert not (setup.cache / "minilm").exists()
    assert fake_nvml_here.setter_calls() == []
