"""A setup of a validation, and what is read of a bundle of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scripts.validation.parts import Setup

SETUP = {"device": "cpu", "gpu": 0, "tiny": True}


def setup_in(folder: Path, **changes: Any) -> Setup:
    known = {"device": "cpu", "gpu": 0, "tiny": True, "out": folder / "out", "cache": folder / "cache", "disk_gb": 40}
    made = Setup(**{**known, **changes})
    made.cache.mkdir(parents=True, exist_ok=True)
    return made


def benched(**changes: Any) -> dict[str, Any]:
    rows = [
        {"phase": "generate", "repeat": 0, "duration_s": 11.0, "nvml": 2.0, "codecarbon": 2.05, "sampled_power": 1.99}
    ]
    return {
        "task": "text_generation", "like": "openai-community/gpt2", "published_wh": 2.0, "data": "prompts",
        "parameters": 124_000_000, "dtype": "float16", "attention": "sdpa", "wh_per_1000": 5.0, "by_repeat": [4.9, 5.1],
        "cov_percent": 2.8, "half_width_95_percent": 25.0, "trend_percent": 0.1, "outliers": [], "input_tokens": 404.0,
        "window_s": 11.2, "valid": True, "failed": [], "warned": [], "idle_w": {"before": 110.0, "after": None},
        "meters": rows, **changes,
    }  # fmt: skip
