"""A label as an SVG file that stands alone: fonts, alternative text and metadata inside, nothing fetched or run."""

from __future__ import annotations

import zlib
from html import escape
from typing import Final

from scorekit.publish.label import wording
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.fonts import CSS_WEIGHT, FAMILY, font_faces, is_covered
from scorekit.publish.label.layout import BAR_TOP, HEIGHT_PX, WIDTH_PX, lay_out
from scorekit.publish.label.metadata import json_ld_text
from scorekit.publish.label.shapes import Area, Code, Drawing, Star, Text

_RADIUS: Final = 12
_FALLBACKS: Final = f"{FAMILY},system-ui,'Helvetica Neue',Arial,'Noto Sans',sans-serif"
_ISOLATE, _END_ISOLATE = "\u2067", "\u2069"


def svg(facts: LabelFacts) -> str:
    """The label as SVG.

    Raises:
        UsageError: the verification link is too long for its QR code.
    """
    drawing = lay_out(facts)
    title, description = wording.title(facts), wording.description(facts)
    metadata = json_ld_text(facts)
    # Labels may stand side by side within one page, where ids must differ.
    key = f"label-{zlib.crc32(metadata.encode()):08x}"
    texts = "".join(map(_text, drawing.texts))
    written = "".join(text.text for text in drawing.texts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{HEIGHT_PX}" '
        f'viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" aria-labelledby="{key}-title {key}-desc">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-desc">{escape(description)}</desc>'
        f'<metadata id="{key}-json-ld">{metadata}</metadata>'
        f"<style>{font_faces(written)}</style>"
        f'<clipPath id="{key}-card"><rect width="{WIDTH_PX}" height="{HEIGHT_PX}" rx="{_RADIUS}"/></clipPath>'
        f'<g clip-path="url(#{key}-card)" font-family="{_FALLBACKS}">'
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="{drawing.background}"/>'
        f"{''.join(map(_shape, drawing.shapes))}{texts}{_link(drawing)}</g>{_border(drawing)}</svg>\n"
    )


def _shape(shape: Area | Star | Code) -> str:
    if isinstance(shape, Area):
        radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
        return (
            f'<rect x="{_number(shape.x)}" y="{_number(shape.y)}" width="{_number(shape.width)}" '
            f'height="{_number(shape.height)}"{radius} fill="{shape.fill}"/>'
        )
    if isinstance(shape, Star):
        return (
            f'<path d="{shape.path}" fill="{shape.fill}" stroke="{shape.stroke}" stroke-width="1.5" '
            'stroke-linejoin="round"/>'
        )
    place = f"translate({_number(shape.x)} {_number(shape.y)})scale({_number(shape.module_px)})"
    return f'<path transform="{place}" d="{shape.code.path}" stroke="{shape.fill}" shape-rendering="crispEdges"/>'


def _text(text: Text) -> str:
    anchor = ' text-anchor="end"' if text.anchor == "end" else ""
    # Where fonts may not be loaded, what stands in for Inter is set as wide as Inter is. Of other scripts the width is
    # only known from above.
    length = (
        f' textLength="{text.width_px:.2f}" lengthAdjust="spacingAndGlyphs"'
        if text.width_px and is_covered(text.text)
        else ""
    )
    # Isolates rather than `direction`, which some renderers pass over; this way all put the line at the same place.
    content = f"{_ISOLATE}{text.text}{_END_ISOLATE}" if text.right_to_left else text.text
    return (
        f'<text x="{_number(text.x)}" y="{text.baseline:.2f}" font-size="{_number(text.size_px)}" '
        f'font-weight="{CSS_WEIGHT[text.weight]}" fill="{text.fill}"{anchor}{length}>'
        f"{escape(content, quote=False)}</text>"
    )


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
        f'height="{_number(HEIGHT_PX - border.width_px)}" rx="{_number(_RADIUS - inset)}" fill="none" '
        f'stroke="{border.stroke}" stroke-width="{_number(border.width_px)}"{dashes}/>'
    )


def _number(value: float) -> str:
    return f"{value:g}"
