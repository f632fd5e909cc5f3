"""Pages: Jinja templates that escape everything and refuse names that are not there, and redirects within the portal.

Each template gets, beside what its page gives it:
    root     before every path of the portal: href="{{ root }}/submit"
    actor    who is logged in, an Actor; None for nobody
    is_known whether that was looked up; of an address at which there is nothing it is not
    csrf     of the session, for every form that posts
    oauth    whether a login at Hugging Face is offered
    section  key of the entry in the navigation; empty unless the page says one
    version  of scorekit
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse

from scorekit import __version__
from scorekit.portal.ledger.people import Session
from scorekit.portal.opened import Portal
from scorekit.portal.web import sentences
from scorekit.portal.web.addresses import root_of
from scorekit.publish.site import figures, names
from scorekit.publish.site.content import UNCERTAINTY_TERMS

TEMPLATES: Final = Path(__file__).parent / "templates"


@cache
def environment() -> jinja2.Environment:
    """The one environment, with the filters of the site."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        wh=figures.wh,
        percent=figures.percent,
        count=figures.count,
        number=figures.number,
        name=lambda text: names.isolated(text) if text else figures.UNKNOWN,
        path=lambda text: names.broken(text) if text else figures.UNKNOWN,
        utc=names.utc,
        term=UNCERTAINTY_TERMS.__getitem__,
        shown=names.shown,
        told=sentences.told,
        sentence=sentences.sentence,
        origin=figures.origin_html,
        words=sentences.words,
    )
    made.globals.update(version=__version__)
    return made


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page.

    Args:
        request: whose answer it is.
        template: its file in templates/.
        status: of the answer.
        context: what the template shows beside what all get; `title` at least.
    """
    session: Session | None = getattr(request.state, "session", None)
    portal: Portal = request.app.state.portal
    text = (
        environment()
        .get_template(template)
        .render(
            {
                "root": root_of(portal.settings),
                "is_known": hasattr(request.state, "session"),
                "actor": None if session is None else session.actor,
                "csrf": "" if session is None else session.csrf,
                "oauth": portal.settings.oauth,
                "section": "",
                **context,
            }
        )
    )
    # A lone surrogate of a stranger's text is no reason for no page.
    return HTMLResponse(text.encode("utf-8", "replace"), status)


def redirect(request: Request, path: str) -> RedirectResponse:
    """Go on with a GET of a path of the portal, e.g. /submissions."""
    portal: Portal = request.app.state.portal
    return RedirectResponse(f"{root_of(portal.settings)}{path}", 303)
