"""From what was given as a server's address to its endpoints; other machines and passwords are refused."""

from __future__ import annotations

import socket

import pytest

from scorekit.errors import UsageError
from scorekit.measuring.serving import address


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1/completions"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/v1/completions"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/completions"),
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1/completions"),
        ("http://127.0.0.1:8000/v1/completions", "http://127.0.0.1:8000/v1/completions"),
        ("http://127.0.0.1:8000/v1/chat/completions/", "http://127.0.0.1:8000/v1/completions"),
        ("http://127.0.0.1:8000/v1/models", "http://127.0.0.1:8000/v1/completions"),
        ("http://localhost:8000/llm/a", "http://localhost:8000/llm/a/v1/completions"),
        ("http://localhost:8000/llm/a/v1/", "http://localhost:8000/llm/a/v1/completions"),
        ("https://localhost", "https://localhost:443/v1/completions"),
        ("http://[::1]:8080", "http://[::1]:8080/v1/completions"),
        ("  http://localhost  ", "http://localhost:80/v1/completions"),
    ],
)
def test_an_address_leads_to_the_endpoint_however_much_of_it_is_given(url: str, expected: str) -> None:
    found = address.parse(url, "completions")
    assert found.url == expected
    assert address.parse(found.origin + found.base, "completions") == found
    assert address.parse(url, "chat").url == expected.replace("/completions", "/chat/completions")
    assert found.models_url == expected.replace("/completions", "/models")


@pytest.mark.parametrize(
    ("url", "why", "mend"),
    [
        ("127.0.0.1:8000", "does not begin with http", "backend.url=http://127.0.0.1:8000"),
        ("ftp://localhost", "neither http", "http://"),
        ("http://", "names no host", "http://"),
        ("http://localhost:99999", "no address", "http://"),
        ("http://localhost:port", "no address", "http://"),
        ("http://me:secret@localhost:8000", "a password", "SCOREKIT_SERVER_TOKEN"),
        ("http://localhost:8000/v1?api_key=secret", "a query", "leave out"),
        ("http://localhost:8000/#secret", "a query or fragment", "leave out"),
    ],
)
def test_what_is_no_address_is_refused_and_nothing_secret_is_told(url: str, why: str, mend: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        address.parse(url, "completions")
    assert mend in str(caught.value.mend)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "0.0.0.0"])
def test_this_machine_is_here(host: str) -> None:
    assert address.require_here(host)


def test_an_address_of_this_machine_in_a_network_is_here_and_one_of_another_is_not() -> None:
    assert address.is_here("192.0.2.7", ["10.0.0.1", "192.0.2.7"])
    assert address.is_here("::ffff:192.0.2.7", ["192.0.2.7"])
    assert not address.is_here("192.0.2.8", ["10.0.0.1", "192.0.2.7"])


def test_another_machine_is_refused_because_its_energy_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 is another machine, whose energy cannot be measured") as caught:
        address.require_here("192.0.2.1")
    assert "on the machine of the server" in str(caught.value.mend)

    def half(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", 0)), (socket.AF_INET, 1, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", half)
    with pytest.raises(UsageError, match=r"both.example \(192\.0\.2\.1\) is another machine"):
        address.require_here("both.example")


def test_a_host_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(UsageError, match="the host nowhere is not known here"):
        address.require_here("nowhere")
