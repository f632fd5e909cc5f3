"""How long `scorekit --help` takes, beside the bare start of the same interpreter, and beside the peers' commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import peers
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import Took, in_turns

GOAL: Final = Goal(8.0)
PROGRAM: Final = "scorekit"
OPTIMUM_BENCHMARK: Final = """
import sys
import transformers.processing_utils
module = sys.modules["transformers"]
if not hasattr(module, "SpecialTokensMixin"):
    module.SpecialTokensMixin = module.PreTrainedTokenizerBase
from optimum_benchmark.cli import main
main()
"""
"""Its command, with the one name put back that it needs to start under transformers 5."""
_WARM_UPS: Final = 2
_PEER_WARM_UPS: Final = 1


def measure(pairs: int, peer_pairs: int, say: Callable[[str], None]) -> list[Comparison]:
    """Start ours and another in turn.

    Args:
        pairs: how often beside the bare interpreter; two more are for nothing, so that the files are in the page cache.
        peer_pairs: how often beside each peer, which takes seconds a start; one more is for nothing.
        say: told what is fetched.

    Returns:
        Wall times in ms.
    """
    bare = [sys.executable, "-c", "pass"]
    found = [_compare("help_startup", "python -c pass", bare, _WARM_UPS, pairs, GOAL)]
    theirs = {"optimum_benchmark": ("optimum-benchmark --help", [sys.executable, "-c", OPTIMUM_BENCHMARK, "--help"])}
    folder = peers.ai_energy_benchmarks(say)
    if folder is not None:
        command = [str(folder / "ai-energy-profile"), "--help"]
        theirs["ai_energy_benchmarks"] = ("ai-energy-profile --help, of ai_energy_benchmarks", command)
    for name, (reference, command) in theirs.items():
        found.append(_compare(f"help_{name}", reference, command, _PEER_WARM_UPS, peer_pairs, None))
    return found


def _compare(key: str, reference: str, command: list[str], warm_ups: int, pairs: int, goal: Goal | None) -> Comparison:
    ours = [str(program(PROGRAM)), "--help"]
    turns = in_turns(partial(_start, ours), partial(_start, command), pairs, warm_ups)
    return Comparison.of_turns(key, "start of scorekit --help", reference, "ms", *turns, goal)


def program(name: str) -> Path:
    """The command of that name beside this Python.

    Raises:
        SystemExit: it is not installed there.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise SystemExit(f"the program {name} is not installed beside this Python: pip install -e '.[bench]'")
    return Path(found)


def _start(command: list[str]) -> Took:
    """One process, from its start to its end."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with code {process.returncode}:\n{told.decode()}")
    return Took(wall, usage.ru_utime + usage.ru_stime)
