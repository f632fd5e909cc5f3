"""What installed distributions bring to scorekit: entry points, found by their metadata and loaded when asked for.

A registry holds the things of one kind: scorekit's own, and those of plugins. Nothing of a plugin is imported before
its name is asked for, or all of a kind are. What is wrong with one is a `PluginError`, which keeps nothing else from
being found. A plugin never takes the place of what scorekit brings itself. docs/extending.md tells how one is made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final, Generic, TypeVar

from scorekit import messages
from scorekit.errors import PluginError

T = TypeVar("T")

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""What something of a plugin may be called."""
_GUIDE: Final = "docs/extending.md tells what is expected"
_warned: set[str] = set()
"""What this process has been told of plugins that cannot be used; once is enough."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The distribution that brings something, as pip names it."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing that a plugin brings, or would bring.

    Attributes:
        kind: what it is, in words.
        name: of its entry point.
        origin: who brings it.
        fault: why it cannot be used; None where it can.
    """

    kind: str
    name: str
    origin: Origin
    fault: PluginError | None


class Registry(Generic[T]):
    """Things of one kind by name.

    Args:
        group: of entry points, e.g. `scorekit.meters`.
        kind: what such a thing is, in words.
        own: what scorekit brings itself; it comes first, and a plugin cannot take its place.
        accept: makes of what an entry point loads what is used of it; raises TypeError or ValueError for what is not
            as it must be.
        reserved: further names that no plugin may take.
    """

    def __init__(
        self,
        group: str,
        kind: str,
        own: Mapping[str, T],
        accept: Callable[[str, Any, Origin], T],
        reserved: Collection[str] = (),
    ) -> None:
        self.own, self.kind = own, kind
        self._group, self._accept, self._reserved = group, accept, frozenset(reserved)
        self._path: tuple[str, ...] | None = None
        self._points: dict[str, list[metadata.EntryPoint]] = {}
        self._made: dict[str, T | PluginError] = {}

    def find(self, name: str) -> T | None:
        """The thing of a name; None where nobody brings it.

        Raises:
            PluginError: the plugin that brings it cannot be used.
        """
        own = self.own.get(name)
        return own if own is not None else self._plugin(name) if name in self._found() else None

    def plugin_names(self) -> list[str]:
        """Names that plugins bring, broken ones too, without importing any; none of scorekit's own."""
        return sorted(name for name in self._found() if not self._is_taken(name))

    def origin(self, name: str) -> Origin | None:
        """Who brings a name; None for scorekit itself, and for a name that nobody brings."""
        points = [] if self._is_taken(name) else self._found().get(name, [])
        return _origin(points[0]) if points else None

    def plugins(self) -> Iterator[T]:
        """What plugins bring, by name. One that cannot be used is told once on stderr, and left out."""
        for name in sorted(self._found()):
            try:
                yield self._plugin(name)
            except PluginError as error:
                warn(error)

    def listed(self) -> list[Listed]:
        """Everything that plugins bring of this kind; each is loaded."""
        found = []
        for name, points in sorted(self._found().items()):
            fault: PluginError | None = None
            try:
                self._plugin(name)
            except PluginError as error:
                fault = error
            found += [Listed(self.kind, name, _origin(point), fault) for point in points]
        return found

    def _found(self) -> dict[str, list[metadata.EntryPoint]]:
        """Entry points by name, read again where the path that is imported from has changed."""
        path = tuple(sys.path)
        if self._path != path:
            self._path = path
            self._points, self._made = {}, {}
            for point in _entry_points(self._group):
                self._points.setdefault(point.name, []).append(point)
        return self._points

    def _is_taken(self, name: str) -> bool:
        return name in self.own or name in self._reserved

    def _plugin(self, name: str) -> T:
        if name not in self._made:
            try:
                self._made[name] = self._load(name, self._found()[name])
            except PluginError as error:
                self._made[name] = error
        made = self._made[name]
        if isinstance(made, PluginError):
            raise made
        return made

    def _load(self, name: str, points: list[metadata.EntryPoint]) -> T:
        point, origin = points[0], _origin(points[0])
        called = f"the {self.kind} '{name}' of {' and '.join(str(_origin(found)) for found in points)}"
        remove = " or ".join(f"pip uninstall {_origin(found).distribution}" for found in points)
        if not NAME.fullmatch(name):
            raise PluginError(
                f"{called} has no name that can be used: expected small letters, digits and underscores",
                mend=f"rename its entry point in {self._group}, or {remove}",
            )
        if self._is_taken(name):
            raise PluginError(
                f"{called} has a name of scorekit's own, which stays scorekit's",
                mend=f"rename its entry point in {self._group}, or {remove}",
            )
        if len(points) > 1:
            raise PluginError(f"{called} is brought twice, and neither is taken", mend=remove)
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{called} cannot be loaded from {point.value}: {told(error)}",
                mend=f"pip install --upgrade {origin.distribution}, or {remove}",
            ) from error
        try:
            return self._accept(name, loaded, origin)
        except Exception as error:
            # Other errors come where a field is of no type that anybody looked for.
            why = str(error) if isinstance(error, TypeError | ValueError) else told(error)
            raise PluginError(f"{called} ({point.value}) is refused: {why}", mend=f"{_GUIDE}; or {remove}") from error


