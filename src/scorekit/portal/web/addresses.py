"""Where things are: paths of the portal, which may stand below a path of its host, and where a login may lead."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

from scorekit.portal.settings import Settings

API: Final = "/api/v1"
OPENAPI: Final = f"{API}/openapi.json"
_LOCAL: Final = re.compile(r"/(?!/)[A-Za-z0-9._~/?=&%+-]{0,500}")


def root_of(settings: Settings) -> str:
    """The path below which the portal stands, without / at its end: empty for the top of its host."""
    return urllib.parse.urlsplit(settings.public_url).path.rstrip("/")


def host_of(settings: Settings) -> str:
    """The name of its host, in small letters, without a port."""
    return urllib.parse.urlsplit(settings.public_url).hostname or ""


def route_path(scope: Mapping[str, Any]) -> str:
    """The path of a request within the portal, whether or not what stands before it took the root away."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and (path == root or path.startswith(f"{root}/")) else path


def is_api(scope: Mapping[str, Any]) -> bool:
    """Whether a program asks: for the API, or for how the portal is."""
    return route_path(scope).startswith(("/api/", "/health/", "/metrics"))


def local(path: str | None) -> str:
    """A path of the portal to go on to after a login; its first page for any that could lead elsewhere."""
    return path if path and _LOCAL.fullmatch(path) else "/"
