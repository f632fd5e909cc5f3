"""Builds models in a process of its own, so that no memory of a GPU is held when they are measured.

python -m scripts.validation.build FOLDER NAME [NAME ...] [--device cuda] [--tiny]

Each goes to FOLDER/NAME/model with its data in FOLDER/NAME/data; what is there whole is kept.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from scripts.validation import samples
from scripts.validation.architectures import ARCHITECTURES, Architecture, build

from scorekit.measuring.tiny._libraries import versions
from scorekit.measuring.tiny.recipe import Recipe, make_folder

RECIPE_VERSION = 1
TINY_SAMPLES = 2


def make(architecture: Architecture, folder: Path, *, tiny: bool, device: str) -> None:
    """Make one model and its data."""
    recipe: Recipe = {
        "version": RECIPE_VERSION,
        "model": architecture.name,
        "tiny": tiny,
        "device": device,
        "libraries": versions(("torch", "transformers")),
    }
    model = folder / architecture.name / "model"
    make_folder(model, recipe, lambda scratch: build(architecture, scratch, tiny=tiny, device=device))
    count = TINY_SAMPLES if tiny else architecture.samples
    fill = partial(samples.write, task=architecture.task, model=model, count=count, tiny=tiny)
    make_folder(folder / architecture.name / "data", {**recipe, "samples": count}, fill)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.validation.build", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", choices=sorted(ARCHITECTURES))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(argv)
    for name in options.names:
        make(ARCHITECTURES[name], options.folder, tiny=options.tiny, device=options.device)
    return 0


if __name__ == "__main__":
    sys.exit(main())
