"""What is to be known of the machine and of the software of a run; no names of hosts, no paths."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import socket
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks import peers, program

LIBRARIES: Final = (
    *(
        "scorekit",
        "torch",
        "transformers",
        "datasets",
        "optimum-benchmark",
        "codecarbon",
        "hydra-core",
        "submitit",
        "ray",
    ),
    *("numpy", "pyarrow", "duckdb", "pydantic", "jinja2", "fastapi", "uvicorn", "sqlalchemy", "playwright"),
    "vl-convert-python",
)
PROGRAMS: Final = {"Chromium": ("chromium", "--version"), "Slurm": ("sbatch", "--version")}
_PATH: Final = re.compile(r"(?<![\w.:/])/(?:[\w.@+%-]+/)*[\w.@+%-]+")


def facts() -> dict[str, Any]:
    """The machine and the versions of what runs on it; what cannot be found out is None."""
    versions = {name: _version(name) for name in LIBRARIES}
    return {
        "cpu": _first_match(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": _memory_gib(),
        "system": _system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {**versions, **peers.versions(), **{name: _told(words) for name, words in PROGRAMS.items()}},
    }


def commit() -> str | None:
    """The commit that is measured, with a word on what is not in it; None where git does not tell."""
    short = _told(("git", "rev-parse", "--short=10", "HEAD"))
    if short is None:
        return None
    # The report itself changes with every benchmark.
    parts = ("src", "tests", "constraints.txt", "benchmarks", ":!benchmarks/REPORT.md", ":!benchmarks/report.json")
    changed = _told(("git", "status", "--porcelain", "--", *parts))
    return f"{short} and changes" if changed else short


def plain(line: str) -> str:
    """A line of a program's output without paths and without this machine's name."""
    return _PATH.sub("(path)", line).replace(socket.gethostname(), "(host)")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _told(words: tuple[str, ...]) -> str | None:
    """First line that a program prints; None where it is not there, fails or prints nothing."""
    try:
        done = subprocess.run(words, cwd=program.ROOT, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.strip().splitlines()
    return lines[0] if lines and not done.returncode else None


def _first_match(path: Path, pattern: str) -> str | None:
    try:
        found = re.search(pattern, path.read_text(encoding="utf-8"))
    except OSError:
        return None
    return found[1].strip() if found else None


def _memory_gib() -> float | None:
    kib = _first_match(Path("/proc/meminfo"), r"MemTotal:\s*(\d+) kB")
    return round(int(kib) / 1024**2, 1) if kib else None


def _system() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None
