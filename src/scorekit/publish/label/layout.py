"""Where everything on a label stands, pure: 260 x 364 px, 16 px of margin at the sides.

From the top: a header, the model, rows of facts, a rule, the energy, the star, and a bar at the bottom. The model takes
what room the rows leave it. Texts wrap, then shrink, and are cut at the smallest size; none leaves its box. The bar of
a local label is as high as its reasons need, where the model leaves room: all else then stands higher.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from scorekit.publish.label import wording
from scorekit.publish.label.characters import clean, is_right_to_left
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.fitting import Size, fit
from scorekit.publish.label.fonts import CAPITAL_EM, Weight, width_em
from scorekit.publish.label.palette import PALETTES, Palette
from scorekit.publish.label.qr import QUIET_MODULES, qr_code
from scorekit.publish.label.shapes import Area, Border, Code, Drawing, Star, Text

WIDTH_PX: Final = 260
HEIGHT_PX: Final = 364
MARGIN_PX: Final = 16
RADIUS_PX: Final = 12
LEFT: Final = MARGIN_PX
RIGHT: Final = WIDTH_PX - MARGIN_PX
INNER_PX: Final = RIGHT - LEFT

HEADER_PX: Final = 52
_MODEL_TOP: Final = 63
_MODEL_DROP: Final = 9
"""How far a short name may stand below the top of its room, which else looks empty."""
_ROWS_BOTTOM: Final = 191
_RULE_Y: Final = 198
_ENERGY_TOP: Final = 205
_STARS_TOP: Final = 247
_STARS_BOTTOM: Final = 274
BAR_TOP: Final = 280
_WHY_TOP: Final = 23
_WHY_PX: Final = HEIGHT_PX - BAR_TOP - _WHY_TOP - 10
"""For the reasons of a local label, from so far below the top of the bar."""
_CODE_PX: Final = 68
_MODULE_STEP: Final = 0.5
"""A picture at twice the size draws each module with whole pixels."""

_NAME_SIZES: Final = (Size(16, 18), Size(14, 16), Size(12, 14), Size(10, 12), Size(9, 10.5))
_ROW_SIZES: Final = (Size(12, 14), Size(11, 13), Size(10, 12), Size(9, 10.5))
_SMALL_SIZES: Final = (Size(10, 12), Size(9, 10.5))
_ENERGY_SIZES: Final = (Size(24, 24), Size(20, 24), Size(17, 24), Size(14, 24))
_MANY_LINES_PX: Final = 10_000
_ROW_LABEL_PX: Final = 64
_ROW_VALUE_PX: Final = INNER_PX - _ROW_LABEL_PX
_ROW_PX: Final = 28
"""Two lines of a row's value."""
_ROW_GAP: Final = 4
_MODEL_GAP: Final = 6


def lay_out(facts: LabelFacts) -> Drawing:
    """The label of the facts.

    Raises:
        UsageError: the verification link is too long for its QR code.
    """
    page = _Page(PALETTES[facts.kind])
    _header(page, facts)
    rows = _rows_of(facts)
    rows_top = _ROWS_BOTTOM - sum(height for _, _, height in rows) - _ROW_GAP * (len(rows) - 1)
    model = _model_of(facts, rows_top - _MODEL_GAP - _MODEL_TOP)
    why = ""
    if facts.kind == "local":
        spare = max(0.0, rows_top - _MODEL_GAP - _MODEL_TOP - model.height)
        why, page.up = _why_of(facts, spare)
    rows_top -= page.up
    _model(page, model, rows_top - _MODEL_GAP)
    _set_rows(page, rows, rows_top)
    page.shapes.append(Area(LEFT, _RULE_Y - page.up, INNER_PX, 1, page.colours.rule))
    _energy(page, facts)
    _stars(page, facts)
    bar_top = BAR_TOP - page.up
    page.shapes.append(Area(0, bar_top, WIDTH_PX, HEIGHT_PX - bar_top, page.colours.bar, bottom_radius=RADIUS_PX))
    if facts.kind == "local":
        _why_local(page, why)
    else:
        _verification(page, facts)
    border = Border(page.colours.border, 3 if facts.kind == "local" else 1, dashed=facts.kind == "local")
    return Drawing(tuple(page.shapes), tuple(page.texts), border, page.colours.background, facts.link)


@dataclass(slots=True)
class _Page:
    colours: Palette
    up: float = 0.0
    """How much higher than elsewhere all below the model stands."""
    shapes: list[Area | Star | Code] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def block(
        self,
        text: str,
        weight: Weight,
        fill: str,
        box: tuple[float, float, float, float],
        sizes: tuple[Size, ...],
        *,
        end: bool = False,
    ) -> float:
        """Set a text into a box of left, top, width and height; returns the height that it took."""
        texts, height_px = _set(text, weight, fill, box, sizes, end or is_right_to_left(text))
        self.texts += texts
        return height_px


