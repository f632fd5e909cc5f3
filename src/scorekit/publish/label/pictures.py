"""A label as PNG and PDF, drawn from its SVG by resvg (vl-convert), with the same alternative text and metadata."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Final

import vl_convert
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import Fit

from scorekit.publish.label import wording
from scorekit.publish.label.characters import clean
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.fonts import FOLDER, is_covered
from scorekit.publish.label.layout import BAR_TOP, HEIGHT_PX, WIDTH_PX
from scorekit.publish.label.metadata import json_ld_text
from scorekit.publish.label.svg import svg

PRINT_SCALE: Final = 2.0
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_POINTS_PER_INCH: Final = 72
ATTACHMENT: Final = "label.jsonld"


def png(facts: LabelFacts, scale: float = PRINT_SCALE) -> bytes:
    """The label as PNG, at twice its size unless asked otherwise.

    Title, description and JSON-LD stand in international text chunks of these names.
    """
    _register_fonts()
    # The density goes with the size, so that it prints as large as the PDF.
    picture: bytes = vl_convert.svg_to_png(svg(facts, outlined=True), scale=1, ppi=_POINTS_PER_INCH * scale)
    added = [
        _international_text("Title", wording.title(facts)),
        _international_text("Description", wording.description(facts)),
        _international_text("JSON-LD", json_ld_text(facts)),
    ]
    # After the header, which comes first by the format.
    header_end = len(_SIGNATURE) + 12 + int.from_bytes(picture[8:12])
    return b"".join([picture[:header_end], *added, picture[header_end:]])


def pdf(facts: LabelFacts) -> bytes:
    """The label as PDF: title and description among its properties, JSON-LD as an attached file, the bar a link.

    Its content is the same each time, but not its bytes: svg2pdf numbers the fonts as it comes.
    """
    _register_fonts()
    drawn: bytes = vl_convert.svg_to_pdf(svg(facts))
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(drawn)))
    writer.add_metadata({"/Title": wording.title(facts), "/Subject": wording.description(facts)})
    writer.add_attachment(ATTACHMENT, json_ld_text(facts).encode("ascii"))
    if facts.link is not None:
        page = writer.pages[0]
        across, down = float(page.mediabox.width) / WIDTH_PX, float(page.mediabox.height) / HEIGHT_PX
        bar = (0, 0, WIDTH_PX * across, (HEIGHT_PX - BAR_TOP) * down)
        writer.add_annotation(0, Link(rect=bar, url=facts.link, fit=Fit.fit()))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def beyond_inter(facts: LabelFacts) -> bool:
    """Whether a picture depends on fonts of the machine that draws it: the names have signs that Inter lacks."""
    return not is_covered(clean(f"{facts.model or ''} {facts.hardware or ''} {facts.task or ''}"))


@cache
def _register_fonts() -> None:
    # resvg reads no fonts out of a style sheet.
    vl_convert.register_font_directory(str(FOLDER))


def _international_text(keyword: str, text: str) -> bytes:
    # Not compressed, no language, no translated keyword.
    return _chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8"))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
