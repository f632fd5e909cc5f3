"""The Python side of the fake NVML: writes its config, and knows the energy that a perfect meter would read."""

from __future__ import annotations

import bisect
import contextlib
import ctypes
import itertools
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.fake_nvml.build import LIBRARY, build

Trace = Sequence[tuple[float, float]]
"""Points of (seconds after t0, value) in rising order; two points of one time are a jump."""

_OF_THE_MACHINE: Final = frozenset({"gpus", "t0", "driver", "cuda", "init_errors"})
_LISTS: Final = frozenset({"processes", "errors", "init_errors", "mig_uuids"})
_H100_W: Final = 300.0
_KEYS: Final = frozenset(
    re.findall(r"\bX\((\w+)", (Path(__file__).parent / "source" / "machine.h").read_text(encoding="utf-8"))
)


class FakeNvml:
    """A fake machine with GPUs.

    Args:
        folder: where its config, traces and log lie.
        settings: as for `set`.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.build_folder = build()
        self.folder = folder
        self.config = folder / "fake_nvml.conf"
        self.log = folder / "fake_nvml.setters"
        self.t0 = time.monotonic()
        self._settings: dict[tuple[str, int | None], Any] = {("gpus", None): 1}
        self._files = itertools.count()
        self.set(**settings)

    def set(self, gpu: int | None = None, /, **settings: Any) -> None:
        """Change settings, also while something reads the GPUs. source/machine.h lists them with their defaults.

        Args:
            gpu: the one that they are about; all when None.
            settings: numbers, texts, lists of text, processes as pids or (pid, from, to), and values over time as
                points of (seconds after t0, value).
        """
        for key, value in settings.items():
            if key not in _KEYS | _OF_THE_MACHINE:
                raise KeyError(f"{key}: source/machine.h lists the settings")
            if (
                key not in _LISTS
                and isinstance(value, list | tuple)
                and [*value] != sorted(value, key=lambda at: at[0])
            ):
                raise ValueError(f"{key}: times must be rising")
            if key == "t0":
                self.t0 = float(value)
                continue
            if key == "power_w":
                self._settings.pop(("trace_file", gpu), None)
                if not isinstance(value, int | float):
                    self._settings["trace_file", gpu] = self._write_trace(value)
            if gpu is None and key not in _OF_THE_MACHINE:
                # What is said of all of them holds for all of them.
                names = (key, "trace_file") if key == "power_w" else (key,)
                for known in [found for found in self._settings if found[0] in names and found[1] is not None]:
                    del self._settings[known]
            self._settings[key, gpu] = value
        self._write()

    def now(self) -> float:
        """Seconds after t0, the time that all settings are in."""
        return time.monotonic() - self.t0

    @property
    def count(self) -> int:
        """How many GPUs there are."""
        return int(self._settings["gpus", None])

    def uuid(self, gpu: int = 0) -> str:
        """UUID of a GPU: the one set, or the default of source/machine.c."""
        default = f"GPU-{0xA0C3E5F1 + 0x01020304 * gpu:08x}-5c0e-4000-8000-{gpu + 1:012x}"
        return str(self._get("uuid", gpu, default))

    def energy_wh(self, gpu: int, start_s: float, end_s: float) -> float:
        """The exact energy of a GPU between two times of the monotonic clock, whatever its counter says."""
        watts = self._get("power_w", gpu, _H100_W)
        scale = float(self._get("scale", gpu, 1.0))
        if isinstance(watts, int | float):
            return float(watts) * scale * (end_s - start_s) / 3600
        return scale * (_area(watts, end_s - self.t0) - _area(watts, start_s - self.t0)) / 3600

    def setter_calls(self) -> list[str]:
        """Names of the functions that were called to set a GPU's state; each was refused."""
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []

    def environment(self) -> dict[str, str]:
        """Variables that a child process needs beside its own, to find the fake NVML and its nvidia-smi."""
        folder = str(self.build_folder)
        return {
            "FAKE_NVML_CONFIG": str(self.config),
            "FAKE_NVML_LOG": str(self.log),
            # All fake machines have the same GPUs; runs on different ones must not wait for each other.
            "SCOREKIT_LOCKS": str(self.folder / "locks"),
            "LD_LIBRARY_PATH": os.pathsep.join([folder, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]),
            "PATH": os.pathsep.join([folder, os.environ.get("PATH", os.defpath)]),
        }

    @contextlib.contextmanager
    def here(self) -> Iterator[FakeNvml]:
        """Within it, pynvml of this process, and of the children it starts, talks to the fake."""
        import pynvml

        names = ("nvmlLib", "_nvmlLib_refcount")
        saved = {name: getattr(pynvml, name) for name in names}
        variables = {name: os.environ.get(name) for name in self.environment()}
        library = ctypes.CDLL(str(self.build_folder / LIBRARY))
        os.environ.update(self.environment())
        while library.nvmlShutdown() == pynvml.NVML_SUCCESS:
            pass  # An earlier test may have left it open.
        pynvml.nvmlLib, pynvml._nvmlLib_refcount = library, 0
        # It keeps the functions of the library that was loaded before.
        pynvml._nvmlGetFunctionPointer_cache.clear()
        try:
            yield self
        finally:
            for name, value in saved.items():
                setattr(pynvml, name, value)
            pynvml._nvmlGetFunctionPointer_cache.clear()
            for name, value in variables.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

    def _get(self, key: str, gpu: int, default: Any) -> Any:
        return self._settings.get((key, gpu), self._settings.get((key, None), default))

    def _write_trace(self, trace: Trace) -> str:
        path = self.folder / f"trace-{next(self._files)}.txt"
        path.write_text("".join(f"{at!r} {watts!r}\n" for at, watts in trace), encoding="utf-8")
        return str(path)

    def _write(self) -> None:
        lines = [f"t0={self.t0!r}"]
        # Those of all GPUs first, for the last line wins.
        for (key, gpu), value in sorted(self._settings.items(), key=lambda item: (item[0][1] is not None, item[0])):
            if key == "power_w" and ("trace_file", gpu) in self._settings:
                continue
            if key == "power_w" and gpu is not None:
                lines.append(f"trace_file.{gpu}=")
            lines.append(f"{key}{'' if gpu is None else f'.{gpu}'}={_text(key, value)}")
        scratch = self.config.with_suffix(".part")
        scratch.write_text("\n".join(lines) + "\n", encoding="utf-8")
        # In one step, for the library may read it at any time.
        scratch.replace(self.config)


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return value
    if key in _LISTS and not isinstance(value, int | float):
        return ",".join(entry if isinstance(entry, str) else _process(entry) for entry in value)
    if isinstance(value, int | float):
        return repr(value)
    return ",".join(f"{at!r}:{float(what)!r}" for at, what in value)


def _process(entry: int | tuple[int, float, float]) -> str:
    if isinstance(entry, int):
        return str(entry)
    pid, start, end = entry
    return f"{pid}@{start!r}..{end!r}"


def _area(trace: Trace, at: float) -> float:
    """Integral of a trace from its first point to a time; the first and the last value hold beyond it."""
    first, last = trace[0], trace[-1]
    if at <= first[0]:
        return first[1] * (at - first[0])
    index = bisect.bisect_right(trace, at, key=lambda point: point[0])
    whole = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(trace[:index]))
    (t, w) = trace[index - 1]
    if index == len(trace):
        return whole + last[1] * (at - t)
    (t2, w2) = trace[index]
    return whole + (at - t) * (w + w + (w2 - w) * (at - t) / (t2 - t)) / 2
