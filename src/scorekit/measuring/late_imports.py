"""What optimum-benchmark would import at its start, imported when it is asked for.

It imports every pipeline of diffusers to list their names, which only text_to_image looks at; and its backends import
much of transformers and torch, which a process that composes a config or starts another one never uses. Both together
are more than half of the start of any run.

diffusers: while optimum-benchmark is imported, stand-ins take its place; afterwards the table of pipelines, and what
else was taken, are read from diffusers itself at the first question. Backends: what has to be changed in them is
changed in the moment in which they are imported.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

NAME: Final = "diffusers"
_TABLES: Final = {
    "inpainting": "AUTO_INPAINT_PIPELINES_MAPPING",
    "text-to-image": "AUTO_TEXT2IMAGE_PIPELINES_MAPPING",
    "image-to-image": "AUTO_IMAGE2IMAGE_PIPELINES_MAPPING",
}


@contextlib.contextmanager
def stood_in() -> Iterator[None]:
    """Have stand-ins where diffusers would be imported; nothing where it is imported already, or not installed.

    Who has taken a stand-in gets the attributes of diffusers itself from it once the block is over.
    """
    spec = None if NAME in sys.modules else importlib.util.find_spec(NAME)
    if spec is None:
        yield
        return
    package, pipelines = ModuleType(NAME), ModuleType(f"{NAME}.pipelines")
    auto = ModuleType(f"{NAME}.pipelines.auto_pipeline")
    # Whoever asks whether diffusers is there is told so.
    package.__spec__ = spec
    package.__path__ = pipelines.__path__ = []

    def later(name: str) -> Any:
        if sys.modules.get(NAME) is package:
            raise AttributeError(f"{NAME}.{name} is not to be had while a stand-in takes its place")
        return getattr(importlib.import_module(NAME), name)

    contents: dict[ModuleType, dict[str, Any]] = {
        package: {
            "pipelines": pipelines,
            "DiffusionPipeline": Later(lambda: later("DiffusionPipeline")),
            "__getattr__": later,
        },
        pipelines: {"auto_pipeline": auto},
        auto: {name: {} for name in _TABLES.values()},
    }
    for module, names in contents.items():
        module.__dict__.update(names)
    modules = {module.__name__: module for module in contents}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class Later:
    """Something of diffusers, imported at the first question for one of its attributes.

    Args:
        load: gives it.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load(), name)


class PipelineNames(dict[str, dict[str, str]]):
    """optimum-benchmark's table of diffusers' pipelines: task, then type, to the class's name; filled when read."""

    def _filled(self) -> PipelineNames:
        if not dict.__len__(self):
            auto = importlib.import_module(f"{NAME}.pipelines.auto_pipeline")
            for task, table in _TABLES.items():
                dict.__setitem__(self, task, {kind: found.__name__ for kind, found in getattr(auto, table).items()})
        return self

    def __getitem__(self, key: str) -> dict[str, str]:
        return dict.__getitem__(self._filled(), key)

    def __iter__(self) -> Iterator[str]:
        return dict.__iter__(self._filled())

    def __len__(self) -> int:
        return dict.__len__(self._filled())

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self._filled(), key)

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's."""
        return dict.get(self._filled(), key, default)

    def keys(self) -> Any:
        """As a dict's."""
        return dict.keys(self._filled())

    def values(self) -> Any:
        """As a dict's."""
        return dict.values(self._filled())

    def items(self) -> Any:
        """As a dict's."""
        return dict.items(self._filled())


def when_imported(name: str, before: Callable[[], None], after: Callable[[], None]) -> None:
    """Call two functions right before and right after a module is first run, which gets stand-ins for diffusers; both
    at once where it already was.

    Args:
        name: of the module.
        before: called while nothing of it is there.
        after: called when all of it is there.
    """
    if name in sys.modules:
        before()
        after()
    else:
        sys.meta_path.insert(0, _Watch(name, before, after))


class _Watch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, name: str, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._name, self._before, self._after = name, before, after
        self._loader: importlib.abc.Loader | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        assert self._loader is not None
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert self._loader is not None
        self._before()
        with stood_in():
            self._loader.exec_module(module)
        self._after()
        # Last: where the import failed, the next one is accommodated as well.
        sys.meta_path.remove(self)
