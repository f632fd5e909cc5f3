"""The walk of docs/operations.md works as it is typed: from a measurement to a result on the portal's site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.documentation.shells import Shell
from tests.documentation.test_pages import walk
from tests.e2e.test_portal_walk import answers, call, until
from tests.ports import free_port

REVIEW = 3
"""Exit code of a submission that needs review, as one that was measured on a CPU does."""


def test_the_walk_works_as_it_is_typed(tmp_path: Path, scorekit_program: Path) -> None:
    port = free_port()
    typed = [command.text.replace("8080", str(port)) for command in walk()]
    assert len(typed) >= 14
    shell = Shell(tmp_path, scorekit_program)
    try:
        for line in typed:
            code, printed = shell.type(line)
            # What was measured on a CPU needs review, and the page says so.
            expected = REVIEW if "scorekit verify" in line or "--wait" in line else 0
            assert code == expected, f"{line}\n{printed}\n{shell.errors()}"
            if "/decision" in line:
                until(lambda: _is_published(port, tmp_path), "the result")
                until(lambda: _names_model(tmp_path / "portal" / "site"), "the site")
            elif "/health/ready" in line:
                assert answers(port), f"the page does not wait for the server\n{shell.errors()}"
            elif "> operator.token" in line or "> ada.token" in line:
                assert (tmp_path / line.rpartition("> ")[2]).stat().st_mode & 0o077 == 0, "others can read the token"
            elif "results list" in line:
                assert "tiny-bert-classifier" in printed
            elif "portal check" in line:
                assert printed.startswith("whole: ")
        assert "<html" in (tmp_path / "site.html").read_text(encoding="utf-8")
        result = _result(tmp_path)
        assert (result["model"], result["comparable"]) == ("tiny-bert-classifier", False)
        (page,) = (tmp_path / "portal" / "site" / "models").glob("tiny-bert-classifier-*.html")
        shown = page.read_text(encoding="utf-8")
        assert "no GPU was used" in shown, "it does not say why it is not comparable"
        assert f"http://127.0.0.1:{port}/" in shown, "no link leads to the portal"
    finally:
        shell.close()


def _is_published(port: int, folder: Path) -> bool:
    submission = json.loads((folder / "handed-in.json").read_bytes())["id"]
    token = (folder / "ada.token").read_text(encoding="utf-8").strip()
    publications = call(port, token, "GET", f"/submissions/{submission}")["publications"]
    return all(one["published_at"] is not None for one in publications) and bool(publications)


def _names_model(site: Path) -> bool:
    return any("tiny-bert" in path.name for path in site.glob("models/*"))


def _result(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "portal" / "results").glob("*/*.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
