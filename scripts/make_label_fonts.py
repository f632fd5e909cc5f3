#!/usr/bin/env python3
"""Make the fonts of labels again from Inter's web fonts.

    npm pack inter-ui@4.1.1 && tar xzf inter-ui-4.1.1.tgz
    pip install fonttools brotli
    scripts/make_label_fonts.py package/web

Kerning and all other layout features are left out, so that a line is as wide as its characters together, whoever
draws it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parents[1] / "src" / "scorekit" / "publish" / "label" / "fonts"
RANGES = (
    # Latin
    (0x20, 0x7E), (0xA0, 0x17F), (0x1A0, 0x1A1), (0x1AF, 0x1B0), (0x1CD, 0x1DC), (0x1F8, 0x21B), (0x2B0, 0x2FF),
    (0x384, 0x3CE),  # Greek
    (0x400, 0x45F), (0x48A, 0x4FF),  # Cyrillic
    (0x1E00, 0x1EFF),  # Latin with more marks, for one Vietnamese
    (0x2010, 0x2027), (0x2030, 0x204F), (0x2070, 0x209F),  # punctuation, small figures
    (0x20A0, 0x20BF), (0x2190, 0x2199),  # currencies, arrows
)  # fmt: skip
SIGNS = "\u018f\u0192\u01e6\u01e7\u01f4\u01f5\u0259\u2116\u2122\u2212\u2248\u2260\u2264\u2265\u221e\u25a1\u2605\u2606"


def main(source: Path) -> None:
    wanted = {code for first, last in RANGES for code in range(first, last + 1)} | set(map(ord, SIGNS))
    for weight in ("Medium", "Bold"):
        options = subset.Options(hinting=False, layout_features=[], notdef_outline=True, glyph_names=False)
        options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
        options.drop_tables += ["STAT", "meta"]
        with TTFont(source / f"Inter-{weight}.woff2", recalcTimestamp=False) as font:
            cutter = subset.Subsetter(options)
            cutter.populate(unicodes=wanted)
            cutter.subset(font)
            font.flavor = None
            font.save(FOLDER / f"Inter-{weight}.ttf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
