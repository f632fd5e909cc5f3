"""The closed loop: as many queries in flight as asked, in the order of the prompts, until it ends or one fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from scorekit.errors import LauncherError, ServerError
from scorekit.measuring.serving.answers import Answer
from scorekit.measuring.serving.loop import ClosedLoop

ANSWER = Answer(3, 5, "length")


class Gate:
    """Answers a query when the test lets it; counts those in flight."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most_in_flight = self.in_flight = 0
        self.fails: dict[str, Exception] = {}
        self.open = threading.Event()
        self.ended = False
        self.cancelled = 0

    def connect(self) -> AbstractAsyncContextManager[Gate]:
        return self._connected()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Gate]:
        yield self
        self.ended = True

    async def ask(self, prompt: str) -> Answer:
        self.asked.append(prompt)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            while not self.open.is_set():
                await asyncio.sleep(0.001)
            if prompt in self.fails:
                raise self.fails[prompt]
            return ANSWER
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1


@pytest.fixture
def gate() -> Gate:
    found = Gate()
    found.open.set()
    return found


@pytest.fixture
def loops() -> Iterator[list[ClosedLoop]]:
    made: list[ClosedLoop] = []
    yield made
    for loop in made:
        loop.abort()


def started(loops: list[ClosedLoop], gate: Gate, prompts: int = 5, concurrency: int = 3) -> ClosedLoop:
    loop = ClosedLoop(gate.connect, [f"prompt {number}" for number in range(prompts)], concurrency)
    loops.append(loop)
    loop.start()
    return loop


def test_as_many_queries_are_in_flight_as_asked_and_no_more(gate: Gate, loops: list[ClosedLoop]) -> None:
    gate.open.clear()
    loop = started(loops, gate)
    loop.wait_begun(3)
    assert loop.begun == 3
    gate.open.set()
    loop.wait_ended(40)
    loop.drain()
    assert gate.most_in_flight == 3
    assert gate.in_flight == 0
    assert gate.ended


def test_prompts_are_asked_in_their_order_again_and_again(gate: Gate, loops: list[ClosedLoop]) -> None:
    loop = started(loops, gate)
    loop.wait_ended(17)
    loop.drain()
    expected = [f"prompt {number % 5}" for number in range(len(gate.asked))]
    assert gate.asked == expected


def test_a_query_tells_whether_its_prompt_had_been_asked_before(gate: Gate, loops: list[ClosedLoop]) -> None:
    loop = ClosedLoop(gate.connect, ["a", "b", "a", "c"], 2)
    loops.append(loop)
    loop.start()
    loop.wait_ended(6)
    found = loop.in_flight_during(0, time.monotonic())
    loop.drain()
    assert [query.repeated for query in found[:6]] == [False, False, True, False, True, True]


def test_the_queries_of_a_window_are_told_when_all_of_them_are_answered(gate: Gate, loops: list[ClosedLoop]) -> None:
    loop = started(loops, gate)
    loop.wait_ended(6)
    start_s = time.monotonic()
    loop.wait_begun(loop.begun + 10)
    end_s = time.monotonic()
    found = loop.in_flight_during(start_s, end_s)
    assert all(query.ended_s is not None and query.answer == ANSWER for query in found)
    assert all(query.begun_s < end_s and (query.ended_s or 0) >= start_s for query in found)
    numbers = [query.number for query in found]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 10
    again = loop.in_flight_during(end_s, time.monotonic())
    assert again[0].number > numbers[0], "what ended before a window is forgotten"
    loop.drain()


def test_draining_answers_what_is_in_flight_and_begins_no_more(gate: Gate, loops: list[ClosedLoop]) -> None:
    gate.open.clear()
    loop = started(loops, gate)
    loop.wait_begun(3)
    threading.Timer(0.05, gate.open.set).start()
    loop.drain()
    assert len(gate.asked) == 3
    assert gate.cancelled == 0
    loop.abort()


def until_begun(loop: ClosedLoop) -> None:
    loop.wait_begun(1000)


def until_answered(loop: ClosedLoop) -> None:
    loop.wait_ended(1000)


def until_the_window_is_answered(loop: ClosedLoop) -> None:
    loop.wait_begun(5)
    loop.in_flight_during(0, time.monotonic())


def until_drained(loop: ClosedLoop) -> None:
    loop.wait_begun(5)
    loop.drain()


@pytest.mark.parametrize("waits", [until_begun, until_answered, until_the_window_is_answered, until_drained])
def test_the_first_failure_ends_the_loop_and_is_told_to_whoever_waits(
    gate: Gate, loops: list[ClosedLoop], waits: Callable[[ClosedLoop], None]
) -> None:
    gate.fails["prompt 4"] = ServerError("it died", mend="start it")
    loop = started(loops, gate)
    with pytest.raises(ServerError, match=r"query 4 \(sample 4\): it died") as caught:
        waits(loop)
    assert caught.value.mend == "start it"
    loop.abort()
    assert gate.in_flight == 0


def test_what_nobody_foresaw_is_told_too(gate: Gate, loops: list[ClosedLoop]) -> None:
    gate.fails["prompt 2"] = RuntimeError("surprise")
    loop = started(loops, gate)
    with pytest.raises(LauncherError, match="RuntimeError: surprise"):
        loop.wait_ended(1000)


def test_aborting_drops_what_is_in_flight(gate: Gate, loops: list[ClosedLoop]) -> None:
    gate.open.clear()
    loop = started(loops, gate)
    loop.wait_begun(3)
    loop.abort()
    assert gate.cancelled == 3
    assert gate.in_flight == 0
    loop.abort()


def test_a_loop_that_was_never_started_can_be_aborted(gate: Gate) -> None:
    ClosedLoop(gate.connect, ["a"], 1).abort()
    assert gate.asked == []
