"""NVML as the probes ask it: a session that says why there is none, and questions that may go unanswered.

Nothing here, and nothing that uses it, changes a setting of a GPU.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from scorekit.errors import HardwareError, ScorekitError

NO_PERMISSION: Final = 4
_MENDS: Final = {
    NO_PERMISSION: "this user may not ask the driver: add it to the group that owns /dev/nvidia*, or in a container "
    "start it with docker run --gpus all",
    9: "load the driver: sudo modprobe nvidia; then `nvidia-smi` shows the GPUs",
    12: "install NVIDIA's driver; in a container: docker run --gpus all",
    18: "the driver was updated beside the loaded one: restart the machine",
}
"""What to do for the codes of nvmlReturn_t that an initialisation gives in practice."""
_OTHERWISE: Final = "check that `nvidia-smi` works here"


@dataclass(frozen=True, slots=True)
class Listed:
    """One GPU of the machine, in NVML's order, which is that of the PCI bus.

    Attributes:
        index: number as in `nvidia-smi`.
        uuid: None where the GPU does not answer.
        name: None where the GPU does not answer.
        error: why it does not.
    """

    index: int
    uuid: str | None
    name: str | None
    error: str | None = None


class NoDriverError(HardwareError):
    """NVML cannot be used on this machine.

    Attributes:
        code: NVML's code; None where it has none.
    """

    def __init__(self, message: str, *, mend: str | None = None, code: int | None = None) -> None:
        super().__init__(message, mend=mend)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.message, self.mend, self.code))


def _rebuild(message: str, mend: str | None, code: int | None) -> NoDriverError:
    return NoDriverError(message, mend=mend, code=code)


@contextlib.contextmanager
def session() -> Iterator[Any]:
    """pynvml, initialised; NVML counts its users, so sessions may lie within each other.

    Raises:
        NoDriverError: why NVML cannot be used, and what to do.
        ModuleNotFoundError: pynvml is not installed.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        code = int(error.value)
        raise NoDriverError(f"NVML cannot be used: {error}", mend=_MENDS.get(code, _OTHERWISE), code=code) from error
    try:
        yield pynvml
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def ask(function: Callable[..., Any], *arguments: Any) -> Any:
    """NVML's answer; None where the driver, the GPU or the permissions give none."""
    import pynvml

    try:
        return function(*arguments)
    except pynvml.NVMLError:
        return None
    except UnicodeDecodeError:
        # Some boards answer with a name that is not text.
        return None


def text(value: Any) -> str | None:
    """A text of NVML's; older releases of pynvml give bytes."""
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def handle(pynvml: Any, gpu_id: str) -> Any:
    """NVML's handle of a GPU.

    Args:
        pynvml: a session's.
        gpu_id: UUID or index.

    Raises:
        HardwareError: there is no such GPU, or it does not answer.
    """
    try:
        if gpu_id.isdigit():
            return pynvml.nvmlDeviceGetHandleByIndex(int(gpu_id))
        return pynvml.nvmlDeviceGetHandleByUUID(gpu_id)
    except pynvml.NVMLError as error:
        raise HardwareError(
            f"NVML does not give the GPU {gpu_id}: {error}", mend="`nvidia-smi -L` lists the GPUs that answer"
        ) from error


def index_of(pynvml: Any, gpu: Any) -> int:
    """NVML's number of a GPU.

    Raises:
        HardwareError: the GPU does not answer.
    """
    try:
        return int(pynvml.nvmlDeviceGetIndex(gpu))
    except pynvml.NVMLError as error:
        raise HardwareError(
            f"a GPU does not answer: {error}", mend="`nvidia-smi -L` lists the GPUs that answer"
        ) from error


def listing(pynvml: Any) -> tuple[Listed, ...]:
    """All GPUs of the machine, those that no longer answer included."""
    found = []
    for index in range(int(ask(pynvml.nvmlDeviceGetCount) or 0)):
        try:
            gpu = handle(pynvml, str(index))
        except ScorekitError as error:
            found.append(Listed(index, None, None, error.message))
            continue
        uuid = text(ask(pynvml.nvmlDeviceGetUUID, gpu))
        name = text(ask(pynvml.nvmlDeviceGetName, gpu))
        found.append(Listed(index, uuid, name, None if uuid else f"the GPU {index} does not tell its UUID"))
    return tuple(found)
