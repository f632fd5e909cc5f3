"""Kill workers of a portal in the middle of their jobs, and end with code 1 when a job is lost, handed in twice or
published twice: `python -m scripts.chaos_worker [--kills N]`, from the root of the repository.

A portal serves in a process of its own, with leases of 2 s; three workers, each a process, take its jobs. In the place
of a measurement stands a made-up official run, another each time, that takes some hundred ms. A worker that holds a job
is killed (SIGKILL) at a random moment, and started again at once or after its lease has run out. No site is built.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.ports import free_port

if TYPE_CHECKING:
    from scorekit.portal.ledger.people import Actor
    from scorekit.portal.opened import Portal
    from scorekit.portal.settings import Settings

WORKERS: Final = 3
LEASE_S: Final = 2.0
BEAT_S: Final = 0.4
_IN_STOCK: Final = WORKERS + 1
"""Jobs that are not done; more are asked for while there are kills to come."""
_LONGEST_WORK_S: Final = 1.2
"""A worker that holds a job is killed within so long."""
_MOST_KILLS_A_JOB: Final = 2
"""With more, the portal would take some jobs for hopeless, as it should."""
_HANGS_S: Final = 300.0
_READY: Final = "ready"
_AWAITED: Final = (None, None, "measured.json", "submission.zip")
"""What is to be there before a kill: nothing, what was measured to its end, what is packed and on its way."""
_DATABASE: Final = "SCOREKIT_PORTAL_DATABASE"


@dataclass(slots=True)
class Report:
    """What was seen."""

    kills: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    attempts: int = 0
    measured: int = 0
    submissions: int = 0
    published: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        stages = ", ".join(f"{count} {stage}" for stage, count in sorted(self.stages.items()))
        return (
            f"{self.kills} workers killed ({stages}); {self.jobs} jobs leased {self.attempts} times and measured "
            f"{self.measured} times to the end; {self.submissions} submissions, {self.published} results published"
        )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos_worker", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="workers to kill (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    parser.add_argument("--serve", nargs=2, metavar=("DATA", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--work", nargs=3, metavar=("PORTAL", "DIR", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.serve:
        return serve(Path(options.serve[0]), int(options.serve[1]))
    if options.work:
        return work(options.work[0], Path(options.work[1]), int(options.work[2]))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), options.kills, options.seed)
    print(f"{report}; {time.monotonic() - started:.0f} s")
    for fault in report.faults:
        print(f"FAULT: {fault}")
    return 1 if report.faults or report.kills < options.kills else 0


def run(folder: Path, kills: int, seed: int) -> Report:
    from scorekit.portal import opened

    dice = random.Random(seed)
    report = Report()
    set_up = _settings(folder / "data", port := free_port())
    opened.migrate(set_up)
    with opened.Portal.open(set_up) as portal:
        operator, _ = _account(portal, "operator")
        _, token = _account(portal, "worker")
        jobs = _Jobs(portal, operator)
        jobs.ask(_IN_STOCK)
        with _process(["--serve", str(set_up.data), str(port)]) as server:
            _until(lambda: _answers(port), "the portal", server)
            crew = [_Slot(folder / f"worker-{number}", port, token) for number in range(WORKERS)]
            _kill_them(crew, jobs, report, dice, kills)
            _until(lambda: jobs.open() == 0, "the end of the jobs", server)
            for slot in crew:
                slot.stop()
            _accept_all(portal, operator, server)
            report.measured = sum(len(list(slot.folder.rglob("measured.json"))) for slot in crew)
            _look(portal, operator, report)
        if server.returncode not in (0, 128 + signal.SIGTERM, -signal.SIGTERM):
            report.faults.append(f"the portal ended with {server.returncode}")
    return report


def serve(data: Path, port: int) -> int:
    """The portal's process."""
    from scorekit.portal import publishing
    from scorekit.portal.web.serving import serve as serve_portal

    # What is under test ends in the results folder; building sites would take most of the time.
    publishing._build = lambda _: None
    serve_portal(_settings(data, port), "127.0.0.1", port)
    return 0


