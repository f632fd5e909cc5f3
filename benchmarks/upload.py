"""Prints how long handing in a file takes beside bare FastAPI endpoints that save it, and ends with code 1 when the
goal is missed.

python -m benchmarks.upload [--quick] [--mb N ...] [--turns N] [--json FILE]

Portal and bare application are served by uvicorn in processes of their own, and take turns. A bare endpoint gets what
ours gets: the file as the body of a request, which it streams to the disk, or a form that holds it. It writes a file
and is done; the portal also counts and hashes, and has file, folder and database on the disk before it answers. So
another bare endpoint, which syncs its file, stands beside it as information.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.ports import free_ports

from benchmarks import comparison, program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import in_order

if TYPE_CHECKING:
    from fastapi import FastAPI

    from scorekit.portal.settings import Settings

LEAST_THROUGHPUT: Final = 0.6
"""Of the bare endpoint's."""
GOAL: Final = Goal(1 / LEAST_THROUGHPUT)
SIZES_MB: Final = (1, 16, 64)
TURNS: Final = {1: 41, 16: 15, 64: 9}
QUICK_MB, QUICK_TURNS = (1,), 7
PIECE_BYTES: Final = 4 * 1024**2
_BOUNDARY: Final = "----scorekit-benchmark"
_HOST: Final = "127.0.0.1"
_START_S: Final = 60.0


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("upload", __doc__, "one size and few turns, for CI: seconds")
    parser.add_argument("--mb", metavar="N", type=int, nargs="+", help=f"sizes in MiB (default: {SIZES_MB})")
    parser.add_argument("--turns", metavar="N", type=int, help="of each size (default: by size)")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="on the disk to write to (default: a temporary one)")
    parser.add_argument("--serve", nargs=3, metavar=("WHAT", "DIR", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.serve:
        what, folder, port = options.serve
        return serve(what, Path(folder), int(port))
    rows = []
    with tempfile.TemporaryDirectory(dir=options.folder) as made, servers(Path(made)) as (ours, theirs):
        for size_mb in options.mb or (QUICK_MB if options.quick else SIZES_MB):
            turns = options.turns or (QUICK_TURNS if options.quick else TURNS.get(size_mb, 9))
            rows += compared(ours, theirs, size_mb, turns)
    notes = [_throughput(row) for row in rows if row.goal is not None]
    return program.conclude(rows, quick=options.quick, file=options.json, notes=notes)


def _throughput(row: Comparison) -> str:
    low, high = comparison.quartiles([1 / ratio for ratio in row.ratios])
    return (
        f"{row.what}: throughput {1 / sorted(row.ratios)[len(row.ratios) // 2]:.2f} of the bare endpoint's "
        f"({low:.2f} to {high:.2f}), expected {LEAST_THROUGHPUT:g} at least"
    )


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, and what lets one in."""

    port: int
    pid: int
    token: str = ""
    session: str = ""
    csrf: str = ""

    def cpu_s(self) -> float:
        """CPU time of all its threads so far; clock ids of processes as clock_getcpuclockid(3) makes them."""
        return time.clock_gettime(~self.pid << 3 | 2)

    def post(self, path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, bytes]:
        """Send a request over a connection of its own; its status and answer."""
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=120)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def compared(ours: Server, theirs: Server, size_mb: int, turns: int) -> list[Comparison]:
    """Each way to hand in a file beside the bare endpoint that gets it in the same way, in turns."""
    ways: dict[str, tuple[Server, Callable[[bytes], float]]] = {
        "bare": (theirs, lambda content: _body(theirs, "/bare", content)),
        "synced": (theirs, lambda content: _body(theirs, "/synced", content)),
        "bare-form": (theirs, lambda content: _form(theirs, "/form", content)),
        "file": (ours, lambda content: _file(ours, content)),
        "form": (ours, lambda content: _page(ours, content)),
        "pieces": (ours, lambda content: _pieces(ours, content)),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    cpu_times: dict[str, list[float]] = {way: [] for way in ways}
    block = secrets.token_bytes(1024**2)
    for turn in range(turns + 1):
        # No two files are the same, or the portal would have the second one already.
        for way in in_order(list(reversed(ways)), turn):
            content = secrets.token_bytes(64) + block * size_mb
            server, hand_in = ways[way]
            cpu_s = server.cpu_s()
            taken_s = hand_in(content[: size_mb * 1024**2])
            if turn:
                times[way].append(1000 * taken_s)
                cpu_times[way].append(server.cpu_s() - cpu_s)

    def row(way: str, what: str, peer: str = "bare", goal: Goal | None = None) -> Comparison:
        reference = {"bare": "bare FastAPI", "synced": "bare, synced", "bare-form": "bare FastAPI, a form"}[peer]
        return Comparison(
            f"{way}-{size_mb}-{peer}", f"{size_mb} MiB {what}", reference, "ms",
            ours=tuple(times[way]), theirs=tuple(times[peer]), goal=goal,
            cpu_ratios=tuple(own / other for own, other in zip(cpu_times[way], cpu_times[peer], strict=True)),
        )  # fmt: skip

    return [
        row("file", "in one request", goal=GOAL),
        row("form", "by the form", "bare-form", goal=GOAL),
        row("pieces", "in pieces of 4 MiB"),
        row("file", "in one request", "synced"),
        row("synced", "bare, synced"),
    ]


def _body(server: Server, path: str, content: bytes) -> float:
    """Seconds that a request takes whose body is the file."""
    begun = time.perf_counter()
    status, told = server.post(path, content, {"Content-Type": "application/zip"})
    taken_s = time.perf_counter() - begun
    assert status == 200, (status, told[:300])
    return taken_s


def _form(server: Server, path: str, content: bytes, fields: dict[str, str] | None = None, **more: str) -> float:
    """Seconds that a form with a file takes."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (fields or {}).items()
    ]
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="submission"; filename="s.zip"\r\n'
        "Content-Type: application/zip\r\n\r\n"
    ).encode()
    body = b"".join([*parts, head, content, f"\r\n--{_BOUNDARY}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", **more}
    begun = time.perf_counter()
    status, told = server.post(path, body, headers)
    taken_s = time.perf_counter() - begun
    assert status in (200, 303), (status, told[:300])
    return taken_s


def _page(server: Server, content: bytes) -> float:
    from scorekit.submission import CLAUSES

    fields = {"csrf": server.csrf} | {clause.name: clause.sha256 for clause in CLAUSES}
    return _form(server, "/submit", content, fields, Cookie=f"scorekit_session={server.session}")


def _file(server: Server, content: bytes) -> float:
    from scorekit.submission import CLAUSES

    query = "&".join(f"{clause.name}={clause.sha256}" for clause in CLAUSES)
    headers = {"Content-Type": "application/zip", "Authorization": f"Bearer {server.token}"}
    begun = time.perf_counter()
    status, told = server.post(f"/api/v1/submissions/file?{query}", content, headers)
    taken_s = time.perf_counter() - begun
    assert status == 201, (status, told[:300])
    return taken_s


def _pieces(server: Server, content: bytes) -> float:
    """As `scorekit submit` does it, over one connection."""
    from scorekit.portal import calls, sending

    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with (
            sending.SentFile(Path(file.name)) as sent,
            calls.Calls(f"http://{_HOST}:{server.port}/", server.token) as made,
        ):
            sent.hash()
            begun = time.perf_counter()
            told = sending.Sender(made, sent, lambda _done, _size: None, PIECE_BYTES).hand_in(None)
            taken_s = time.perf_counter() - begun
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    return taken_s


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[tuple[Server, Server]]:
    """The portal and the bare application, each in a process of its own."""
    with contextlib.ExitStack() as stack:
        ports = free_ports(2)
        (folder / "bare").mkdir()
        secrets_of = _prepare(folder / "portal")
        pids = [
            stack.enter_context(_running(what, folder / what, port))
            for what, port in zip(("portal", "bare"), ports, strict=True)
        ]
        yield Server(ports[0], pids[0], *secrets_of), Server(ports[1], pids[1])


def _prepare(folder: Path) -> tuple[str, str, str]:
    """A portal with one account; its token, and the session and csrf of its browser."""
    import datetime

    from scorekit.portal.ledger import people
    from scorekit.portal.opened import Portal, migrate

    found = _settings(folder)
    migrate(found)
    with Portal.open(found) as portal:
        account = people.make_account(portal.storage, "benchmark", "submitter")
        token = people.make_token(portal.storage, account, "benchmark", datetime.timedelta(days=1)).secret
        actor = people.actor_of_token(portal.storage, token)
        assert actor is not None
        session = people.open_session(portal.storage, actor)
        return token, session.secret, session.csrf


def _settings(folder: Path) -> Settings:
    from scorekit.portal.settings import settings

    return settings(folder, public_url=f"http://{_HOST}/", requests_a_minute=1_000_000, account_bytes_a_day=2**50,
                    environment={})  # fmt: skip


@contextlib.contextmanager
def _running(what: str, folder: Path, port: int) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.upload", "--serve", what, str(folder), str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=program.ROOT, stdout=log, stderr=log)
        try:
            until = time.monotonic() + _START_S
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"{what} did not start: {(folder / 'log').read_text()[-2000:]}")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def serve(what: str, folder: Path, port: int) -> int:
    """One of the two servers, until it is ended."""
    if what == "portal":
        from scorekit.portal.web.serving import serve as serve_portal

        serve_portal(_settings(folder), _HOST, port, background=False)
        return 0
    import uvicorn

    uvicorn.run(bare(folder), host=_HOST, port=port, http="h11", ws="none", access_log=False, log_level="warning")
    return 0


def bare(folder: Path) -> FastAPI:
    """An application with nothing but endpoints that save a file: of a request's body, the same synced, of a form."""
    from fastapi import FastAPI, Request, UploadFile

    app = FastAPI()

    async def save(request: Request) -> dict[str, int]:
        with (folder / secrets.token_hex(8)).open("wb") as out:
            async for chunk in request.stream():
                out.write(chunk)
            return {"size_bytes": out.tell()}

    async def save_synced(request: Request) -> dict[str, int]:
        with (folder / secrets.token_hex(8)).open("wb") as out:
            async for chunk in request.stream():
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
            return {"size_bytes": out.tell()}

    def save_form(submission: UploadFile) -> dict[str, int]:
        with (folder / secrets.token_hex(8)).open("wb") as out:
            shutil.copyfileobj(submission.file, out, 1024**2)
        return {"size_bytes": submission.size or 0}

    # The annotations of a module with `from __future__ import annotations` are text, and these are not known there.
    for function in (save, save_synced):
        function.__annotations__["request"] = Request
    save_form.__annotations__["submission"] = UploadFile
    app.post("/bare")(save)
    app.post("/synced")(save_synced)
    app.post("/form")(save_form)
    return app


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
