"""What a method knows of a model: its size, its speed, and how far both are guesses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from scorekit.errors import UsageError
from scorekit.impacts.choices import unknown
from scorekit.impacts.formula import Speed
from scorekit.impacts.ranges import Range
from scorekit.records import Record

NOT_RELEASED: Final = "model-arch-not-released"
"""EcoLogits' warning for a model whose size is a guess."""


class SizedModel(Record):
    """A model of a method."""

    provider: str
    name: str
    architecture: Literal["dense", "moe"] | None = Field(description="None where the method does not tell.")
    active_billion: Range = Field(description="Parameters that work on a token, in billions.")
    total_billion: Range = Field(description="Parameters in memory, in billions.")
    speed: Speed = Speed()
    alias_of: str | None = None
    warnings: tuple[str, ...] = Field(default=(), description="Codes of EcoLogits' warnings.")
    sources: tuple[str, ...] = ()

    @property
    def origin(self) -> Literal["modelled", "estimated"]:
        """modelled where the size is published, estimated where it is a guess."""
        return "estimated" if NOT_RELEASED in self.warnings else "modelled"


def find_model(models: Sequence[SizedModel], name: str, method: str) -> SizedModel:
    """A model by its name, with or without its provider before it; capitals do not matter.

    Raises:
        UsageError: there is none, or several providers have one.
    """
    wanted = name.strip().casefold()
    found = [
        model for model in models if wanted in (model.name.casefold(), f"{model.provider}/{model.name}".casefold())
    ]
    if not found:
        names = [model.name for model in models]
        option = f"scorekit calculate --list-models --method {method}"
        raise unknown("model", name, names, option=option, where=f" in method {method}")
    if len(found) > 1:
        full = " or ".join(f"{model.provider}/{model.name}" for model in found)
        raise UsageError(f"several providers have a model '{name}'", mend=f"name it as {full}")
    return found[0]
