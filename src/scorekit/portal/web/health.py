"""Whether the portal lives, whether it can work, and what it counts.

/metrics is for an operator's token alone: a portal cannot tell a request of its own machine from one that a proxy there
passed on. Prometheus sends a token by `authorization: {credentials_file: ...}`.
"""

from __future__ import annotations

import shutil
from functools import cache
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from scorekit.errors import ScorekitError
from scorekit.portal import metrics
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.storage import migrating
from scorekit.portal.storage.tables import audit_head
from scorekit.portal.web.access import bearer, portal_of

router: Final = APIRouter()
_FILES_OF_ROOM: Final = 4
"""How many of the largest submissions the disk must still hold."""


@router.get("/health/live")
async def live() -> JSONResponse:
    """It answers."""
    return JSONResponse({"live": True})


@router.get("/health/ready")
def ready(portal: Annotated[Portal, Depends(portal_of)]) -> JSONResponse:
    """Whether the database answers and is of this version, and the disk has room; 503 where not."""
    found = {"database": _database_answers(portal), "migrated": _is_migrated(portal), "disk": _has_room(portal)}
    is_ready = all(found.values())
    return JSONResponse({"ready": is_ready, **found}, 200 if is_ready else 503)


@router.get("/metrics")
def counted(
    portal: Annotated[Portal, Depends(portal_of)], _actor: Annotated[Actor, Depends(bearer("operate"))]
) -> Response:
    """What is counted, in Prometheus' text format."""
    return Response(metrics.text(portal.storage), media_type=metrics.CONTENT_TYPE)


def _database_answers(portal: Portal) -> bool:
    try:
        with portal.storage.database.read() as connection:
            return connection.execute(select(audit_head.c.id)).scalar_one_or_none() == 1
    except (ScorekitError, SQLAlchemyError):
        return False


def _is_migrated(portal: Portal) -> bool:
    try:
        return migrating.current(portal.storage.database) == _newest()
    except (ScorekitError, SQLAlchemyError):
        return False


@cache
def _newest() -> str:
    """The version of this program, which is read from files."""
    return migrating.head()


def _has_room(portal: Portal) -> bool:
    try:
        free = shutil.disk_usage(portal.settings.data).free
    except OSError:
        return False
    return free >= _FILES_OF_ROOM * portal.settings.limits.packed_bytes
