"""The first queries to a server: fields that it refuses are done without; whether it tells of its cache is found."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scorekit.errors import ScorekitError
from scorekit.measuring.serving import address, prompt_cache
from scorekit.measuring.serving.client import Client
from scorekit.measuring.serving.probing import Probed, probe
from scorekit.measuring.serving.waiting import wait_for
from tests.unit.measuring.serving import fake_server
from tests.unit.measuring.serving.fake_server import MODEL, Asked, FakeServer, Keeping, owned_by

PROMPTS = ["say la", "say", "say la la la"]


def probed(server: FakeServer, ignore_eos: object = "auto", no_cache: Any = "auto") -> Probed:
    async def probing() -> Probed:
        async with Client(address.parse(server.url, "completions"), MODEL, max_tokens=5, timeout_s=60) as connected:
            return await probe(connected, PROMPTS, ignore_eos, no_cache)

    server.requests.clear()
    return wait_for(probing())


def refusing(*names: str) -> fake_server.Answer:
    """As transformers serve and OpenAI's own do."""

    def answer(asked: Asked) -> None:
        strange = sorted({*names} & {*asked.body})
        if strange:
            asked.send(422, {"detail": f"Unexpected fields in the request: {strange}"})
        else:
            fake_server.answers(asked)

    return answer


def test_ignore_eos_is_asked_for_and_done_without_where_it_is_refused(server: FakeServer) -> None:
    assert probed(server).ignore_eos is True
    assert server.requests[0]["ignore_eos"] is True
    server.answer = refusing("ignore_eos")
    assert probed(server).ignore_eos is False
    assert "ignore_eos" not in server.requests[1]
    assert probed(server, ignore_eos=False).ignore_eos is False
    with pytest.raises(ScorekitError, match="Unexpected fields"):
        probed(server, ignore_eos=True)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("vllm", {"cache_salt": "SALT"}),
        ("sglang", {"cache_salt": "SALT"}),
        ("llamacpp", {"cache_prompt": False}),
        ("library", {}),
        ("org", {}),
    ],
)
def test_a_server_that_is_known_is_asked_to_leave_its_cache_alone_and_others_are_sent_nothing(
    server: FakeServer, owner: str, expected: dict[str, Any]
) -> None:
    server.listing = owned_by(owner)
    found = probed(server)
    assert (found.owner, found.no_cache) == (owner, expected)
    first = server.requests[0]
    assert {name for name in first if name.startswith("cache")} == {*expected}
    if expected.get("cache_salt") == prompt_cache.SALT:
        assert re.fullmatch("[0-9a-f]{32}", first["cache_salt"])


def test_each_query_has_a_salt_of_its_own() -> None:
    salts = {prompt_cache.salted({"cache_salt": "SALT", "other": 1})["cache_salt"] for _ in range(50)}
    assert len(salts) == 50
    assert prompt_cache.salted({"cache_prompt": False}) == {"cache_prompt": False}


def test_a_field_that_a_known_server_refuses_is_done_without_and_one_that_was_named_is_not(server: FakeServer) -> None:
    """An old vLLM knows cache_salt and refuses it."""
    server.listing, server.answer = owned_by("vllm"), refusing("cache_salt")
    found = probed(server)
    assert (found.ignore_eos, found.no_cache) == (True, {})
    server.answer = refusing("cache_salt", "ignore_eos")
    found = probed(server)
    assert (found.ignore_eos, found.no_cache) == (False, {})
    with pytest.raises(ScorekitError, match=r"Unexpected fields.*asked with cache_salt, as backend.no_cache") as caught:
        probed(server, no_cache="vllm")
    assert "backend.no_cache=false" in str(caught.value.mend)


@pytest.mark.parametrize(
    ("no_cache", "expected"),
    [
        (False, {}),
        ("sglang", {"cache_salt": "SALT"}),
        ("llama.cpp", {"cache_prompt": False}),
        ({"reuse": 0, "salt": "SALT"}, {"reuse": 0, "salt": "SALT"}),
    ],
)
def test_fields_can_be_named_for_any_server(server: FakeServer, no_cache: Any, expected: dict[str, Any]) -> None:
    assert probed(server, no_cache=no_cache).no_cache == expected
    assert {*expected} <= {*server.requests[0]}


@pytest.mark.parametrize(
    ("tells", "owner", "expected", "queries"),
    [
        # The first answer has the figure; or a prompt that is asked twice, without the salt, brings it out.
        ("always", "llamacpp", True, 1),
        ("any", "vllm", True, 3),
        ("any", "fake", True, 3),
        ("never", "vllm", False, 3),
    ],
)
def test_whether_a_server_tells_of_its_cache_is_found_though_it_leaves_out_zeros(
    server: FakeServer, tells: str, owner: str, expected: bool, queries: int
) -> None:
    server.listing, server.answer = owned_by(owner), Keeping(tells)
    found = probed(server)
    assert found.tells_cached is expected
    assert len(server.requests) == queries
    assert {str(asked["prompt"]) for asked in server.requests} == {"say la"}, "one of middling length"
    for short in server.requests[1:]:
        assert short["max_tokens"] == 1
        assert "cache_salt" not in short


def test_a_server_that_refuses_the_question_for_its_cache_is_one_that_does_not_tell(server: FakeServer) -> None:
    def answer(asked: Asked) -> None:
        if asked.body["max_tokens"] == 1:
            asked.send(400, {"error": {"message": "max_tokens must be at least 2"}})
        else:
            fake_server.answers(asked)

    server.answer = answer
    assert probed(server).tells_cached is False
    assert [asked["max_tokens"] for asked in server.requests] == [5, 1]


@pytest.mark.parametrize(
    ("setting", "words", "mend"),
    [
        ("vlm", "none of auto, false, vllm, sglang, llama.cpp, and no mapping", "backend.no_cache=vllm"),
        (True, "backend.no_cache=True is none of", "backend.no_cache={cache_salt:SALT}"),
        (3, "backend.no_cache=3 is none of", "backend.no_cache=auto"),
        (0, "backend.no_cache=0 is none of", "backend.no_cache=auto"),
        ({"stream": False}, "sets stream, which the protocol sets", "{cache_salt:SALT}"),
        ({"cache_salt": "SALT", "prompt": "a"}, "sets prompt", "{cache_salt:SALT}"),
    ],
)
def test_what_is_no_way_to_leave_a_cache_alone_is_refused(setting: Any, words: str, mend: str) -> None:
    with pytest.raises(ScorekitError) as caught:
        prompt_cache.check(setting)
    assert words in caught.value.message
    assert mend in str(caught.value.mend)
