"""What a label is drawn from: texts, areas and stars at their places, in px of a card of 260 x 364."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from scorekit.publish.label.fonts import Weight
from scorekit.publish.label.qr import QrCode

_INNER: Final = 0.42
"""Inner radius of a star to its outer one: a little fuller than a pentagram's 0.382, which looks thin when small."""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text.

    Attributes:
        text: cleaned, in logical order.
        x: of its left edge, or of its right one where `anchor` is end.
        baseline: y of its baseline.
        size_px: size of type.
        weight: of the font.
        fill: its colour.
        anchor: which edge `x` is.
        width_px: its width, as measured.
        right_to_left: the direction of the paragraph that it is a line of.
    """

    text: str
    x: float
    baseline: float
    size_px: float
    weight: Weight
    fill: str
    anchor: Literal["start", "end"]
    width_px: float
    right_to_left: bool = False

    @property
    def left(self) -> float:
        """x of its left edge."""
        return self.x if self.anchor == "start" else self.x - self.width_px

    @property
    def right(self) -> float:
        """x of its right edge."""
        return self.left + self.width_px


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle, with a radius for its upper and for its lower corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    top_radius: float = 0.0
    bottom_radius: float = 0.0


@dataclass(frozen=True, slots=True)
class Star:
    """A star with five points around a centre."""

    x: float
    y: float
    radius: float
    fill: str
    stroke: str

    @property
    def path(self) -> str:
        """Its outline as an SVG path."""
        return _star_path(self.x, self.y, self.radius)


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code, its margin included in the light area that lies below it."""

    x: float
    y: float
    module_px: float
    code: QrCode
    fill: str


@dataclass(frozen=True, slots=True)
class Border:
    """The card's outline; a dashed one for what is not official."""

    stroke: str
    width_px: float
    dashed: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A label, from the back to the front.

    Attributes:
        shapes: all but the texts.
        texts: the texts.
        border: the card's outline.
        background: the card's colour.
        link: where a click leads.
    """

    shapes: tuple[Area | Star | Code, ...]
    texts: tuple[Text, ...]
    border: Border
    background: str
    link: str | None


@lru_cache(maxsize=256)
def _star_path(x: float, y: float, radius: float) -> str:
    points = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * _INNER
        angle = math.pi * corner / 5
        points.append(f"{x + reach * math.sin(angle):.2f} {y - reach * math.cos(angle):.2f}")
    return f"M{'L'.join(points)}z"
