"""Files: the styles, scripts and fonts of pages, held in memory, and the site as it was built last. Read only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from scorekit.portal.ledger.refusals import NotThereError
from scorekit.portal.web.access import page_visitor, portal_of
from scorekit.portal.web.addresses import root_of
from scorekit.portal.web.rendering import redirect, render
from scorekit.publish.site import files

router: Final = APIRouter(include_in_schema=False)
OWN: Final = Path(__file__).parent / "assets"
_ASSETS_KEPT: Final = "public, max-age=600"
_CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages need: its content, type, and a mark by which a browser knows it again."""

    content: bytes
    kind: str
    mark: str


@cache
def assets() -> dict[str, Asset]:
    """Every asset by its name; the portal's own have names of their own."""
    own = ((path.name, path) for path in OWN.iterdir())
    return {name: _asset(path) for name, path in (*files.assets(), *own)}


@router.api_route("/assets/{name:path}", methods=["GET", "HEAD"])
def asset(request: Request, name: str) -> Response:
    """A style, script, picture or font."""
    found = assets().get(name)
    if found is None:
        raise NotThereError("there is no such file", mend="load the page again")
    headers = {"ETag": found.mark, "Cache-Control": _ASSETS_KEPT}
    if request.headers.get("If-None-Match") == found.mark:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.kind, headers=headers)


@router.api_route("/site", methods=["GET", "HEAD"])
def site_root(request: Request) -> Response:
    """On to the site's first page."""
    return redirect(request, "/site/")


@router.api_route("/site/{path:path}", methods=["GET", "HEAD"])
def site(request: Request, path: str) -> Response:  # noqa: ARG001 - read from the request, as it was written
    """A file of the site that was built last."""
    folder = portal_of(request).settings.site
    if not files.is_site(folder):
        page_visitor(request)
        return render(request, "no_site.html", status=404, title="There is no site yet")
    found = files.file_at(folder.resolve(), _target(request))
    if found is None:
        raise NotThereError("there is no such page of the site", mend="begin at its first page: /site/")
    try:
        file = found.open("rb")
    except FileNotFoundError as error:
        # The site was built anew in this moment.
        raise NotThereError(
            "there is no such page of the site any more", mend="begin at its first page: /site/"
        ) from error
    headers = {
        # Of the file that is open: another may have its name by now.
        "Content-Length": str(file.seek(0, 2)),
        "Content-Security-Policy": files.policy(found),
        "Cache-Control": "no-cache",
        "Content-Type": files.content_type(found),
    }
    if request.method == "HEAD":
        file.close()
        return Response(headers=headers)
    file.seek(0)
    return StreamingResponse(_chunks(file), headers=headers)


def _target(request: Request) -> str:
    """The path below /site/ as it was written, before anybody made it into another."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("latin-1")
    root = root_of(portal_of(request).settings)
    if root and path.startswith(f"{root}/"):
        path = path[len(root) :]
    return path.removeprefix("/site")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, files.content_type(path), f'"{hashlib.sha256(content).hexdigest()[:32]}"')