# Much of a label is the same on the next one.
@lru_cache(maxsize=4096)
def _set(
    text: str, weight: Weight, fill: str, box: tuple[float, float, float, float], sizes: tuple[Size, ...], end: bool
) -> tuple[tuple[Text, ...], float]:
    """The lines of a text in a box, and their height; `end` sets them to its right edge."""
    left, top, width, height = box
    found = fit(text, weight, width, height, sizes)
    size = found.size
    baseline = top + size.leading_px / 2 + CAPITAL_EM / 2 * size.type_px
    turned = is_right_to_left(text)
    texts = tuple(
        Text(
            line,
            left + width if end else left,
            baseline + number * size.leading_px,
            size.type_px,
            weight,
            fill,
            "end" if end else "start",
            width_em(line, weight) * size.type_px,
            turned,
        )
        for number, line in enumerate(found.lines)
    )
    return texts, found.height_px


def _header(page: _Page, facts: LabelFacts) -> None:
    colours = page.colours
    page.shapes.append(Area(0, 0, WIDTH_PX, HEADER_PX, colours.header, top_radius=RADIUS_PX))
    if facts.kind == "local":
        page.block("Local result,", "bold", colours.on_header, (LEFT, 8, INNER_PX, 18), (Size(16, 18),))
        page.block("not comparable", "bold", colours.on_header, (LEFT, 26, INNER_PX, 18), (Size(16, 18),))
        return
    left = LEFT
    if facts.kind == "official":
        page.shapes.append(Star(LEFT + 13, 27, 14, colours.header_star, colours.header_star))
        left += 36
    edition = f"Edition {clean(facts.edition)}" if facts.edition else "Not rated in an edition"
    page.block("AI Energy Score", "bold", colours.on_header, (left, 9, RIGHT - left, 20), (Size(17, 20),))
    page.block(edition, "medium", colours.on_header_soft, (left, 30, RIGHT - left, 13), (Size(11, 13), Size(9, 11)))


class _Model(NamedTuple):
    """Provider and name, the size of both, and the height of either."""

    provider: str
    name: str
    size: Size
    above: float
    below: float

    @property
    def height(self) -> float:
        """Of both."""
        return self.above + self.below


