"""A look at a built site from this machine: a small web server, on the loopback alone, that only reads.

It answers for the files of the site and nothing else, with the Content-Security-Policy of the pages as a header too.
"""

from __future__ import annotations

import http.server
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from scorekit.errors import UsageError
from scorekit.publish.site.files import POLICY, content_type, file_at, is_site, policy

HOST: Final = "127.0.0.1"
_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_CHUNK_BYTES: Final = 256 * 1024
_TIMEOUT_S: Final = 30.0


def serve(folder: Path, port: int, report: Callable[[str], None]) -> None:
    """Serve a site until it is interrupted.

    Args:
        folder: the site.
        port: where; 0 for any that is free.
        report: told the address.

    Raises:
        UsageError: the folder is no site, or the port cannot be had.
    """
    with server(folder, port) as running:
        report(f"serving {folder} at http://{HOST}:{running.server_address[1]}/ (Ctrl-C ends it)")
        running.serve_forever()


def server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """A server of a site, bound and not yet running; arguments and errors as for `serve`."""
    if not is_site(folder):
        raise UsageError(f"{folder} is no site of scorekit", mend="build one: scorekit site build --out DIR")
    if not 0 <= port <= 65535:
        raise UsageError(f"{port} is no port", mend="choose one with --port 8000")
    root = folder.resolve()

    class Bound(_Handler):
        site = root

    try:
        return http.server.ThreadingHTTPServer((HOST, port), Bound)
    except OSError as error:
        raise UsageError(
            f"port {port} cannot be had: {error.strerror or error}", mend="choose another with --port, or 0 for any"
        ) from error


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD."""

    site: Path
    server_version = "scorekit"
    sys_version = ""
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        """Send a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send what would stand before a file."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: what was asked for stands in the browser."""

    def _answer(self, *, with_body: bool) -> None:
        if not self._is_asked_by_name():
            # Another site's name that was made to lead here must not read what is served.
            self._refuse(HTTPStatus.FORBIDDEN, "ask for 127.0.0.1 or localhost", with_body=with_body)
            return
        path = file_at(self.site, self.path)
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page", with_body=with_body)
            return
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                self._begin(HTTPStatus.OK, content_type(path), size, policy(path))
                while with_body and (chunk := file.read(_CHUNK_BYTES)):
                    self.wfile.write(chunk)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True

    def _is_asked_by_name(self) -> bool:
        host = self.headers.get("Host", "")
        return (host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host).lower() in _HOSTS

    def _refuse(self, status: HTTPStatus, message: str, *, with_body: bool) -> None:
        body = f"{status.value} {status.phrase}: {message}\n".encode()
        self._begin(status, "text/plain; charset=utf-8", len(body), POLICY)
        if with_body:
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, size: int, policy: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
