"""Writes CodeCarbon's data of one pass as JSON, as optimum-benchmark does."""

from __future__ import annotations

import json

from tests.log_writers.codecarbon_csv import Run, fields, runs

__all__ = ["Run", "example", "fields", "runs", "write"]


def write(run: Run) -> bytes:
    """The data as a file."""
    empty = {"region": None, "longitude": None, "latitude": None}
    return json.dumps({**fields(run), **empty}, indent=4).encode()


def example() -> dict[str, bytes]:
    """One valid log: file name -> content."""
    return {"generate_codecarbon.json": write(Run())}
