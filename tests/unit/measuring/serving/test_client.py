"""One query to a server: every way in which an answer can be wrong is told in plain words, and no token is told."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from scorekit.errors import ServerError
from scorekit.measuring.serving import address
from scorekit.measuring.serving.answers import Answer
from scorekit.measuring.serving.client import TOKEN, Client
from scorekit.measuring.serving.waiting import wait_for
from tests.ports import free_port
from tests.unit.measuring.serving import fake_server
from tests.unit.measuring.serving.fake_server import DONE, END, MODEL, TEXT, FakeServer, event, usage

SECRET = "s3cr3t-0f-the-server"


def client(
    url: str,
    *,
    api: str = "completions",
    model: str = MODEL,
    timeout_s: float = 60.0,
    environ: Mapping[str, str] | None = None,
) -> Client:
    return Client(address.parse(url, api), model, max_tokens=5, timeout_s=timeout_s, environ=environ or {})


def ask(found: Client, prompt: str = "say la") -> Answer:
    async def asking() -> Answer:
        async with found as connected:
            return await connected.ask(prompt)

    return wait_for(asking())


def refusal(found: Client) -> ServerError:
    with pytest.raises(ServerError) as caught:
        ask(found)
    assert caught.value.mend, "every refusal says how to mend it"
    assert "\n" not in caught.value.message
    assert SECRET not in str(caught.value)
    return caught.value


def test_the_tokens_are_those_that_the_server_counts(server: FakeServer) -> None:
    assert ask(client(server.url)) == Answer(7, 5, "length")
    (asked,) = server.requests
    assert asked == {
        "path": "/v1/completions",
        "model": MODEL,
        "prompt": "say la",
        "max_tokens": 5,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert server.tokens == [None]


def test_a_chat_has_the_prompt_as_a_users_message(server: FakeServer) -> None:
    assert ask(client(server.url + "/v1/", api="chat")).output_tokens == 5
    (asked,) = server.requests
    assert asked["path"] == "/v1/chat/completions"
    assert asked["messages"] == [{"role": "user", "content": "say la"}]


@pytest.mark.parametrize(
    "pieces",
    [
        (TEXT, END, event(choices=[], usage=usage(7, 5)), DONE),
        (TEXT, event(choices=[{"finish_reason": "length"}], usage=usage(7, 5))),
        (TEXT, event(choices=[{"delta": {"content": "la"}}], usage=None), event(choices=[], usage=usage(7, 5)), DONE),
        # Counts in each event: the last are those of the whole answer.
        (event(choices=[], usage=usage(7, 1)), event(choices=[{"finish_reason": "length"}], usage=usage(7, 5)), DONE),
        (b": ping\n\n", TEXT, event(choices=[{"finish_reason": "length"}], usage=usage(7, 5))[:-1]),
    ],
)
def test_the_shapes_of_other_servers_streams_are_read(server: FakeServer, pieces: tuple[bytes, ...]) -> None:
    server.answer = lambda asked: asked.stream(*pieces)
    found = ask(client(server.url))
    assert (found.input_tokens, found.output_tokens) == (7, 5)


@pytest.mark.parametrize(
    ("counts", "more", "cached"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 6}}, {}, 6),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, {}, 0),
        ({"prompt_tokens_details": {"cached_tokens": None}}, {}, None),
        ({"prompt_tokens_details": None}, {}, None),
        ({"prompt_tokens_details": {"cached_tokens": -1}}, {}, None),
        ({"prompt_tokens_details": {"cached_tokens": True}}, {}, None),
        ({"prompt_tokens_details": [6]}, {}, None),
        ({}, {"timings": {"cache_n": 5, "prompt_n": 2}}, 5),
        ({}, {"timings": "fast"}, None),
        ({"prompt_tokens_details": {"cached_tokens": 6}}, {"timings": {"cache_n": 5}}, 6),
        ({}, {}, None),
    ],
)
def test_tokens_from_the_servers_cache_are_those_that_it_tells(
    server: FakeServer, counts: dict[str, object], more: dict[str, object], cached: int | None
) -> None:
    server.answer = lambda asked: asked.stream(TEXT, END, event(choices=[], usage=usage(7, 5) | counts, **more), DONE)
    assert ask(client(server.url)) == Answer(7, 5, "length", cached)


def of(status: int, content: object = "no", **headers: str) -> fake_server.Answer:
    return lambda asked: asked.send(status, content, **headers)


def streams(*pieces: bytes, whole: bool = True) -> fake_server.Answer:
    return lambda asked: asked.stream(*pieces, whole=whole)


@pytest.mark.parametrize(
    ("answer", "why", "mend"),
    [
        (streams(TEXT, END, DONE), "counts no tokens", "a server that counts tokens"),
        (streams(TEXT, END), "counts no tokens", "a server that counts tokens"),
        (streams(TEXT, DONE), "counts no tokens", "a server that counts tokens"),
        (streams(TEXT, event(choices=[], usage={"prompt_tokens": 3}), DONE), "completion_tokens='null'", "counts"),
        (streams(TEXT, event(choices=[], usage=usage(3, -1)), DONE), "completion_tokens='-1'", "counts"),
        (streams(TEXT, event(choices=[], usage=usage(True, 1)), DONE), "prompt_tokens='true'", "counts"),
        (streams(TEXT, event(error={"message": "CUDA\nout of memory"})), "error: CUDA out of memory", "log"),
        (streams(TEXT, event(error="worker died")), "an error: worker died", "log"),
        (streams(TEXT, b"data: {garbage\n\n"), "garbled: an event is no JSON", "backend.url"),
        (streams(TEXT, b"data: \xff\xfe\n\n"), "garbled: an event is no JSON", "backend.url"),
        (streams(TEXT, b"data: [1]\n\n"), "garbled: an event is no JSON object", "backend.url"),
        (streams(b"\x00\x01\x02\n\n"), "holds no event", "log"),
        (streams(TEXT, TEXT), "broke off after 2 events", "started again"),
        (streams(TEXT, whole=False), "broke the connection off", "log"),
        (of(200, {"choices": [], "usage": usage(3, 5)}), "does not stream: its answer is application/json", "stream"),
        (of(401), "answers 401: it wants a token, and none was given", TOKEN),
        (of(403), "answers 403", TOKEN),
        (of(429, {"error": {"message": "too many requests"}}), "429: too many requests", "scenario.concurrency"),
        (of(500, b"<html>Internal</html>"), "answers 500: <html>Internal</html>", "log"),
        (of(307, "", location="http://192.0.2.1/v1"), "answers 307.*192.0.2.1", "backend.url"),
        (of(404, {"detail": "Not Found"}), "answers 404: Not Found", "backend.url"),
        (of(400, {"object": "error", "message": "too long"}), "answers 400: too long", "backend.model"),
    ],
)
def test_what_is_no_counted_answer_is_refused_in_one_line(
    server: FakeServer, answer: fake_server.Answer, why: str, mend: str
) -> None:
    server.answer = answer
    error = refusal(client(server.url))
    assert re.search(why, error.message), error.message
    assert mend in str(error.mend)
    assert len(server.requests) == 1, "nothing is tried again: what failed took energy"


def test_a_token_that_is_not_taken_is_told_without_it(server: FakeServer) -> None:
    server.answer = of(401, {"error": f"bad key {SECRET[:0]}"})
    error = refusal(client(server.url, environ={TOKEN: SECRET}))
    assert "does not take the token" in error.message
    assert server.tokens == [f"Bearer {SECRET}"]


def test_a_model_that_is_not_there_is_told_with_those_that_are(server: FakeServer) -> None:
    server.answer = of(404, {"error": {"message": "The model does not exist"}})
    error = refusal(client(server.url, model="org/other"))
    assert error.message == f"the server has no model org/other; it has: {MODEL}"
    assert error.mend == f"backend.model={MODEL}"


@pytest.mark.parametrize("listing", [of(500), of(200, b"no json"), of(200, {"data": [3]}), of(200, {"data": []})])
def test_a_list_of_models_that_is_broken_says_nothing_against_the_model(
    server: FakeServer, listing: fake_server.Answer
) -> None:
    server.answer, server.listing = of(404, {"detail": "Not Found"}), listing
    assert "answers 404" in refusal(client(server.url)).message


def test_an_answer_that_does_not_come_ends_in_time(server: FakeServer) -> None:
    server.answer = fake_server.hangs
    error = refusal(client(server.url, timeout_s=0.2))
    assert error.message == "the server did not answer a query within 0.2 s"
    assert "backend.timeout_s" in str(error.mend)


def test_a_port_that_nobody_listens_at_is_told() -> None:
    port = free_port()
    error = refusal(client(f"http://127.0.0.1:{port}"))
    assert error.message.startswith(f"nothing listens at http://127.0.0.1:{port}: ")
    assert "start the server" in str(error.mend)


def test_https_to_a_server_that_speaks_http_is_told(server: FakeServer) -> None:
    error = refusal(client(server.url.replace("http://", "https://")))
    assert "does not speak TLS" in error.message
    assert error.mend == f"backend.url={server.url}, where it speaks HTTP"


def test_no_proxy_stands_between(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(client(server.url)).output_tokens == 5
