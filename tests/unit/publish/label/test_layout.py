"""Nothing on a label leaves its box, lies over something else, or is too pale to read, whatever the names are."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scorekit.publish.label import fonts, layout
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.layout import lay_out
from scorekit.publish.label.palette import PALETTES
from scorekit.publish.label.shapes import Area, Code, Star, Text
from scorekit.records import Reason
from tests.unit.publish.label.examples import local, official, unrated

FOLDER = Path(fonts.__file__).parent / "fonts"
names = st.one_of(
    st.text(max_size=200),
    st.text(alphabet="abcXYZ019-_.", max_size=200),
    st.text(alphabet=st.characters(min_codepoint=0x590, max_codepoint=0x8FF), max_size=60),
    st.text(alphabet=st.characters(min_codepoint=0x3040, max_codepoint=0x9FFF), max_size=60),
    st.text(alphabet=st.characters(min_codepoint=0x1F300, max_codepoint=0x1FAFF), max_size=40),
    st.sampled_from(
        ["W" * 200, "i" * 200, "<script>alert(1)</script>", "a\u0301" * 100, "Z" + "\u0335" * 90, " ", "\0"]
    ),
)
facts_of_any_name = st.builds(
    lambda make, provider, name, hardware, energy, stars, borderline: make(
        provider=provider or None,
        name=name,
        hardware=hardware,
        energy_wh_per_1000=energy,
        stars=stars if make is not unrated else None,
        borderline=borderline,
    ),
    st.sampled_from([official, local, unrated]),
    names,
    names,
    st.one_of(st.none(), names),
    st.one_of(st.none(), st.floats(allow_nan=True)),
    st.integers(1, 5),
    st.booleans(),
)


def advances(weight: str) -> dict[str, float]:
    """Widths read from the font file without the code under test."""
    with TTFont(FOLDER / f"Inter-{weight.capitalize()}.ttf") as font:
        cmap, widths = font.getBestCmap(), font["hmtx"]
        return {chr(code): widths[name][0] / font["head"].unitsPerEm for code, name in cmap.items()}


ADVANCES = {weight: advances(weight) for weight in ("medium", "bold")}


def box(text: Text) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a text: its characters' advances, and the height of a capital letter."""
    known = ADVANCES[text.weight]
    width = sum(known.get(character, fonts.fallback_em(character)) for character in text.text) * text.size_px
    left = text.x if text.anchor == "start" else text.x - width
    return left, text.baseline - fonts.CAPITAL_EM * text.size_px, left + width, text.baseline


@settings(max_examples=150, deadline=None)
@given(facts_of_any_name)
@example(official(name="Extraordinarily-Long-Model-Name-72B-Instruct-" * 5))
@example(official(provider="x" * 100, name="y" * 100, task="automatic_speech_recognition", hardware="GPU " * 50))
@example(official(name="\ufdfd" * 20, hardware="\ufdfd" * 3))
@example(official(name="\u200d".join("\U0001f469" * 80), provider="\u0915\u093e" + "\u093e" * 90))
def test_every_text_stays_on_the_card_and_clear_of_the_others(facts: LabelFacts) -> None:
    texts = lay_out(facts).texts
    boxes = [box(text) for text in texts]
    for text, (left, top, right, bottom) in zip(texts, boxes, strict=True):
        assert left >= layout.LEFT - 0.01, text
        assert right <= layout.RIGHT + 0.01, text
        assert top >= 0, text
        assert bottom <= layout.HEIGHT_PX, text
    for (text, one), (other, two) in itertools.combinations(zip(texts, boxes, strict=True), 2):
        apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
        assert apart, (text, other)


_BANDS = (lambda area: area.height == 1, lambda area: area.bottom_radius > 0)
"""What parts the model's facts from the energy, and the energy from the bar."""


@settings(max_examples=50, deadline=None)
@given(facts_of_any_name)
def test_the_parts_of_a_label_keep_to_their_places(facts: LabelFacts) -> None:
    drawing = lay_out(facts)
    rule, bar = (next(area.y for area in drawing.shapes if isinstance(area, Area) and test(area)) for test in _BANDS)
    assert (rule, bar) == (198, 280) or (facts.kind == "local" and bar - rule == 82 and bar < 280)
    bands = [0, layout.HEADER_PX, rule, bar, layout.HEIGHT_PX]
    for text in drawing.texts:
        top, bottom = text.baseline - fonts.CAPITAL_EM * text.size_px, text.baseline
        assert any(low <= top and bottom <= high for low, high in itertools.pairwise(bands)), text
    for shape in drawing.shapes:
        if isinstance(shape, Star):
            assert shape.x - shape.radius >= layout.LEFT - 1.5
            assert shape.x + shape.radius <= layout.RIGHT
        if isinstance(shape, Code):
            assert shape.module_px * 2 == int(shape.module_px * 2), "a module has whole pixels when printed"
            assert shape.x + shape.module_px * shape.code.modules <= layout.RIGHT


