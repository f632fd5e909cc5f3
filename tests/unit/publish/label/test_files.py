"""Labels as files: well-formed, standing alone, harmless, and telling machines the same as people."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import struct
import zlib
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import zxingcpp
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from PIL import Image
from pypdf import PdfReader

from scorekit.errors import UsageError
from scorekit.publish.label import layout, metadata, pictures, wording
from scorekit.publish.label.facts import LabelFacts
from scorekit.publish.label.palette import PALETTES
from scorekit.publish.label.svg import svg
from tests.unit.publish.label.examples import LINK, local, official, unrated
from tests.unit.publish.label.test_layout import facts_of_any_name

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {f"{SVG}{tag}" for tag in ("svg", "g", "a", "path", "rect", "text", "title", "desc", "metadata", "style")}
HOSTILE = "<script>alert(1)</script>\"'&]]>--><!--{{7*7}}\u202egnp.exe\0\ud800"


def properties(facts: LabelFacts) -> dict[str, Any]:
    document = metadata.json_ld(facts)
    return {item["propertyID"].removeprefix("scorekit:"): item["value"] for item in document["additionalProperty"]}


@settings(max_examples=60, deadline=None)
@given(facts_of_any_name)
def test_any_name_gives_well_formed_svg_of_known_elements_that_loads_nothing(facts: LabelFacts) -> None:
    text = svg(facts)
    root = ET.fromstring(text.encode("utf-8"))
    assert {element.tag for element in root.iter()} <= DRAWN | {f"{SVG}clipPath"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "href" not in name or value == facts.link
    assert not re.search(r"url\((?!data:font/woff;base64,|#)", text)
    assert len(text.encode("utf-8")) < 60_000
    document = json.loads(root.findtext(f"{SVG}metadata") or "")
    assert document.get("observationAbout", {}).get("name") == (facts.model or None)


def test_hostile_names_are_text_and_nothing_else() -> None:
    facts = official(provider=HOSTILE, name=HOSTILE, hardware=HOSTILE, edition=HOSTILE)
    text = svg(facts)
    root = ET.fromstring(text.encode("utf-8"))
    assert "<script" not in text
    # What turns text around is gone; what has no picture is a square.
    shown = "".join(element.text or "" for element in root.iter(f"{SVG}text"))
    assert "\u202e" not in shown
    assert "\u25a1" in shown
    assert "alert(1)" in (root.findtext(f"{SVG}title") or "")
    assert json.loads(root.findtext(f"{SVG}metadata") or "")["observationAbout"]["name"] == f"{HOSTILE}/{HOSTILE}"


def test_the_font_within_has_every_letter_that_the_label_uses() -> None:
    facts = official(name="M\u00f4d\u00e8le-\u03b1-\u0416")
    text = svg(facts)
    faces = re.findall(r"font-weight:(\d+);src:url\(data:font/woff;base64,([^)]+)\)", text)
    fonts = {}
    for weight, data in faces:
        with TTFont(io.BytesIO(base64.b64decode(data))) as font:
            fonts[weight] = set(map(chr, font.getBestCmap()))
    assert set(fonts) == {"500", "700"}
    for element in ET.fromstring(text.encode("utf-8")).iter(f"{SVG}text"):
        assert set(element.text or "") <= fonts[element.attrib["font-weight"]]


def test_the_same_facts_give_the_same_file() -> None:
    assert svg(official()) == svg(official())
    assert pictures.png(official(), 1) == pictures.png(official(), 1)


def test_alternative_text_tells_what_is_seen() -> None:
    root = ET.fromstring(svg(official(borderline=True, star_probability=0.9496, out_of_range="above")))
    assert root.attrib["role"] == "img"
    ids = root.attrib["aria-labelledby"].split()
    assert [root.find(f"{SVG}title").attrib["id"], root.find(f"{SVG}desc").attrib["id"]] == ids  # type: ignore[union-attr]
    told = root.findtext(f"{SVG}desc") or ""
    for part in (
        "example/model-1b", "Text generation, class A", "NVIDIA H100 80GB HBM3", "June 2025",
        "5.82 Wh per 1,000 queries", "\u00b1 2.1 %", "4 of 5 stars", "Edition 2025-02", "equal_width",
        "borderline", "probability 94.9 %", "above the range", LINK,
    ):  # fmt: skip
        assert part in told


def test_metadata_is_exact_and_names_what_is_unknown() -> None:
    document = metadata.json_ld(official())
    assert document["@type"] == "Observation"
    assert document["value"] == 5.8231
    assert document["unitText"] == "Wh per 1,000 queries"
    assert document["observationDate"] == "2025-06-01"
    assert document["url"] == LINK
    assert document["marginOfError"]["value"] == pytest.approx(5.8231 * 0.0213)
    assert document["observationAbout"]["creator"]["name"] == "example"
    assert "unknown" not in properties(official())
    found = properties(official())
    assert (found["stars"], found["edition"], found["rule"]) == (4, "2025-02", "equal_width")
    blank = local(
        provider=None, name=None, task=None, hardware=None, scored=None, energy_wh_per_1000=None, domain=None,
        uncertainty_percent=None, stars=None, no_star_because="the log gives no energy",
    )  # fmt: skip
    document = metadata.json_ld(blank)
    assert not {"value", "observationDate", "observationAbout", "url"} & set(document)
    told = properties(blank)
    assert set(told["unknown"]) == {
        "model", "value", "observationDate", "task", "hardware", "domain", "uncertainty",
    }  # fmt: skip
    assert told["no_star_because"] == "the log gives no energy"
    shown = [text.text for text in layout.lay_out(blank).texts]
    assert "Unknown model" in shown
    assert shown.count("unknown") == 4
    assert not any(text.strip("0.") == "" for text in shown)


@pytest.mark.parametrize("energy", [math.nan, math.inf, -1.0, 0.0])
def test_an_energy_that_cannot_be_is_unknown_and_never_zero(energy: float) -> None:
    facts = local(energy_wh_per_1000=energy)
    assert wording.energy(facts) == "unknown"
    assert json.loads(metadata.json_ld_text(facts)).get("value") is None


def test_a_local_label_says_so_everywhere_and_has_no_link() -> None:
    for facts in (local(), local(stars=None, no_star_because="it is the only model given")):
        text = svg(facts)
        root = ET.fromstring(text)
        for part in (root.findtext(f"{SVG}title"), root.findtext(f"{SVG}desc")):
            assert "local result, not comparable" in (part or "").lower()
        assert "no GPU was used" in (root.findtext(f"{SVG}desc") or "")
        assert root.find(f".//{SVG}a") is None
        assert properties(facts)["kind"] == "local result, not comparable"
        assert "official" not in str(properties(facts).get("stars_are"))


def test_a_comparable_result_without_a_star_says_why() -> None:
    facts = unrated()
    assert "edition 2025-02 has no thresholds for reasoning" in wording.description(facts)
    texts = " ".join(text.text for text in layout.lay_out(facts).texts)
    assert "No star: edition 2025-02 has no thresholds for reasoning" in texts
    assert properties(facts)["no_star_because"]
    bar = next(text for text in layout.lay_out(unrated(link=None)).texts if text.text == "No verification link")
    assert bar.fill == PALETTES["unrated"].on_bar


def chunks(picture: bytes) -> dict[str, str]:
    """International text of a PNG, every chunk's checksum looked at."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    found, place = {}, 8
    while place < len(picture):
        (length,) = struct.unpack_from(">I", picture, place)
        kind, data = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack_from(">I", picture, place + 8 + length)[0]
        if kind == b"iTXt":
            keyword, rest = data.split(b"\0", 1)
            found[keyword.decode("latin-1")] = rest[4:].decode("utf-8")
        place += 12 + length
    return found


