"""What is asked of the result of a figure where the figure is set beside those of other models, and boards; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scorekit.records import Result


@dataclass(frozen=True, slots=True)
class BesideOthers:
    """What a result tells. None is what is not known.

    Attributes:
        half_width_percent: half of the energy's 95 % interval beside those of other boards, relative to it.
        revision: commit of the model.
        parameters: of the model.
        dtype: of its weights.
    """

    half_width_percent: float | None = None
    revision: str | None = None
    parameters: int | None = None
    dtype: str | None = None


UNKNOWN: Final = BesideOthers()
"""Of a figure without a result of ours."""


def beside_others(result: Result | None) -> BesideOthers:
    """What a result tells; of none nothing.

    A result does not tell on which board it was measured, so the gain by which boards differ is always in its interval.
    A modelled energy has none: its repeats tell nothing of how true the model is.
    """
    if result is None:
        return UNKNOWN
    known = result.uncertainty if result.origin == "measured" else None
    return BesideOthers(
        half_width_percent=None if known is None else known.with_board_gain_95_percent,
        revision=result.model_revision,
        parameters=result.parameters,
        dtype=result.dtype,
    )
