"""Text set into a box: wrapped, then set smaller, and only at the smallest size cut with an ellipsis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from scorekit.publish.label.characters import clusters
from scorekit.publish.label.fonts import Weight, width_em

ELLIPSIS: Final = "\u2026"


class Size(NamedTuple):
    """A size of type and the distance of its lines, in px."""

    type_px: float
    leading_px: float


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one size, from the top of a box.

    Attributes:
        lines: in logical order; none for an empty text.
        size: their size and distance.
        whole: whether nothing was cut off.
    """

    lines: tuple[str, ...]
    size: Size
    whole: bool

    @property
    def height_px(self) -> float:
        """From the top of the first line to the bottom of the last."""
        return len(self.lines) * self.size.leading_px


# After a space, or after a mark that parts a name, where it goes on with a letter or digit.
_TOKEN: Final = re.compile(r".+?(?: +|[-_./:,;@|](?=\w)|$)")


@lru_cache(maxsize=4096)
def fit(text: str, weight: Weight, width_px: float, height_px: float, sizes: tuple[Size, ...]) -> Block:
    """Set a text as large as it fits.

    Args:
        text: cleaned text, on one line.
        weight: of the font.
        width_px: width that no line exceeds.
        height_px: height that the lines together do not exceed, but for one line, which is always there.
        sizes: from the largest, which is wanted, to the smallest, at which the text is cut.
    """
    tokens = _TOKEN.findall(text)
    for size in sizes:
        lines = _wrap(text, tokens, weight, width_px / size.type_px)
        if len(lines) * size.leading_px <= height_px:
            return Block(tuple(lines), size, whole=True)
    kept = lines[: max(1, int(height_px // size.leading_px))]
    if len(kept) == len(lines):
        return Block(tuple(lines), size, whole=True)
    kept[-1] = _cut(kept[-1], weight, width_px / size.type_px)
    return Block(tuple(kept), size, whole=False)


def _wrap(text: str, tokens: Sequence[str], weight: Weight, width: float) -> list[str]:
    """Lines not wider than so many em."""
    if width_em(text, weight) <= width:
        return [text] if text else []
    lines: list[str] = []
    line, used = "", 0.0
    for token in tokens:
        own = width_em(token, weight)
        # A space at the end of a line is not seen, and so needs no room.
        bare = own if token[-1] != " " else width_em(token.rstrip(), weight)
        if line and used + bare > width:
            lines.append(line.rstrip())
            line, used = "", 0.0
        if bare <= width:
            line, used = line + token, used + own
            continue
        for cluster in clusters(token):
            step = width_em(cluster, weight)
            if line and used + step > width:
                lines.append(line.rstrip())
                line, used = "", 0.0
            line, used = line + cluster, used + step
    if line.strip():
        lines.append(line.rstrip())
    return lines


def _cut(line: str, weight: Weight, width: float) -> str:
    parts = clusters(line)
    while parts and width_em("".join(parts) + ELLIPSIS, weight) > width:
        parts.pop()
    return "".join(parts).rstrip() + ELLIPSIS
