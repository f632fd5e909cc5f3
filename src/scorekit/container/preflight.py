"""What an engine's command line forgot, told before anything is loaded. Pure: it judges what `facts` collected.

A mend is an option of `docker run`; Podman takes the same, and docs/container.md tells it for Compose, Kubernetes and
Apptainer.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from typing import Final

from scorekit.container.asked import Asked
from scorekit.container.facts import Cuda, Facts
from scorekit.errors import BundleError, HardwareError, InputError, ScorekitError, UsageError

LEAST_SHM_BYTES: Final = 2**30
"""What `--shm-size 1g` gives; an engine's own 64 MiB are too little for processes that share tensors."""
SMOKE_TEST: Final = 'docker run --rm -v "$PWD/results:/results" energy_star demo --task text_classification'
_AS_CALLER: Final = '--user "$(id -u):$(id -g)"'
_OLDEST_DRIVER: Final = {11: 450, 12: 525, 13: 580}
"""First branch of NVIDIA's driver that takes any release of a major version of CUDA (CUDA compatibility guide)."""
_TOKEN: Final = re.compile(r"[!#-&(-~]+")
"""Signs of a token: printable, no blank, no quotation mark."""


def refusals(asked: Asked, facts: Facts) -> Iterator[ScorekitError]:
    """What makes it useless to begin, the cheapest to mend first."""
    if asked.writes:
        yield from _results(facts)
        yield from _token(facts)
    if asked.device == "cuda":
        yield from _gpus(facts)


def notes(asked: Asked, facts: Facts) -> Iterator[str]:
    """What can go wrong later, or costs time: each one line with its mend."""
    if asked.device == "cuda" and facts.shm_bytes is not None and facts.shm_bytes < LEAST_SHM_BYTES:
        mib = facts.shm_bytes // 2**20
        yield f"shared memory holds {mib} MiB, fewer than 1024; a large model may fail for it. Mend: --shm-size 1g"
    if not asked.downloads or facts.offline:
        return
    cache = facts.cache
    if cache.refused is not None:
        yield (
            f"user {facts.user_id} may not write to the Hub's cache {cache.path}, so nothing new can be downloaded. "
            f"Mend: {_AS_CALLER}, or -e HF_HUB_OFFLINE=1 where all of it is there"
        )
    elif cache.mounted is False:
        yield (
            f"{cache.path} is not mounted, so models from the Hub are downloaded for this container alone. "
            f'Mend: -v "$HOME/.cache/huggingface:{cache.path}"'
        )


def _results(facts: Facts) -> Iterator[ScorekitError]:
    place = facts.results
    if place.mounted is False:
        yield UsageError(
            f"{place.path} is not mounted: what is measured would be lost with the container",
            mend=f'docker run -v "$PWD/results:{place.path}" ...',
        )
    elif place.refused == errno.EROFS:
        yield BundleError(f"{place.path} is mounted read-only", mend=f"leave :ro out of -v ...:{place.path}")
    elif place.refused in (errno.ENOSPC, errno.EDQUOT):
        yield BundleError(f"the disk of {place.path} is full", mend="make room, or mount a folder of another disk")
    elif place.refused is not None:
        owner = "somebody else" if place.owner_id is None else f"user {place.owner_id}"
        yield BundleError(
            f"user {facts.user_id} may not write to {place.path}, which belongs to {owner}",
            mend=_mend_of_owner(facts),
        )


def _mend_of_owner(facts: Facts) -> str:
    if facts.results.owner_id == 0:
        return (
            "Docker makes a folder that is missing as root: mkdir -p results beforehand, or now "
            f'sudo chown "$(id -u)" results; and docker run {_AS_CALLER} ... (rootless engines: --user 0)'
        )
    return f"docker run {_AS_CALLER} ..., as a user who may"


def _token(facts: Facts) -> Iterator[ScorekitError]:
    if facts.secret_refused is not None and not facts.token:
        yield InputError(
            f"the secret file with the Hub's token may not be read by user {facts.user_id}",
            mend="make the file on the host readable to that user, or give the token by -e HF_TOKEN",
        )
    if facts.token is not None and facts.token.strip() and not _TOKEN.fullmatch(facts.token.strip()):
        yield UsageError(
            "HF_TOKEN holds a quotation mark, a blank or another sign that no token has",
            mend="write it bare: files of --env-file take quotation marks for a part of the value",
        )


def _gpus(facts: Facts) -> Iterator[ScorekitError]:
    gpus = facts.gpus
    if gpus.count == 0:
        why = "" if gpus.problem is None else f" ({gpus.problem})"
        yield HardwareError(
            f"no NVIDIA GPU reaches this container{why}",
            mend="docker run --gpus all ..., with NVIDIA's driver and container toolkit on the host; without a GPU, "
            f"the smoke test: {SMOKE_TEST}",
        )
    elif facts.torch_cuda is not None and gpus.cuda is not None and gpus.cuda[0] < facts.torch_cuda[0]:
        oldest = _OLDEST_DRIVER.get(facts.torch_cuda[0])
        newer = "a newer one" if oldest is None else f"{oldest} or newer"
        yield HardwareError(
            f"the host's driver{'' if gpus.driver is None else f' {gpus.driver}'} takes CUDA up to "
            f"{_version(gpus.cuda)}, and this image's torch was built for {_version(facts.torch_cuda)}",
            mend=f"update the driver of the host to {newer}; or build the image with a torch for an older CUDA "
            "(docs/container.md)",
        )


def _version(cuda: Cuda) -> str:
    return f"{cuda[0]}.{cuda[1]}"
