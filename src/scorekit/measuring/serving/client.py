"""One query to a server: its request, its streamed answer, and in plain words whatever else comes back."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from scorekit.errors import MissingExtraError, ServerError
from scorekit.measuring.serving import prompt_cache
from scorekit.measuring.serving.address import Endpoint
from scorekit.measuring.serving.answers import Answer, AnswerReader, told_error
from scorekit.measuring.serving.sse import EventStream, TooLongError

TOKEN: Final = "SCOREKIT_SERVER_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that holds the server's token. It goes into requests to this machine alone, and into no file."""
_CONNECT_S: Final = 10.0
_MOST_ERROR_BYTES: Final = 65_536
_MOST_MODELS: Final = 20
_GARBLED: Final = "check that backend.url leads to an OpenAI-compatible API and not to a proxy or another program"


class Client:
    """Queries to one server, as an asynchronous context manager.

    Args:
        endpoint: the server's.
        model: as the server calls it.
        max_tokens: most tokens of an answer.
        timeout_s: longest time for one answer.
        environ: variables, for the token.

    Attributes:
        model, max_tokens: as above.
        ignore_eos: whether the server is asked to go on to the most tokens.
        no_cache: further request fields, by which it leaves its cache of prompts alone.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        max_tokens: int,
        timeout_s: float,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._endpoint, self._timeout_s, self._environ = endpoint, timeout_s, environ
        self.model, self.max_tokens = model, max_tokens
        self.ignore_eos = False
        self.no_cache: Mapping[str, Any] = {}

    async def __aenter__(self) -> Client:
        self._http = http_client(self._environ, timeout_s=self._timeout_s)
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def ask(self, prompt: str) -> Answer:
        """The answer to one prompt, read to its end.

        Raises:
            ServerError: there is none, or not all of it.
        """
        import httpx2

        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream("POST", self._endpoint.url, json=self._body(prompt)) as response,
            ):
                if response.status_code != 200:
                    raise await self._refused(response)
                _require_stream(response)
                return await _read(response)
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ServerError(
                f"the server did not answer a query within {self._timeout_s:g} s",
                mend="see whether it hangs or is too slow: fewer tokens by scenario.max_tokens, a lower "
                "scenario.concurrency, or a higher backend.timeout_s",
            ) from error
        except httpx2.TransportError as error:
            raise unreachable(self._endpoint, error) from error

    async def models(self) -> dict[str, str | None] | None:
        """Names of the server's models with their owners; None where it has no such list, or a broken one."""
        import httpx2

        try:
            response = await self._http.get(self._endpoint.models_url, timeout=_CONNECT_S)
        except httpx2.ConnectError as error:
            raise unreachable(self._endpoint, error) from error
        except httpx2.TransportError:
            return None
        if response.status_code in (401, 403):
            raise _unauthorised(response.status_code, self._endpoint, self._environ)
        try:
            listed = response.json()["data"] if response.status_code == 200 else []
            owners = {str(entry["id"]): _text(entry.get("owned_by")) for entry in listed}
        except (ValueError, TypeError, KeyError, AttributeError):
            return None
        return owners or None

    def _body(self, prompt: str) -> dict[str, Any]:
        asked: dict[str, Any] = (
            {"prompt": prompt}
            if self._endpoint.api == "completions"
            else {"messages": [{"role": "user", "content": prompt}]}
        )
        return {
            "model": self.model,
            **asked,
            "max_tokens": self.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            **({"ignore_eos": True} if self.ignore_eos else {}),
            **prompt_cache.salted(self.no_cache),
        }

    async def _refused(self, response: Any) -> ServerError:
        """The error for an answer that is none."""
        status = int(response.status_code)
        said = told_error(_content(await _limited(response)))
        told = f"the server answers {status}" + (f": {said}" if said else "")
        if status in (401, 403):
            return _unauthorised(status, self._endpoint, self._environ)
        if status == 429:
            return RefusedError(
                f"{told}: it limits how much may be asked, so that its steady state is not that of "
                "scenario.concurrency",
                mend="lift the server's rate limit, or set a lower scenario.concurrency",
                status=status,
            )
        if status in (301, 302, 303, 307, 308):
            return RefusedError(
                f"{told} with the address {_text(response.headers.get('location')) or 'of nothing'}",
                mend="give the address itself as backend.url", status=status,
            )  # fmt: skip
        if status in (400, 404, 422) and (known := await self.models()) and self.model not in known:
            names = ", ".join(list(known)[:_MOST_MODELS]) + (", ..." if len(known) > _MOST_MODELS else "")
            return RefusedError(
                f"the server has no model {self.model}; it has: {names}",
                mend=f"backend.model={next(iter(known))}",
                status=status,
            )
        mend = {
            404: f"check backend.url: {self._endpoint.path} was asked; backend.api=chat asks the other endpoint",
            405: f"check backend.url: {self._endpoint.path} was asked",
        }.get(status, "check backend.model and backend.api; the server's log tells more")
        return RefusedError(told, mend=mend, status=status)


