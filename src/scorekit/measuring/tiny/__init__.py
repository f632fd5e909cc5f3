"""Tiny models and datasets: every task of the protocol on a laptop, offline, within a minute.

The models have random weights and answer nonsense; they take the same code paths as the real ones. They are
for trials, tests and first steps, and their energy says nothing about any published model.

    >>> from scorekit.measuring.tiny import write_tiny
    >>> made = write_tiny(Path("demo"), tasks=["text_generation"])["text_generation"]  # doctest: +SKIP
    >>> made.model, made.dataset  # doctest: +SKIP
    (PosixPath('demo/models/tiny-llama'), PosixPath('demo/datasets/text_generation'))

Importing this package loads no other library; writing needs the `bench` extra.
"""

from scorekit.measuring.tiny.catalogue import TinyTask, tiny_paths
from scorekit.measuring.tiny.sizes import SIZES, Size
from scorekit.measuring.tiny.write import DEFAULT_SAMPLES, DEFAULT_SEED, write_tiny

__all__ = ["DEFAULT_SAMPLES", "DEFAULT_SEED", "SIZES", "Size", "TinyTask", "tiny_paths", "write_tiny"]
