"""Editions at the desk: the one that is judged by, what a new one would be, and publishing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from scorekit import editions
from scorekit.editions import Difference, Edition
from scorekit.errors import ScorekitError
from scorekit.portal import publishing
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError, WrongContentError
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import Preview, PreviewChangedError
from scorekit.portal.web.access import Posted, page_actor, portal_of, posted
from scorekit.portal.web.pages.fields import Fault, text_of
from scorekit.portal.web.rendering import redirect, render
from scorekit.publish.site.content import Cohort
from scorekit.scales import EQUAL_WIDTH, RULES

router: Final = APIRouter()
_FIELDS: Final = ("name", "rule", "date")
_MOST_LEFT_OUT: Final = 100


@router.get("/desk/editions")
def shown(
    request: Request, _actor: Annotated[Actor, Depends(page_actor("operate"))], rule: str = "", done: str = ""
) -> Response:
    """The editions, and what a new one would be."""
    chosen = rule if rule in RULES else EQUAL_WIDTH
    return _page(request, [], {"rule": chosen}, done=done)


@router.post("/desk/editions")
async def publish(request: Request, sent: Annotated[Posted, Depends(posted("operate"))]) -> Response:
    """Freeze a new edition, from then on that which is judged by."""
    return await run_in_threadpool(_publish, request, sent)


def _publish(request: Request, sent: Posted) -> Response:
    given = {field: text_of(sent, field) for field in _FIELDS}
    faults: list[Fault] = []
    status = 422
    if not given["name"]:
        faults.append(Fault("name", "The edition has no name", "Name it, e.g. 2026-01"))
    if given["rule"] not in RULES:
        faults.append(Fault("rule", "There is no such rule", "Choose one of the list"))
    if sent.text("confirm") != "yes":
        faults.append(
            Fault("confirm", "It is not confirmed", "A frozen edition is never changed: tick it if you mean it")
        )
    if not faults:
        try:
            made = publishing.publish_edition(
                portal_of(request), sent.actor, given["name"], given["rule"], given["date"] or None,
                seen=sent.text("seen") or None,
            )  # fmt: skip
        except (WrongContentError, TooLateError) as error:
            faults = [Fault(_field_of(error, given), error.message, error.mend or "")]
            status = 409 if isinstance(error, TooLateError) else 422
        else:
            return redirect(request, f"/desk/editions?done={made.name}")
    return _page(request, faults, given, status)


def _field_of(error: ScorekitError, given: Mapping[str, str]) -> str:
    """The field that a refusal is about: messages begin with what was given."""
    if isinstance(error, PreviewChangedError):
        return ""
    if isinstance(error, TooLateError):
        return "name"
    if error.message == f"'{given['date']}' is no date":
        return "date"
    return "name" if error.message.startswith(f"'{given['name']}' ") else ""


def _page(
    request: Request, faults: Sequence[Fault], given: Mapping[str, str], status: int = 200, done: str = ""
) -> Response:
    portal = portal_of(request)
    known = [one for one in editions.listed(portal.settings.editions) if one.kind != "draft"]
    current, no_current = publishing.edition_or_why(portal)
    preview, no_preview = _preview(portal, given.get("rule", EQUAL_WIDTH))
    draft = None if preview is None else preview.edition
    return render(
        request,
        "desk_editions.html",
        status=status,
        title="Not published: editions" if faults else "Editions",
        section="editions",
        known=known,
        current=current,
        no_current=no_current,
        preview=preview,
        no_preview=no_preview,
        draft=draft,
        most_left_out=_MOST_LEFT_OUT,
        difference=_difference(current, draft),
        cohort_title=lambda name, size: Cohort(name, size).title,
        rules=sorted(RULES),
        given={field: given.get(field, "") for field in _FIELDS},
        done=next((one.name for one in known if one.name == done), None),
        errors=faults,
    )


def _preview(portal: Portal, rule: str) -> tuple[Preview | None, str]:
    try:
        return publishing.preview(portal, rule if rule in RULES else EQUAL_WIDTH), ""
    except ScorekitError as error:
        return None, error.message


def _difference(current: Edition | None, draft: Edition | None) -> Difference | None:
    """What a new edition would change; None where there are not two to compare."""
    return None if current is None or draft is None else editions.compare(current, draft)
