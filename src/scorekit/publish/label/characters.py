"""Text of strangers made fit to be drawn: what cannot be seen or would disturb other text is taken out, pure.

Names come from logs and the Hub and may hold anything. Escaping for XML, JSON or Markdown is left to whoever writes
these; here it is about characters that harm although they are escaped: controls that turn text around, marks that pile
up over other lines, and what XML cannot hold at all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

PLACEHOLDER: Final = "\u25a1"
"""Stands for a character that has no picture: a control, half of a surrogate pair, or one of private use."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Persian, Indic scripts and emoji need these; all other format characters only reorder or hide text."""
_MARKS_KEPT: Final = 3
"""Marks on one letter. No writing needs more; piles of them would stand over the lines above."""
_LONGEST: Final = 10
"""Characters of the longest emoji; joiners could tie a whole name together, which then could not be wrapped."""
_EMOJI_MODIFIERS: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
_PLAIN: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")


def clean(text: str) -> str:
    """The text on one line in composed form, without what cannot be drawn.

    White space of any kind becomes single spaces. Controls, surrogates, and characters of private use or without
    meaning become a square. Format characters are dropped, but for joiners; so are marks with no letter to stand on.
    """
    if _PLAIN.fullmatch(text):
        return text
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if character.isspace():
            kept.append(" ")
        elif category in ("Mn", "Me"):
            marks += 1
            if marks <= _MARKS_KEPT and kept and kept[-1] != " ":
                kept.append(character)
            continue
        elif category == "Cf":
            if character in _JOINERS and kept:
                kept.append(character)
            continue
        elif category in ("Cc", "Cs", "Co") or (category == "Cn" and not is_pictograph(character)):
            kept.append(PLACEHOLDER)
        else:
            kept.append(character)
        marks = 0
    return " ".join("".join(kept).split())


def is_pictograph(character: str) -> bool:
    """Whether a character is of the ranges that hold emoji, also those newer than Python's tables."""
    code = ord(character)
    return (
        0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF or 0x2B00 <= code <= 0x2BFF or 0x2300 <= code <= 0x23FF
    )


def is_right_to_left(text: str) -> bool:
    """Whether a text reads from right to left, by its first letter that has a direction."""
    if text.isascii():
        return False
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False


def clusters(text: str) -> list[str]:
    """What a reader takes for one character each: a letter with its marks, a joined emoji, a flag."""
    if text.isascii():
        return list(text)
    found: list[str] = []
    for character in text:
        if found and len(found[-1]) < _LONGEST and _belongs(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _belongs(before: str, character: str) -> bool:
    if character in _JOINERS or character in _EMOJI_MODIFIERS or unicodedata.category(character).startswith("M"):
        return True
    if before[-1] == "\u200d":
        return True
    return character in _FLAG_LETTERS and len(before) == 1 and before in _FLAG_LETTERS
