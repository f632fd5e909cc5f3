"""From the events of a streamed answer to what the server says that it took: tokens in and out. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from scorekit.errors import ServerError

_DONE: Final = b"[DONE]"
_MOST_TOLD: Final = 200
NO_USAGE: Final = (
    "a server that counts tokens in its streams is needed: vLLM, TGI, llama.cpp's server, Ollama and transformers "
    "serve do, in their newer versions"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer.

    Attributes:
        input_tokens: of the prompt, as the server counted them.
        output_tokens: of the answer, likewise.
        finish_reason: why it ended, as the server puts it; None where it does not tell.
        cached_tokens: of the prompt, those that the server took from its cache; None where it does not tell.
    """

    input_tokens: int
    output_tokens: int
    finish_reason: str | None
    cached_tokens: int | None = None


class AnswerReader:
    """Takes the events of one answer.

    Raises:
        ServerError: in `take` and `answer`: what is wrong with them.
    """

    def __init__(self) -> None:
        self._usage: dict[str, Any] | None = None
        self._finish_reason: str | None = None
        self._timings: Any = None
        self._events = 0
        self._ended = False

    def take(self, data: bytes) -> None:
        """The data of the next event."""
        if self._ended or not data.strip():
            return
        if data.strip() == _DONE:
            self._ended = True
            return
        event = _object(data)
        self._events += 1
        if event.get("error") is not None:
            raise ServerError(
                f"the server ended an answer with an error: {told_error(event)}", mend="see the server's log"
            )
        if isinstance(event.get("usage"), dict):
            self._usage = event["usage"]
        self._timings = event.get("timings", self._timings)
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and choice.get("finish_reason") is not None:
                self._finish_reason = str(choice["finish_reason"])[:_MOST_TOLD]

    def answer(self) -> Answer:
        """The whole answer, when its stream has ended."""
        if not self._ended and self._finish_reason is None and self._usage is None:
            raise ServerError(
                f"an answer broke off after {self._events} events: it neither told a reason nor its end"
                if self._events
                else "an answer holds no event: the stream ended at once, or is none of OpenAI's",
                mend="see the server's log for why; a server that died must be started again",
            )
        if self._usage is None:
            raise ServerError("the server counts no tokens: its stream ended without `usage`", mend=NO_USAGE)
        return Answer(
            _tokens(self._usage, "prompt_tokens"),
            _tokens(self._usage, "completion_tokens"),
            self._finish_reason,
            _cached(self._usage, self._timings),
        )


def told_error(content: Any) -> str:
    """What a server says of an error, in one line: in any of the shapes in which servers put it."""
    found = content
    for name in ("error", "detail", "message"):
        if isinstance(found, dict) and found.get(name) is not None:
            found = found[name]
    if isinstance(found, dict | list):
        found = json.dumps(found)
    text = " ".join("".join(part if part.isprintable() else " " for part in str(found)).split())
    return text if len(text) <= _MOST_TOLD else text[:_MOST_TOLD] + " ..."


def _object(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ServerError(
            f"the server's stream is garbled: an event is no JSON ({_shown(data)})",
            mend="check that backend.url leads to an OpenAI-compatible API and not to a proxy or another program",
        ) from error
    if not isinstance(event, dict):
        raise ServerError(
            f"the server's stream is garbled: an event is no JSON object ({_shown(data)})",
            mend="check that backend.url leads to an OpenAI-compatible API",
        )
    return event


def _tokens(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ServerError(f"the server's usage has {name}={_shown(json.dumps(value).encode())}, expected a count",
                          mend=NO_USAGE)  # fmt: skip
    return value


def _cached(usage: dict[str, Any], timings: Any) -> int | None:
    """Tokens of the prompt from the cache: as OpenAI's protocol has them, or as llama.cpp's older servers tell them."""
    for told, name in ((usage.get("prompt_tokens_details"), "cached_tokens"), (timings, "cache_n")):
        value = told.get(name) if isinstance(told, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def _shown(data: bytes) -> str:
    text = data[:60].decode("utf-8", "replace")
    return repr(text) + (" ..." if len(data) > 60 else "")
