"""The server shows a site to this machine alone, with the policy of its pages, and nothing beside the site."""

from __future__ import annotations

import http.client
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.errors import UsageError
from scorekit.publish.site.files import LABEL_POLICY, POLICY, file_at
from scorekit.publish.site.serve import HOST, server
from tests.sites import built, full_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    (folder / "secret.txt").write_text("secret")
    made = built(full_site(), folder)
    (made / ".hidden").write_text("hidden")
    os.symlink(folder / "secret.txt", made / "link.txt")
    return made


@pytest.fixture(scope="module")
def port(site: Path) -> Iterator[int]:
    with server(site, 0) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running.server_address[1]
        running.shutdown()
        thread.join()


def _ask(
    port: int, target: str, method: str = "GET", host: str | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.putrequest(method, target, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_pages_come_with_the_policy(site: Path, port: int) -> None:
    for target in ("/", "/index.html", "/index.html?x=1"):
        answer, body = _ask(port, target)
        assert (answer.status, body) == (200, (site / "index.html").read_bytes())
        assert answer.getheader("Content-Security-Policy") == POLICY
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Content-Type") == "text/html; charset=utf-8"


def test_the_header_allows_what_the_pages_ask_for(site: Path) -> None:
    text = (site / "index.html").read_text()
    begin = text.index('content="', text.index("Content-Security-Policy")) + len('content="')
    # frame-ancestors counts in a header only.
    assert f"{text[begin : text.index(chr(34), begin)]}; frame-ancestors 'none'" == POLICY


def test_labels_have_a_policy_of_their_own(site: Path, port: int) -> None:
    name = next((site / "labels").glob("*.svg")).name
    answer, _ = _ask(port, f"/labels/{name}")
    assert answer.getheader("Content-Security-Policy") == LABEL_POLICY
    assert "script" not in LABEL_POLICY


def test_head_sends_no_body(port: int) -> None:
    answer, body = _ask(port, "/index.html", "HEAD")
    assert (answer.status, body) == (200, b"")
    assert int(answer.getheader("Content-Length") or 0) > 1000


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/models/../../secret.txt", "/..%2fsecret.txt", "/.hidden", "/link.txt",
        "//secret.txt", "/models//x", "/index.html%00", "/a\\b", "/%5c..%5csecret.txt", "/models", "/gone.html", "/%ff",
        "/index.html/", "/C:/x", "/%0a", "http://127.0.0.1/index.html", "*",
    ],
)  # fmt: skip
def test_strange_paths_are_refused(target: str, site: Path, port: int) -> None:
    assert file_at(site.resolve(), target) is None
    answer, body = _ask(port, target)
    assert answer.status in (400, 404)
    assert b"secret" not in body.replace(target.encode(), b"")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]"])
def test_another_name_for_this_machine_is_refused(host: str, port: int) -> None:
    answer, body = _ask(port, "/", host=host or " ")
    assert answer.status == 403
    assert b"<html" not in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000"])
def test_names_of_the_loopback_are_served(host: str, port: int) -> None:
    assert _ask(port, "/", host=host)[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(method: str, port: int) -> None:
    assert _ask(port, "/index.html", method)[0].status == 501


def test_only_a_site_is_served(tmp_path: Path, site: Path) -> None:
    with pytest.raises(UsageError, match="no site of scorekit"):
        server(tmp_path, 0)
    with pytest.raises(UsageError, match="no port"):
        server(site, 70000)


def test_a_port_in_use_is_told(site: Path, port: int) -> None:
    with pytest.raises(UsageError, match=f"port {port} cannot be had"):
        server(site, port)
