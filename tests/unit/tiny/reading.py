"""Reading what was written, as the measuring scenario does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SAMPLES = 4
"""Rows of each dataset."""


def read_rows(path: Path, cache: Path) -> Any:
    """A dataset's rows; sounds stay bytes."""
    import datasets

    data = datasets.load_dataset(str(path), split="train", cache_dir=str(cache))
    return data.cast_column("audio", datasets.Audio(decode=False)) if "audio" in data.features else data
