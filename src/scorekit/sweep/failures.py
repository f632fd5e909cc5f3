"""What kind of failure a job met, and how to mend it: from its last attempt, as pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from scorekit.errors import EXIT_INTERRUPTED, EXIT_INVALID
from scorekit.records import Attempt
from scorekit.sweep.done import JobState

Kind = Literal[
    "out of memory",
    "gated",
    "not found",
    "wrong task",
    "invalid measurement",
    "lost node",
    "disk full",
    "no device",
    "interrupted",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job is not done.

    Attributes:
        kind: its class.
        message: what happened, in one line.
        mend: what to do.
    """

    kind: Kind
    message: str
    mend: str


_MEMORY: Final = re.compile(
    r"out of memory|OutOfMemoryError|CUBLAS_STATUS_ALLOC_FAILED|cannot allocate memory|MemoryError|oom[-_ ]kill", re.I
)
_TELLING: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = (
    ("disk full", re.compile(r"disk is full|no space left on device|quota exceeded", re.I)),
    ("gated", re.compile(r" is gated|gated repo|awaiting a review from the repo authors", re.I)),
    (
        "not found",
        re.compile(
            r"there is no (model|dataset) |has no such revision|is not in the local cache|folder \S.* is not there|"
            r"neither a folder that exists nor a Hub id|holds neither config\.json nor",
            re.I,
        ),
    ),
    (
        "wrong task",
        re.compile(
            r"not a model for|which does not do|which has no head for a task|the task of .* cannot be told", re.I
        ),
    ),
)
_MENDS: Final[dict[Kind, str]] = {
    "out of memory": "give it more GPUs (class C, --class-c-gpus), or a smaller dtype: backend.torch_dtype=float16",
    "gated": "ask for access on the model's page, and set HF_TOKEN",
    "not found": "check the spelling (ORG/NAME), or fill the cache: hf download ORG/NAME",
    "wrong task": "give the model another task in the list",
    "invalid measurement": "scorekit check shows every check; run the sweep again to measure anew",
    "lost node": "run the sweep again; it takes up where it was",
    "disk full": "free some space, and run the sweep again",
    "no device": "scorekit doctor says what is on the machine",
    "interrupted": "run the sweep again; it takes up where it was",
    "unknown": "see the run's log, and run the sweep again",
}

LASTING: Final[frozenset[Kind]] = frozenset({"out of memory", "gated", "not found", "wrong task"})
"""What another try meets again, on whatever machine of the same kind, until somebody changes something."""


def failure(state: JobState) -> Failure | None:
    """Why a job is not done; None where it is, goes on, or was never tried."""
    if state.state in ("done", "running"):
        return None
    attempt = state.attempt
    if state.state == "invalid":
        return Failure("invalid measurement", _line(state.why or "a check failed"), _MENDS["invalid measurement"])
    if state.state == "lost" and attempt is not None:
        return Failure(
            "lost node",
            f"process {attempt.pid} on {attempt.host} ended without a word after {attempt.started_utc}",
            _MENDS["lost node"],
        )
    return None if attempt is None else classify(attempt)


def classify(attempt: Attempt) -> Failure:
    """The class of an attempt that ended with an error."""
    message, log = attempt.message or "", "\n".join(attempt.last_lines)
    kind = _kind(attempt, message, log)
    mend = attempt.mend if attempt.mend and kind not in ("out of memory", "lost node") else _MENDS[kind]
    return Failure(kind, _line(message) or f"ended with code {attempt.exit_code}", _line(mend))


def _kind(attempt: Attempt, message: str, log: str) -> Kind:
    if attempt.exit_code == EXIT_INVALID:
        return "invalid measurement"
    if attempt.exit_code is not None and attempt.exit_code >= EXIT_INTERRUPTED:
        return "interrupted"
    # The error itself says it best; the log is asked only where it does not.
    for text in (message, log):
        # A process that is killed is often out of memory, but not always: the message's guess does not count.
        if _MEMORY.search(text.replace("(often: out of memory)", "")):
            return "out of memory"
        for kind, pattern in _TELLING:
            if pattern.search(text):
                return kind
    if "was killed by" in message:
        return "lost node"
    return "no device" if attempt.error == "HardwareError" else "unknown"


def _line(text: str) -> str:
    """A message in one line, without the log lines that an error may quote."""
    first = text.split("; its last log lines:")[0]
    return " ".join(first.split())[:600]
