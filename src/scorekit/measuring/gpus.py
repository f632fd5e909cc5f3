"""Which GPUs a run uses: from scenario.gpus, backend.device_ids and CUDA_VISIBLE_DEVICES to UUIDs; and their probes.

NVML counts all GPUs of the machine in the order of the PCI bus. CUDA counts those that CUDA_VISIBLE_DEVICES leaves, in
an order of its own unless CUDA_DEVICE_ORDER=PCI_BUS_ID. optimum-benchmark writes backend.device_ids into
CUDA_VISIBLE_DEVICES and sets that order, so in backend.device_ids, in the variable and in scenario.gpus alike an index
is NVML's, in the parent as in the measuring process; within the measuring process torch counts its GPUs anew from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from scorekit.errors import HardwareError, ScorekitError, UsageError
from scorekit.measuring import driver
from scorekit.measuring.driver import Listed
from scorekit.measuring.gpu_probe import facts, family, others, state, temperature_c, topology

__all__ = [
    "AUTO",
    "facts",
    "family",
    "indices",
    "number",
    "others",
    "require_given",
    "resolve",
    "same",
    "state",
    "temperature_c",
    "topology",
    "visible_ids",
]

AUTO: Final = "auto"
_GPU: Final = "GPU-"
_MIG: Final = "MIG-"
_LIST: Final = "`nvidia-smi -L` lists the GPUs"


def resolve(
    gpus_setting: Any, device: str | None, device_ids: str | int | None, environ: Mapping[str, str]
) -> tuple[str, ...]:
    """UUIDs of the GPUs to measure, in the order that they were named; empty for a run that uses none.

    Args:
        gpus_setting: scenario.gpus: "auto" for those that the model uses, or indices and UUIDs that name them by hand.
        device: backend.device.
        device_ids: backend.device_ids; None leaves it to CUDA_VISIBLE_DEVICES, and without that to all GPUs.
        environ: the process's variables.

    Raises:
        UsageError: scenario.gpus is neither "auto" nor a list of GPUs.
        HardwareError: NVML cannot be used, or a GPU that is named is not there, is a slice, or is named twice.
    """
    by_hand = _by_hand(gpus_setting)
    if by_hand is None and device != "cuda":
        return ()
    with driver.session() as pynvml:
        machine = driver.listing(pynvml)
    if by_hand is not None:
        return _uuids(by_hand, machine, "scenario.gpus", error=UsageError)
    visible = environ.get("CUDA_VISIBLE_DEVICES") if device_ids is None else str(device_ids)
    if visible is None:
        return _uuids([str(gpu.index) for gpu in machine], machine, "this machine")
    source = "CUDA_VISIBLE_DEVICES" if device_ids is None else "backend.device_ids"
    named = visible_ids(visible)
    if not named:
        raise HardwareError(f"{source}={visible!r} leaves no GPU to the run", mend=f"backend.device_ids=0; {_LIST}")
    if device_ids is None:
        _check_order(named, machine, environ)
    return _uuids(named, machine, source)


def visible_ids(value: str) -> list[str]:
    """What CUDA_VISIBLE_DEVICES names: as CUDA reads it, up to the first entry that is empty or -1."""
    named = []
    for part in value.split(","):
        entry = part.strip()
        if not entry or entry.startswith("-"):
            break
        named.append(entry)
    return named


def indices(uuids: Iterable[str]) -> tuple[int, ...]:
    """NVML's index of each GPU, for libraries that know no UUIDs.

    Raises:
        HardwareError: NVML cannot be used, or a GPU is not there.
    """
    with driver.session() as pynvml:
        return tuple(driver.index_of(pynvml, driver.handle(pynvml, uuid)) for uuid in uuids)


def number(entry: str, source: str) -> int:
    """NVML's index of one GPU of this machine.

    Args:
        entry: an index, a UUID or its beginning.
        source: the setting that names it, for messages.

    Raises:
        HardwareError: NVML cannot be used, or the GPU does not answer or is a slice.
        UsageError: there is no such GPU, or there are several.
    """
    with driver.session() as pynvml:
        machine = driver.listing(pynvml)
    (uuid,) = _uuids([entry], machine, source, error=UsageError)
    return next(gpu.index for gpu in machine if gpu.uuid == uuid)


def require_given(device_ids: str | int | None, visible: str | None) -> None:
    """Refuse GPUs that this process was not given: optimum-benchmark sets CUDA_VISIBLE_DEVICES to backend.device_ids.

    Args:
        device_ids: backend.device_ids; None leaves it to the variable.
        visible: CUDA_VISIBLE_DEVICES as the process was started with it; None gives it all GPUs.

    Raises:
        HardwareError: a GPU is not among those, by its index or its UUID.
    """
    if device_ids is None or visible is None:
        return
    given = visible_ids(visible)
    foreign = [entry for entry in visible_ids(str(device_ids)) if not any(same(entry, other) for other in given)]
    if foreign:
        asked = f"backend.device_ids={device_ids} asks for the GPU {foreign[0]}, but CUDA_VISIBLE_DEVICES"
        if not given:
            raise HardwareError(
                f"{asked}={visible!r} gives this process none", mend="unset the variable, or name GPUs in it"
            )
        raise HardwareError(
            f"{asked}={visible} is all that this process was given", mend=f"backend.device_ids=\"'{visible}'\""
        )


def same(one: str, other: str) -> bool:
    """Whether two spellings name one GPU; by their text alone where NVML cannot be asked."""
    if one == other:
        return True
    try:
        return len(set(indices([one, other]))) == 1
    except (HardwareError, ModuleNotFoundError):
        return False


def _by_hand(setting: Any) -> list[str] | None:
    """What scenario.gpus names; None for "auto"."""
    if setting is None or setting == AUTO:
        return None
    if isinstance(setting, bool) or not isinstance(setting, int | str | Iterable):
        raise UsageError(
            f"scenario.gpus={setting} names no GPUs; valid: auto, or a list of indices and UUIDs",
            mend="scenario.gpus=[0]",
        )
    parts = str(setting).split(",") if isinstance(setting, int | str) else [str(part) for part in setting]
    named = [part.strip() for part in parts]
    if not named or not all(named):
        raise UsageError("scenario.gpus names no GPU", mend="scenario.gpus=auto, or by index: scenario.gpus=[0]")
    return [AUTO] if named == [AUTO] else named


def _uuids(
    named: Sequence[str], machine: Sequence[Listed], source: str, *, error: type[ScorekitError] = HardwareError
) -> tuple[str, ...]:
    if not machine:
        raise HardwareError("NVML finds no GPU on this machine", mend="add backend.device=cpu to measure on the CPU")
    uuids: list[str] = []
    for entry in named:
        found = _find(entry, machine, source, error)
        if found.uuid is None:
            raise HardwareError(
                f"the GPU {entry} of {source} does not answer: {found.error}",
                mend="see `nvidia-smi` and the kernel's log; a GPU that fell off the bus needs a restart",
            )
        if found.uuid in uuids:
            raise error(f"{source} names the GPU {entry} twice", mend=f"name each GPU once; {_LIST}")
        uuids.append(found.uuid)
    return tuple(uuids)


def _find(entry: str, machine: Sequence[Listed], source: str, error: type[ScorekitError]) -> Listed:
    if entry.isdigit():
        if int(entry) < len(machine):
            return machine[int(entry)]
        raise error(
            f"{source} names the GPU {entry}, but this machine has {_count(machine)}", mend=f"{source}=0; {_LIST}"
        )
    if entry.startswith(_MIG):
        raise HardwareError(
            f"{source} names the slice {entry}: NVML counts the energy of the whole GPU only, and does not tell apart "
            "what each slice took",
            mend="measure on a whole GPU; its owner can end the partition with `nvidia-smi -i INDEX -mig 0`",
        )
    if not entry.startswith(_GPU):
        raise error(
            f"{source} names '{entry}'; valid: an index (0), a UUID or its beginning (GPU-1a2b3c4d)",
            mend=f"{source}=0" if source != "scenario.gpus" else "scenario.gpus=[0]",
        )
    matches = [gpu for gpu in machine if gpu.uuid is not None and gpu.uuid.lower().startswith(entry.lower())]
    exact = [gpu for gpu in matches if gpu.uuid is not None and gpu.uuid.lower() == entry.lower()]
    if len(exact or matches) == 1:
        return (exact or matches)[0]
    how = f"fits {len(matches)} GPUs" if matches else f"is none of {_count(machine)}"
    raise error(f"{source} names {entry}, which {how} of this machine", mend=f"give the whole UUID; {_LIST}")


def _count(machine: Sequence[Listed]) -> str:
    return "one GPU (0)" if len(machine) == 1 else f"{len(machine)} GPUs (0 to {len(machine) - 1})"


def _check_order(named: Sequence[str], machine: Sequence[Listed], environ: Mapping[str, str]) -> None:
    """Refuse indices where CUDA and NVML may count differently.

    Raises:
        HardwareError: the GPUs are of several kinds and CUDA puts the fastest first.
    """
    kinds = {gpu.name for gpu in machine}
    if len(kinds) > 1 and environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID" and any(map(str.isdigit, named)):
        raise HardwareError(
            f"CUDA_VISIBLE_DEVICES={','.join(named)} counts the fastest GPU first, NVML counts by PCI bus, and this "
            f"machine has several kinds of GPUs ({', '.join(sorted(map(str, kinds)))})",
            mend="export CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the GPUs by UUID: CUDA_VISIBLE_DEVICES=GPU-...",
        )
