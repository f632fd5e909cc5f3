"""Slurm as a sweep's engine: which of the sweep's jobs its queue still holds, and waiting until it holds none.

Only the queue is asked (squeue), so that it works with and without accounting (slurmdbd). It says that a job is still
to come or goes on; what became of a job that has left it is told by what the job left.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from scorekit import atomic
from scorekit.errors import LauncherError, MissingExtraError, UsageError
from scorekit.messages import counted, say
from scorekit.records import Attempt
from scorekit.sweep import attempts, engines

NAME: Final = "slurm"
HANDED_OVER: Final = ".slurm"
"""Folder within the runs folder: a file for each submission, with a line for each of its jobs."""
_COMMANDS: Final = ("sbatch", "srun", "squeue", "scancel")
_ANSWER_S: Final = 60.0
PATIENCE_S: Final = 900.0
"""So long Slurm may be silent: a controller that moves to its backup is, for minutes."""
_FRESH_S: Final = 5.0
_JUST_NOW_S: Final = 1.0
SETTLE_S: Final = 45.0
"""So long the driver's view of a network file system may lag behind a node's."""
_NEVER: Final = frozenset(
    {
        "accountnotallowed",
        "assocmaxwalldurationperjoblimit",
        "badconstraints",
        "dependencyneversatisfied",
        "invalidaccount",
        "invalidqos",
        "jobholdmaxrequeue",
        "launchfailedrequeuedheld",
        "partitionnodelimit",
        "partitiontimelimit",
        "qosmaxwalldurationperjoblimit",
        "qosnotallowed",
    }
)
"""Reasons for which a job waits until somebody changes it, or the cluster: what waits for it would wait for ever."""


def require() -> None:
    """Refuse what cannot be launched from here.

    Raises:
        MissingExtraError: the official launcher is not installed.
        UsageError: Slurm's commands are not on this machine.
    """
    for package in ("submitit", "hydra_plugins.hydra_submitit_launcher"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError("hydra-submitit-launcher", "slurm")
    missing = [command for command in _COMMANDS if shutil.which(command) is None]
    if missing:
        raise UsageError(
            f"Slurm's commands are not on this machine: {', '.join(missing)}",
            mend="start the sweep on a machine of the cluster that submits jobs; on Debian: apt install slurm-client",
        )


def listing() -> dict[str, str]:
    """This user's jobs that Slurm has not ended: name (of an array's job: the array's id, `_`, its number), and reason.

    Raises:
        OSError, subprocess.SubprocessError: Slurm does not answer.
    """
    command = ["squeue", "--noheader", "--array", f"--user={os.getuid()}", "--format=%i|%r"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=True)
    lines = (line.strip().partition("|") for line in told.stdout.splitlines())
    return {name: reason for name, _, reason in lines}


class Queue:
    """Slurm's queue, asked no more often than is needed.

    Args:
        ask: the queue's content; raises where there is no answer.
        clock: s.
    """

    def __init__(
        self, ask: Callable[[], Mapping[str, str]] = listing, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._guard = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._asked_s, self._answered_s = float("-inf"), clock()
        self._why = ""

    def now(self, fresh_s: float = 0.0) -> Mapping[str, str] | None:
        """The content, at most so old; None where Slurm does not answer."""
        with self._guard:
            if self._clock() - self._asked_s >= fresh_s or self._asked_s == float("-inf"):
                self._asked_s = self._clock()
                try:
                    self._known = self._ask()
                except (OSError, subprocess.SubprocessError) as error:
                    self._why = (getattr(error, "stderr", None) or str(error)).strip()
                else:
                    self._why, self._answered_s = "", self._clock()
            return None if self._why else self._known

    def silent_s(self) -> float:
        """For how long Slurm has not answered."""
        return self._clock() - self._answered_s if self._why else 0.0

    def why(self) -> str:
        """What was told instead of an answer."""
        return self._why.splitlines()[0][:300] if self._why else ""

    def holds(self, name: str) -> bool | None:
        """Whether a job is in the queue; None where Slurm does not answer."""
        known = self.now(_FRESH_S)
        # An older answer may be from before the job came; never from before its process began.
        known = known if known is None or name in known else self.now(_JUST_NOW_S)
        return None if known is None else name in known


class SlurmEngine(engines.Engine):
    """Slurm as seen from the sweep's driver; arguments as for `engines.Engine`."""

    # All tasks' jobs are in the queue before the first is waited for.
    settings = ("hydra.launcher.wait=false",)

    def __init__(self, runs: Path, queue: Queue | None = None) -> None:
        super().__init__(runs)
        self._queue = Queue() if queue is None else queue

    def check(self) -> None:
        """See `require`."""
        require()

    def alive(self, attempt: Attempt) -> bool:
        """Whether an attempt's job is in the queue: it goes on, is ending, or will begin again."""
        if attempt.engine != NAME or attempt.engine_job is None:
            return attempts.alive_here(attempt)
        held = self._queue.holds(attempt.engine_job)
        return attempt.ended_utc is None if held is None else held

    def queued(self) -> frozenset[str]:
        """Ids of the jobs in the queue.

        Raises:
            LauncherError: Slurm does not answer.
        """
        known = self._queue.now()
        if known is None:
            raise _silent(self._queue)
        return frozenset(job for name, (job, _) in handed_over(self.runs).items() if name in known)

    def wait(self) -> None:
        """Wait until none of the sweep's jobs is in the queue."""
        handed = handed_over(self.runs)
        try:
            wait(self._queue, handed, lambda: all(_is_told(folder) for _, folder in handed.values()))
        except KeyboardInterrupt:
            left = sorted({name.partition("_")[0] for name in self._queue.now() or {} if name in handed})
            if left:
                say(f"the jobs go on in Slurm; scancel {' '.join(left)} ends them")
            raise
        for file in (self.runs / HANDED_OVER).glob("*"):
            with contextlib.suppress(OSError):
                file.unlink()


