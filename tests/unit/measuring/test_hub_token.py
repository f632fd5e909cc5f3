"""A token that the Hub does not take is told as that, and not as a model that is missing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from scorekit.measuring import hub

TOKEN = "hf_wrong0wrong0wrong"


class Refusing(BaseHTTPRequestHandler):
    """Answers as the Hub answers a token that it does not know."""

    def do_HEAD(self) -> None:
        self.send_response(401)
        self.send_header("X-Error-Message", "Invalid credentials in Authorization header")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_that_the_hub_does_not_take(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(errors.HfHubHTTPError) as caught:
        huggingface_hub.hf_hub_download("org/m", "config.json", endpoint=endpoint, token=TOKEN, cache_dir=tmp_path)
    message, mend = hub.hub_error("model", "org/m", caught.value)
    assert message == "the Hub does not take the token that was given, so it does not give the model org/m"
    assert mend.startswith("make a new token")
    assert "HF_TOKEN" in mend
    assert TOKEN not in message + mend
