"""What an image may not hold, and what it must say of itself, judged from its config and the files of its layers."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scripts.image import building
from scripts.image.building import TOKEN
from scripts.image.engine import Buildah, Clock

LARGEST_BYTES: Final = 4 * 10**9
"""Of the image with torch for the CPU; libraries of CUDA add several GB."""
MOST_LAYERS: Final = 12

_COMPILERS: Final = re.compile(
    r"(?:.*-)?(?:gcc|g\+\+|clang|clang\+\+|gfortran|nvcc|rustc|tcc|cc|c\+\+|c89|c99|ld|as|make)(?:-\d+)?"
)
_CACHES: Final = re.compile(
    r"var/lib/apt/lists/.+|var/cache/apt/.+|(?:root|home/[^/]+)/\.cache/.+|cache/.+|(?:var/)?tmp/.+|.*/huggingface/hub/.+"
)
_SECRETS: Final = re.compile(
    r"(?:.*/)?(?:\.env|\.netrc|\.pypirc|\.pip/.*|pip\.conf|id_rsa|id_ed25519|hf_token|\.git-credentials)|run/secrets/.+"
)
_SMALL_BYTES: Final = 2**16


def judge_config(found: dict[str, object]) -> Iterator[str]:
    config = found["config"]
    assert isinstance(config, dict)
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", config.get("User", "")):
        yield f"User is {config.get('User')!r}, expected numbers, and not those of root"
    if config.get("Entrypoint", [])[-3:] != ["/opt/scorekit/bin/python", "-m", "scorekit.container"]:
        yield f"Entrypoint is {config.get('Entrypoint')}"
    if config.get("WorkingDir") != "/results":
        yield f"WorkingDir is {config.get('WorkingDir')}"
    labels = config.get("Labels", {})
    lacking = [
        key
        for key in ("title", "description", "licenses", "revision", "version")
        if not labels.get(f"org.opencontainers.image.{key}")
    ]
    if lacking:
        yield f"no label {', '.join(lacking)}"
    if TOKEN in json.dumps(found):
        yield "the token of whoever builds is in the image's config"


def judge_layers(buildah: Buildah, clock: Clock) -> Iterator[str]:
    layers = buildah.layers(building.IMAGE)
    size_bytes = sum(layer.size_bytes for layer in layers)
    print(
        f"image: {size_bytes / 1e6:.0f} MB in {len(layers)} layers of "
        + ", ".join(f"{layer.size_bytes / 1e6:.0f}" for layer in layers)
    )
    largest = LARGEST_BYTES * building.room()
    if not 0 < size_bytes <= largest:
        yield f"the image has {size_bytes} bytes, expected at most {largest}"
    if len(layers) > MOST_LAYERS:
        yield f"the image has {len(layers)} layers, expected at most {MOST_LAYERS}"
    seen = 0
    for layer in layers:
        for folder, folders, names in os.walk(layer.folder):
            place = Path(folder).relative_to(layer.folder)
            if ".git" in folders:
                yield f"{place}/.git is in a layer"
            for name in names:
                seen += 1
                yield from _judge_file(Path(folder, name), (place / name).as_posix())
    if seen < 10_000:
        yield f"only {seen} files were looked at"
    clock.lap(f"{seen} files in the layers looked at")


def _judge_file(path: Path, inside: str) -> Iterator[str]:
    found = path.lstat()
    if stat.S_ISCHR(found.st_mode):
        return  # The mark of a file of a lower layer that is gone.
    if re.search(r"(^|/)s?bin/[^/]+$", inside) and _COMPILERS.fullmatch(path.name):
        yield f"{inside} is a compiler"
    if _CACHES.fullmatch(inside):
        yield f"{inside} is of a cache"
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return
    if _SECRETS.fullmatch(inside):
        yield f"{inside} may hold a secret"
    if found.st_size < _SMALL_BYTES and "/site-packages/" not in inside and TOKEN.encode() in path.read_bytes():
        yield f"{inside} holds the token of whoever builds"
