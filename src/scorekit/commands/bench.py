"""`scorekit bench`: measure a model on a task."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Hydra has a grammar of its own, --help included, so its arguments are not looked at here."""
    from scorekit import bench

    return bench.main(list(arguments))