def _model_of(facts: LabelFacts, room: float) -> _Model:
    """Provider and name below each other at one size, as large as they fit."""
    name = clean(facts.name or "") or "Unknown model"
    provider = clean(facts.provider or "")
    for size in _NAME_SIZES:
        above = fit(provider, "bold", INNER_PX, _MANY_LINES_PX, (size,)).height_px
        below = fit(name, "bold", INNER_PX, _MANY_LINES_PX, (size,)).height_px
        if above + below <= room:
            break
    else:
        # The provider gives way: the name is what tells one model from another.
        most = 2 if room - below < size.leading_px else max(1, (room - below) // size.leading_px)
        above = min(above, most * size.leading_px)
    return _Model(provider, name, size, above, below)


def _model(page: _Page, model: _Model, bottom: float) -> None:
    room = bottom - _MODEL_TOP
    top = _MODEL_TOP + min(_MODEL_DROP, max(0.0, room - model.height) / 3)
    page.block(model.provider, "bold", page.colours.text, (LEFT, top, INNER_PX, model.above), (model.size,))
    box = (LEFT, top + model.above, INNER_PX, room - model.above)
    page.block(model.name, "bold", page.colours.text, box, (model.size,))


def _rows_of(facts: LabelFacts) -> tuple[tuple[str, str, float], ...]:
    """Label, value and height of each row."""
    rows = (("Scored", wording.month(facts)), ("Task", wording.task(facts)), ("Hardware", wording.hardware(facts)))
    return tuple((label, value, _row_height(value)) for label, value in rows)


def _row_height(value: str) -> float:
    found = fit(value, "medium", _ROW_VALUE_PX, _ROW_PX, _ROW_SIZES)
    return max(found.height_px, _ROW_SIZES[0].leading_px)


def _set_rows(page: _Page, rows: tuple[tuple[str, str, float], ...], top: float) -> None:
    for label, value, height in rows:
        page.block(label, "medium", page.colours.soft, (LEFT, top, _ROW_LABEL_PX, 14), _ROW_SIZES[:1])
        box = (LEFT + _ROW_LABEL_PX, top, _ROW_VALUE_PX, _ROW_PX)
        page.block(value, "medium", page.colours.text, box, _ROW_SIZES)
        top += height + _ROW_GAP


def _energy(page: _Page, facts: LabelFacts) -> None:
    colours = page.colours
    words = Size(14, 17)
    top = _ENERGY_TOP - page.up
    page.block("Inference energy", "medium", colours.text, (LEFT, top, 124, 17), (words,))
    page.block("(Wh) per 1k tasks", "medium", colours.text, (LEFT, top + 17, 124, 17), (words,))
    box = (LEFT + 128, top - 2, INNER_PX - 128, 24)
    page.block(wording.energy(facts), "bold", colours.text, box, _ENERGY_SIZES, end=True)
    box = (LEFT + 128, top + 23, INNER_PX - 128, 12)
    page.block(wording.uncertainty(facts), "medium", colours.soft, box, _SMALL_SIZES, end=True)


def _stars(page: _Page, facts: LabelFacts) -> None:
    colours = page.colours
    height = _STARS_BOTTOM - _STARS_TOP
    if facts.kind != "official" or facts.stars is None:
        text = wording.stars(facts)
        if facts.kind == "local":
            text = f"{wording.covers(facts)}. {text}"
            if facts.stars is None and not fit(text, "medium", INNER_PX, height + 3, _SMALL_SIZES).whole:
                # Half a reason says nothing; it is whole in the label's description.
                text = f"{wording.covers(facts)}. No star."
        box = (LEFT, _STARS_TOP - 1 - page.up, INNER_PX, height + 3)
        page.block(text, "medium", colours.text, box, _SMALL_SIZES)
        return
    for place in range(5):
        fill = colours.star if place < facts.stars else colours.no_star
        page.shapes.append(Star(LEFT + 13 + 29 * place, _STARS_TOP + 14, 13, fill, colours.star))
    box = (LEFT + 156, _STARS_TOP + (0 if facts.borderline else 5), INNER_PX - 156, 16)
    page.block(f"{facts.stars} of 5", "bold", colours.text, box, (Size(14, 16),), end=True)
    if facts.borderline:
        box = (LEFT + 156, _STARS_TOP + 15, INNER_PX - 156, 12)
        page.block("borderline", "medium", colours.soft, box, _SMALL_SIZES, end=True)


def _verification(page: _Page, facts: LabelFacts) -> None:
    colours = page.colours
    if facts.link is None:
        page.block("No verification link", "bold", colours.on_bar, (LEFT, BAR_TOP + 26, INNER_PX, 16), (Size(12, 16),))
        text = "None was given with this label."
        page.block(text, "medium", colours.on_bar_soft, (LEFT, BAR_TOP + 43, INNER_PX, 14), _SMALL_SIZES)
        return
    code = qr_code(facts.link, most_modules=_CODE_PX - 2 * QUIET_MODULES)
    module = _CODE_PX / (code.modules + 2 * QUIET_MODULES) // _MODULE_STEP * _MODULE_STEP
    left, top = RIGHT - _CODE_PX, BAR_TOP + (HEIGHT_PX - BAR_TOP - _CODE_PX) / 2
    page.shapes.append(Area(left, top, _CODE_PX, _CODE_PX, colours.code_light, 4, 4))
    inset = (_CODE_PX - code.modules * module) / 2 // _MODULE_STEP * _MODULE_STEP
    page.shapes.append(Code(left + inset, top + inset, module, code, colours.code_dark))
    width = left - 12 - LEFT
    page.block("Verify this score", "bold", colours.on_bar, (LEFT, top + 1, width, 16), (Size(12, 16),))
    shown = facts.link.partition("://")[2]
    page.block(shown, "medium", colours.on_bar_soft, (LEFT, top + 19, width, _CODE_PX - 20), _SMALL_SIZES)


def _why_of(facts: LabelFacts, spare: float) -> tuple[str, float]:
    """Why a label is local: as many whole reasons as there is room for, and how much of the spare room they need."""
    for most in range(len(facts.reasons), 0, -1):
        text = wording.reasons(facts, most)
        found = fit(text, "medium", INNER_PX, _WHY_PX + spare, _SMALL_SIZES)
        if found.whole:
            return text, max(0.0, found.height_px - _WHY_PX)
    # Not even one whole: its end is cut.
    return wording.reasons(facts), spare


def _why_local(page: _Page, text: str) -> None:
    colours = page.colours
    top = BAR_TOP - page.up
    words = "Not an official energy label, because"
    page.block(words, "bold", colours.on_bar, (LEFT, top + 8, INNER_PX, 14), (Size(11, 14),))
    box = (LEFT, top + _WHY_TOP, INNER_PX, _WHY_PX + page.up)
    page.block(text, "medium", colours.on_bar_soft, box, _SMALL_SIZES)
