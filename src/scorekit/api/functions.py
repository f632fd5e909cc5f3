"""A function as a pass over samples: how it is called, and which functions do nothing when they are."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from typing import Final

from scorekit.api.arguments import MOST_NAME
from scorekit.errors import UsageError

_OF_FUTURES: Final = (("add_done_callback", "result"), ("ready", "successful"))
"""What results that are still to come can do: those of concurrent.futures and Dask, and those of multiprocessing."""


def pass_of(code: Callable[..., object], samples: int | None) -> Callable[[], None]:
    """One pass over the samples.

    Raises:
        UsageError: it is no function, or one whose call does no work or needs more than a number.
    """
    if not callable(code):
        raise UsageError(
            f"expected a function to measure, found a {type(code).__name__}",
            mend="for code that cannot be called: with scorekit.measure(samples=100) as found: ...",
        )
    called = getattr(code, "func", code)
    if inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called) or inspect.isgeneratorfunction(called):
        raise UsageError(
            "the function only makes a coroutine or generator when it is called, and does none of its work",
            mend="measure a function that runs it to its end, or the block that awaits it",
        )
    wanted = _wanted(code)
    if wanted > 1:
        raise UsageError(
            f"the function wants {wanted} arguments, expected none, or one for the number of the sample",
            mend="measure a function without them: lambda: f(one, two)",
        )
    if wanted and samples is None:
        raise UsageError(
            "the function wants the number of a sample, and samples does not tell how many there are",
            mend="scorekit.measure(f, samples=100)",
        )

    def call() -> None:
        _refuse_undone(code())

    def call_each() -> None:
        for number in range(samples or 0):
            _refuse_undone(code(number))

    return call_each if wanted else call


def _refuse_undone(made: object) -> None:
    # Of a partial, a lambda or a method only what it gives tells.
    undone = _undone(made)
    if undone is None and isinstance(made, list | tuple) and made and _is_future(made[0]):
        undone = "futures"
    if undone is None:
        return
    if inspect.iscoroutine(made) or inspect.isgenerator(made):
        made.close()
    raise UsageError(
        f"the function gave {undone}, and has not done its work",
        mend="measure a function that runs it to its end, e.g. by list(...) or .result(), or the block that does",
    )


def _undone(made: object) -> str | None:
    """What it is, where the work for it is still to be done; None of a result."""
    if inspect.isawaitable(made) or inspect.isasyncgen(made):
        return "something to await"
    if _is_future(made):
        return "a future"
    if inspect.isgenerator(made):
        return "a generator"
    # As of map, filter and zip: each item is made when it is asked for. An open file is one too, and has been opened.
    lazy = isinstance(made, Iterator) and not isinstance(made, io.IOBase) and iter(made) is made
    return f"an iterator ({type(made).__name__})" if lazy else None


def _is_future(made: object) -> bool:
    # By its class: an object that makes up its attributes as they are asked for is none.
    return any(all(hasattr(type(made), name) for name in names) for names in _OF_FUTURES)


def _wanted(code: Callable[..., object]) -> int:
    """Positional arguments that a call needs; 0 where the function does not tell."""
    try:
        parameters = inspect.signature(code).parameters.values()
    except (TypeError, ValueError):
        return 0
    needed = [
        one for one in parameters if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    if any(one.kind is one.KEYWORD_ONLY for one in needed):
        raise UsageError(
            "the function wants arguments by name, expected none, or one for the number of the sample",
            mend="measure a function without them: lambda: f(one=1)",
        )
    return len(needed)


def own_name(code: Callable[..., object] | None) -> str | None:
    """The name of a function; None for one that has none, as a lambda."""
    name = getattr(code, "__name__", None)
    return name[:MOST_NAME] if isinstance(name, str) and name.isidentifier() else None
