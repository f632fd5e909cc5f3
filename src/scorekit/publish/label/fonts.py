"""Inter: how wide its text is, and the part of it that travels inside of a label.

The two files beside this module are Inter 4.1 (SIL Open Font License 1.1, see OFL.txt), cut down to Latin, Greek and
Cyrillic letters and without kerning, so that a line is exactly as wide as its characters together. Other scripts are
drawn with what a viewer has, and their width is taken from above.
"""

from __future__ import annotations

import base64
import io
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal

from fontTools import subset
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont

from scorekit.publish.label.characters import is_pictograph

Weight = Literal["medium", "bold"]
FOLDER: Final = Path(__file__).parent / "fonts"
FAMILY: Final = "Inter"
CSS_WEIGHT: Final[dict[Weight, int]] = {"medium": 500, "bold": 700}
UNITS_PER_EM: Final = 2048
CAPITAL_EM: Final = 1490 / UNITS_PER_EM
_FILES: Final[dict[Weight, str]] = {"medium": "Inter-Medium.ttf", "bold": "Inter-Bold.ttf"}
_ALWAYS: Final = frozenset(
    [*map(chr, range(0x20, 0x7F)), *"\u00a0\u00b1\u00b7\u00d7\u2013\u2026\u25a1\u207b\u2070\u00b9\u00b2\u00b3"]
).union(map(chr, range(0x2074, 0x207A)))
"""Embedded in every label: what its own words and most names are written with."""
_EMOJI_EM: Final = 1.4
_WIDE_EM: Final = 1.05
_OTHER_EM: Final = 1.25
_SIGN_EM: Final = 4.0
"""Cuneiform and hieroglyphs, and Arabic phrases in one character."""
_PHRASE_EM: Final = 14.0


@cache
def advances_em(weight: Weight) -> dict[str, float]:
    """Advance width in em of each character that the font has."""
    with TTFont(FOLDER / _FILES[weight], lazy=True) as font:
        em = font["head"].unitsPerEm
        widths = font["hmtx"].metrics
        return {chr(code): widths[name][0] / em for code, name in font.getBestCmap().items()}


@lru_cache(maxsize=8192)
def width_em(text: str, weight: Weight) -> float:
    """Width of a text in em; of characters that Inter lacks never too little."""
    known = advances_em(weight)
    total = 0.0
    for character in text:
        advance = known.get(character)
        total += fallback_em(character) if advance is None else advance
    return total


def is_covered(text: str) -> bool:
    """Whether Inter has every character of a text, so that its width is known and not taken from above."""
    return text.isascii() or advances_em("medium").keys() >= set(text)


@lru_cache(maxsize=4096)
def fallback_em(character: str) -> float:
    """A width in em that the fonts of common systems keep to for a character that Inter lacks."""
    code = ord(character)
    if is_pictograph(character):
        return _EMOJI_EM
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if code == 0xFDFD:
        return _PHRASE_EM
    if 0xFDF0 <= code <= 0xFDFC or 0x12000 <= code <= 0x1467F:
        return _SIGN_EM
    return _WIDE_EM if unicodedata.east_asian_width(character) in "WF" else _OTHER_EM


@cache
def _font(weight: Weight) -> TTFont:
    return TTFont(FOLDER / _FILES[weight])


@cache
def outline(character: str, weight: Weight) -> str:
    """A character's shape as an SVG path, in em / `UNITS_PER_EM` with y upwards; empty for a space.

    Args:
        character: one that the font has.
        weight: of the font.
    """
    font = _font(weight)
    pen = SVGPathPen(font.getGlyphSet(), ntos=lambda value: f"{value:g}")
    font.getGlyphSet()[font.getBestCmap()[ord(character)]].draw(pen)
    commands: str = pen.getCommands()
    return commands


def font_faces(text: str) -> str:
    """CSS that brings Inter along as data: its common characters, and the others that the text has."""
    if text.isascii():
        return _font_faces(frozenset())
    return _font_faces((frozenset(text) - _ALWAYS).intersection(advances_em("medium")))


@lru_cache(maxsize=64)
def _font_faces(beyond: frozenset[str]) -> str:
    return "".join(_font_face(weight, _ALWAYS | beyond) for weight in _FILES)


def _font_face(weight: Weight, characters: frozenset[str]) -> str:
    options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, name_IDs=[0, 1, 2, 13, 14])
    # The time of writing would make every label another file.
    with TTFont(FOLDER / _FILES[weight], recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=map(ord, characters))
        cutter.subset(font)
        font.flavor = "woff"
        data = io.BytesIO()
        font.save(data)
    encoded = base64.b64encode(data.getvalue()).decode("ascii")
    return (
        f"@font-face{{font-family:{FAMILY};font-weight:{CSS_WEIGHT[weight]};"
        f"src:url(data:font/woff;base64,{encoded})format('woff')}}"
    )
