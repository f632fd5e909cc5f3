"""Kill a portal with SIGKILL again and again while many hand in, and end with code 1 when it lost or mixed up anything:
`python -m scripts.chaos_portal [--kills N] [--clients N] [--seed N] [--database URL]`, from the root of the repository.

Clients hand in files of random bytes, in pieces and in one request; some go on after a break, some give up. A file is
acknowledged when its client has heard so. In the end every acknowledged file must be there, whole and under its id;
what was not acknowledged may be absent, an open upload, or whole; and `scorekit portal check` must find no fault.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import hashlib
import multiprocessing
import os
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from tests.ports import free_port

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["scorekit.cli", "scorekit.portal.web.serving", "scorekit.portal.background"])
_HOST: Final = "127.0.0.1"
_PIECE_BYTES: Final = 32 * 1024
_LEAST_BYTES, _MOST_BYTES = 500, 1024**2
_READY_S: Final = 90.0
_LIVES_S: Final = (0.5, 30.0)
"""How long a portal may live at most after it has begun to answer: by how much comes of it on this machine."""
_FEW, _MANY = 4, 80
"""Acknowledgements of one life after which the next may be longer, or must be shorter."""
_LAST_S: Final = 180.0
"""How long clients may take to finish when nothing is killed any more."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos_portal", description=__doc__.partition(":\n")[0])
    parser.add_argument("--kills", metavar="N", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--clients", metavar="N", type=int, default=16, help="at once (default: %(default)s)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of moments and files (default: %(default)s)")
    parser.add_argument("--database", metavar="URL", help="an empty database, postgresql://... (default: SQLite)")
    parser.add_argument(
        "--folder", metavar="DIR", type=Path, help="where the portal's folder is made (default: temporary)"
    )
    options = parser.parse_args(argv)
    # Ended before its time, it looks at what is left all the same.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        found = run(Path(made), options.kills, options.clients, options.seed, options.database)
    print(found.summary())
    return 1 if found.faults else 0


@dataclass
class Heard:
    """What the clients did, and what they heard; every hash is of one file of one client.

    Attributes:
        begun: way by which each file was handed in.
        acknowledged: id of the submission of each file that was acknowledged.
        refused: what a client was told that it should not have been told.
        breaks: connections that broke, or were not to be had.
        answers: set while the portal answers, so that nobody tries in vain while it starts.
    """

    begun: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    breaks: int = 0
    answers: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Found:
    """What came of it."""

    kills: int
    clients: int
    took_s: float
    heard: Heard
    kept: Counter[str] = field(default_factory=Counter)
    looked_at: dict[str, int] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """As text."""
        ways = Counter(self.heard.begun[sha256] for sha256 in self.heard.acknowledged)
        told = ", ".join(f"{count:,} {way}" for way, count in sorted(ways.items()))
        lines = [
            f"{self.kills} kills under {self.clients} clients in {self.took_s:.0f} s",
            f"{len(self.heard.begun):,} files begun, {self.heard.breaks:,} connections broken",
            f"{len(self.heard.acknowledged):,} acknowledged ({told})",
            *(f"{count:6,}  {what}" for what, count in sorted(self.kept.items())),
            "looked at: " + ", ".join(f"{count:,} {what}" for what, count in self.looked_at.items()),
            "notes: " + (", ".join(f"{count:,} {what}" for what, count in sorted(self.notes.items())) or "none"),
            *self.faults[:50],
            f"{len(self.faults)} faults",
        ]
        return "\n".join(lines)


def run(folder: Path, kills: int, clients: int, seed: int, database: str | None = None) -> Found:
    """Kill, restart, and look at what is left."""
    begun, port = time.monotonic(), free_port()
    server = Server(folder, port, database)
    heard, stop = Heard(), threading.Event()
    tokens = server.prepare(clients)
    senders = [
        Sender(server, token, random.Random(f"{seed} client {number}"), heard, stop, folder / f"client-{number}.zip")
        for number, token in enumerate(tokens)
    ]
    done = 0
    chance, longest_s = random.Random(f"{seed} moments"), 1.0
    try:
        for sender in senders:
            sender.start()
        try:
            for done in range(kills):
                before = len(heard.acknowledged)
                with server.running() as process:
                    if chance.random() < 0.95:
                        server.wait_until_ready(process)
                        heard.answers.set()
                    time.sleep(chance.uniform(0.0, longest_s))
                    process.kill()
                    process.join()
                heard.answers.clear()
                heard_now = len(heard.acknowledged) - before
                longest_s *= 1.5 if heard_now < _FEW else 1 / 1.5 if heard_now > _MANY else 1.0
                longest_s = min(max(longest_s, _LIVES_S[0]), _LIVES_S[1])
                if done % 10 == 9:
                    print(f"{done + 1} of {kills} kills, {len(heard.acknowledged):,} acknowledged", file=sys.stderr)
        except KeyboardInterrupt:
            print("no more kills", file=sys.stderr)
            kills = done
        with server.running() as process:
            server.wait_until_ready(process)
            stop.set()
            heard.answers.set()
            until = time.monotonic() + _LAST_S
            for sender in senders:
                sender.join(max(0.0, until - time.monotonic()))
            process.terminate()
            process.join(60)
    finally:
        stop.set()
        heard.answers.set()
    found = Found(kills, clients, time.monotonic() - begun, heard)
    found.faults += [f"client {number} has not come to an end" for number, one in enumerate(senders) if one.is_alive()]
    found.faults += heard.refused
    look(server, found)
    return found


class Server:
    """The portal: `scorekit portal serve` as a process of its own, again and again.

    A server takes seconds to import what it needs. So each is forked from a process that has done so, and has done and
    opened nothing else.
    """

    def __init__(self, folder: Path, port: int, database: str | None) -> None:
        from scorekit.portal.settings import DATABASE, settings

        self.url = f"http://{_HOST}:{port}/"
        self.data, self.log, self.port = folder / "data", folder / "log", port
        self._environment = {name: text for name, text in os.environ.items() if name != DATABASE}
        if database is not None:
            self._environment[DATABASE] = database
        self.command = [
            "portal", "serve", "--data", str(self.data), "--host", _HOST, "--port", str(port),
            "--requests-a-minute", "1000000", "--account-mib-a-day", "1000000",
        ]  # fmt: skip
        self.settings = settings(self.data, public_url=self.url, environment=self._environment)

    def prepare(self, accounts: int) -> list[str]:
        """Make the portal; the token of each account."""
        from scorekit.portal.ledger import people
        from scorekit.portal.opened import Portal, migrate

        migrate(self.settings)
        with Portal.open(self.settings) as portal:
            made = [people.make_account(portal.storage, f"client {n}", "submitter") for n in range(accounts)]
            day = datetime.timedelta(days=1)
            return [people.make_token(portal.storage, account, "chaos", day).secret for account in made]

    @contextlib.contextmanager
    def running(self) -> Iterator[ForkServerProcess]:
        """A process that serves; killed at the end if it still runs."""
        process = _FORKS.Process(target=serve, args=(self.command, self._environment, str(self.log)))
        process.start()
        try:
            yield process
        finally:
            process.kill()
            process.join()

    def wait_until_ready(self, process: ForkServerProcess) -> None:
        """Return when it answers."""
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            if not process.is_alive():
                raise RuntimeError(f"the portal ended by itself: {self.log.read_text(errors='replace')[-3000:]}")
            with contextlib.suppress(OSError), socket.create_connection((_HOST, self.port), timeout=5) as made:
                made.sendall(f"GET /health/live HTTP/1.1\r\nHost: {_HOST}\r\nConnection: close\r\n\r\n".encode())
                if b" 200 " in made.recv(100):
                    return
            time.sleep(0.02)
        raise RuntimeError("the portal is not ready")


def serve(command: list[str], environment: dict[str, str], log: str) -> None:
    """In a process of its own: the command, as a shell would start it."""
    os.environ.clear()
    os.environ.update(environment)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    from scorekit import cli

    sys.exit(cli.main(command))


class Sender(threading.Thread):
    """One client, file after file, until it is told to stop."""

    def __init__(
        self, server: Server, token: str, chance: random.Random, heard: Heard, stop: threading.Event, path: Path
    ) -> None:
        super().__init__(daemon=True)
        self._server, self._token, self._chance = server, token, chance
        self._heard, self._stop_asked, self._path = heard, stop, path

    def run(self) -> None:
        """Hand in."""
        from scorekit.errors import ScorekitError
        from scorekit.portal.patience import BreakError

        while not self._stop_asked.is_set():
            self._heard.answers.wait(_READY_S)
            size = int(_LEAST_BYTES * (_MOST_BYTES / _LEAST_BYTES) ** self._chance.random())
            content = self._chance.randbytes(size)
            sha256 = hashlib.sha256(content).hexdigest()
            way = self._chance.choice(("in pieces", "in one request"))
            goes_on = self._chance.random() < 0.6
            with self._heard.lock:
                self._heard.begun[sha256] = way
            try:
                told = self._pieces(content, goes_on) if way == "in pieces" else self._file(content, goes_on)
            except BreakError:
                # Given up: the next file.
                continue
            except ScorekitError as error:
                with self._heard.lock:
                    self._heard.refused.append(f"{way}, {sha256[:12]}: {error.message}")
                continue
            with self._heard.lock:
                self._heard.acknowledged[sha256] = told
                if len(told) != 32:
                    self._heard.refused.append(f"{way}, {sha256[:12]}: acknowledged without an id")

    def _patience(self, goes_on: bool) -> Any:
        from scorekit.portal.patience import Patience

        def nap(length_s: float) -> None:
            with self._heard.lock:
                self._heard.breaks += 1
            time.sleep(length_s)
            self._heard.answers.wait(_READY_S)

        return Patience(tries=500 if goes_on else 1, first_wait_s=0.01, longest_wait_s=0.1, sleep=nap)

    def _pieces(self, content: bytes, goes_on: bool) -> str:
        from scorekit.portal import client
        from scorekit.submission import CLAUSES

        self._path.write_bytes(content)
        return client.submit(
            self._path, self._server.url, self._token, [clause.name for clause in CLAUSES], check=False,
            patience=self._patience(goes_on), piece_bytes=_PIECE_BYTES,
        ).id  # fmt: skip

    def _file(self, content: bytes, goes_on: bool) -> str:
        from scorekit.portal.calls import Calls
        from scorekit.submission import CLAUSES

        with Calls(self._server.url, self._token, patience=self._patience(goes_on)) as made:
            told = made.told(
                "POST", "/submissions/file", content=content, headers={"Content-Type": "application/zip"},
                params={clause.name: clause.sha256 for clause in CLAUSES},
            )  # fmt: skip
        return str(told["id"])


def look(server: Server, found: Found) -> None:
    """What is left, beside what the clients heard."""
    from sqlalchemy import select

    from scorekit.portal import consistency
    from scorekit.portal.opened import Portal
    from scorekit.portal.storage.tables import submissions, uploads

    with Portal.open(server.settings) as portal:
        checked = consistency.check(portal)
        found.looked_at = checked.looked_at
        for finding in checked.findings:
            if finding.weight == "fault":
                found.faults.append(f"portal check: {finding.code} {finding.subject}: {finding.message}")
            else:
                found.notes[finding.code] += 1
        with portal.storage.database.read() as connection:
            rows = {row.sha256: row for row in connection.execute(select(submissions))}
            count = len(connection.execute(select(submissions.c.id)).all())
            incomplete = set(connection.execute(select(uploads.c.sha256).where(uploads.c.state == "open")).scalars())
        heard = found.heard
        if count != len(rows):
            found.faults.append(f"{count - len(rows)} files have two submissions")
        found.faults += [f"nobody handed in {sha256}" for sha256 in rows.keys() - heard.begun.keys()]
        for sha256, submission_id in heard.acknowledged.items():
            row = rows.get(sha256)
            if row is None or row.id != submission_id:
                found.faults.append(f"{heard.begun[sha256]}: {sha256} was acknowledged as {submission_id}, and is lost")
            elif not _is_whole(portal, sha256):
                found.faults.append(f"{heard.begun[sha256]}: {sha256} was acknowledged, and is not whole")
            else:
                found.kept["acknowledged: there and whole"] += 1
        for sha256 in heard.begun.keys() - heard.acknowledged.keys():
            if sha256 in rows:
                whole = _is_whole(portal, sha256)
                found.kept["not acknowledged: there and whole, its acknowledgement was lost on the way"] += whole
                if not whole:
                    found.faults.append(f"{heard.begun[sha256]}: {sha256} is a submission, and is not whole")
            else:
                state = "marked incomplete" if sha256 in incomplete else "absent"
                found.kept[f"not acknowledged: {state}"] += 1


def _is_whole(portal: Any, sha256: str) -> bool:
    from scorekit.errors import InputError

    try:
        with portal.storage.blobs.open(sha256) as file:
            return hashlib.sha256(file.read()).hexdigest() == sha256
    except InputError:
        return False


if __name__ == "__main__":
    sys.exit(main())
