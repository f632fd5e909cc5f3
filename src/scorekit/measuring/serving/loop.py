"""The closed loop: a stated number of queries in flight, each answer followed at once by the next query.

It runs in a thread of its own, so that windows are opened and closed beside it. The first query that fails ends it:
energy of failures is no part of a score, and a loop with a slot less is no longer the one that was asked for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from scorekit.errors import LauncherError, ScorekitError, ServerError
from scorekit.measuring.serving.answers import Answer
from scorekit.measuring.serving.counting import Query


class Asks(Protocol):
    """What answers a prompt."""

    async def ask(self, prompt: str) -> Answer:
        """The answer."""


class ClosedLoop:
    """Goes over the prompts in their order, again and again, with `concurrency` of them in flight.

    Args:
        connect: makes a connected client.
        prompts: in their order.
        concurrency: queries in flight.
        clock: of the times of queries.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[Asks]],
        prompts: Sequence[str],
        concurrency: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect, self._prompts, self._concurrency, self._clock = connect, prompts, concurrency, clock
        first = {prompt: place for place, prompt in reversed([*enumerate(prompts)])}
        self._repeats = [first[prompt] < place for place, prompt in enumerate(prompts)]
        self._changed = threading.Condition()
        self._queries: list[Query] = []
        self._open: dict[int, Query] = {}
        self._begun = self._ended = 0
        self._stopping = self._over = False
        self._failure: BaseException | None = None
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="closed-loop", daemon=True)

    def start(self) -> None:
        """Send the first queries."""
        self._thread.start()

    @property
    def begun(self) -> int:
        """Queries begun so far."""
        with self._changed:
            return self._begun

    def wait_begun(self, count: int) -> None:
        """Wait until so many queries were begun in all.

        Raises:
            ScorekitError: a query failed.
        """
        self._wait(lambda: self._begun >= count)

    def wait_ended(self, count: int) -> None:
        """Wait until so many were answered in all; raises as `wait_begun`."""
        self._wait(lambda: self._ended >= count)

    def in_flight_during(self, start_s: float, end_s: float) -> list[Query]:
        """The queries that were in flight at any time of a window, when all of them are answered.

        Those that had ended before it are forgotten. Raises as `wait_begun`.
        """
        self._wait(lambda: all(query.begun_s >= end_s for query in self._open.values()))
        with self._changed:
            self._queries = [query for query in self._queries if query.ended_s is None or query.ended_s >= start_s]
            return [query for query in self._queries if query.begun_s < end_s]

    def drain(self) -> None:
        """Begin no more queries, and wait until those in flight are answered; raises as `wait_begun`."""
        with self._changed:
            self._stopping = True
        self._thread.join()
        self._raise_failure()

    def abort(self) -> None:
        """Drop what is in flight. After `drain` there is nothing."""
        with self._changed:
            self._stopping = True
            running, main = self._event_loop, self._main
        if running is not None and main is not None and self._thread.is_alive():
            running.call_soon_threadsafe(main.cancel)
        if self._thread.ident is not None:
            self._thread.join()

    def _wait(self, done: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None or self._over or done())
        self._raise_failure()

    def _raise_failure(self) -> None:
        error = self._failure
        if error is None:
            return
        if isinstance(error, ScorekitError):
            raise error
        raise LauncherError(
            f"a query failed: {type(error).__name__}: {error}", mend="the traceback is in benchmark.log"
        ) from error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait have to be told
            self._failure = self._failure or error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    async def _serve(self) -> None:
        with self._changed:
            self._event_loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
            if self._stopping:
                return
        async with self._connect() as client:
            slots = [asyncio.ensure_future(self._slot(client)) for _ in range(self._concurrency)]
            try:
                await asyncio.gather(*slots)
            finally:
                # The first failure ends the others, whose own end says nothing.
                for slot in slots:
                    slot.cancel()
                await asyncio.gather(*slots, return_exceptions=True)

    async def _slot(self, client: Asks) -> None:
        """One query after the other."""
        while (query := self._begin()) is not None:
            place = query.number % len(self._prompts)
            try:
                answer = await client.ask(self._prompts[place])
            except ServerError as error:
                raise ServerError(f"query {query.number} (sample {place}): {error.message}", mend=error.mend) from error
            self._end(query, answer)

    def _begin(self) -> Query | None:
        with self._changed:
            if self._stopping:
                return None
            number = self._begun
            repeated = number >= len(self._prompts) or self._repeats[number]
            query = Query(number, self._clock(), repeated=repeated)
            self._begun += 1
            self._queries.append(query)
            self._open[query.number] = query
            self._changed.notify_all()
            return query

    def _end(self, query: Query, answer: Answer) -> None:
        with self._changed:
            query.ended_s, query.answer = self._clock(), answer
            del self._open[query.number]
            self._ended += 1
            self._changed.notify_all()
