"""On which devices the parts of a loaded model lie, and whether exactly those are measured.

Within the measuring process torch counts the GPUs that CUDA_VISIBLE_DEVICES leaves, from 0. A model that accelerate has
spread tells of each part in `hf_device_map`; parts that lie in the machine's memory or on its disk come to a GPU for
the moment of their work only, and their parameters stand on no device then (`meta`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from scorekit.errors import HardwareError, ModelError

_NOWHERE = "meta"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model lies.

    Attributes:
        gpus: UUIDs of the GPUs that hold a part of it, in torch's order.
        elsewhere: other devices that do: `cpu`, `disk`.
    """

    gpus: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()


def place(devices: Iterable[Any], visible: Sequence[str]) -> Placement:
    """Name the devices of a model's parts.

    Args:
        devices: as torch and accelerate spell them: 0, "cuda:1", "cpu", "disk", or a torch.device.
        visible: UUIDs of the GPUs that torch sees, in its order.

    Raises:
        HardwareError: a part lies on a GPU that is none of those.
    """
    indices, elsewhere = set(), set()
    for device in devices:
        name, _, number = str(device).partition(":")
        if name.isdigit():
            indices.add(int(name))
        elif name == "cuda":
            indices.add(int(number or 0))
        elif name != _NOWHERE:
            elsewhere.add(name)
    strange = sorted(index for index in indices if index >= len(visible))
    if strange:
        raise HardwareError(
            f"a part of the model lies on torch's GPU {strange[0]}, but torch sees {len(visible)}",
            mend="check backend.device_ids against `nvidia-smi -L`",
        )
    return Placement(tuple(uuid for index, uuid in enumerate(visible) if index in indices), tuple(sorted(elsewhere)))


def devices_of(modules: Iterable[Any], model: Any) -> set[str]:
    """The devices of a loaded model's parameters, and those that accelerate has given its parts.

    Args:
        modules: the model, or each of the models of a pipeline.
        model: what `hf_device_map` may stand at.
    """
    parts = [*modules]
    found = {str(parameter.device) for module in parts for parameter in module.parameters()}
    for one in (model, *parts):
        found |= {str(device) for device in (getattr(one, "hf_device_map", None) or {}).values()}
    return found


def is_shared() -> bool:
    """Whether processes share the model, each of which sees its own part of it only."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.distributed.is_available() and bool(torch.distributed.is_initialized())


def check(measured: Sequence[str], found: Placement) -> None:
    """Make sure that a model lies on the GPUs that are measured, on each of them, and nowhere else.

    Args:
        measured: UUIDs of the GPUs whose energy is counted.
        found: where the model lies.

    Raises:
        ModelError: parts of it lie in the machine's memory or on its disk: their work would be in no figure.
        HardwareError: a GPU is measured that holds no part of it, or one holds a part and is not measured.
    """
    if found.elsewhere:
        raise ModelError(
            f"parts of the model lie on {' and '.join(found.elsewhere)}, for the GPU's memory does not hold it: the "
            "energy of the GPU would not be that of the model",
            mend="give it more GPUs (backend.device_ids=\"'0,1'\" backend.device_map=auto), or a smaller dtype",
        )
    unused = [uuid for uuid in measured if uuid not in found.gpus]
    if unused:
        raise HardwareError(
            f"{', '.join(unused)} would be measured, but the model lies on {', '.join(found.gpus) or 'no GPU'} alone",
            mend=f"backend.device_ids=\"'{','.join(found.gpus)}'\"" if found.gpus else "backend.device_ids=0",
        )
    unmeasured = [uuid for uuid in found.gpus if uuid not in measured]
    if unmeasured:
        raise HardwareError(
            f"a part of the model lies on {', '.join(unmeasured)}, which is not measured",
            mend="leave scenario.gpus=auto, and name all of its GPUs in backend.device_ids",
        )
