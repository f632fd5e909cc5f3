"""A signal ends the measuring process also where a library catches everything."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit import bundle
from scorekit.errors import TerminatedError
from scorekit.measuring import stopping
from scorekit.measuring.windows import Recorder

ENDS = pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, TerminatedError)], ids=["INT", "TERM"]
)


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stopping.heed()
    yield
    stopping.heed()  # Forgets what this test has told.
    for number, handler in before.items():
        signal.signal(number, handler)


def told(number: int) -> None:
    signal.raise_signal(number)
    raise AssertionError("the signal was not heard")


@ENDS
def test_it_is_raised_where_it_comes(number: int, error: type[BaseException]) -> None:
    with pytest.raises(error) as caught:
        told(number)
    assert type(caught.value) is error


@ENDS
def test_a_window_whose_work_swallows_it_is_the_last_and_leaves_no_line(
    tmp_path: Path, number: int, error: type[BaseException]
) -> None:
    recorder = Recorder((), tmp_path, lambda: None)

    def swallows() -> None:
        # As datasets does, where it works out a fingerprint.
        with contextlib.suppress(BaseException):
            told(number)

    recorder.measure("load_dataset", None, lambda: None)
    with pytest.raises(error) as caught:
        recorder.measure("preprocess", 0, swallows)
    assert type(caught.value) is error
    assert len((tmp_path / bundle.WINDOWS).read_text(encoding="utf-8").splitlines()) == 1


def test_without_a_signal_nothing_is_raised() -> None:
    stopping.check()
