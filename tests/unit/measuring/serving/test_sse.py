"""Server-sent events out of bytes, however they are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.measuring.serving.sse import MOST_BYTES, EventStream, TooLongError

STREAM = (
    b': a comment\r\nid: 1\r\nevent: x\ndata: {"a": 1}\r\n\r\n'
    b"data:two\ndata: lines\n\n"
    b"\n\n"
    b"data: \xe2\x80\xa8 is no end of a line\r\r"
    b"retry: 5\n\ndata: [DONE]"
)
EVENTS = [b'{"a": 1}', b"two\nlines", b"\xe2\x80\xa8 is no end of a line", b"[DONE]"]


def events_of(*pieces: bytes) -> list[bytes]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)] + stream.end()


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    assert events_of(*(STREAM[a:b] for a, b in pairwise(places))) == EVENTS


def test_byte_by_byte_too() -> None:
    assert events_of(*(STREAM[place : place + 1] for place in range(len(STREAM)))) == EVENTS


def test_nothing_is_made_of_what_is_no_event() -> None:
    assert events_of(b"<html>\n<body>no stream</body>\n", b"\x00\xff\n\n") == []


@pytest.mark.parametrize("piece", [b"x" * 65536, b"data: " + b"x" * 65536 + b"\n"])
def test_what_has_no_end_is_refused_before_it_fills_the_memory(piece: bytes) -> None:
    with pytest.raises(TooLongError):
        events_of(*[piece] * (MOST_BYTES // len(piece) + 2))
