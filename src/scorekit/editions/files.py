"""Editions as files: NAME.draft.json while members are gathered, and NAME.json once it is frozen.

A frozen edition is never written again. Its own hash stands in it, over all else that it says, and is checked whenever
it is read: a star that names it means one thing for ever.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError
from pydantic_core import from_json

from scorekit import atomic
from scorekit.editions.builtin import EDITIONS
from scorekit.editions.cohort_scales import make_thresholds, thresholds_fault, with_thresholds
from scorekit.errors import BundleError, InputError, RatingError, UsageError, nearest
from scorekit.records import EDITION_SCHEMA, Edition, first_complaint
from scorekit.scales import find_rule

FOLDER: Final = Path("editions")
"""Where editions lie, unless another folder is named."""
LOCAL: Final = "local"
"""Not an edition: the scores that are given together."""
_FROZEN: Final = ".json"
_DRAFT: Final = ".draft.json"
_MOST_BYTES: Final = 64 * 1024 * 1024
"""A larger file is no edition: 100,000 members take about 20 MB."""
_READ_ONLY: Final = 0o444
_ELSEWHERE: Final = "--editions FOLDER"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DATE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?")


@dataclass(frozen=True, slots=True)
class Listed:
    """One edition that is there.

    Attributes:
        name: its name.
        kind: built-in, frozen or draft.
        edition: what it says; None where its file cannot be trusted.
        error: why not.
    """

    name: str
    kind: Literal["built-in", "frozen", "draft"]
    edition: Edition | None
    error: InputError | None = None


def find(name: str, folder: Path = FOLDER) -> Edition:
    """The frozen or built-in edition of a name.

    Raises:
        UsageError: there is none; lists the valid names, the nearest and `local`.
        InputError: its file was changed after it was frozen, or is no edition.
    """
    edition = EDITIONS.get(name)
    if edition is not None:
        return edition
    names = _names(folder, _FROZEN)
    if name in names:
        return load(folder / f"{name}{_FROZEN}")
    if name in _names(folder, _DRAFT):
        raise UsageError(
            f"edition '{name}' is a draft: its thresholds may still move", mend=f"scorekit edition freeze {name}"
        )
    valid = [*EDITIONS, *names, LOCAL]
    close = nearest(name, valid)
    raise UsageError(
        f"there is no edition '{name}'; valid: {', '.join(valid)}",
        mend=f"did you mean '{close}'?" if close else "choose one of the names above",
    )


def listed(folder: Path = FOLDER) -> list[Listed]:
    """Every edition: the built-in ones, then those of the folder, by name."""
    found = [Listed(name, "built-in", edition) for name, edition in EDITIONS.items()]
    found += [_listed(name, "frozen", folder) for name in _names(folder, _FROZEN)]
    found += [_listed(name, "draft", folder) for name in _names(folder, _DRAFT)]
    return found


def usable(folder: Path = FOLDER, report: Callable[[str], None] | None = None) -> list[Edition]:
    """Those of them that stars can be given in: no drafts, and none whose file cannot be trusted.

    Args:
        folder: where editions lie.
        report: told of each file that cannot be trusted.
    """
    found = listed(folder)
    for one in found:
        if one.error is not None and report is not None:
            report(f"left out: edition {one.name}: {one.error.message}")
    return [one.edition for one in found if one.edition is not None and one.kind != "draft"]


def load(path: Path) -> Edition:
    """A frozen edition: its hash checked, and its bounds those that its rule makes of its members.

    Content of version 1 has neither hash, bounds nor members, and is read as it is.

    Raises:
        InputError: it cannot be read, is no edition, or is not what was frozen.
    """
    content = _read(path)
    edition = _edition(content, path)
    if edition.content_sha256 is not None:
        found = content_sha256(content)
        if found != edition.content_sha256:
            raise InputError(
                f"{path.name} was changed after it was frozen: its content has the sha256 {found[:12]}..., "
                f"and content_sha256 says {edition.content_sha256[:12]}...",
                mend=_FETCH,
            )
    _check_version(edition, path)
    fault = thresholds_fault(edition)
    if fault is not None:
        raise InputError(f"{path.name}: {fault}", mend=_FETCH)
    if path.name != f"{edition.name}{_FROZEN}":
        raise InputError(
            f"{path.name} holds the edition '{edition.name}': a frozen edition keeps its name",
            mend=f"name the file {edition.name}{_FROZEN}",
        )
    return edition


def _check_version(edition: Edition, path: Path) -> None:
    """That an edition is whole for its version: an older one named in its place would take off its hash."""
    if edition.schema_version == EDITION_SCHEMA:
        if edition.content_sha256 is None:
            raise InputError(f"{path.name} is no frozen edition: content_sha256 is missing", mend=_FETCH)
        return
    newer = {
        "content_sha256": edition.content_sha256 is not None,
        "members": bool(edition.members),
        "bounds_wh_per_1000": any(row.bounds_wh_per_1000 is not None for row in edition.thresholds),
    }
    held = [name for name, there in newer.items() if there]
    if held:
        raise InputError(
            f"{path.name} says that it is a {edition.schema_version} and has {', '.join(held)}, which that version "
            "does not",
            mend=_FETCH,
        )


def content_sha256(content: dict[str, Any]) -> str:
    """The hash of an edition's JSON: of all but the hash itself, with sorted keys and without spaces, as UTF-8."""
    hashed = {key: value for key, value in content.items() if key != "content_sha256"}
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_draft(name: str, folder: Path = FOLDER) -> Edition:
    """A draft.

    Raises:
        UsageError: there is none of that name.
        InputError: it cannot be read, or is no edition.
    """
    path = folder / f"{name}{_DRAFT}"
    if not path.is_file():
        drafts = _names(folder, _DRAFT)
        raise UsageError(
            f"there is no draft '{name}' in {folder}" + (f"; there are: {', '.join(drafts)}" if drafts else ""),
            mend=f"scorekit edition import SOURCE --name {name}",
        )
    return _edition(_read(path), path)


