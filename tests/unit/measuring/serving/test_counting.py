"""What a server did in a window: right for a server of known power and rate, wherever the window begins and ends."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.measuring.serving.answers import Answer
from scorekit.measuring.serving.counting import Query, served, share

IDLE_W, PREFILL_W, DECODE_W = 100.0, 300.0, 60.0
PREFILL = 0.3
"""Share of a query's time in which it takes PREFILL_W: energy is spent unevenly over a query."""
PROMPTS = 40


class Simulated:
    """A server in simulated time: each query takes its prompt's time and power, whatever else is in flight.

    Args:
        lengths_s: time of each prompt's answer.
        concurrency: queries in flight.
        queries: to be answered in all.
    """

    def __init__(self, lengths_s: list[float], concurrency: int, queries: int) -> None:
        self.queries: list[Query] = []
        free = [0.0] * concurrency
        for number in range(queries):
            slot = min(range(concurrency), key=lambda place: free[place])
            length_s = lengths_s[number % len(lengths_s)]
            tokens = Answer(3, 10 + number % len(lengths_s), "length")
            self.queries.append(Query(number, free[slot], free[slot] + length_s, tokens))
            free[slot] += length_s
        self.end_s = min(free)
        mean_s = statistics.fmean(lengths_s)
        self.joules_per_query = IDLE_W * mean_s / concurrency + mean_s * (
            PREFILL * PREFILL_W + (1 - PREFILL) * DECODE_W
        )
        self.tokens_per_query = 10 + (len(lengths_s) - 1) / 2

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Energy of a window, exactly."""
        total = IDLE_W * (end_s - start_s)
        for query in self.queries:
            assert query.ended_s is not None
            turn_s = query.begun_s + PREFILL * (query.ended_s - query.begun_s)
            total += PREFILL_W * inside_s(query.begun_s, turn_s, start_s, end_s)
            total += DECODE_W * inside_s(turn_s, query.ended_s, start_s, end_s)
        return total

    def served_in(self, start_s: float, end_s: float) -> list[Query]:
        return [q for q in self.queries if q.ended_s is not None and q.ended_s >= start_s and q.begun_s < end_s]


def inside_s(begin_s: float, finish_s: float, start_s: float, end_s: float) -> float:
    return max(0.0, min(finish_s, end_s) - max(begin_s, start_s))


def lengths(seed: int, spread: float) -> list[float]:
    rng = random.Random(seed)
    return [
        1.0 if spread == 0 else rng.uniform(1 - spread, 1 + spread) * rng.choice([0.3, 1, 3]) for _ in range(PROMPTS)
    ]


def windows(server: Simulated, length_s: float, count: int) -> list[tuple[float, float]]:
    rng = random.Random(7)
    first = server.end_s * 0.05
    starts = [rng.uniform(first, server.end_s * 0.95 - length_s) for _ in range(count)]
    return [(start, start + length_s) for start in starts]


def shares(server: Simulated, start_s: float, end_s: float) -> float:
    return served(server.served_in(start_s, end_s), start_s, end_s, PROMPTS).queries


def whole(server: Simulated, start_s: float, end_s: float) -> float:
    """The count that looks right: only queries that begin and end inside."""
    return sum(q.begun_s >= start_s and q.ended_s is not None and q.ended_s < end_s for q in server.queries)


def estimate(server: Simulated, count: Callable[[Simulated, float, float], float], length_s: float) -> float:
    """Energy of a query over windows at any places, relative to the true one."""
    found = [(server.energy_j(*window), count(server, *window)) for window in windows(server, length_s, 100)]
    return sum(energy_j for energy_j, _ in found) / sum(queries for _, queries in found) / server.joules_per_query


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_the_energy_of_a_query_is_right_and_that_by_whole_queries_is_not(concurrency: int, spread: float) -> None:
    server = Simulated(lengths(1, spread), concurrency, 40 * PROMPTS)
    # Three rounds of each slot: short, so that the edges matter.
    length_s = 3 * statistics.fmean(lengths(1, spread)) * (PROMPTS if concurrency == 1 else 1)
    allowed = 0.03
    assert estimate(server, shares, length_s) == pytest.approx(1, abs=allowed)
    if concurrency == 8:
        assert estimate(server, whole, length_s) > 1.2, "it misses as many queries as are in flight"


def test_windows_of_whole_passes_are_right_each_by_itself() -> None:
    server = Simulated(lengths(2, 0.5), 4, 30 * PROMPTS)
    for start in range(3 * PROMPTS, 20 * PROMPTS, PROMPTS + 7):
        window = server.queries[start].begun_s, server.queries[start + 2 * PROMPTS].begun_s
        found = served(server.served_in(*window), *window, PROMPTS)
        assert found.queries == pytest.approx(2 * PROMPTS, rel=0.02)
        assert found.passes == pytest.approx(2, rel=0.02)
        assert server.energy_j(*window) / found.queries == pytest.approx(server.joules_per_query, rel=0.02)
        assert found.output_tokens / found.queries == pytest.approx(server.tokens_per_query, rel=0.02)
        assert found.mean_in_flight == pytest.approx(4)
        assert found.begun == 2 * PROMPTS


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=6))
def test_windows_one_after_the_other_count_each_query_once(lengths_s: list[float]) -> None:
    server = Simulated([0.5, 2.0, 1.25], 3, 60)
    places = [0.0]
    for length_s in lengths_s:
        places.append(places[-1] + length_s)
    last = max(q.ended_s for q in server.queries if q.ended_s is not None)
    edges = [*(place for place in places if place < last), last + 1]
    parts = [served(server.queries, a, b, 3) for a, b in pairwise(edges)
             if any(share(q, a, b) for q in server.queries)]  # fmt: skip
    assert sum(part.queries for part in parts) == pytest.approx(60)
    assert sum(part.ended for part in parts) == 60
    tokens = sum(q.answer.output_tokens for q in server.queries if q.answer is not None)
    assert sum(part.output_tokens for part in parts) == pytest.approx(tokens)


def test_littles_law_holds() -> None:
    server = Simulated(lengths(3, 0.5), 6, 30 * PROMPTS)
    window = server.queries[4 * PROMPTS].begun_s, server.queries[20 * PROMPTS].begun_s
    found = served(server.served_in(*window), *window, PROMPTS)
    assert found.mean_latency_s is not None
    rate = found.queries / (window[1] - window[0])
    assert rate * found.mean_latency_s == pytest.approx(found.mean_in_flight, rel=0.02)


def test_a_query_of_no_length_counts_where_it_is() -> None:
    at = Query(0, 5.0, 5.0, Answer(1, 1, None))
    assert [share(at, 0, 5), share(at, 5, 6), share(at, 6, 7)] == [0, 1, 0]


def answered(*cached: int | None) -> list[Query]:
    """Queries of a second, each behind the last."""
    return [
        Query(number, float(number), number + 1.0, Answer(10, 5, "length", tokens), repeated=number > 1)
        for number, tokens in enumerate(cached)
    ]


def test_tokens_of_the_cache_count_by_the_share_of_their_query_and_are_unknown_where_none_is_told() -> None:
    found = served(answered(None, 4, 8), 0.5, 2.5, 3)
    assert (found.input_tokens, found.cached_input_tokens) == (20, pytest.approx(4 + 8 / 2))
    assert served(answered(None, None, None), 0.5, 2.5, 3).cached_input_tokens is None
    # A server that is known to tell, and leaves out zeros.
    assert served(answered(None, None, None), 0.5, 2.5, 3, tells_cached=True).cached_input_tokens == 0
    assert found.begun == 2
    assert found.repeated_prompts == 1
