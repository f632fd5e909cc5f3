"""Commands as processes of their own, without the seconds of their imports where those change nothing.

A command is a copy of a process that has imported what measures (`stem.py`), if its variables are those that this
process had, but for some that nothing reads at its import. Every other command is started afresh.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Protocol

from filelock import FileLock

from tests.e2e import stem

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 600
READ_LATE: Final = frozenset({"PATH", "SLURM_CONF", "FAKE_NVML_CONFIG", "FAKE_NVML_LOG"})
SET_BY_IMPORTS: Final = frozenset(
    {"HF_HUB_VERBOSITY", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "TOKENIZERS_PARALLELISM"}
    | {"TORCHINDUCTOR_CACHE_DIR", "TRANSFORMERS_VERBOSITY"}
)
"""Set by libraries, and by scorekit for them, at their import: in this process sooner or later, and in a stem."""
READ_LATE_PREFIXES: Final = ("SCOREKIT_", "PYTEST_")
LIBRARIES: Final = "LD_LIBRARY_PATH"
"""Names a fake driver, which libraries look for at their import: its commands have a stem of their own."""
MEASURE: Final = frozenset({"bench", "demo", "sweep", "tiny"})
"""Commands that import what measures. The others import little, and show that it is enough."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind.

    Attributes:
        rc: exit code; negative for a signal.
        stdout: text.
        stderr: text.
    """

    rc: int
    stdout: str
    stderr: str

    def told(self) -> str:
        """Both outputs, for the message of a failed assertion."""
        return f"exit code {self.rc}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings of a developer's own that would change an output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SCOREKIT_DEBUG", "LOG_LEVEL")}
    return {**kept, **(changes or {})}


class Process(Protocol):
    """What of subprocess.Popen every command has, however it was started."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Copy:
    """A command that is a copy of a stem; as subprocess.Popen with pipes and text."""

    def __init__(self, stem_socket: socket.socket, command: dict[str, Any], err: IO[bytes] | None) -> None:
        self.returncode: int | None = None
        self._arguments = command["arguments"]
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
        self._answer, its_answer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its_answer, open(os.devnull, "rb") as nothing:
            streams = [nothing.fileno(), self._out.fileno(), (err or self._err).fileno(), its_answer.fileno()]
            socket.send_fds(stem_socket, [json.dumps(command).encode()], streams)
        self._answer.settimeout(START_S)
        what, self.pid = json.loads(self._answer.recv(stem.ASKED_BYTES))
        assert what == stem.PID

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; negative for a signal."""
        if self.returncode is None:
            self._answer.settimeout(timeout)
            try:
                told = self._answer.recv(stem.ASKED_BYTES)
            except (TimeoutError, BlockingIOError) as error:
                raise subprocess.TimeoutExpired(self._arguments, timeout or 0) from error
            assert told, "the stem ended before the command"
            _, self.returncode = json.loads(told)
            self._answer.close()
        return self.returncode

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end; its stdout and stderr."""
        self.wait(timeout)
        told = []
        for stream in (self._out, self._err):
            with stream:
                stream.seek(0)
                told.append(stream.read().decode(errors="replace").replace("\r\n", "\n"))
        return told[0], told[1]

    def send_signal(self, sig: int) -> None:
        """Signal it, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Stems:
    """The stems of a run of the tests, which its workers share.

    Args:
        folder: of the whole run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._plain = _read_early(environment())
        self._sockets: dict[Path, socket.socket] = {}

    def serves(self, variables: Mapping[str, str]) -> bool:
        """Whether a command with these variables is the same as one that is started afresh."""
        early = _read_early(variables)
        other = {name for name in early.keys() | self._plain.keys() if early.get(name) != self._plain.get(name)}
        return other <= {LIBRARIES}

    def start(
        self, arguments: Sequence[str], folder: Path, variables: Mapping[str, str], err: IO[bytes] | None
    ) -> Copy:
        """Start a command.

        Args:
            arguments: after `python -m scorekit`.
            folder: that it runs in.
            variables: all of its environment.
            err: where its stderr goes instead of being kept.
        """
        command = {"arguments": [*arguments], "folder": os.fspath(folder), "variables": {**variables}}
        return Copy(self._connected(variables), command, err)

    def address(self, variables: Mapping[str, str]) -> Path:
        """Where the stem of commands with these variables listens; it is there until `let_go`."""
        self._connected(variables)
        return self._path(variables)

    def let_go(self) -> None:
        """Each stem ends when no worker needs it any more."""
        while self._sockets:
            self._sockets.popitem()[1].close()

    def _path(self, variables: Mapping[str, str]) -> Path:
        early = json.dumps(_read_early(variables), sort_keys=True)
        return self.folder / f"stem-{hashlib.sha256(early.encode()).hexdigest()[:12]}"

    def _connected(self, variables: Mapping[str, str]) -> socket.socket:
        path = self._path(variables)
        if path not in self._sockets:
            deadline = time.monotonic() + START_S
            while (found := self._join(path, _read_early(variables))) is None:
                assert time.monotonic() < deadline, path.with_suffix(".log").read_text(encoding="utf-8")
            self._sockets[path] = found
        return self._sockets[path]

    def _join(self, path: Path, variables: Mapping[str, str]) -> socket.socket | None:
        """A socket to the stem of a path, which is started where there is none; None if it ended meanwhile."""
        log = path.with_suffix(".log")
        process: subprocess.Popen[bytes] | None = None
        with FileLock(path.with_suffix(".lock")):
            found = _connect(path)
            if found is None:
                path.unlink(missing_ok=True)
                with log.open("ab") as stream:
                    process = subprocess.Popen(
                        [sys.executable, "-m", "tests.e2e.stem", os.fspath(path)],
                        cwd=ROOT,
                        # Its commands get theirs.
                        env={"PATH": os.environ["PATH"], **variables},
                        start_new_session=True,
                        stdin=subprocess.DEVNULL,
                        stdout=stream,
                        stderr=stream,
                    )
                while (found := _connect(path)) is None:
                    assert process.poll() is None, log.read_text(encoding="utf-8")
                    time.sleep(0.02)
        with contextlib.suppress(ConnectionError):
            found.settimeout(START_S)
            if found.recv(len(stem.READY)) == stem.READY:
                return found
        found.close()
        # One that breaks at its imports would do so again and again.
        assert process is None or process.wait(START_S) == 0, log.read_text(encoding="utf-8")
        return None


