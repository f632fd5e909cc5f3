"""What a container was given: its user, mounts, shared memory, GPUs and token. Collected, never judged."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from scorekit.measuring import driver, file_system

SECRET: Final = Path("/run/secrets/hf_token")
"""Where engines put a secret of the name hf_token."""
_CUDA_OF_TORCH: Final = re.compile(r"(?m)^cuda\b[^=]*=\s*['\"](\d+)\.(\d+)")

Cuda = tuple[int, int]
"""A version of CUDA: major, minor."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that is written into.

    Attributes:
        path: the folder, or what there is of it.
        mounted: whether it outlives the container; None where mounts cannot be told.
        refused: errno of what stands in the way of a new file there; None where one can be made.
        owner_id: number of the user it belongs to; None where it cannot be told.
    """

    path: Path
    mounted: bool | None
    refused: int | None
    owner_id: int | None


@dataclass(frozen=True, slots=True)
class Gpus:
    """What NVIDIA's driver says from within the container.

    Attributes:
        count: GPUs that it lists.
        problem: why it cannot be asked; None where it can.
        code: NVML's code of that.
        driver: its version, such as 580.65.06.
        cuda: the newest CUDA that it takes.
    """

    count: int
    problem: str | None = None
    code: int | None = None
    driver: str | None = None
    cuda: Cuda | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a container was given.

    Attributes:
        user_id, group_id: who runs in it.
        results, cache: the working folder, and that of the Hub's files.
        shm_bytes: size of /dev/shm; None where there is none.
        gpus: what the driver says.
        torch_cuda: the CUDA that torch was built for; None without torch, or of a build without CUDA.
        token: HF_TOKEN as it was given; None where it was not.
        secret_refused: errno of reading the secret file; None where there is none, or where it can be read.
        offline: whether the Hub is not to be asked.
    """

    user_id: int
    group_id: int
    results: Place
    cache: Place
    shm_bytes: int | None
    gpus: Gpus
    torch_cuda: Cuda | None
    token: str | None = field(repr=False)
    secret_refused: int | None = None
    offline: bool = False


def collect(environ: Mapping[str, str], results: Path, secret: Path = SECRET) -> Facts:
    """Look at what this process was given.

    Args:
        environ: its variables.
        results: where it is going to write.
        secret: the file with the Hub's token.
    """
    mounts = mount_points(_text(file_system.MOUNTS))
    cache = Path(environ.get("HF_HUB_CACHE") or environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    return Facts(
        user_id=os.getuid(),
        group_id=os.getgid(),
        results=_place(results, mounts),
        cache=_place(cache, mounts),
        shm_bytes=_size(Path("/dev/shm")),  # noqa: S108 - the kernel's name of shared memory
        gpus=_gpus(),
        torch_cuda=_torch_cuda(),
        token=environ.get("HF_TOKEN"),
        secret_refused=_refused_to_read(secret),
        offline=environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"),
    )


def mount_points(mountinfo: str | None) -> tuple[Path, ...] | None:
    """The folders at which something is mounted.

    Args:
        mountinfo: text of /proc/self/mountinfo; None where it cannot be read.
    """
    if not mountinfo:
        return None
    return tuple(Path(mount.place) for mount in file_system.mounts(mountinfo))


def torch_cuda(version_file: str) -> Cuda | None:
    """The CUDA that torch was built for, from the text of its version.py; None for a build without."""
    found = _CUDA_OF_TORCH.search(version_file)
    return None if found is None else (int(found[1]), int(found[2]))


def _place(folder: Path, mounts: tuple[Path, ...] | None) -> Place:
    there = next((path for path in (folder, *folder.parents) if path.is_dir()), Path("/"))
    owner_id = None
    with contextlib.suppress(OSError):
        owner_id = there.stat().st_uid
    refused = None
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        refused = error.errno or errno.EACCES
    mounted = None if mounts is None else any(point in mounts for point in (folder, *folder.parents) if point.name)
    return Place(path=folder, mounted=mounted, refused=refused, owner_id=owner_id)


def _gpus() -> Gpus:
    try:
        with driver.session() as pynvml:
            version = driver.text(driver.ask(pynvml.nvmlSystemGetDriverVersion))
            cuda = driver.ask(pynvml.nvmlSystemGetCudaDriverVersion_v2)
            return Gpus(
                count=len(driver.listing(pynvml)),
                driver=version,
                # 13020 stands for 13.2.
                cuda=None if not cuda else (int(cuda) // 1000, int(cuda) % 1000 // 10),
            )
    except driver.NoDriverError as error:
        return Gpus(count=0, problem=error.message, code=error.code)
    except ModuleNotFoundError:
        # An image without the bench extra; what needs it says so itself.
        return Gpus(count=0, problem="the package nvidia-ml-py is not installed")


def _torch_cuda() -> Cuda | None:
    # torch itself is not imported: that takes seconds.
    found = find_spec("torch")
    if found is None or found.origin is None:
        return None
    return torch_cuda(_text(Path(found.origin).with_name("version.py")) or "")


def _refused_to_read(path: Path) -> int | None:
    if not path.exists():
        return None
    try:
        path.read_bytes()
    except OSError as error:
        return error.errno or errno.EACCES
    return None


def _size(folder: Path) -> int | None:
    with contextlib.suppress(OSError):
        found = os.statvfs(folder)
        return found.f_frsize * found.f_blocks
    return None


def _text(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return None
