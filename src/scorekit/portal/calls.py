"""Calls of a portal's API by a program: its address, one try, calls until it answers, and errors that say what to do.

The token travels in a header of every call; so it goes by https alone, unless the portal is on this machine.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from scorekit.errors import MissingExtraError, ScorekitError, UsageError
from scorekit.portal.patience import BreakError, Patience, Tries
from scorekit.portal.settings import TOKEN

if TYPE_CHECKING:
    import httpx2

SUBMITTER: Final = "submitter"
WORKER: Final = "worker"
_API: Final = "/api/v1"
_TRANSIENT: Final = frozenset({408, 429, 500, 502, 503, 504})
_TIMEOUT_S: Final = 60.0
_CONNECT_S: Final = 15.0


class AnswerError(ScorekitError):
    """The portal answered, and does not do what it was asked.

    Args:
        status: of HTTP.
        message: why.
        mend: the next thing to do.
    """

    def __init__(self, status: int, message: str, *, mend: str | None = None) -> None:
        super().__init__(message, mend=mend)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuilt, (self.status, self.message, self.mend))


def _rebuilt(status: int, message: str, mend: str | None) -> AnswerError:
    return AnswerError(status, message, mend=mend)


class Calls:
    """Calls of one portal with one token.

    Args:
        portal: its address, e.g. https://scores.example.org/.
        token: beginning with sk_.
        insecure: whether the token may travel in the clear to another machine.
        role: that the token is to have, for who has none yet.
        patience: how long to go on where nothing goes forward.
        tell: told what breaks.
        transport: of httpx2; None for the network.

    Raises:
        UsageError: the address is none, or the token would travel in the clear.
        MissingExtraError: the package for it is not installed.
    """

    def __init__(
        self,
        portal: str,
        token: str,
        *,
        insecure: bool = False,
        role: str = SUBMITTER,
        patience: Patience | None = None,
        tell: Callable[[str], None] = lambda _: None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        try:
            import httpx2
        except ModuleNotFoundError as error:
            raise MissingExtraError(error.name or "httpx2", "portal") from error
        self.portal, is_near = _address(portal, insecure=insecure)
        if not token.isascii() or not token.isprintable() or " " in token:
            raise UsageError(f"what {TOKEN} holds is no token", mend=_no_token(role))
        self._role = role
        self.patience = patience or Patience()
        self.tell = tell
        self._is_reached = False
        self._broken = httpx2.TransportError
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx2.Timeout(_TIMEOUT_S, connect=_CONNECT_S),
            # A proxy of the environment must not see the token of a portal on this machine.
            trust_env=not is_near,
            transport=transport,
        )

    def __enter__(self) -> Calls:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """Call until there is an answer. Only for calls that may be made twice.

        Args:
            method: of HTTP.
            path: below /api/v1.
            more: as `once`.

        Raises:
            AnswerError: the portal refuses.
            BreakError: it cannot be reached, or cannot answer, for longer than the patience lasts.
        """
        was_reached = self._is_reached
        tries = Tries(self.patience.after_contact() if was_reached else self.patience.before_contact(), self.tell)
        while True:
            try:
                return self.once(method, path, **more)
            except BreakError as error:
                if self._is_reached and not was_reached:
                    was_reached, tries = True, Tries(self.patience.after_contact(), self.tell)
                tries.wait(error)

    def once(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Call once.

        Raises:
            AnswerError: the portal refuses.
            BreakError: it cannot be reached, or cannot answer now.
        """
        try:
            answer = self._client.request(
                method, f"{self.portal}{_API}{path}", json=json, content=content, params=params, headers=headers
            )
        except self._broken as error:
            told = " ".join(str(error).split())[:200] or type(error).__name__
            raise BreakError(
                f"the portal at {self.portal} cannot be reached: {told}",
                mend="look at its address and your network, and start the same command again: it goes on where it was",
            ) from error
        self._is_reached = True
        if answer.is_success:
            return answer
        raise _refused(self.portal, answer, self._role)

    def told(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """As `call`; the answer's JSON object.

        Raises:
            AnswerError: also where the answer is no such thing.
        """
        answer = self.call(method, path, **more)
        found = _json(answer)
        if not isinstance(found, dict):
            raise _no_portal(self.portal, answer.status_code)
        return found

    def listed(self, method: str, path: str, **more: Any) -> list[Any]:
        """As `told`, of a JSON array."""
        answer = self.call(method, path, **more)
        found = _json(answer)
        if not isinstance(found, list):
            raise _no_portal(self.portal, answer.status_code)
        return found


def _no_token(role: str) -> str:
    return (
        f"put a token into {TOKEN}: the operator of the portal makes one by "
        f"`scorekit portal token make --data DIR --name NAME --role {role}`"
    )


def token_in(environment: Mapping[str, str], role: str = SUBMITTER) -> str:
    """The token that the environment holds.

    Args:
        environment: variables of it.
        role: that the token is to have.

    Raises:
        UsageError: there is none.
    """
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise UsageError(f"there is no token in {TOKEN}", mend=_no_token(role))
    return token


def _address(portal: str, *, insecure: bool) -> tuple[str, bool]:
    """The address without / at its end, and whether it is on this machine."""
    try:
        found = urllib.parse.urlsplit(portal)
        host, port = found.hostname, found.port
    except ValueError:
        host = port = None
        found = urllib.parse.urlsplit("")
    del port
    if found.scheme not in ("http", "https") or not host or found.username or found.query or found.fragment:
        raise UsageError(f"{portal[:80]!r} is no address of a portal", mend="e.g. --portal https://scores.example.org/")
    is_near = _is_loopback(host)
    if found.scheme == "http" and not is_near and not insecure:
        raise UsageError(
            f"the token would travel to {host} in the clear",
            mend="use https://, or --insecure where the network between is your own",
        )
    return f"{found.scheme}://{found.netloc}{found.path.rstrip('/')}", is_near


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(portal: str, answer: httpx2.Response, role: str) -> ScorekitError:
    status = answer.status_code
    if answer.is_redirect:
        where = answer.headers.get("location", "")[:200]
        return AnswerError(status, f"the portal is elsewhere: {where}", mend="name that address by --portal")
    found = _json(answer)
    told = found if isinstance(found, dict) else {}
    message, mend = told.get("message"), told.get("mend")
    if status in _TRANSIENT:
        broken = BreakError(
            str(message) if message else f"the portal at {portal} cannot answer now (status {status})",
            mend=str(mend) if mend else "start the same command again later: it goes on where it was",
        )
        broken.retry_after_s = _seconds(answer.headers.get("retry-after"))
        return broken
    if not isinstance(message, str):
        return _no_portal(portal, status)
    return AnswerError(status, message, mend=_no_token(role) if status == 401 else str(mend) if mend else None)


def _no_portal(portal: str, status: int) -> AnswerError:
    return AnswerError(
        status, f"what answers at {portal} is no portal (status {status})", mend="check the address that --portal names"
    )


def _json(answer: httpx2.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; a date is left to the usual waits."""
    return float(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 8 else None