def work(portal: str, folder: Path, seed: int) -> int:
    """A worker's process: all of it is real but for the measurement."""
    from tests.portal.measured import official_run
    from tests.unit.submission.made import request

    from scorekit import submission
    from scorekit.portal.assignments import Assignment, WorkFolder
    from scorekit.portal.jobs_source import PortalSource
    from scorekit.portal.stopping import Stop
    from scorekit.portal.worker import Worker

    dice = random.Random(seed)
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.ask("SIGTERM"))

    def measure(job: Assignment, place: Path, _stop: Stop) -> Path:
        time.sleep(dice.uniform(0.1, 0.4))
        return official_run(place / "run", job.model, dice.uniform(0.7, 1.5))

    def pack(run: Path) -> bytes:
        return submission.pack([run], request()).content

    held = WorkFolder(folder)
    # From now on it may be killed: before, it would be killed while it imports.
    (held.root / _READY).write_text(str(os.getpid()), encoding="utf-8")
    with PortalSource(portal, os.environ["SCOREKIT_TOKEN"], folder.name, stop) as source, held.held(lambda: None):
        Worker(source, held, measure, pack, stop=stop, beat_s=BEAT_S, first_wait_s=0.1).run()
    return 0


class _Slot:
    """A worker that is started again and again."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        self.folder = folder
        self._arguments = [f"http://127.0.0.1:{port}/", str(folder)]
        self._token = token
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start_at = 0.0
        self.kill_at: float | None = None
        self.awaits: str | None = None

    def has(self, job: str, name: str | None) -> bool:
        """Whether a file of its job is there."""
        return name is None or next((self.folder / job).glob(f"*/{name}"), None) is not None

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def job(self) -> str | None:
        """The job that it holds; None where it holds none, or has not begun."""
        assert self._process is not None
        with contextlib.suppress(FileNotFoundError):
            if (self.folder / _READY).read_text(encoding="utf-8") == str(self._process.pid):
                kept = next(self.folder.glob("*/assignment.json"), None)
                return None if kept is None else kept.parent.name
        return None

    def start(self, seed: int) -> None:
        environment = {**os.environ, "SCOREKIT_TOKEN": self._token}
        self._starts += 1
        self._process = subprocess.Popen(
            [*_SELF, "--work", *self._arguments, str(seed)], env=environment, stderr=subprocess.DEVNULL
        )

    def kill(self) -> str:
        """Kill it; in which stage its job was."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
        kept = next(self.folder.glob("*/assignment.json"), None)
        if kept is None:
            return "between two jobs"
        for name, stage in (("submission.zip", "while handing in"), ("measured.json", "while packing")):
            if next(kept.parent.glob(f"*/{name}"), None) is not None:
                return stage
        return "while measuring"

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_HANGS_S)
            self._process = None


class _Jobs:
    """Asks for measurements of models that nobody else asked for."""

    def __init__(self, portal: Portal, operator: Actor) -> None:
        self._portal = portal
        self._operator = operator
        self._asked = 0

    def ask(self, count: int) -> None:
        from scorekit.portal.ledger import decisions, requests

        for _ in range(count):
            self._asked += 1
            made = requests.ask(
                self._portal.storage, self._operator, f"chaos/model-{self._asked}", "text_generation", model_class="A"
            )
            decisions.decide_request(self._portal.storage, self._operator, made.id, "accept", "chaos")

    def open(self) -> int:
        from scorekit.portal.ledger import jobs

        found = jobs.counts(self._portal.storage)
        return found.get("queued", 0) + found.get("leased", 0)


def _kill_them(crew: list[_Slot], jobs: _Jobs, report: Report, dice: random.Random, kills: int) -> None:
    until = time.monotonic() + _HANGS_S + 20 * kills
    killed: Counter[str] = Counter()
    stock_at = 0.0
    while report.kills < kills:
        now = time.monotonic()
        if now > until:
            report.faults.append("the workers do not get on")
            return
        for slot in crew:
            if not slot.runs:
                if now >= slot.start_at:
                    slot.start(dice.randrange(2**32))
                    slot.kill_at, slot.awaits = None, dice.choice(_AWAITED)
            elif slot.kill_at is None:
                job = slot.job
                if job is None:
                    # It was too quick, and is at the next one.
                    slot.awaits = dice.choice(_AWAITED)
                elif killed[job] < _MOST_KILLS_A_JOB and slot.has(job, slot.awaits):
                    killed[job] += 1
                    slot.kill_at = now + (dice.uniform(0, _LONGEST_WORK_S) if slot.awaits is None else 0.0)
            elif now >= slot.kill_at and report.kills < kills:
                report.stages[slot.kill()] += 1
                report.kills += 1
                # Started again at once it goes on with its job; late, another has it.
                slot.start_at = now + (dice.uniform(LEASE_S, 2 * LEASE_S) if dice.random() < 0.4 else 0)
        if now >= stock_at:
            stock_at = now + 0.2
            jobs.ask(max(0, _IN_STOCK - jobs.open()) if report.kills < kills else 0)
        time.sleep(0.005)
    for slot in crew:
        if not slot.runs:
            slot.start(dice.randrange(2**32))


