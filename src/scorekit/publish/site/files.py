"""The files of a site, for whoever builds or serves one: its mark, its assets, and the type and policy of each."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Final

FOLDER: Final = Path(__file__).parent
MARK: Final = "scorekit-site.json"
"""The file by which a folder is known to be a site of ours."""
SITE_SCHEMA: Final = "scorekit.site/1"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LABEL_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; sandbox"
"""Of a label, which brings its fonts and style along, and runs nothing."""
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ttf": "font/ttf",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_FONTS: Final = ("Inter-Medium.ttf", "Inter-Bold.ttf", "OFL.txt")


def is_site(folder: Path) -> bool:
    """Whether a folder is a site that was built here."""
    try:
        content = json.loads((folder / MARK).read_bytes()[:4096])
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("schema_version") == SITE_SCHEMA


def assets() -> Iterator[tuple[str, Path]]:
    """The styles, scripts, pictures and fonts that come with scorekit, each by its path below `assets/` of a site."""
    folder = FOLDER / "assets"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path
    for name in _FONTS:
        yield f"fonts/{name}", FOLDER.parent / "label" / "fonts" / name


def content_type(path: PurePath) -> str:
    """The media type of a file, by the end of its name."""
    return _TYPES.get(path.suffix.lower(), "application/octet-stream")


def policy(path: PurePath) -> str:
    """The Content-Security-Policy of a file."""
    return LABEL_POLICY if path.suffix.lower() == ".svg" else POLICY


def file_at(root: Path, target: str) -> Path | None:
    """The file of a site that a request's target means; None for any that leads elsewhere or to nothing.

    Args:
        root: the site, resolved.
        target: path and query, as the request gives them.
    """
    raw = urllib.parse.urlsplit(target).path if target.startswith("/") and not target.startswith("//") else ""
    try:
        path = urllib.parse.unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None
    parts = path.split("/")[1:]
    if not raw or any(_is_strange(part) for part in parts[:-1]) or (parts[-1] and _is_strange(parts[-1])):
        return None
    found = root.joinpath(*parts[:-1], parts[-1] or "index.html")
    try:
        # A link within the folder could lead out of it.
        inside = found.resolve(strict=True).is_relative_to(root) and found.is_file()
    except (OSError, ValueError):
        return None
    return found if inside else None


def _is_strange(part: str) -> bool:
    return not part or part.startswith(".") or any(sign in "\\:" or not sign.isprintable() for sign in part)
