"""Reading what a writer wrote, as files in a temporary folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType

from scorekit.logs.places import Place
from scorekit.records import Fault, Result


def read(reader: ModuleType, content: bytes | str, name: str = "log") -> list[Result]:
    """The results of a file with this content; it must be recognised, too."""
    with tempfile.TemporaryDirectory() as folder:
        place = placed(Path(folder), content, name)
        assert reader.recognises(place)
        return list(reader.read(place))


def placed(folder: Path, content: bytes | str, name: str = "log") -> Place:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Place.of_file(path)


def only(results: list[Result]) -> Result:
    assert len(results) == 1
    return results[0]


def faults(result: Result) -> dict[str, Fault]:
    """The faults of a result by their code."""
    return {fault.code: fault for fault in result.faults}
