"""One benchmark in a process of its own: its output and its JSON are kept, and what is to be known of the run."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.program import ROOT
from benchmarks.report import machine
from benchmarks.report.programs import Program

PATIENCE_S: Final = 3600.0
"""A benchmark that takes longer does not end any more."""
_RAN: Final = (0, 1)
"""Exit codes of a benchmark that has come to its end; 1 where it missed a goal."""


def files(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """Of a benchmark: what it found, what is to be known of its run, what it printed."""
    return folder / f"{name}.json", folder / f"{name}.run.json", folder / f"{name}.txt"


def run(program: Program, folder: Path, *, quick: bool, patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """Run it to its end, and keep what it leaves in the folder, in place of what it left there before.

    Returns:
        What is to be known of the run, as it is kept; `failed` is None, or why there is nothing to show.
    """
    found, about, printed = files(folder, program.name)
    for old in (found, about):
        old.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{program.name}", *(program.quick if quick else ())]
    told: dict[str, Any] = {
        "name": program.name,
        "quick": quick,
        "started_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": machine.commit(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    begun = time.monotonic()
    code = _finished([*command, "--json", str(found)], printed, patience_s)
    told["wall_s"] = round(time.monotonic() - begun, 1)
    told["load_after"] = round(os.getloadavg()[0], 2)
    # Only now are the peers there that it has fetched.
    told["machine"] = machine.facts()
    told["failed"] = _failure(code, found, printed, patience_s)
    about.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return told


def _finished(command: list[str], printed: Path, patience_s: float) -> int | None:
    """Its exit code; None where it was ended because it did not end. Nothing stays of what it started in its group."""
    with printed.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            return process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """A benchmark that is asked to end, ends its servers and clusters; what then is left of its group is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=60)
    # One that broke has asked nobody to end, and its servers would disturb all that come after it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failure(code: int | None, found: Path, printed: Path, patience_s: float) -> str | None:
    if code in _RAN and found.exists():
        return None
    lines = [line for line in printed.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    last = machine.plain(lines[-1].strip()) if lines else "it printed nothing"
    if code is None:
        return f"it did not end within {patience_s:.0f} s: {last}"
    return f"code {code}: {last}"
