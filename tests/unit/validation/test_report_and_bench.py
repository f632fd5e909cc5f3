"""What a part hands to `scorekit bench`, and what the report makes of the parts."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from scripts import validate_gpu
from scripts.validation import architectures, parts, report
from scripts.validation.parts import PARTS
from scripts.validation.records import Outcome
from scripts.validation.running import PartError

from scorekit.measuring import launcher
from tests.unit.validation.conftest import benched, setup_in


def test_the_report_tells_all_that_was_found_and_marks_what_is_far_off() -> None:
    seen = {"changes": 80, "median_ms": 200.0, "from_ms": 99.0, "to_ms": 301.0, "read_every_ms": 1.1}
    found = {"counter": seen, "power": seen, "counter_w": 71.0, "power_w": 70.5}
    row = {"what": "  work", "reference": "without", "unit": "s", "runs": 2, "ours": [2.0], "theirs": [1.0]}
    outcomes = {
        "machine": Outcome("machine", "done", data={"doctor": {"machine": {"gpus": [{"index": 0, "facts": None}]}}}),
        "ticks": Outcome("ticks", "done", data={"at_rest": found, "busy": found}),
        "gpt2": Outcome("gpt2", "done", data=benched()),
        "minilm": Outcome("minilm", "done", data=benched(valid=False, failed=["window_length: too short"])),
        "repeatability": Outcome("repeatability", "done", data=benched(by_repeat=[5.0] * 10, outliers=[3])),
        "overhead": Outcome("overhead", "done", data={"rows": [{**row, "ratio_median": 2.0}]}),
        "detr": Outcome("detr", "failed", "it ended with code 1", last_lines=("error: the GPU ran out of memory",)),
        "llama-8b": Outcome("llama-8b", "left out", "25 minutes do not suffice"),
    }
    text = report.markdown(outcomes, {"made": "today"}, {})
    assert "- made: today" in text
    assert "6 done, 1 failed, 1 left out" in text
    assert (
        "| gpt2 | text_generation | openai-community/gpt2 | 124 M | float16, sdpa | 5 | 2.8 % | 2 | 2.50 (look) |"
        in text
    )
    assert "+2.50 % | +2.50 % (look) | -0.50 % | -0.50 % |" in text
    assert "| counter, busy | 80 | 200 ms (look) | 99 to 301 ms | 1.1 ms |" in text
    assert "- minilm: window_length: too short" in text
    assert "10 repeats" in text
    assert "- outliers: 3" in text
    assert "      error: the GPU ran out of memory" in text
    assert "- llama-8b: 25 minutes do not suffice" in text
    assert "median 110.0 W" in text


def test_a_published_energy_of_a_file_goes_before_that_of_the_script(tmp_path: Path) -> None:
    file = tmp_path / "edition.csv"
    file.write_text("task,model,gpu_energy_wh_per_1000_queries\ntext_generation,openai-community/gpt2,10\n", "utf-8")
    published = validate_gpu._published(file)
    assert report.ratio(benched(), published) == pytest.approx(0.5)
    assert report.ratio(benched(), {}) == pytest.approx(2.5)
    assert report.ratio(benched(published_wh=None), {}) is None


def test_arguments_follow_the_protocol_on_a_gpu_and_name_it_by_hand_beside_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_count", lambda data: 64)
    gpt2 = architectures.ARCHITECTURES["gpt2"]
    run = tmp_path / "run"
    real = parts.bench_arguments(gpt2, setup_in(tmp_path, device="cuda", tiny=False, gpu=2), run, repeats=2)
    asked = {"backend.device=cuda", "backend.device_ids=2", "scenario.min_window_s=11", "scenario.num_samples=64"}
    assert asked <= {*real}
    # The dtype, the lengths of answers and the rest are those of the official config.
    own = ("backend.torch_dtype", "scenario.generate_kwargs", "launcher")
    assert not [word for word in real if word.startswith(own)]
    rehearsed = parts.bench_arguments(gpt2, setup_in(tmp_path), run, repeats=2)
    assert {"backend.device=cpu", "scenario.gpus=[0]", "launcher=inline"} <= {*rehearsed}


def test_a_measuring_process_is_forked_in_one_part_and_compared_with_one_that_is_started_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_count", lambda data: 64)
    (part,) = [part for part in PARTS if part.name == "fork"]
    gpt2 = architectures.ARCHITECTURES["gpt2"]
    for tiny in (True, False):
        words = parts.bench_arguments(
            gpt2, setup_in(tmp_path, tiny=tiny), tmp_path / "run", repeats=2, start_method=part.start_method
        )
        assert "launcher.start_method=fork" in words
        assert "launcher=inline" not in words
    outcomes = {
        "gpt2": Outcome("gpt2", "done", data=benched()),
        "fork": Outcome("fork", "done", data=benched(wh_per_1000=5.2, valid=False)),
    }
    text = report.markdown(outcomes, {}, {})
    assert "| spawn (part gpt2) | 5 | 2.8 % | yes |" in text
    assert "| fork | 5.2 | 2.8 % | **no** |" in text
    assert "Fork beside spawn: +4.00 % (look)" in text
    del outcomes["gpt2"]
    alone = report.markdown(outcomes, {}, {})
    assert "| fork | 5.2 |" in alone
    assert "Fork beside spawn" not in alone


@pytest.mark.parametrize("forked", [True, False])
def test_a_part_that_was_not_forked_after_all_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    def run(arguments: Any, log: Path, *_: Any, **__: Any) -> int:
        log.write_text("" if forked else "CUDA was used already, so it is started afresh\n", encoding="utf-8")
        return 0

    assert parts.STARTED_AFRESH in inspect.getsource(launcher.ProcessLauncher.launch)
    monkeypatch.setattr(parts, "_count", lambda data: 64)
    monkeypatch.setattr(parts, "run", run)
    monkeypatch.setattr(parts.bundles, "readable", lambda bundle: (benched(), None))
    (part,) = [part for part in PARTS if part.name == "fork"]
    if forked:
        assert parts.bench(part, setup_in(tmp_path), tmp_path / "log")["valid"]
    else:
        with pytest.raises(PartError, match="nothing was forked"):
            parts.bench(part, setup_in(tmp_path), tmp_path / "log")
