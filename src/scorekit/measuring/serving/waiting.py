"""Waiting for what is asynchronous from code that is not, in a notebook too, which has an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Waited = TypeVar("Waited")


def wait_for(coroutine: Coroutine[Any, Any, Waited]) -> Waited:
    """What a coroutine returns; run in this thread, or in another one where this one runs an event loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
