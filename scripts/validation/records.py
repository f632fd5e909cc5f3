"""What became of each part, one file a part: a validation that was cut off goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from scorekit import atomic

SCHEMA = "scorekit.gpu_validation/1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a part.

    Attributes:
        name: of the part.
        state: done, failed, or left out.
        why: why it failed or was left out.
        took_s: how long it took.
        when_utc: when it ended.
        settings: of the setup; another one's results are not taken over.
        data: what it found.
        last_lines: of what failed.
    """

    name: str
    state: Literal["done", "failed", "left out"]
    why: str | None = None
    took_s: float = 0.0
    when_utc: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    last_lines: tuple[str, ...] = ()


def save(outcome: Outcome, out: Path) -> None:
    """Keep an outcome in its file, in one step."""
    path = _file(out, outcome.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_text(path, json.dumps({"schema_version": SCHEMA, **asdict(outcome)}, indent=2) + "\n")


def load(name: str, out: Path, settings: Mapping[str, Any]) -> Outcome | None:
    """What was done before under the same settings; None where it was not, or its file is damaged."""
    try:
        found = json.loads(_file(out, name).read_text(encoding="utf-8"))
        if found.pop("schema_version") != SCHEMA or found["settings"] != dict(settings):
            return None
        return Outcome(**{**found, "last_lines": tuple(found["last_lines"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _file(out: Path, name: str) -> Path:
    return out / "parts" / f"{name}.json"
