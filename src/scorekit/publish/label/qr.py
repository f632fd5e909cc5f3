"""A link as a QR code: its dark modules drawn as one path of level strokes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Final, cast

import zxingcpp

from scorekit.errors import UsageError

QUIET_MODULES: Final = 4
"""The margin that the standard asks for (ISO/IEC 18004)."""
_PIECE: Final = 8


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code.

    Attributes:
        modules: its side, without the margin.
        path: the dark modules as an SVG path for a stroke of one module, from the upper left corner.
    """

    modules: int
    path: str


def qr_code(link: str, most_modules: int) -> QrCode:
    """The QR code of a link, with error correction of level M, or L where M would be too large.

    Args:
        link: what it holds.
        most_modules: the largest side that can be told apart where it is shown, without the margin.

    Raises:
        UsageError: the link is too long for that.
    """
    for level in ("M", "L"):
        try:
            code = zxingcpp.create_barcode(link, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
        except ValueError:
            continue
        # A buffer, although its type does not say so.
        pixels = bytes(cast(Any, code.to_image(scale=1, add_quiet_zones=False)))
        side = math.isqrt(len(pixels))
        if side <= most_modules:
            return QrCode(side, _path(pixels, side))
    raise UsageError(
        f"the verification link has {len(link)} characters, too many for a QR code of this size",
        mend="give a shorter link",
    )


def _path(pixels: bytes, side: int) -> str:
    strokes = _STROKES
    return "".join([start + "".join([strokes[pixels[piece]] for piece in row]) for start, row in _rows(side)])


@cache
def _rows(side: int) -> tuple[tuple[str, tuple[slice, ...]], ...]:
    """Where the stroke of each row starts, and the pieces of eight modules that it is made of."""
    return tuple(
        (
            f"M0 {y}.5",
            tuple(slice(y * side + x, y * side + min(x + _PIECE, side)) for x in range(0, side, _PIECE)),
        )
        for y in range(side)
    )


class _Strokes(dict[bytes, str]):
    """A stroke for each run of dark modules, and a move over each of light ones: there are few pieces, which recur."""

    def __missing__(self, pixels: bytes) -> str:
        runs = ((dark, len(list(run))) for dark, run in groupby(pixel == 0 for pixel in pixels))
        found = self[pixels] = "".join(f"h{length}" if dark else f"m{length} 0" for dark, length in runs)
        return found


_STROKES: Final = _Strokes()
