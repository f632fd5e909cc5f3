"""Lists of submissions tell which are published, and where their results stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scorekit.portal.ledger import decisions, people, publications
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_pending
from scorekit.portal.web.app import create_app
from scorekit.publish.site.content import model_slug
from scorekit.store import names
from tests.portal.browsing import Browser
from tests.portal.calling import Caller, caller
from tests.portal.conftest import URL, token_of
from tests.portal.made import accepted, checked
from tests.portal.measured import accept, packed, read_here


def _actor(portal: Portal, token: str) -> Actor:
    found = people.actor_of_token(portal.storage, token)
    assert found is not None
    return found


def test_a_list_tells_what_became_of_each(portal: Portal, operator: Actor) -> None:
    ada = caller(portal, "submitter")
    me = _actor(portal, ada.token)
    declined, published = checked(portal, me, 1), accepted(portal, me, operator, 2, runs=2)
    decisions.decide_submission(portal.storage, operator, declined.id, "refuse", "no")
    assert publish_pending(portal) == 2
    waits_to_be = accepted(portal, me, operator, 3)
    for who, path in ((ada, "/submissions"), (caller(portal, "operator"), "/desk/submissions")):
        items = {one["id"]: one for one in who("GET", path).json()["items"]}
        assert {key: (one["state"], one["published"]) for key, one in items.items()} == {
            declined.id: ("declined", False),
            published.id: ("accepted", True),
            waits_to_be.id: ("accepted", False),
        }
        assert [one["folder"] for one in items[published.id]["publications"]] == ["runs/1", "runs/2"]
        assert all(one["result_path"] for one in items[published.id]["publications"])
        assert [one["published_at"] for one in items[waits_to_be.id]["publications"]] == [None]
        assert items[declined.id]["publications"] == []
    one = ada("GET", "/submissions", params={"sha256": published.sha256}).json()["items"][0]
    assert one == items[published.id]
    whole = ada("GET", f"/submissions/{published.id}").json()
    assert (whole["published"], whole["publications"]) == (True, one["publications"])
    assert publications.of_submissions(portal.storage, []) == {}


def test_a_list_leads_to_the_page_of_the_site(portal_on_sqlite: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = portal_on_sqlite
    read_here(monkeypatch)
    token = token_of(portal, "submitter")
    operator = _actor(portal, token_of(portal, "operator"))
    taken = accept(portal, operator, _actor(portal, token), packed())
    app = create_app(portal)
    with Browser(app) as browser:
        browser.log_in(token)
        ada = Caller(app, token)
        assert publish_pending(portal) == 1
        assert "</span> accepted</span>" in browser.get("/submissions").text, "the site does not show it yet"
        (item,) = ada("GET", "/submissions").json()["items"]
        assert (item["published"], item["publications"][0]["page"]) == (True, None)
        _show(portal, taken.id)
        listed = browser.get("/submissions").text
        assert "</span> published</span>" in listed
        (item,) = ada("GET", "/submissions").json()["items"]
        page = item["publications"][0]["page"]
        assert page.startswith(f"{URL}site/models/")
        path = page.removeprefix(URL)
        assert f'href="/{path}"' in listed
        assert (portal.settings.site / Path(path).relative_to("site")).is_file()


def _show(portal: Portal, submission_id: str) -> None:
    """As much of a site with a submission's result as says that it is there; building one takes long."""
    (published,) = publications.of_submission(portal.storage, submission_id)
    assert published.result_path is not None
    digits = names.digits_of(Path(published.result_path).name)
    page = portal.settings.site / "models" / f"{model_slug('example/model-1b')}.html"
    for path, text in (
        (portal.settings.site / "data" / "scores.json", json.dumps([{"id": "one", "result_id": digits}])),
        (page, "a page"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
