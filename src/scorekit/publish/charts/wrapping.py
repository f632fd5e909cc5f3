"""Titles broken into lines that fit a width, by the widths of Inter; pure."""

from __future__ import annotations

from scorekit.publish.label.characters import clean
from scorekit.publish.label.fitting import Size, fit
from scorekit.publish.label.fonts import Weight

_MOST_LINES = 4


def wrapped(text: str, weight: Weight, width_em: float | None, most_lines: int = _MOST_LINES) -> list[str]:
    """Lines of a text; one where no width is given.

    Args:
        text: cleaned here.
        weight: of the font.
        width_em: width of a line.
        most_lines: into which it is cut where it is longer.
    """
    shown = clean(text)
    if width_em is None:
        return [shown]
    # A size of 1 px, so that widths are in em.
    return list(fit(shown, weight, width_em, most_lines, (Size(1.0, 1.0),)).lines)


def shortened(text: str, most: int = 160) -> str:
    """A stranger's name fit to be drawn and not endless; how much of it is seen is left to whoever draws it."""
    shown = clean(text) or "unnamed"
    return shown if len(shown) <= most else f"{shown[: most - 1]}\u2026"
