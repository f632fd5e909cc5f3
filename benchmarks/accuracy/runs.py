"""The processes of the comparison: one a row, side by side, since they mostly sleep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.accuracy.observations import Observation
from benchmarks.accuracy.rows import Row, row
from benchmarks.accuracy.tools import AI_ENERGY_BENCHMARKS
from benchmarks.accuracy.worker import GO, READY, RESULT, fake_for
from benchmarks.program import ROOT

_LOADING_S = 240.0
# Trackers of peers ask the network where they are; where nothing answers at once, they go on without.
_NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")


def observe(
    keys: Sequence[str],
    windows_s: Sequence[float],
    tools: Sequence[str],
    zeus: Path | None,
    seed: int,
    say: Callable[[str], None],
) -> list[Observation]:
    """Run all windows of all rows.

    Args:
        keys: rows; each is a process.
        windows_s: lengths of the windows of each row, in their order.
        tools: names in `tools.TOOLS`.
        zeus: folder in which Zeus lies.
        seed: of the phases.
        say: told how it goes on.
    """
    return _observe(keys, windows_s, tools, sys.executable, {"ACCURACY_ZEUS": str(zeus or ""), **_NOWHERE}, seed, say)


def observe_ai_energy_benchmarks(
    keys: Sequence[str], windows_s: Sequence[float], python: Path, seed: int, say: Callable[[str], None]
) -> list[Observation]:
    """The same of ai_energy_benchmarks, alone and in its own environment."""
    return _observe(keys, windows_s, [AI_ENERGY_BENCHMARKS], python, _NOWHERE, seed, say)


def _observe(
    keys: Sequence[str],
    windows_s: Sequence[float],
    tools: Sequence[str],
    python: str | Path,
    environment: Mapping[str, str],
    seed: int,
    say: Callable[[str], None],
) -> list[Observation]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        processes = {key: _start(row(key), folder / key, windows_s, tools, python, environment, seed) for key in keys}
        try:
            say(f"{len(keys)} processes load their libraries ...")
            _wait_until_ready(processes, folder)
            say(f"windows of {', '.join(f'{one:g}' for one in windows_s)} s ...")
            (folder / GO).touch()
            for key, process in processes.items():
                if process.wait():
                    raise SystemExit(f"the row {key} failed:\n{(folder / key / 'log').read_text(encoding='utf-8')}")
        finally:
            for process in processes.values():
                if process.poll() is None:
                    process.kill()
        texts = [(folder / key / RESULT).read_text(encoding="utf-8") for key in keys]
    return [Observation(**json.loads(line)) for text in texts for line in text.splitlines()]


def _start(
    chosen: Row,
    folder: Path,
    windows_s: Sequence[float],
    tools: Sequence[str],
    python: str | Path,
    more: Mapping[str, str],
    seed: int,
) -> subprocess.Popen[str]:
    folder.mkdir()
    fake = fake_for(chosen, folder)
    environment = {**os.environ, **fake.environment(), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **more}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    if chosen.hidden:
        environment["CUDA_VISIBLE_DEVICES"] = fake.uuid(chosen.used)
    lengths = ",".join(map(str, windows_s))
    arguments = [chosen.key, str(seed), str(folder), ",".join(tools), lengths]
    with (folder / "log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [str(python), "-m", "benchmarks.accuracy.worker", *arguments],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            text=True,
        )


def _wait_until_ready(processes: dict[str, subprocess.Popen[str]], folder: Path) -> None:
    deadline = time.monotonic() + _LOADING_S
    while not all((folder / key / READY).exists() for key in processes):
        for key, process in processes.items():
            if process.poll() is not None:
                raise SystemExit(f"the row {key} failed:\n{(folder / key / 'log').read_text(encoding='utf-8')}")
        if time.monotonic() > deadline:
            raise SystemExit(f"the libraries were not loaded within {_LOADING_S:.0f} s")
        time.sleep(0.1)
