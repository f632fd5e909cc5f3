"""How much one address may ask for: how often, how often in vain, and how much at once.

An address may ask in bursts, and on average so often a minute (a bucket of tokens that fills again). Buckets live in
memory, of a bounded number of addresses: those that were quiet longest are forgotten, which makes theirs full again.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from scorekit.portal import journal
from scorekit.portal.ledger.refusals import RefusalError
from scorekit.portal.settings import Settings
from scorekit.portal.web import bodies
from scorekit.portal.web.answers import TooManyError, refusal

MOST_ADDRESSES: Final = 20_000
MOST_AT_ONCE: Final = 64
"""Requests of one address that are on their way."""
_IPV6_NETWORK: Final = 64
"""What one household or machine has of IPv6 addresses, at least."""


class Buckets:
    """A bucket for each address.

    Args:
        a_minute: how much each may take a minute, and at once after a quiet minute.
        clock: seconds, that only grow.
        most: addresses that are remembered.
    """

    def __init__(
        self, a_minute: int, *, clock: Callable[[], float] = time.monotonic, most: int = MOST_ADDRESSES
    ) -> None:
        self._full = float(a_minute)
        self._a_second = a_minute / 60
        self._clock = clock
        self._most = most
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, address: str) -> None:
        """Take one.

        Raises:
            TooManyError: the bucket is empty; the error tells when it will not be.
        """
        now = self._clock()
        with self._lock:
            level, since = self._levels.pop(address, (self._full, now))
            level = min(self._full, level + (now - since) * self._a_second)
            enough = level >= 1
            self._levels[address] = (level - 1 if enough else level, now)
            if len(self._levels) > self._most:
                self._levels.popitem(last=False)
        if not enough:
            raise TooManyError((1 - level) / self._a_second)


class Limits:
    """What one address may take, of one portal."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._trusted = [ipaddress.ip_network(network) for network in settings.trusted_proxies]
        self.requests = Buckets(settings.requests_a_minute, clock=clock)
        self.logins = Buckets(settings.logins_a_minute, clock=clock)
        self._present: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, address: str) -> None:
        """A request of an address begins; whoever calls this calls `leave` at its end.

        Raises:
            TooManyError: as many of it are on their way as one address may have.
        """
        with self._lock:
            if self._present[address] >= MOST_AT_ONCE:
                raise TooManyError(1)
            self._present[address] += 1

    def leave(self, address: str) -> None:
        """A request of an address has ended."""
        with self._lock:
            self._present[address] -= 1
            if not self._present[address]:
                del self._present[address]

    def take_login(self, scope: Scope | Any) -> None:
        """Count a try to log in, or a token that does not hold.

        Raises:
            TooManyError: there were too many.
        """
        self.logins.take(self.address(scope))

    def address(self, scope: Scope) -> str:
        """By what a client is counted: its address, or of IPv6 its network.

        What stands before the portal is believed only where the operator named it as trusted: the client is then the
        last address of X-Forwarded-For that is no trusted one.
        """
        client = scope.get("client")
        found = str(client[0]) if client else ""
        if self._is_trusted(found):
            named = [part.strip() for part in _header(scope, b"x-forwarded-for").split(",")]
            found = next((part for part in reversed(named) if not self._is_trusted(part)), named[0]) or found
        try:
            read = ipaddress.ip_address(found)
        except ValueError:
            # A socket without an address, or a proxy that sends none: all of them are one.
            return "unknown"
        if isinstance(read, ipaddress.IPv6Address):
            mapped = read.ipv4_mapped
            return str(mapped or ipaddress.ip_network((int(read), _IPV6_NETWORK), strict=False))
        return str(read)

    def _is_trusted(self, address: str) -> bool:
        try:
            read = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(read in network for network in self._trusted)


class LimitMiddleware:
    """Refuses what is too often, too large or too slow, before and while it is read."""

    def __init__(self, app: ASGIApp, settings: Settings, limits: Limits) -> None:
        self._app = app
        self._settings = settings
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, with a body that is watched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = self._limits.address(scope)
        most = bodies.most_of(scope, self._settings)
        try:
            self._limits.requests.take(address)
            bodies.check_announced(_header(scope, b"content-length"), most)
            self._limits.enter(address)
        except RefusalError as error:
            await refusal(Request(scope, receive), error)(scope, receive, send)
            return
        try:
            await self._app(scope, bodies.watched(receive, most), bodies.impatient(send))
        except bodies.NotReadError:
            journal.tell("not_read", level="warning")
        finally:
            self._limits.leave(address)


def _header(scope: Scope, name: bytes) -> str:
    values: Iterable[bytes] = (value for key, value in scope["headers"] if key == name)
    return ", ".join(value.decode("latin-1") for value in values)