def _connect(path: Path) -> socket.socket | None:
    found = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with stem.name_of(os.fspath(path)) as name:
            found.connect(name)
    except (FileNotFoundError, ConnectionRefusedError):
        found.close()
        return None
    return found


def _read_early(variables: Mapping[str, str]) -> dict[str, str]:
    """Those that a library may read at its import."""
    return {
        name: value
        for name, value in variables.items()
        if name not in READ_LATE | SET_BY_IMPORTS and not name.startswith(READ_LATE_PREFIXES)
    }


_stems: Stems | None = None


@contextlib.contextmanager
def stems(folder: Path) -> Iterator[None]:
    """Within it, commands may be copies of a stem."""
    global _stems
    _stems = Stems(folder)
    try:
        yield
    finally:
        _stems.let_go()
        _stems = None


def start(
    *args: str | os.PathLike[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    fresh: bool = False,
    err: IO[bytes] | None = None,
) -> Process:
    """Start `python -m scorekit ARGS` as a shell does, in a process group of its own; its stdout and stderr are kept.

    Args:
        args: verb and arguments.
        cwd: folder that it runs in.
        env: variables set besides this process's own.
        fresh: with imports of its own, whatever its variables are.
        err: where its stderr goes instead of being kept.
    """
    arguments, variables = [*map(os.fspath, args)], environment(env)
    if not fresh and arguments[:1] and arguments[0] in MEASURE and _stems is not None and _stems.serves(variables):
        return _stems.start(arguments, cwd, variables, err)
    return subprocess.Popen(
        [sys.executable, "-m", "scorekit", *arguments],
        cwd=cwd,
        env=variables,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=err or subprocess.PIPE,
        text=True,
    )


def run_cli(
    *args: str | os.PathLike[str],
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float = 300,
    fresh: bool = False,
) -> Result:
    """Run `python -m scorekit ARGS` in a process of its own.

    Args:
        args: verb and arguments.
        cwd: folder that it runs in.
        env: variables set besides this process's own.
        timeout: seconds after which it counts as hanging; an upper limit, not a measure.
        fresh: with imports of its own, whatever its variables are.
    """
    process = start(*args, cwd=cwd, env=env, fresh=fresh)
    try:
        out, err = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    assert process.returncode is not None
    return Result(process.returncode, out, err)
