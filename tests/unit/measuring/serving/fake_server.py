"""A server of OpenAI's API inside of the test: it answers at once, or as badly as it is told to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 60
MODEL = "org/served"

Answer = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request, with what an answer is made of."""

    server: FakeServer
    protocol_version = "HTTP/1.1"

    @property
    def body(self) -> dict[str, Any]:
        """What was asked."""
        return self._body

    def do_GET(self) -> None:
        self._body: dict[str, Any] = {}
        self.server.listing(self)

    def do_POST(self) -> None:
        self._body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.requests.append({"path": self.path, **self._body})
            self.server.tokens.append(self.headers.get("authorization"))
        # A client that has given up is no failure of the server's.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.server.answer(self)

    def send(self, status: int, content: object, kind: str = "application/json", **headers: str) -> None:
        """A whole answer."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, *pieces: bytes, whole: bool = True) -> None:
        """A stream of bytes; without its end where it is not whole."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing is told on the terminal."""


class FakeServer(ThreadingHTTPServer):
    """Listens on a port of this machine until the test ends.

    Attributes:
        answer, listing: what happens to a query, and to a look at the models; may be set at any time.
        requests, tokens: what was asked, and with which token.
        released: set when a hanging answer may end.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.answer: Answer = answers
        self.listing: Answer = lists
        self.requests: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.lock = threading.Lock()
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), Asked)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is none of the test's business."""


@contextlib.contextmanager
def serving() -> Iterator[FakeServer]:
    """A server in a thread."""
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def event(**content: object) -> bytes:
    """One event."""
    return b"data: " + json.dumps(content).encode() + b"\n\n"


def usage(tokens_in: int, tokens_out: int) -> dict[str, int]:
    """Counts as servers tell them."""
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}


DONE = b"data: [DONE]\n\n"
TEXT = event(choices=[{"index": 0, "text": "la"}])
END = event(choices=[{"index": 0, "text": "", "finish_reason": "length"}])


def lists(asked: Asked) -> None:
    """The list of models."""
    asked.send(200, {"object": "list", "data": [{"id": MODEL, "owned_by": "fake"}]})


def answers(asked: Asked) -> None:
    """As vLLM does: text, an end, then the usage in an event of its own, and DONE."""
    limit = asked.body["max_tokens"]
    asked.stream(TEXT * limit, END, event(choices=[], usage=usage(7, limit)), DONE)


class Keeping:
    """Answers as a server that keeps the prompts that it has read.

    Args:
        tells: when its usage has cached_tokens: always (llama.cpp), where there are any (vLLM, SGLang), or never.
    """

    TOKENS = 7

    def __init__(self, tells: str = "any") -> None:
        self.tells = tells
        self.known: set[tuple[str, str | None]] = set()

    def __call__(self, asked: Asked) -> None:
        key = (str(asked.body["prompt"]), asked.body.get("cache_salt"))
        with asked.server.lock:
            cached = self.TOKENS if key in self.known and asked.body.get("cache_prompt", True) else 0
            self.known.add(key)
        told = self.tells == "always" or (self.tells == "any" and cached > 0)
        limit = asked.body["max_tokens"]
        counts = usage(self.TOKENS, limit) | {"prompt_tokens_details": {"cached_tokens": cached} if told else None}
        asked.stream(TEXT * limit, END, event(choices=[], usage=counts), DONE)


def owned_by(owner: str) -> Answer:
    """The list of models of a server that tells what it is."""
    return lambda asked: asked.send(200, {"object": "list", "data": [{"id": MODEL, "owned_by": owner}]})


def hangs(asked: Asked) -> None:
    """No answer, until the test ends."""
    asked.server.released.wait(PATIENCE_S)
    answers(asked)