def hand_over(runs: Path, jobs: Mapping[str, tuple[str, Path]]) -> None:
    """Write down which of Slurm's jobs are which of the sweep's, for a driver that is started again.

    Args:
        runs: the runs folder.
        jobs: name in the queue; id in the sweep, and the folder that tells its attempts.

    Raises:
        BundleError: it cannot be written.
    """
    if jobs:
        first = next(iter(jobs))
        lines = [f"{name} {job} {folder.relative_to(runs)}\n" for name, (job, folder) in jobs.items()]
        (runs / HANDED_OVER).mkdir(parents=True, exist_ok=True)
        atomic.write_text(runs / HANDED_OVER / first, "".join(lines))


def never_begun(folder: Path, job: str, error: LauncherError) -> None:
    """Write down for a job that Slurm has refused an attempt with the reason.

    Args:
        folder: the job's.
        job: its id.
        error: why.
    """
    # Where the driver is a job of Slurm's itself, that is not the job that it speaks of.
    attempts.never_begun(folder, job, {attempts.ENGINE: NAME}, error)


def handed_over(runs: Path) -> dict[str, tuple[str, Path]]:
    """What `hand_over` has written, by all drivers since the last sweep that came to its end."""
    found = {}
    for path in sorted((runs / HANDED_OVER).glob("[0-9]*")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in path.read_text(encoding="utf-8").splitlines():
                name, _, rest = line.partition(" ")
                job, _, folder = rest.partition(" ")
                if folder:
                    found[name] = (job, runs / folder)
    return found


def wait(
    queue: Queue,
    names: Collection[str],
    seen: Callable[[], bool] = lambda: True,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Wait until none of these jobs is in the queue, and what they left can be seen from here.

    Jobs that will never begin are taken out of the queue, and told.

    Args:
        queue: Slurm's.
        names: of jobs.
        seen: whether what the jobs leave at their end can be seen from here; a network file system may show it late.
        sleep, clock: s.

    Raises:
        LauncherError: Slurm does not answer for too long. The jobs go on, and a driver started again finds them.
    """
    begun_s = clock()
    hopeless: set[str] = set()
    while True:
        known = queue.now()
        if known is None and queue.silent_s() > PATIENCE_S:
            raise _silent(queue)
        if known is not None:
            left = [name for name in names if name in known]
            if not left:
                break
            hopeless |= _end_hopeless(known, [name for name in left if name not in hopeless])
        # Short jobs are not waited for long after their end, and hours of waiting do not disturb the controller.
        sleep(min(_FRESH_S, 0.2 + (clock() - begun_s) / 20))
    left_s = clock()
    while not seen() and clock() - left_s < SETTLE_S:
        sleep(_JUST_NOW_S)


def _end_hopeless(known: Mapping[str, str], names: Iterable[str]) -> set[str]:
    found = {name: known[name] for name in names if re.sub(r"[^a-z]", "", known[name].lower()) in _NEVER}
    if found:
        name, reason = next(iter(found.items()))
        say(
            f"Slurm will not begin {counted(len(found), 'job')} ({name}: {reason}); taken out of the queue. "
            "Change hydra.launcher.timeout_min, .partition, .gres or what else the reason names"
        )
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["scancel", *found], capture_output=True, timeout=_ANSWER_S, check=False)
    return set(found)


def _is_told(folder: Path) -> bool:
    made = attempts.read(folder)
    return bool(made) and made[-1].ended_utc is not None


def _silent(queue: Queue) -> LauncherError:
    return LauncherError(
        f"Slurm does not answer: {queue.why()}",
        mend="see that `squeue` answers here, and run the same command again; jobs that were handed over go on",
    )
