"""Which benchmarks there are, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Program:
    """A module of benchmarks/ that is a program.

    Attributes:
        what: what it answers.
        minutes: about how long it takes on two cores that do nothing else.
        quick: what makes its run a short one.
        peers: names of the peers that have to be fetched for it, as in `peers.versions`.
    """

    name: str
    what: str
    minutes: float
    quick: tuple[str, ...] = ("--quick",)
    peers: tuple[str, ...] = ()


_ZEUS: Final = ("zeus",)
_AI: Final = ("ai_energy_benchmarks",)
PROGRAMS: Final = (
    Program("speed", "measured pass, start-up, CPU of the launcher", 10, peers=_AI),
    Program("overhead", "what a window's meters take from the work within it", 18, peers=_ZEUS),
    Program("accuracy", "how near to the exact energy a meter comes", 10, peers=(*_ZEUS, *_AI)),
    Program("cost", "measured seconds for the same uncertainty, and for an interval of 1 %", 1, ("--trials", "20")),
    Program("parsing", "reading logs", 2),
    Program("ratings", "rating scores, and a million stars at once", 0.3),
    Program("results_index", "the index of the results store, and a query on it", 5),
    Program("site_build", "building the site", 5),
    Program("leaderboard_page", "the leaderboard's size and speed", 2),
    Program("labels", "making labels", 1),
    Program("verify", "verifying submissions", 0.5),
    Program("upload", "handing in at the portal", 1),
    Program("sweep_planning", "planning and resuming sweeps", 0.5),
    Program("job_overhead", "a job of a sweep on Slurm and on Ray", 6),
)
NAMES: Final = tuple(program.name for program in PROGRAMS)