def write_draft(edition: Edition, folder: Path = FOLDER) -> Path:
    """Write a draft, in the place of one of the same name.

    Returns:
        Its file.

    Raises:
        UsageError: name or date are not what they must be, or there is a frozen edition of that name.
        BundleError: the folder cannot be written to.
    """
    _check_name(edition.name, folder)
    if not _DATE.fullmatch(edition.date):
        raise UsageError(f"'{edition.date}' is no date", mend="write --date 2025-02 or --date 2025-02-28")
    path = folder / f"{edition.name}{_DRAFT}"
    _make(folder)
    atomic.write_bytes(path, _as_json(edition.model_dump(mode="json")).encode("utf-8"), elsewhere=_ELSEWHERE)
    return path


def freeze(name: str, folder: Path = FOLDER, rule: str | None = None) -> tuple[Edition, Path]:
    """Make a frozen edition of a draft, for ever.

    Args:
        name: of the draft.
        folder: where it lies.
        rule: name of the rule that makes the bounds; None for the draft's own.

    Returns:
        The edition and its file. The draft is gone.

    Raises:
        UsageError: there is no such draft or rule, or a frozen edition of that name.
        RatingError: no cohort can be rated.
        InputError: the draft cannot be read.
        BundleError: the folder cannot be written to.
    """
    _check_name(name, folder)
    draft = read_draft(name, folder)
    chosen = find_rule(rule or draft.rule)
    made, refused = make_thresholds(draft.members, chosen)
    if not made:
        raise RatingError(
            f"no cohort of '{name}' can be rated: {'; '.join(refused) or 'it has no members'}",
            mend=f"scorekit edition import SOURCE --name {name}",
        )
    facts = {"rule": chosen.name, "thresholds": tuple(made), "notes": (*draft.notes, *refused), "content_sha256": None}
    # A draft that was edited by hand may hold anything; what is frozen has been checked.
    content = Edition.model_validate(draft.model_copy(update=facts).model_dump()).model_dump(mode="json")
    content["content_sha256"] = content_sha256(content)
    path = folder / f"{name}{_FROZEN}"
    _write_once(path, _as_json(content).encode("utf-8"))
    edition = load(path)
    with contextlib.suppress(OSError):
        (folder / f"{name}{_DRAFT}").unlink()
    return edition, path


_FETCH: Final = "get the file again from where it was published; a changed edition needs a name of its own"


def _listed(name: str, kind: Literal["frozen", "draft"], folder: Path) -> Listed:
    try:
        frozen = kind == "frozen"
        found = load(folder / f"{name}{_FROZEN}") if frozen else with_thresholds(read_draft(name, folder))
    except InputError as error:
        return Listed(name, kind, None, error)
    except UsageError as error:
        # A draft may name a rule that there is not.
        return Listed(name, kind, None, InputError(error.message, mend=error.mend))
    return Listed(name, kind, found)


def _names(folder: Path, suffix: str) -> list[str]:
    if not folder.is_dir():
        return []
    files = (path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(
        name.removesuffix(suffix)
        for name in files
        if name.endswith(suffix) and (suffix == _DRAFT or not name.endswith(_DRAFT))
    )


def _check_name(name: str, folder: Path) -> None:
    if not _NAME.fullmatch(name) or name.endswith(".draft"):
        raise UsageError(
            f"'{name}' cannot be an edition's name: expected up to 64 letters, digits, dots, hyphens and underscores",
            mend="choose a name such as 2026-01",
        )
    if name in EDITIONS or name == LOCAL:
        raise UsageError(
            f"'{name}' is a name of scorekit's own, and means one thing for ever",
            mend=f"choose another, e.g. --name {name}-full",
        )
    if name in _names(folder, _FROZEN):
        raise UsageError(
            f"there is a frozen edition '{name}' in {folder}, and a frozen edition is never changed",
            mend=f"choose another name; `scorekit edition show {name}` tells what it holds",
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path.name} is larger than {_MOST_BYTES:,} bytes and no edition", mend=_FETCH)
        content = from_json(path.read_bytes(), allow_inf_nan=False)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}", mend="check the file") from error
    except ValueError as error:
        raise InputError(f"{path.name} is not JSON: {error}", mend=_FETCH) from error
    if not isinstance(content, dict):
        raise InputError(f"{path.name} is no edition: expected a mapping", mend=_FETCH)
    return content


def _edition(content: dict[str, Any], path: Path) -> Edition:
    try:
        return Edition.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path.name} is no edition: {first_complaint(error)}", mend=_FETCH) from error


def _as_json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BundleError(
            f"{folder} cannot be made: {error.strerror or error}", mend=f"choose another folder with {_ELSEWHERE}"
        ) from error


def _write_once(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, in one step, and take away the right to write it."""
    try:
        created = atomic.create_bytes(path, data, elsewhere=_ELSEWHERE)
    except atomic.NoLinksError as error:
        raise BundleError(
            f"{path.parent} is on a file system without hard links, where no file can be made sure to be new",
            mend=f"freeze it in another folder with {_ELSEWHERE}, and copy the file",
        ) from error
    if not created:
        raise UsageError(
            f"{path.name} is there already, and a frozen edition is never changed", mend="choose another name"
        )
    # Its hash tells a change; this only keeps an editor from making one by mistake.
    with contextlib.suppress(OSError):
        path.chmod(_READ_ONLY)