def test_png_has_twice_the_size_and_the_same_words() -> None:
    picture = pictures.png(official())
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (520, 728)
        assert image.info["dpi"] == pytest.approx((144, 144), abs=0.1)
    texts = chunks(picture)
    assert texts["Title"] == wording.title(official())
    assert texts["Description"] == wording.description(official())
    assert json.loads(texts["JSON-LD"]) == metadata.json_ld(official())


@pytest.mark.parametrize(
    "link",
    [LINK, "https://e.org/1", "https://energy.example.org/results/" + "long-part-of-a-path/" * 10],
    ids=["usual", "short", "long"],
)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_code_of_the_picture_reads_as_the_link(link: str, scale: float) -> None:
    with Image.open(io.BytesIO(pictures.png(official(link=link), scale))) as image:
        flat = Image.new("RGB", image.size, "#888888")
        flat.paste(image, mask=image)
    (code,) = zxingcpp.read_barcodes(np.asarray(flat))
    assert code.text == link
    assert code.format == zxingcpp.BarcodeFormat.QRCode


def test_a_local_picture_holds_no_code() -> None:
    with Image.open(io.BytesIO(pictures.png(local()))) as image:
        assert not zxingcpp.read_barcodes(np.asarray(image.convert("RGB")))


def test_a_link_that_no_code_of_this_size_holds_is_refused() -> None:
    with pytest.raises(UsageError, match="too many for a QR code"):
        svg(official(link="https://energy.example.org/" + "x" * 300))


