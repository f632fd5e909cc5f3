"""The two sizes that every tiny model comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Size = Literal["tiny", "small"]
SIZES: Final[tuple[Size, ...]] = ("tiny", "small")


@dataclass(frozen=True, slots=True)
class Width:
    """Shape of one transformer stack.

    Attributes:
        hidden: width of the hidden states.
        layers: layers of each stack; a model with an encoder and a decoder has so many in both.
        heads: attention heads; `hidden / heads` is a multiple of 16, which every attention kernel takes.
        feed_forward: width of the feed-forward layers.
        image: side of the square image that vision models see, in pixels.
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    image: int


WIDTHS: Final[dict[Size, Width]] = {
    "tiny": Width(hidden=64, layers=2, heads=4, feed_forward=128, image=64),
    "small": Width(hidden=192, layers=6, heads=6, feed_forward=768, image=128),
}
