"""Writes tiny models and datasets: from code and a seed alone, without a network."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from scorekit import tasks as registry
from scorekit.errors import UsageError
from scorekit.measuring.tiny import datasets
from scorekit.measuring.tiny._libraries import library, versions
from scorekit.measuring.tiny.catalogue import BUILDERS, MODELS, TinyTask, tiny_paths
from scorekit.measuring.tiny.recipe import Recipe, make_folder
from scorekit.measuring.tiny.sizes import Size

RECIPE_VERSION: Final = 1
"""To be raised with every change here that changes what is written; older folders are then written anew."""

DEFAULT_SEED: Final = 20250201
DEFAULT_SAMPLES: Final = 64

_PACKAGES = ("safetensors", "tokenizers", "torch", "transformers")


def write_tiny(
    folder: Path,
    *,
    tasks: Sequence[str] | None = None,
    samples: int = DEFAULT_SAMPLES,
    size: Size = "tiny",
    seed: int = DEFAULT_SEED,
    report: Callable[[str], None] = lambda _: None,
) -> dict[str, TinyTask]:
    """Write a model of random weights and a small dataset for each task.

    Models go to `folder/models`, datasets to `folder/datasets`; tasks share them where they can. Each is
    written whole or not at all, and kept as it is when the same recipe and library versions already made it.
    The same arguments and versions give the same bytes.

    Args:
        folder: where to write; made if it is not there.
        tasks: config names, or leaderboard names; all when None.
        samples: rows of each dataset.
        size: "tiny" (below 5 MB a model), or "small" (below 30 MB, some times more compute).
        seed: of the weights and the data.
        report: told of each task before its model and dataset are made, or found to be there.

    Returns:
        What was asked for by the tasks' config names, in the order asked.

    Raises:
        UsageError: a task or the size does not exist, or `samples` is not positive.
        MissingExtraError: a library that a model or dataset needs is not installed.
        ScorekitError: the folder cannot be written to.
    """
    if samples < 1:
        raise UsageError(f"a dataset of {samples} samples cannot be measured", mend="ask for at least one sample")
    wanted = [tiny_paths(folder, task, size) for task in (tasks if tasks is not None else registry.TASKS)]
    for number, found in enumerate(wanted, start=1):
        report(f"[{number}/{len(wanted)}] {found.task}: making a {size} model and a dataset ...")
        for name, path in zip(MODELS[found.task], (found.model, *found.extra_models), strict=True):
            _write_model(path, name, size=size, seed=seed)
        _write_dataset(found.dataset, samples=samples, seed=seed)
    return {found.task: found for found in wanted}


def _write_model(folder: Path, name: str, *, size: Size, seed: int) -> None:
    packages = (*_PACKAGES, "diffusers") if name == "stable-diffusion" else _PACKAGES
    recipe: Recipe = {
        "version": RECIPE_VERSION,
        "model": name,
        "size": size,
        "seed": seed,
        "libraries": versions(packages),
    }

    def fill(scratch: Path) -> None:
        torch = library("torch")
        # The caller's random numbers stay as they were, and every model has its own.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(zlib.crc32(f"{seed} {size} {name}".encode()))
            BUILDERS[name](scratch, size)

    make_folder(folder, recipe, fill)


def _write_dataset(folder: Path, *, samples: int, seed: int) -> None:
    recipe: Recipe = {
        "version": RECIPE_VERSION,
        "dataset": folder.name,
        "samples": samples,
        "seed": seed,
        "libraries": versions(datasets.PACKAGES),
    }
    make_folder(folder, recipe, partial(datasets.write_dataset, name=folder.name, samples=samples, seed=seed))
