"""A shell for each page: its commands are typed as they stand there, one after the other, in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.documentation.lines import Command
from tests.e2e import stem
from tests.e2e.commands import Stems, environment

_MARK: Final = "@@ended with"
_SCOREKIT: Final = """\
#!{python} -IS
# The command as a copy of the tests' stem: with this process's folder, variables and streams, and its signals.
import json, os, signal, socket, sys
stem = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
# A socket's name may have 107 bytes: its folder's path is left out of it.
stem.connect("/proc/self/fd/%d/%s" % (os.open({folder!r}, os.O_PATH), {name!r}))
assert stem.recv({ready}) == {ready_bytes!r}
answer, its_answer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
command = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "variables": dict(os.environ)}}
socket.send_fds(stem, [json.dumps(command).encode()], [0, 1, 2, its_answer.fileno()])
its_answer.close()
_, process = json.loads(answer.recv({asked}))
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda given, frame: os.kill(process, given))
told = answer.recv({asked})
code = json.loads(told)[1] if told else 70
sys.exit(code if code >= 0 else 128 - code)
"""


def copied_scorekit(folder: Path, stems: Stems) -> Path:
    """A folder with a program `scorekit` that does what the real one does, without the seconds of its imports.

    Args:
        folder: that is made.
        stems: of this run of the tests.
    """
    folder.mkdir()
    address = stems.address(environment())
    text = _SCOREKIT.format(
        python=sys.executable,
        folder=str(address.parent),
        name=address.name,
        ready=len(stem.READY),
        ready_bytes=stem.READY,
        asked=stem.ASKED_BYTES,
    )
    (folder / "scorekit").write_text(text, encoding="utf-8")
    (folder / "scorekit").chmod(0o755)
    return folder


class Shell:
    """One shell, into which lines are typed.

    Args:
        folder: that it starts in.
        programs: a folder that is searched before all others.
        variables: set besides this process's own.
    """

    def __init__(self, folder: Path, programs: Path, variables: Mapping[str, str] | None = None) -> None:
        found = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self._errors = folder / ".errors"
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                ["bash", "--norc"],
                cwd=folder,
                env=environment({"PATH": found, **(variables or {})}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def type(self, line: str) -> tuple[int, str]:
        """Type a line. Returns its exit code and what it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\ncode=$?; echo; echo {_MARK} $code\n")
        self.process.stdin.flush()
        printed: list[str] = []
        for text in self.process.stdout:
            if text.startswith(_MARK):
                # The line feed that was printed before the mark is no part of it.
                return int(text.removeprefix(_MARK)), "".join(printed).removesuffix("\n")
            printed.append(text)
        raise AssertionError(f"the shell ended at: {line}\n{self.errors()}")

    def errors(self) -> str:
        """The end of what was printed as errors and messages, and of a log that a page has them in."""
        logs = [self._errors, self._errors.with_name("journal.log")]
        return "\n".join(log.read_text(encoding="utf-8", errors="replace")[-4000:] for log in logs if log.exists())

    def close(self) -> None:
        """End it, and all that it goes on with in the background."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("kill $(jobs -p) 2> /dev/null; wait; exit\n")
            self.process.stdin.close()
        try:
            self.process.wait(HANGS_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()


HANGS_S: Final = 240.0
"""After which something that should have ended counts as hanging; a limit, not a measure."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A command that was typed.

    Attributes:
        command: as it stands in the page.
        printed: what it printed, without errors and messages.
        errors: the end of these, of all commands so far.
    """

    command: Command
    printed: str
    errors: str


def type_all(
    commands: Sequence[Command],
    shell: Shell,
    *,
    stands_for: Mapping[str, str] | None = None,
) -> list[Typed]:
    """Type commands one after the other, each of which must end with 0.

    Args:
        commands: in the order in which they are typed.
        shell: to type them into.
        stands_for: words of the page that stand for something of the reader's own, and what they are here.

    Raises:
        AssertionError: a command ended otherwise.
    """
    done = []
    for command in commands:
        line = command.text
        for word, own in (stands_for or {}).items():
            line = line.replace(word, own)
        code, printed = shell.type(line)
        told = shell.errors()
        assert code == 0, f"{command.place}\nended with {code}\n{printed}\n{told}"
        done.append(Typed(command, printed, told))
    return done
