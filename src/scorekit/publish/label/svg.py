"""A label as an SVG file that stands alone: fonts, alternative text and metadata inside, nothing fetched or run."""

from __future__ import annotations

import zlib
from functools import lru_cache
from html import escape
from typing import Final

from scorekit.publish.label import wording
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.fonts import CSS_WEIGHT, FAMILY, UNITS_PER_EM, advances_em, font_faces, is_covered, outline
from scorekit.publish.label.layout import BAR_TOP, HEIGHT_PX, LEFT, RADIUS_PX, RIGHT, WIDTH_PX, lay_out
from scorekit.publish.label.metadata import json_ld_text
from scorekit.publish.label.shapes import Area, Code, Drawing, Star, Text

_FALLBACKS: Final = f"{FAMILY},system-ui,'Helvetica Neue',Arial,'Noto Sans',sans-serif"
_ISOLATE, _END_ISOLATE = "\u2067", "\u2069"


def svg(facts: LabelFacts, *, outlined: bool = False) -> str:
    """The label as SVG.

    Args:
        facts: what it tells.
        outlined: draw the letters of Inter as shapes, for what is only looked at: it is drawn in half the time, and
            alike on every machine.

    Raises:
        UsageError: the verification link is too long for its QR code.
    """
    drawing = lay_out(facts)
    title, description = wording.title(facts), wording.description(facts)
    metadata = json_ld_text(facts)
    # Labels may stand side by side within one page, where ids must differ.
    key = f"label-{zlib.crc32(metadata.encode()):08x}"
    written = "".join(text.text for text in drawing.texts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{HEIGHT_PX}" '
        f'viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
        f'<metadata id="{key}-json-ld">{metadata}</metadata>'
        f"{'' if outlined else f'<style>{font_faces(written)}</style>'}"
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" rx="{RADIUS_PX}" fill="{drawing.background}"/>'
        f"{''.join(map(_shape, drawing.shapes))}{_texts(drawing, key, outlined)}"
        f"{_border(drawing)}{_link(drawing)}</svg>\n"
    )


def _texts(drawing: Drawing, key: str, outlined: bool) -> str:
    known, others = "", ""
    for text in drawing.texts:
        if is_covered(text.text):
            known += _outlines(text) if outlined else _text(text, exact=True)
        else:
            others += _text(text, exact=False)
    if others:
        # How wide other scripts are is up to the viewer's fonts. Should one be wider than was reckoned with, it ends at
        # the margin. Clipping takes longer to draw than all else, and so is not done for what needs none.
        clip = f'<clipPath id="{key}-clip"><path d="M{LEFT} 0H{RIGHT}V{HEIGHT_PX}H{LEFT}z"/></clipPath>'
        others = f'{clip}<g clip-path="url(#{key}-clip)">{others}</g>'
    return f'<g font-family="{_FALLBACKS}">{known}{others}</g>'


def _shape(shape: Area | Star | Code) -> str:
    if isinstance(shape, Area):
        return f'<path d="{_area_path(shape)}" fill="{shape.fill}"/>'
    if isinstance(shape, Star):
        return (
            f'<path d="{shape.path}" fill="{shape.fill}" stroke="{shape.stroke}" stroke-width="1.5" '
            'stroke-linejoin="round"/>'
        )
    place = f"translate({_number(shape.x)} {_number(shape.y)})scale({_number(shape.module_px)})"
    return f'<path transform="{place}" d="{shape.code.path}" stroke="{shape.fill}" shape-rendering="crispEdges"/>'


@lru_cache(maxsize=256)
def _area_path(area: Area) -> str:
    top, bottom = area.top_radius, area.bottom_radius
    inner, down = area.width - 2 * top, area.height - top - bottom
    return (
        f"M{area.x + top:g} {area.y:g}h{inner:g}{_corner(top, top, top)}v{down:g}{_corner(bottom, -bottom, bottom)}"
        f"h{2 * bottom - area.width:g}{_corner(bottom, -bottom, -bottom)}v{-down:g}{_corner(top, top, -top)}z"
    )


def _corner(radius: float, right: float, down: float) -> str:
    return f"a{radius:g} {radius:g} 0 0 1 {right:g} {down:g}" if radius else ""


@lru_cache(maxsize=4096)
def _text(text: Text, *, exact: bool) -> str:
    anchor = ' text-anchor="end"' if text.anchor == "end" else ""
    # Where fonts may not be loaded, what stands in for Inter is set as wide as Inter is. Of other scripts the width is
    # only known from above.
    length = f' textLength="{text.width_px:.2f}" lengthAdjust="spacingAndGlyphs"' if exact else ""
    # Isolates rather than `direction`, which some renderers pass over; this way all put the line at the same place.
    content = f"{_ISOLATE}{text.text}{_END_ISOLATE}" if text.right_to_left else text.text
    return (
        f'<text x="{_number(text.x)}" y="{text.baseline:.2f}" font-size="{_number(text.size_px)}" '
        f'font-weight="{CSS_WEIGHT[text.weight]}" fill="{text.fill}"{anchor}{length}>'
        f"{escape(content, quote=False)}</text>"
    )


@lru_cache(maxsize=4096)
def _outlines(text: Text) -> str:
    scale, x = text.size_px / UNITS_PER_EM, 0.0
    advances = advances_em(text.weight)
    shapes = []
    for character in text.text:
        if shape := outline(character, text.weight):
            shapes.append(f'<path transform="translate({x:g})" d="{shape}"/>')
        x += advances[character] * UNITS_PER_EM
    place = f"translate({text.left:.2f} {text.baseline:.2f})scale({scale:.7f} {-scale:.7f})"
    return f'<g transform="{place}" fill="{text.fill}">{"".join(shapes)}</g>'


def _link(drawing: Drawing) -> str:
    if drawing.link is None:
        return ""
    link = escape(drawing.link)
    return (
        f'<a href="{link}" aria-label="Verify this score: {link}"><rect y="{BAR_TOP}" width="{WIDTH_PX}" '
        f'height="{HEIGHT_PX - BAR_TOP}" fill-opacity="0"/></a>'
    )


def _border(drawing: Drawing) -> str:
    border = drawing.border
    inset = border.width_px / 2
    dashes = ' stroke-dasharray="9 6"' if border.dashed else ""
    return (
        f'<rect x="{_number(inset)}" y="{_number(inset)}" width="{_number(WIDTH_PX - border.width_px)}" '
        f'height="{_number(HEIGHT_PX - border.width_px)}" rx="{_number(RADIUS_PX - inset)}" fill="none" '
        f'stroke="{border.stroke}" stroke-width="{_number(border.width_px)}"{dashes}/>'
    )


def _number(value: float) -> str:
    return f"{value:g}"