def test_the_common_label_has_the_sizes_of_the_specification() -> None:
    texts = {text.text: text for text in lay_out(official()).texts}
    assert (layout.WIDTH_PX, layout.HEIGHT_PX, layout.MARGIN_PX) == (260, 364, 16)
    for name in ("example", "model-1b"):
        assert (texts[name].size_px, texts[name].weight, texts[name].fill) == (16, "bold", "#313131")
        assert texts[name].x == 16
    assert texts["model-1b"].baseline - texts["example"].baseline == 18
    for row in ("June 2025", "Text generation, class A", "NVIDIA H100 80GB HBM3"):
        assert (texts[row].size_px, texts[row].weight) == (12, "medium")
    first, second = texts["Inference energy"], texts["(Wh) per 1k tasks"]
    assert (first.size_px, second.baseline - first.baseline) == (14, 17)


@pytest.mark.parametrize("stars", [1, 2, 3, 4, 5])
def test_as_many_stars_are_filled_as_the_rating_gives(stars: int) -> None:
    row = [shape for shape in lay_out(official(stars=stars)).shapes if isinstance(shape, Star)][1:]
    assert [star.fill == PALETTES["official"].star for star in row] == [place < stars for place in range(5)]
    assert len({star.y for star in row}) == 1


def test_a_local_label_has_no_star_no_code_and_other_colours() -> None:
    drawing = lay_out(local(stars=5))
    assert not [shape for shape in drawing.shapes if isinstance(shape, Star | Code)]
    assert drawing.link is None
    assert drawing.border.dashed
    official_label = lay_out(official())
    used = {shape.fill for shape in drawing.shapes if not isinstance(shape, Code)}
    assert not used & {shape.fill for shape in official_label.shapes}
    written = " ".join(text.text for text in drawing.texts)
    assert "Local result, not comparable" in written
    assert "AI Energy Score" not in written
    assert "no GPU was used" in written


def _written(facts: LabelFacts) -> str:
    return " ".join(text.text for text in lay_out(facts).texts)


@pytest.mark.parametrize("count", [1, 3, 5, 8, 30])
def test_reasons_of_a_local_label_are_whole_and_the_others_counted(count: int) -> None:
    reasons = tuple(
        Reason(code=f"r{number}", message=f"condition number {number} is not the one expected")
        for number in range(count)
    )
    written = _written(local(reasons=reasons))
    told = [reason for reason in reasons if reason.message in written]
    assert told == list(reasons[: len(told)])
    assert len(told) >= min(count, 4)
    assert (f"and {count - len(told)} more" in written) == (len(told) < count)
    assert "\u2026" not in written


def test_a_long_reason_makes_the_bar_higher_only_where_the_model_leaves_room() -> None:
    reasons = (Reason(code="long", message="expected something else than what was found there " * 5),)
    short, long = (local(reasons=reasons, name=name) for name in ("m", "an-extraordinarily-long-name-of-a-model-" * 4))
    tops = [
        min(area.y for area in lay_out(one).shapes if isinstance(area, Area) and area.y > 200) for one in (short, long)
    ]
    assert tops[0] < tops[1] - 10.5
    assert tops[1] <= 280
    assert reasons[0].message.strip() in _written(short)


def test_a_local_label_without_a_star_tells_the_whole_reason_or_none() -> None:
    brief = _written(local(stars=None, no_star_because="it is alone"))
    assert "No star: it is alone" in brief
    long = _written(local(stars=None, no_star_because="it is the only model given of its task and conditions " * 3))
    assert "No star." in long
    assert "\u2026" not in long


def test_long_names_wrap_then_shrink_then_end_with_an_ellipsis() -> None:
    def name_lines(name: str) -> list[Text]:
        return [text for text in lay_out(official(provider=None, name=name)).texts if 52 < text.baseline < 140]

    short = name_lines("Meta-Llama-3.1-70B-Instruct-quantized")
    assert len(short) == 2
    assert {line.size_px for line in short} == {16}
    long = name_lines("Meta-Llama-3.1-70B-Instruct-" * 5)
    assert {line.size_px for line in long} < {14, 12, 10, 9}
    assert "".join(line.text for line in long[:6]).replace(" ", "").startswith("Meta-Llama-3.1-70B-Instruct-Meta")
    cut = name_lines("x" * 400)
    assert cut[-1].text.endswith("\u2026") or any(line.text.endswith("\u2026") for line in cut)


def test_text_from_right_to_left_begins_at_the_right_edge() -> None:
    texts = lay_out(official(name="\u0646\u0645\u0648\u0630\u062c-7B")).texts
    (name,) = [text for text in texts if text.right_to_left]
    assert (name.anchor, name.x) == ("end", layout.RIGHT)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", sorted(PALETTES))
def test_contrast_is_that_of_wcag_aa(kind: str) -> None:
    colours = PALETTES[kind]  # type: ignore[index]
    for text, below in (
        (colours.on_header, colours.header),
        (colours.on_header_soft, colours.header),
        (colours.text, colours.background),
        (colours.soft, colours.background),
        (colours.on_bar, colours.bar),
        (colours.on_bar_soft, colours.bar),
    ):
        assert contrast(text, below) >= 4.5
    assert contrast(colours.star, colours.background) >= 3
    assert contrast(colours.header_star, colours.header) >= 3
    assert contrast(colours.code_dark, colours.code_light) >= 7
