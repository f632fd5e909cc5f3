"""What a server did in a window of its steady state: each query by the share of its time that lies inside. Pure.

Why not count the queries that end inside: with N queries in flight up to N that took most of their energy inside are
left out, and as many that took theirs before are counted. That is right on average over many windows, but a short
window misses by up to N queries. And why not count only those that begin and end inside: that misses N of them always,
and the long ones more often than the short.

A share is right on average and misses little. Over a steady state each query gives its whole 1 to the time that it
takes, so that the sum of the shares in a window of length T has the mean `rate x T` (Campbell's theorem; with equal
answers it has no spread at all). The energy in the window has the mean `power x T`. Their quotient is the energy of a
query, wherever the window begins and ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scorekit.measuring.serving.answers import Answer
from scorekit.records import Served


@dataclass(slots=True)
class Query:
    """One query to the server; times are of the monotonic clock.

    Attributes:
        number: from 0, in the order in which they were begun.
        begun_s: when the request was sent.
        ended_s: when the answer had ended; None while it has not.
        answer: what the server told at its end.
        repeated: whether its prompt had been asked before.
    """

    number: int
    begun_s: float
    ended_s: float | None = None
    answer: Answer | None = None
    repeated: bool = False


def share(query: Query, start_s: float, end_s: float) -> float:
    """The part of an answered query's time that lies in a window, from 0 to 1."""
    assert query.ended_s is not None
    length_s = query.ended_s - query.begun_s
    if length_s <= 0:
        return 1.0 if start_s <= query.begun_s < end_s else 0.0
    inside_s = min(query.ended_s, end_s) - max(query.begun_s, start_s)
    return min(1.0, max(0.0, inside_s) / length_s)


def served(
    queries: Sequence[Query], start_s: float, end_s: float, samples: int, *, tells_cached: bool = False
) -> Served:
    """What was served from `start_s` to `end_s`.

    Args:
        queries: all that were in flight at any time of the window, answered by now.
        start_s, end_s: the window.
        samples: queries of one pass.
        tells_cached: whether the server is known to tell what came from its cache, so that an answer that tells
            nothing is one of which nothing did.

    Raises:
        ValueError: nothing was served.
    """
    shares = [(query, share(query, start_s, end_s)) for query in queries]
    count = sum(part for _, part in shares)
    inside_s = sum(part * (query.ended_s - query.begun_s) for query, part in shares if query.ended_s is not None)
    ended = [query for query, _ in shares if query.ended_s is not None and start_s <= query.ended_s < end_s]
    return Served(
        queries=count,
        passes=count / samples,
        input_tokens=sum(part * query.answer.input_tokens for query, part in shares if query.answer is not None),
        output_tokens=sum(part * query.answer.output_tokens for query, part in shares if query.answer is not None),
        cached_input_tokens=_cached(shares, tells_cached=tells_cached),
        begun=sum(start_s <= query.begun_s < end_s for query, _ in shares),
        repeated_prompts=sum(query.repeated for query, _ in shares if start_s <= query.begun_s < end_s),
        ended=len(ended),
        mean_in_flight=inside_s / (end_s - start_s),
        mean_latency_s=sum(query.ended_s - query.begun_s for query in ended if query.ended_s is not None) / len(ended)
        if ended
        else None,
    )


def _cached(shares: Sequence[tuple[Query, float]], *, tells_cached: bool) -> float | None:
    """Tokens of prompts that came from the server's cache; None where it does not tell.

    vLLM and SGLang leave the figure out where it is 0, so that one answer that has it speaks for the others.
    """
    told = [(part, query.answer.cached_tokens) for query, part in shares if query.answer is not None]
    if not tells_cached and all(tokens is None for _, tokens in told):
        return None
    return sum(part * (tokens or 0) for part, tokens in told)
