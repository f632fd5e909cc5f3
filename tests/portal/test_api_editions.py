"""Editions as programs see them: listed, looked at beforehand, and published as they were looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import preview, publish_pending
from tests.portal.calling import Caller, caller, refused
from tests.portal.measured import accept, packed, read_here


def test_editions(portal: Portal, ada: Caller) -> None:
    operator = caller(portal, "operator")
    found = operator("GET", "/desk/editions").json()
    assert found["current"] in {one["name"] for one in found["items"]}
    made = {"name": "2026-03", "rule": None, "date": None}
    refused(operator("POST", "/desk/editions", json=made), 422, "wrong_content")
    refused(operator("POST", "/desk/editions", json={**made, "name": "../../x"}), 422, "wrong_content")
    refused(ada("POST", "/desk/editions", json=made), 403, "not_allowed")


def test_an_edition_is_published_as_its_preview_told(
    portal: Portal, ada: Caller, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    calls = caller(portal, "operator")
    empty = calls("GET", "/desk/editions/preview").json()
    assert (empty["members"], empty["not_rated"], empty["passed_over"]) == ([], [], 0)
    for model, factor in (("example/m0", 0.8), ("example/m1", 1.2)):
        accept(portal, operator, submitter, packed(model, factor))
    publish_pending(portal)
    shown = calls("GET", "/desk/editions/preview", params={"rule": "log_width"}).json()
    assert [member["model"] for member in shown["members"]] == ["example/m0", "example/m1"]
    made = {"name": "2026-03", "date": "2026-03", "seen": empty["seen"]}
    refused(calls("POST", "/desk/editions", json=made), 409, "too_late", "look at what it would be now")
    told = calls("POST", "/desk/editions", json={**made, "seen": shown["seen"]})
    assert (told.status_code, told.json()["members"]) == (201, 2)
    refused(calls("GET", "/desk/editions/preview", params={"rule": "by mood"}), 422, "wrong_content", "no rule")
    refused(ada("GET", "/desk/editions/preview"), 403, "not_allowed")


def test_another_figure_of_a_member_is_another_preview(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    accept(portal, operator, submitter, packed("example/m0", 0.8))
    publish_pending(portal)
    shown = preview(portal)
    (member,) = shown.members
    assert shown.edition is not None
    other = member.model_copy(update={"wh_per_1000_queries": member.wh_per_1000_queries * 1.001})
    assert replace(shown, edition=shown.edition.model_copy(update={"members": (other,)})).seen != shown.seen
