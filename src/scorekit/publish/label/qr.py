"""A link as a QR code: its dark modules drawn as one path of level strokes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
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
    # Pieces of eight modules recur, so that nearly all are looked up.
    rows = []
    for y in range(side):
        start, end = y * side, (y + 1) * side
        pieces = [_strokes(pixels[x : min(x + _PIECE, end)]) for x in range(start, end, _PIECE)]
        rows.append(f"M0 {y}.5{''.join(pieces)}")
    return "".join(rows)


@lru_cache(maxsize=1024)
def _strokes(pixels: bytes) -> str:
    """A stroke for each run of dark modules, and a move over each of light ones."""
    runs = ((dark, len(list(run))) for dark, run in groupby(pixel == 0 for pixel in pixels))
    return "".join(f"h{length}" if dark else f"m{length} 0" for dark, length in runs)
