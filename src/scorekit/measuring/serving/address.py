"""Where a server is: from what was given as its address to its endpoints, and whether that is this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from scorekit.errors import UsageError

_EXAMPLE: Final = "backend.url=http://127.0.0.1:8000"
_ENDPOINTS: Final = {"completions": "/completions", "chat": "/chat/completions"}
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's API.

    Attributes:
        scheme: http or https.
        host: name or address.
        port: number.
        base: path of the API without a slash at its end, e.g. /v1.
        api: which of its endpoints answers: completions or chat.
    """

    scheme: str
    host: str
    port: int
    base: str
    api: str

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def path(self) -> str:
        """Path of the endpoint that answers."""
        return self.base + _ENDPOINTS[self.api]

    @property
    def url(self) -> str:
        """The endpoint that answers."""
        return self.origin + self.path

    @property
    def models_url(self) -> str:
        """The list of models."""
        return f"{self.origin}{self.base}/models"


def parse(url: str, api: str) -> Endpoint:
    """The API behind an address: with or without /v1, a path before it, a slash or an endpoint's name at its end.

    Raises:
        UsageError: it is no address of a server, or holds a password.
    """
    text = url.strip()
    if "://" not in text:
        raise UsageError(
            f"backend.url={text} does not begin with http:// or https://", mend=f"backend.url=http://{text}"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"backend.url={text} is no address: {error}", mend=_EXAMPLE) from error
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "a password in backend.url would be written into the run's files",
            mend="take it out, and set a token in the environment: SCOREKIT_SERVER_TOKEN=... scorekit bench ...",
        )
    if parts.scheme not in _PORTS:
        raise UsageError(f"backend.url={text} is neither http:// nor https://", mend=_EXAMPLE)
    if not parts.hostname:
        raise UsageError(f"backend.url={text} names no host", mend=_EXAMPLE)
    if parts.query or parts.fragment:
        raise UsageError(
            f"backend.url={text.partition('?')[0].partition('#')[0]} is followed by a query or fragment, which is no "
            "part of a server's address and would be written into the run's files",
            mend="leave out all from the first ? or # on",
        )
    base = parts.path.rstrip("/")
    for ending in (*sorted(_ENDPOINTS.values(), key=len, reverse=True), "/models"):
        if base.endswith(ending):
            base = base.removesuffix(ending)
            break
    if not base.endswith("/v1"):
        base += "/v1"
    return Endpoint(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], base, api)


def require_here(host: str) -> tuple[str, ...]:
    """The addresses of a host, which must all be this machine's: only here can the server's energy be measured.

    Raises:
        UsageError: the host is not known, or is another machine.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UsageError(f"backend.url: the host {host} is not known here", mend=_EXAMPLE) from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    foreign = [address for address in addresses if not is_here(address, _own_addresses())]
    if foreign:
        told = host if host in foreign else f"{host} ({foreign[0]})"
        raise UsageError(
            f"backend.url: {told} is another machine, whose energy cannot be measured from here",
            mend="run scorekit on the machine of the server, with backend.url=http://127.0.0.1:PORT",
        )
    return addresses


def is_here(address: str, own: Iterable[str]) -> bool:
    """Whether an address is a loopback one or one of `own`."""
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback or found.is_unspecified or str(mapped or found) in set(own)


def _own_addresses() -> tuple[str, ...]:
    import psutil

    return tuple(
        entry.address.partition("%")[0]
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    )
