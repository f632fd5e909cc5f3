"""Logs as their writers give them, put into a folder and read back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scorekit.logs.places import Place
from scorekit.records import Result


def read_folder(reader: Any, files: Mapping[str, bytes]) -> Result:
    """The one result of a folder that holds these files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        (result,) = reader.read(Place.of_folder(folder, "log"))
    return result  # type: ignore[no-any-return]


def recognised(reader: Any, files: Mapping[str, bytes], lone: str | None = None) -> bool:
    """Whether a folder with these files, or one of them alone, is recognised."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        place = Place.of_folder(folder, "log") if lone is None else Place.of_file(folder / lone)
        return bool(reader.recognises(place))