def told(error: BaseException) -> str:
    """An exception of a stranger's code in one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def failed(kind: str, name: str, origin: Origin, error: Exception, *, instead: str) -> PluginError:
    """What is raised where a plugin's code fails while it is used.

    Args:
        kind: what it is, in words.
        name: of it.
        origin: who brings it.
        error: what it raised.
        instead: how to go on without it.
    """
    return PluginError(
        f"the {kind} '{name}' of {origin} failed: {told(error)}",
        mend=f"{instead}, or pip install --upgrade {origin.distribution}",
    )


def expect(loaded: object, kind: type, name: str) -> None:
    """Refuse what an entry point loads where it is not of a class, or calls itself otherwise.

    Raises:
        TypeError, ValueError: says what was found and expected.
    """
    expect_a(kind, loaded)
    called = getattr(loaded, "name", name)
    if called != name:
        raise ValueError(f"it calls itself {called!r}, expected the name of its entry point")


def expect_a(kind: type, found: object) -> None:
    """Refuse what is not of a class.

    Raises:
        TypeError: says what was found and expected.
    """
    if not isinstance(found, kind):
        raise TypeError(f"expected a {kind.__module__}.{kind.__qualname__}, found a {type(found).__qualname__}")


def warn(error: PluginError) -> None:
    """Tell in one line, and once, of a plugin that is left out."""
    text = f"warning: {error.message}; mend: {error.mend}"
    if text not in _warned:
        _warned.add(text)
        messages.say(text)


def _entry_points(group: str) -> list[metadata.EntryPoint]:
    try:
        return list(metadata.entry_points(group=group))
    except Exception:  # noqa: BLE001 - one distribution whose file cannot be read must not hide all others
        return _readable(group)


def _readable(group: str) -> list[metadata.EntryPoint]:
    """Entry points of each distribution whose file can be read; of the others it is told."""
    found: dict[str, list[metadata.EntryPoint]] = {}
    for distribution in metadata.distributions():
        name = str(distribution.metadata["Name"])
        # The first on the path is the one that is imported.
        if name in found:
            continue
        try:
            found[name] = [point for point in distribution.entry_points if point.group == group]
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file
            found[name] = []
            why = f"the entry points of {name} cannot be read: {told(error)}"
            warn(PluginError(why, mend=f"pip install --force-reinstall {name}"))
    return [point for points in found.values() for point in points]


def _origin(point: metadata.EntryPoint) -> Origin:
    found = point.dist
    # What was unpacked by hand may lack its name.
    name = None if found is None else found.metadata["Name"]
    return Origin(str(name or point.value.partition(":")[0]), "unknown" if found is None else str(found.version))