class RefusedError(ServerError):
    """The server answered with another status than 200.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, message: str, *, mend: str | None = None, status: int) -> None:
        super().__init__(message, mend=mend)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        # The process that started the run has no use for the status.
        return ServerError(self.message, mend=self.mend).__reduce__()


def http_client(environ: Mapping[str, str], *, timeout_s: float) -> Any:
    """A client that goes straight to this machine: through no proxy, and after no redirect.

    Raises:
        MissingExtraError: the library is not installed.
    """
    try:
        import httpx2
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "httpx2", "bench") from error
    # At INFO it tells of every request.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    token = environ.get(TOKEN, "").strip()
    return httpx2.AsyncClient(
        trust_env=False,
        # The system's authorities, and those that SSL_CERT_FILE names.
        verify=ssl.create_default_context(),
        timeout=httpx2.Timeout(timeout_s, connect=_CONNECT_S),
        # A server may close a connection that it kept just when the next query goes out; a new one costs nothing here.
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
        headers={
            "Accept": "text/event-stream, application/json",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
    )


def unreachable(endpoint: Endpoint, error: Exception) -> ServerError:
    """The error for a connection that is not there, or broke."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    why = " ".join(str(error).split()) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in why or isinstance(cause, ssl.SSLCertVerificationError):
        return ServerError(
            f"the certificate of {endpoint.origin} is not trusted here: {why}",
            mend="SSL_CERT_FILE=CERTIFICATE.pem scorekit bench ... trusts it, or use http:// on this machine",
        )
    if isinstance(cause, ssl.SSLError):
        return ServerError(
            f"{endpoint.origin} does not speak TLS: {why}",
            mend=f"backend.url=http://{endpoint.host}:{endpoint.port}, where it speaks HTTP",
        )
    if type(error).__name__ == "ConnectError":
        return ServerError(
            f"nothing listens at {endpoint.origin}: {why}",
            mend="start the server, wait until it has loaded its model, and check the port in backend.url; a server "
            "that died tells why in its log",
        )
    return ServerError(
        f"the server at {endpoint.origin} broke the connection off ({type(error).__name__}: {why})",
        mend="see the server's log for why it died, start it again, and measure again",
    )


def _require_stream(response: Any) -> None:
    kind = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        raise ServerError(
            f"the server does not stream: its answer is {_text(kind) or 'of no type'}, expected text/event-stream",
            mend=f"enable streaming in the server, or {_GARBLED}",
        )


async def _read(response: Any) -> Answer:
    stream, reader = EventStream(), AnswerReader()
    try:
        async for piece in response.aiter_bytes():
            for data in stream.feed(piece):
                reader.take(data)
        for data in stream.end():
            reader.take(data)
    except TooLongError as error:
        raise ServerError("the server's stream is garbled: an event has no end", mend=_GARBLED) from error
    return reader.answer()


async def _limited(response: Any) -> bytes:
    found = b""
    async for piece in response.aiter_bytes():
        found += piece
        if len(found) >= _MOST_ERROR_BYTES:
            break
    return found[:_MOST_ERROR_BYTES]


def _content(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _unauthorised(status: int, endpoint: Endpoint, environ: Mapping[str, str]) -> ServerError:
    has = bool(environ.get(TOKEN, "").strip())
    return RefusedError(
        f"{endpoint.origin} answers {status}: it "
        + ("does not take the token that the environment gives it" if has else "wants a token, and none was given"),
        mend=f"{TOKEN}=... scorekit bench ... with the server's own token (it is written into no file)",
        status=status,
    )


def _text(value: object) -> str | None:
    """A short text of a server's, safe to print; None for nothing."""
    text = "".join(part for part in str(value) if part.isprintable())[:100] if value is not None else ""
    return text or None