def pixels(facts: LabelFacts) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(pictures.png(facts))) as image:
        return np.asarray(image.convert("RGB"))


def test_inter_is_drawn_and_as_wide_as_it_was_measured() -> None:
    name = "Model-WMQ-1b"
    (text,) = [text for text in layout.lay_out(official(provider=None, name=name)).texts if text.text == name]
    with_name, without = pixels(official(provider=None, name=name)), pixels(official(provider=None, name="."))
    changed = np.nonzero((with_name != without).any(axis=(0, 2)))[0]
    assert changed[0] / 2 == pytest.approx(text.left, abs=2.5)
    assert changed[-1] / 2 == pytest.approx(text.right, abs=2.5)


@pytest.mark.parametrize(
    "name",
    [
        "W" * 200,
        "\u0646\u0645\u0648\u0630\u062c-\u0627\u0644\u0644\u063a\u0629-" * 5,
        "\u6a21\u578b" * 30,
        "\U0001f600" * 40,
    ],
    ids=["wide", "arabic", "chinese", "emoji"],
)
def test_nothing_is_drawn_beyond_the_margins(name: str) -> None:
    picture = pixels(official(provider=name, name=name))
    body = picture[int(layout.HEADER_PX * 2) + 2 : layout.BAR_TOP * 2 - 2]
    for margin in (body[:, 4 : layout.LEFT * 2 - 4], body[:, layout.RIGHT * 2 + 4 : -4]):
        assert (margin == 255).all()


def test_pdf_has_the_words_the_metadata_and_the_link() -> None:
    reader = PdfReader(io.BytesIO(pictures.pdf(official())))
    (page,) = reader.pages
    assert (float(page.mediabox.width), float(page.mediabox.height)) == (260, 364)
    assert reader.metadata is not None
    assert reader.metadata.title == wording.title(official())
    assert reader.metadata.subject == wording.description(official())
    assert json.loads(reader.attachments[pictures.ATTACHMENT][0]) == metadata.json_ld(official())
    (annotation,) = page["/Annots"]  # type: ignore[misc]
    assert annotation.get_object()["/A"]["/URI"] == LINK
    words = page.extract_text()
    assert "Inference energy" in words
    assert "model-1b" in words
    local_page = PdfReader(io.BytesIO(pictures.pdf(local()))).pages[0]
    assert "/Annots" not in local_page


def test_pictures_say_when_they_hang_on_the_machines_fonts() -> None:
    assert not pictures.beyond_inter(official(name="M\u00f4d\u00e8le-\u0416"))
    assert pictures.beyond_inter(official(name="\u6a21\u578b"))
