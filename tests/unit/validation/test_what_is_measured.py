"""What a validation measures: shapes, lengths, the ticks of a counter, meters beside each other."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from scripts.validation import architectures, bundles, samples, ticks
from scripts.validation.parts import PARTS

from scorekit.measuring.tiny import audio_models, diffusion_models, text_models, vision_models
from scorekit.tasks import MAIN_TASKS
from tests.fake_nvml import FakeNvml

MILLIONS = {
    "bert-base": 167.4, "gpt2": 124.4, "bert-large-qa": 334.1, "minilm": 22.7, "vit-base": 86.6, "detr": 60.5,
    "whisper-small": 241.7, "bart-large": 406.3, "blip-base": 224.0, "stable-diffusion": 1066.2, "llama-1b": 1176.8,
    "llama-8b": 8030.3, "whisper-large-v3": 1543.5, "llama-3b": 3212.7,
}  # fmt: skip
"""Parameters of the models whose shapes these are."""


def test_every_task_has_a_part_and_every_part_a_name_of_its_own() -> None:
    measured = {architectures.ARCHITECTURES[part.model].task for part in PARTS if part.model is not None}
    assert measured == set(MAIN_TASKS) - {"reasoning"}
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert sum(part.estimate_s for part in PARTS) <= 25 * 60


def test_real_shapes_have_the_parameters_of_the_models_that_they_are_named_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    found: dict[str, list[int]] = {}

    def count(model: Any, folder: Path) -> None:
        found[name].append(sum(parameter.numel() for parameter in model.parameters()))

    for module in (architectures, audio_models, diffusion_models, text_models, vision_models):
        monkeypatch.setattr(module, "save", count)
    monkeypatch.setattr(diffusion_models, "_name_as_on_the_hub", lambda weights: None)
    for name, each in architectures.ARCHITECTURES.items():
        found[name] = []
        (tmp_path / name).mkdir()
        with torch.device("meta"):
            each.build(tmp_path / name, each.dtype, **each.shape)
        gigabytes = sum(found[name]) * (2 if each.dtype == "float16" else 4) / 1e9
        assert gigabytes <= each.size_gb <= gigabytes + 0.3, name
    assert {name: round(sum(counts) / 1e6, 1) for name, counts in found.items()} == MILLIONS


@pytest.mark.parametrize("count", [16, 48, 64, 1000])
def test_prompts_have_the_official_mean_and_about_the_official_median(count: int) -> None:
    lengths = samples.prompt_tokens(count)
    assert statistics.fmean(lengths) == pytest.approx(samples.MEAN_CHARACTERS / samples.CHARACTERS_A_TOKEN, rel=0.02)
    assert statistics.median(lengths) == pytest.approx(samples.MEDIAN_CHARACTERS / samples.CHARACTERS_A_TOKEN, rel=0.25)
    assert min(lengths) >= 2


def test_a_rhythm_is_told_from_what_was_read() -> None:
    # Read every 4 ms, changed every 100 ms.
    series = [(0.004 * step, float(int(0.004 * step / 0.1 + 1e-9))) for step in range(251)]
    found = ticks.rhythm(series)
    assert found["changes"] == 10
    assert found["median_ms"] == pytest.approx(100, abs=4.1)
    assert found["read_every_ms"] == pytest.approx(4)
    assert ticks.rhythm([]) == {
        "changes": 0, "median_ms": None, "from_ms": None, "to_ms": None, "read_every_ms": None
    }  # fmt: skip


def test_mean_power_is_taken_between_changes_of_the_counter() -> None:
    # 100 W: 10,000 mJ each 100 ms; what lies before the first and after the last change does not count.
    counter = [(0.05, 0.0), (0.1, 10_000.0), (0.15, 10_000.0), (0.2, 20_000.0), (0.3, 30_000.0), (0.39, 30_000.0)]
    assert ticks.mean_power_w(counter) == pytest.approx(100)
    assert ticks.mean_power_w([(0.0, 1.0), (1.0, 1.0)]) is None


def test_a_fake_gpu_is_watched(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(tick_ms=20, power_w=200)
    found = ticks.watch(0, 0.3)
    assert found["power_w"] == pytest.approx(200, rel=0.01)
    # How many ticks it sees, and how well, hangs on what else the machine does.
    assert found["counter_w"] is None or found["counter_w"] > 0
    assert {*found["counter"]} == {*found["power"]} == {*ticks.rhythm([])}


def test_power_is_integrated_over_the_window_alone() -> None:
    trace = [(0.0, 100.0), (1.0, 100.0), (2.0, 300.0), (4.0, 300.0)]
    assert bundles.integral_wh(trace, 0.5, 3.0) == pytest.approx((50 + 200 + 300) / 3600)
    assert bundles.integral_wh(trace, 1.5, 1.75) == pytest.approx((200 + 250) / 2 * 0.25 / 3600)
    assert bundles.integral_wh(trace, -1.0, 3.0) is None
    assert bundles.integral_wh([], 0.0, 1.0) is None
    # Two samples of one time are a jump.
    jump = [(0.0, 100.0), (1.0, 100.0), (1.0, 300.0), (2.0, 300.0)]
    assert bundles.integral_wh(jump, 0.0, 2.0) == pytest.approx(400 / 3600)


def test_meters_are_compared_where_both_read() -> None:
    rows = [{"nvml": 2.0, "codecarbon": 2.1}, {"nvml": None, "codecarbon": 1.0}, {"nvml": 1.0}]
    assert bundles.differences(rows, "codecarbon") == [pytest.approx(5)]
