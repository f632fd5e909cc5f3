"""What a job finds on the machine that an engine has put it on: which of its GPUs are the job's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from scorekit.errors import HardwareError
from scorekit.measuring import gpus
from scorekit.messages import counted
from scorekit.sweep.job_process import VISIBLE


def device_ids(device: str | None, asked: str | int | None, environ: Mapping[str, str]) -> str | None:
    """The GPUs that a job is to use, by the machine's own count.

    A config counts from 0. An engine gives the job some of the machine's GPUs, and names them in CUDA_VISIBLE_DEVICES:
    the config's 0 is the first of these.

    Args:
        device: backend.device.
        asked: backend.device_ids.
        environ: the job's variables.

    Returns:
        For backend.device_ids; None leaves it as it is: the engine names no GPUs, or the config names them by UUID.

    Raises:
        HardwareError: the engine gave the job fewer GPUs than the config asks for.
    """
    if device != "cuda" or asked is None or VISIBLE not in environ:
        return None
    places = [part.strip() for part in str(asked).split(",")]
    if not all(place.isascii() and place.isdigit() for place in places):
        return None
    given = [name for name in gpus.visible_ids(environ[VISIBLE]) if name.isdigit() or name.startswith(("GPU-", "MIG-"))]
    wanted = [int(place) for place in places]
    if max(wanted) >= len(given):
        raise HardwareError(
            f"the job asks for {counted(max(wanted) + 1, 'GPU')} (backend.device_ids={asked}), and its engine gave it "
            f"{len(given) or 'none'} ({VISIBLE}={environ[VISIBLE][:80]!r})",
            mend="let the launcher ask the engine for as many: hydra.launcher.gres=gpu with slurm",
        )
    return ",".join(given[place] for place in wanted)


def use_own_gpus(config: Any, environ: Mapping[str, str] = os.environ) -> None:
    """Name in a composed config the GPUs that the engine gave this job, by the machine's count.

    Raises:
        HardwareError: they are fewer than the config asks for.
    """
    from omegaconf import open_dict

    backend = config.get("backend")
    if backend is None:
        return
    own = device_ids(backend.get("device"), backend.get("device_ids"), environ)
    if own is not None:
        with open_dict(backend):
            backend.device_ids = own