def _accept_all(portal: Portal, operator: Actor, server: subprocess.Popen[bytes]) -> None:
    from scorekit.portal.ledger import decisions, publications, submissions

    def decided() -> bool:
        found = submissions.counts(portal.storage)
        if found.get("received", 0) or found.get("checking", 0):
            return False
        waiting, count = submissions.listed(portal.storage, operator, everyone=True, state="waiting", limit=1000)
        for one in waiting:
            decisions.decide_submission(portal.storage, operator, one.id, "accept", "chaos")
        return count == len(waiting)

    _until(decided, "the verdicts", server)
    _until(lambda: not publications.pending(portal.storage), "the results", server)


def _look(portal: Portal, operator: Actor, report: Report) -> None:
    """What has become of each job."""
    from sqlalchemy import func, select

    from scorekit import store
    from scorekit.portal import consistency
    from scorekit.portal.ledger import submissions
    from scorekit.portal.storage import tables

    found, report.submissions = submissions.listed(portal.storage, operator, everyone=True, limit=100_000)
    with portal.storage.database.read() as connection:
        rows = connection.execute(select(tables.jobs)).all()
        published = connection.execute(
            select(func.count()).select_from(tables.publications).where(tables.publications.c.published_at.is_not(None))
        ).scalar_one()
    report.jobs, report.attempts = len(rows), sum(row.attempts for row in rows)
    of_job = Counter(one.job_id for one in found)
    for row in rows:
        if (row.state, of_job[row.id]) != ("done", 1):
            report.faults.append(f"job {row.id} is {row.state} ({row.last_error}), with {of_job[row.id]} submissions")
    report.faults += [f"submission {one.id} is {one.state}" for one in found if one.state != "accepted"]
    results = list(store.open(portal.settings.results).results())
    report.published = len(results)
    models = Counter(result.model for result in results)
    report.faults += [f"{model} is published {count} times" for model, count in models.items() if count != 1]
    if not len(results) == published == len(found):
        report.faults.append(f"{len(found)} accepted, {published} published, {len(results)} results")
    report.faults += [
        f"{one.subject}: {one.message}" for one in consistency.check(portal).findings if one.weight == "fault"
    ]


def _settings(data: Path, port: int) -> Settings:
    from scorekit.portal.settings import settings

    made = settings(
        data, public_url=f"http://127.0.0.1:{port}/", requests_a_minute=1_000_000,
        environment={_DATABASE: os.environ.get(_DATABASE, "")},
    )  # fmt: skip
    return replace(made, job_lease=datetime.timedelta(seconds=LEASE_S))


def _account(portal: Portal, role: str) -> tuple[Actor, str]:
    from scorekit.portal.ledger import people

    account = people.make_account(portal.storage, role, role)  # type: ignore[arg-type]
    secret = people.make_token(portal.storage, account, "chaos", datetime.timedelta(days=1)).secret
    actor = people.actor_of_token(portal.storage, secret)
    assert actor is not None
    return actor, secret


@contextlib.contextmanager
def _process(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([*_SELF, *arguments], stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_HANGS_S)


def _until(condition: Callable[[], bool], what: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _HANGS_S
    while not condition():
        if server.poll() is not None:
            raise SystemExit(f"the portal ended with {server.returncode}")
        if time.monotonic() > until:
            raise SystemExit(f"{what} did not come within {_HANGS_S:.0f} s")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


_SELF: Final = (sys.executable, "-m", "scripts.chaos_worker")


if __name__ == "__main__":
    sys.exit(main())
