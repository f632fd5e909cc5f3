"""The first queries to a server: which request fields it takes, and whether it tells what its cache gave it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scorekit.measuring.serving import prompt_cache
from scorekit.measuring.serving.answers import Answer
from scorekit.measuring.serving.client import Client, RefusedError

_UNKNOWN_FIELD: Final = (400, 422)
"""What servers answer to a request with a field that they do not know."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a server takes and tells.

    Attributes:
        answer: to the first query.
        ignore_eos: whether it takes the request to go on to the most tokens.
        no_cache: the request fields that it takes to leave its cache of prompts alone; empty for none.
        tells_cached: whether it tells how many tokens of a prompt came from that cache.
        owner: what it calls the owner of the model; None where it does not tell.
    """

    answer: Answer
    ignore_eos: bool
    no_cache: Mapping[str, Any]
    tells_cached: bool
    owner: str | None


async def probe(client: Client, prompts: Sequence[str], ignore_eos: object, no_cache: Any) -> Probed:
    """Ask the first queries.

    Args:
        client: connected; it is left asking as the server takes it.
        prompts: of the run; one of middling length is asked.
        ignore_eos: true, false, or "auto" to do without where the server refuses it.
        no_cache: as backend.no_cache has it; "auto" does without likewise.

    Raises:
        ServerError: there is no answer, or it refuses what was asked for by name.
    """
    owner = (await client.models() or {}).get(client.model)
    asked = prompt_cache.fields(no_cache, owner)
    # Servers keep whole blocks of tokens only, so that a very short one would show nothing.
    prompt = sorted(prompts, key=len)[len(prompts) // 2]
    answer = await _first(client, prompt, ignore_eos, asked, insisted=no_cache != prompt_cache.AUTO)
    tells_cached = answer.cached_tokens is not None or await _tells(client, prompt)
    return Probed(answer, client.ignore_eos, client.no_cache, tells_cached, owner)


async def _first(
    client: Client, prompt: str, ignore_eos: object, no_cache: Mapping[str, Any], *, insisted: bool
) -> Answer:
    """The answer to the first query, with as many of the fields as the server takes."""
    ways = [
        (goes_on, fields)
        for fields in ([no_cache] if insisted or not no_cache else [no_cache, {}])
        for goes_on in ([True, False] if ignore_eos == "auto" else [bool(ignore_eos)])
    ]
    refused: RefusedError | None = None
    for goes_on, fields in ways:
        client.ignore_eos, client.no_cache = goes_on, fields
        try:
            return await client.ask(prompt)
        except RefusedError as error:
            if error.status not in _UNKNOWN_FIELD:
                raise
            refused = error
    assert refused is not None
    if not (insisted and no_cache):
        raise refused
    raise RefusedError(
        f"{refused.message} (asked with {', '.join(no_cache)}, as backend.no_cache has it)",
        mend=f"backend.no_cache=false, where the server does not know that field; or {refused.mend}",
        status=refused.status,
    ) from refused


async def _tells(client: Client, prompt: str) -> bool:
    """Whether a prompt that is asked twice, cache and all, shows in the answer.

    vLLM and SGLang leave the figure out where it is 0, so that the absence of one says nothing by itself.
    """
    plain = copy.copy(client)
    plain.no_cache, plain.ignore_eos, plain.max_tokens = {}, False, 1
    try:
        await plain.ask(prompt)
        return (await plain.ask(prompt)).cached_tokens is not None
    except RefusedError:
        # One that takes no answer of one token, or a query only with the field, is measured all the same.
        return False
