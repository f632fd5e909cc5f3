"""Charts as SVG and PNG without a browser, by vl-convert, in Inter wherever they are drawn."""

from __future__ import annotations

import re
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

from scorekit.errors import UsageError
from scorekit.publish.charts.chart import Chart
from scorekit.publish.charts.engine import engine
from scorekit.publish.charts.hatch import pattern
from scorekit.publish.charts.looks import LIGHT, Look
from scorekit.publish.charts.world import POINTS, WORLD, geometry
from scorekit.publish.label.fonts import FOLDER, font_faces

DEFAULT_WIDTH_PX: Final = 720
_OPENING: Final = re.compile(r"<svg\b[^>]*>")
_TEXTS: Final = re.compile(r">([^<]+)<")


def svg(chart: Chart, look: Look = LIGHT, width_px: int = DEFAULT_WIDTH_PX, *, titled: bool = True) -> str:
    """A chart as an SVG file that stands alone, with its font inside.

    Args:
        chart: what is drawn.
        look: light or dark.
        width_px: of the picture.
        titled: whether title and subtitle are drawn.

    Raises:
        UsageError: there is nothing to show.
        MissingExtraError: vl-convert is not installed.
    """
    drawn = _drawn(chart, look, width_px, titled=titled)
    fonts = f"<style>{font_faces(''.join(_TEXTS.findall(drawn)))}</style>"
    words = f"<title>{escape(chart.title)}</title><desc>{escape(chart.description)}</desc>"
    return _with_first(drawn, words + fonts)


def png(
    chart: Chart, look: Look = LIGHT, width_px: int = DEFAULT_WIDTH_PX, *, scale: float = 2.0, titled: bool = True
) -> bytes:
    """A chart as PNG; arguments as for `svg`, and how many points make one px.

    Raises:
        UsageError: there is nothing to show.
        MissingExtraError: vl-convert is not installed.
    """
    picture: bytes = engine().svg_to_png(_drawn(chart, look, width_px, titled=titled), scale=scale)
    return picture


def _drawn(chart: Chart, look: Look, width_px: int, *, titled: bool) -> str:
    if chart.empty is not None:
        raise UsageError(f"there is nothing to draw: {chart.empty}", mend="choose other results, another task or model")
    _register_fonts()
    spec = chart.vega_lite(look, width_px, titled=titled)
    if WORLD in chart.needs:
        spec["datasets"] |= {WORLD: geometry(), POINTS: geometry()}
    drawn: str = engine().vegalite_to_svg(spec, allowed_base_urls=[])
    return _with_first(drawn, f"<defs>{pattern(look)}</defs>") if WORLD in chart.needs else drawn


def _with_first(drawn: str, added: str) -> str:
    found = _OPENING.search(drawn)
    assert found is not None
    return drawn[: found.end()] + added + drawn[found.end() :]


@cache
def _register_fonts() -> None:
    # What Vega measures texts by, and what resvg draws them with.
    engine().register_font_directory(str(FOLDER))
