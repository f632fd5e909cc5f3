"""What jobs cost, as rows and in words."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from benchmarks import comparison
from benchmarks.comparison import Comparison, Goal
from benchmarks.job_overhead.jobs import Timed
from benchmarks.program import ROOT
from benchmarks.timing import in_turns

LIMIT: Final = 1.25
_IMPORTS: Final = "from benchmarks import bare_job; bare_job.import_stack()"
_LIBRARIES: Final = "from benchmarks import bare_job; bare_job.import_libraries()"


def compared(engine: str, ours: Sequence[Timed], theirs: Sequence[Timed]) -> list[Comparison]:
    """The row that is judged, and what it is made of: the engine's part, all before measuring, and all after it."""
    cost = Comparison(
        f"{engine}_job",
        f"a job on {engine} beside its measuring",
        "bare job",
        "s",
        tuple(each.cost_s for each in ours),
        tuple(each.cost_s for each in theirs),
        Goal(LIMIT),
    )
    parts: tuple[tuple[str, str, Callable[[Timed], float]], ...] = (
        ("start", f"  of it from handing over to start on {engine}", lambda job: job.start_s),
        ("before", "  of it from handing over to measuring, or until imported", lambda job: job.before_s),
        ("after", "  of it after that", lambda job: job.after_s),
    )
    return [
        cost,
        *(
            Comparison(f"{engine}_{key}", what, "bare job", "s", tuple(map(of, ours)), tuple(map(of, theirs)))
            for key, what, of in parts
        ),
    ]


def imports(count: int) -> Comparison:
    """How long a measuring process imports, beside the libraries: each in a process of its own, without any engine."""
    ours, theirs = in_turns(partial(_seconds, _IMPORTS), partial(_seconds, _LIBRARIES), count)
    beside = "torch, datasets, transformers alone"
    return Comparison("imports", "what a measuring process imports", beside, "s", tuple(ours), tuple(theirs))


def _seconds(code: str) -> float:
    """What a piece of Python takes in a process of its own, without the start of that, s."""
    timed = f"import time; begun = time.monotonic(); {code}; print(time.monotonic() - begun)"
    done = subprocess.run([sys.executable, "-c", timed], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


def told(engine: str, ours: Sequence[Timed], theirs: Sequence[Timed]) -> list[str]:
    """Seconds of a job, for those who reckon how long a sweep takes."""
    added = [one.cost_s - bare.cost_s for one, bare in zip(ours, theirs, strict=True)]
    steps: dict[str, list[float | None]] = {
        "handing over to start": [each.start_s for each in ours],
        "start to the beginning of measuring": [each.ready_s for each in ours],
        "end of measuring to the result written": [each.kept_s for each in ours],
        "end of the work to noticed by the sweep": [each.noticed_s for each in ours],
    }
    return [
        *(f"{engine}: {step} {_middle([each for each in given if each is not None])}" for step, given in steps.items()),
        f"{engine}: all of a job beside its measuring {_middle([each.cost_s for each in ours])}, "
        f"of which scorekit adds {_middle(added)} to the bare job",
        f"{engine}: what was taken off as measuring {_middle([each.measuring_s for each in ours])}",
    ]


def _middle(values: Sequence[float]) -> str:
    low, high = comparison.quartiles(values)
    return f"{statistics.median(values):.2f} s ({low:.2f} to {high:.2f})"
