"""An image run as an engine runs it, without one: its own mounts, processes and network, as any user, by its config."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

ENGINES_SHM_BYTES: Final = 64 * 2**20
"""What Docker gives where --shm-size is not said."""
PATIENCE_S: Final = 1800.0
"""For what takes a minute on a machine that has nothing else to do."""

# As Docker does: fresh /proc, /tmp and /dev/shm, a /sys that is only read, the mounts that were asked for. No network
# but the loopback's.
_PREPARE: Final = """
root=$1; shm=$2; shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o "size=$shm,mode=1777" shm "$root/dev/shm"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")"; : > "$root$2"; fi
  mount --bind "$1" "$root$2"; shift 2
done
shift
ip link set lo up
exec chroot "$@"
"""


class UnavailableError(Exception):
    """What is needed cannot be had on this machine, so that nothing is known of the image."""


def children(process_id: int) -> list[int]:
    """The processes that a process of one thread has started."""
    return [int(word) for word in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


@dataclass(frozen=True)
class Ended:
    """How a container ended.

    Attributes:
        code: its exit code; a shell's 128 and more for one that a signal ended.
        out, err: what it wrote.
    """

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        return self.out + self.err


@dataclass
class Container:
    """A container that runs.

    Attributes:
        process: the one that started it.
        out, err: files with what it writes; a pipe that nobody reads would hold it up.
    """

    process: subprocess.Popen[bytes]
    out: IO[str]
    err: IO[str]

    def signal(self, number: int) -> None:
        """Send a signal to its first process, as `docker stop` does."""
        os.kill(children(self.process.pid)[0], number)

    def wait(self, timeout_s: float) -> Ended:
        """Wait for its end; where it goes on for longer, kill it, which is told."""
        late = ""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            late = f"\nit had not ended after {timeout_s:.0f} s, and was killed"
        told = []
        for file in (self.out, self.err):
            with file:
                file.seek(0)
                told.append(file.read())
        code = self.process.returncode
        return Ended(code if code >= 0 else 128 - code, told[0], told[1] + late)


@dataclass(frozen=True)
class Engine:
    """Runs one image.

    Attributes:
        root: the file system of a container made from it, mounted.
        config: the image's OCI config: Entrypoint, Env, User, WorkingDir.
        mounts, environ: what every container gets, as `start` takes them.
    """

    root: Path
    config: Mapping[str, Any]
    mounts: Mapping[Path, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)

    def start(
        self,
        *arguments: str,
        user: str,
        mounts: Mapping[Path, str] | None = None,
        environ: Mapping[str, str] | None = None,
        entrypoint: Sequence[str] | None = None,
    ) -> Container:
        """Start a container.

        Args:
            arguments: the words after the image's name.
            user: UID:GID.
            mounts: for each file or folder here its path there.
            environ: variables beside the image's.
            entrypoint: instead of the image's.
        """
        bound = [part for here, there in {**self.mounts, **(mounts or {})}.items() for part in (str(here), there)]
        given = {**self.environ, **(environ or {})}
        variables = [*self.config["Env"], *(f"{key}={value}" for key, value in given.items())]
        command = [*(self.config["Entrypoint"] if entrypoint is None else entrypoint), *arguments]
        # Closed when the container has ended.
        out, err = (tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") for _ in range(2))  # noqa: SIM115
        return Container(
            subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"),
                    *("sh", "-euc", _PREPARE, "sh", str(self.root), str(ENGINES_SHM_BYTES), *bound, "--"),
                    *(f"--userspec={user}", "--groups=", str(self.root)),
                    *("env", "-i", "-C", self.config["WorkingDir"], *variables, *command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            ),
            out,
            err,
        )

    def run(self, *arguments: str, **how: Any) -> Ended:
        """Start a container and wait for its end."""
        return self.start(*arguments, **how).wait(PATIENCE_S)


@dataclass(frozen=True)
class Layer:
    """One layer of an image.

    Attributes:
        size_bytes: as buildah counted it.
        folder: where its files lie.
    """

    size_bytes: int
    folder: Path


class Buildah:
    """buildah on a storage of its own, its caches and temporary files included."""

    _FOLDERS: Final = {"overlay": "overlay/{}/diff", "vfs": "vfs/dir/{}"}

    def __init__(self, folder: Path) -> None:
        self._root, self._state, self._temporary = folder / "storage", folder / "state", folder / "temporary"
        self._temporary.mkdir(parents=True, exist_ok=True)
        self.driver = "overlay"
        if self._call("info").returncode:
            # Where the kernel lays no file system over another, every layer is a copy.
            self.driver = "vfs"

    def _call(self, *arguments: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = ["buildah", "--storage-driver", self.driver, "--root", str(self._root), "--runroot", str(self._state)]
        variables = {**os.environ, "TMPDIR": str(self._temporary), **(environ or {})}
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, errors="replace", check=False, env=variables
        )

    def __call__(self, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
        """Run one command of buildah's, and give what it printed.

        Args:
            arguments: the command and its options.
            environ: variables beside those of this process.

        Raises:
            RuntimeError: with the end of what it said.
        """
        done = self._call(*arguments, environ=environ)
        if done.returncode:
            raise RuntimeError(f"buildah {arguments[0]} failed:\n{(done.stdout + done.stderr)[-8000:]}")
        return done.stdout.strip()

    def config(self, image: str) -> dict[str, Any]:
        """The image's OCI config."""
        found: dict[str, Any] = json.loads(self("inspect", "--type", "image", image))["OCIv1"]
        return found

    def layers(self, image: str) -> list[Layer]:
        """The image's layers, the base first, from the tables of the storage."""
        images = json.loads((self._root / f"{self.driver}-images" / "images.json").read_text(encoding="utf-8"))
        layers = json.loads((self._root / f"{self.driver}-layers" / "layers.json").read_text(encoding="utf-8"))
        by_id = {layer["id"]: layer for layer in layers}
        found: list[Layer] = []
        at = next(entry["layer"] for entry in images if any(image in name for name in entry.get("names", ())))
        while at:
            folder = self._root / self._FOLDERS[self.driver].format(at)
            found.insert(0, Layer(by_id[at].get("diff-size", 0), folder))
            at = by_id[at].get("parent", "")
        return found


class Clock:
    """Wall and CPU seconds of what was done, step by step."""

    def __init__(self) -> None:
        self._at = self._now()
        self.steps: list[tuple[str, float, float]] = []

    def lap(self, what: str) -> None:
        """End a step, and tell of it."""
        now = self._now()
        wall_s, cpu_s = (after - before for after, before in zip(now, self._at, strict=True))
        self._at = now
        self.steps.append((what, wall_s, cpu_s))
        print(f"{what:60} {wall_s:6.1f} s wall {cpu_s:6.1f} s CPU", flush=True)

    @staticmethod
    def _now() -> tuple[float, float]:
        import resource

        used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
        return time.monotonic(), sum(one.ru_utime + one.ru_stime for one in used)
