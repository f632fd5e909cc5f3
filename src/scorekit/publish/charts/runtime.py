"""What pages with charts need beside them, written once a site: Vega with its interpreter, the map, the font.

The bundle is vl-convert's own Vega, Vega-Lite and Vega-Embed, so that a page draws what `pictures` draws. Pages ship
Vega-Lite and not Vega: the bundle holds the compiler anyway, since the interpreter, without which Vega makes functions
of text, comes with Vega-Embed; a specification is a third as long; and building a site compiles nothing.

Where vl-convert is not installed, a site has its charts as tables, and says why.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from scorekit.errors import MissingExtraError
from scorekit.publish.charts.engine import engine
from scorekit.publish.charts.hatch import ID
from scorekit.publish.charts.looks import BY_NAME, FONT, LOOKS, NAMED
from scorekit.publish.charts.world import GEOMETRY, POINTS, WORLD
from scorekit.publish.label.fonts import font_faces

RUNTIME: Final = "chart-runtime.js"
MAP: Final = "chart-world.js"
PICTURE_FONT: Final = "chart-font.js"
_NOTICE: Final = Path(__file__).parent / "licences" / "vega.txt"
_NAMES: Final = "var scorekit=window.scorekit=window.scorekit||{};scorekit.data=scorekit.data||{};"


def undrawn() -> str | None:
    """Why a site that is built here shows its charts as tables, and how it draws them; None where it does."""
    try:
        engine()
    except MissingExtraError as error:
        return f"Charts are shown as tables, for '{error.package}' is not installed, which draws them; {error.mend}"
    return None


def runtime_files() -> dict[str, bytes]:
    """Files by their names, which lie beside charts.js: about 900 kB of Vega, 300 kB of map and 60 kB of font.

    charts.js fetches each only when a chart that needs it comes into view, or is to be taken away as a picture.
    """
    return {RUNTIME: _runtime() if undrawn() is None else _nothing(), MAP: _world(), PICTURE_FONT: _font()}


def _nothing() -> bytes:
    """What charts.js says in the place of each chart."""
    told = "This site was built without what draws charts; the figures are in the table."
    return f"(function(){{{_NAMES}scorekit.data.chartsUndrawn={_json(told)};}})();\n".encode()


@cache
def _runtime() -> bytes:
    bundle = engine().javascript_bundle("window.scorekit.vegaEmbed=vegaEmbed;")
    looks = {
        "named": NAMED,
        "font": FONT,
        "hatch": ID,
        "names": sorted(BY_NAME.colours()),
        "looks": {name: look.colours() for name, look in LOOKS.items()},
    }
    notice = f"/*\n{_NOTICE.read_text(encoding='utf-8')}*/\n"
    text = f"{notice}(function(){{{_NAMES}scorekit.data.chartLooks={_json(looks)};}})();\n"
    # The bundle's own names stay its own.
    return f"{text}(function(){{{bundle}\n}})();\n".encode()


@cache
def _world() -> bytes:
    named = _json([WORLD, POINTS])
    text = f"(function(){{{_NAMES}scorekit.data.chartWorld={GEOMETRY.read_text(encoding='utf-8').strip()};"
    return f"{text}scorekit.data.chartWorldNames={named};}})();\n".encode()


@cache
def _font() -> bytes:
    return f"(function(){{{_NAMES}scorekit.data.chartFont={_json(font_faces(''))};}})();\n".encode()


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
