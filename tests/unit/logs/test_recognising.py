"""A stranger's file may begin with anything: no reader claims 64 KiB of one character, and none takes long over it.

The readers look at the head of every file. One whose work grows with the square of a line's length takes minutes here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.logs import FOREIGN, Reader
from scorekit.logs.places import HEAD_BYTES, Place

PATTERNS = (
    b"[",
    b"]",
    b"{",
    b'"',
    b",",
    b" ",
    b"\t",
    b"\n",
    b"\0",
    b"a",
    b"0",
    b"[ ",
    b'{"a":',
    b'"load" ',
    b'"load":',
    b"# ",
)


@pytest.mark.parametrize("reader", FOREIGN, ids=lambda reader: reader.format)
def test_a_head_of_one_pattern_is_no_log(reader: Reader) -> None:
    for pattern in PATTERNS:
        head = (pattern * (HEAD_BYTES // len(pattern) + 1))[:HEAD_BYTES]
        assert not reader.recognises(Place(Path("log.json"), "log.json", None, head)), pattern
