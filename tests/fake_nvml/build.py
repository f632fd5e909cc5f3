"""Compiles the fake NVML, once for each version of its source."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

LIBRARY: Final = "libnvidia-ml.so.1"
COMMAND: Final = "nvidia-smi"

_SOURCE: Final = Path(__file__).parent / "source"
_CACHE: Final = Path(__file__).parents[2] / ".cache" / "fake_nvml"
_FLAGS: Final = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
_UNITS: Final = ("series.c", "machine.c", "nvml.c", "setters.c")


class NoCompilerError(RuntimeError):
    """There is no C compiler on this machine."""


def build() -> Path:
    """The folder with the library and the nvidia-smi beside it.

    Raises:
        NoCompilerError: neither $CC nor cc nor gcc is there.
    """
    compiler = next(
        (found for name in (os.environ.get("CC"), "cc", "gcc") if name and (found := shutil.which(name))), None
    )
    if compiler is None:
        raise NoCompilerError("the fake NVML needs a C compiler: apt-get install gcc libc6-dev")
    folder = _CACHE / _fingerprint()
    if not folder.is_dir():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            _compile(compiler, made)
            try:
                made.rename(folder)
            except OSError:
                # Another worker was quicker.
                if not folder.is_dir():
                    raise
    return folder


def _fingerprint() -> str:
    digest = hashlib.sha256(" ".join(_FLAGS).encode())
    for path in sorted(_SOURCE.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _compile(compiler: str, folder: Path) -> None:
    library = ["-shared", "-fPIC", f"-Wl,-soname,{LIBRARY}", "-o", str(folder / LIBRARY), *_UNITS, "-lm", "-lpthread"]
    command = ["-o", str(folder / COMMAND), "nvidia_smi.c", "-ldl"]
    for arguments in (library, command):
        done = subprocess.run([compiler, *_FLAGS, *arguments], cwd=_SOURCE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the fake NVML does not compile:\n{done.stderr}")
