"""What can be known before a run: what on this machine would make it impossible, invalid or incomparable.

Pure functions over the facts that `scorekit doctor` collects. After a run the checks judge what really happened; the
numbers here are theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

from scorekit.errors import install_line
from scorekit.records import GpuFacts, GpuState
from scorekit.records.machine import Machine, Obstacle, ProbedGpu
from scorekit.validity import file_system
from scorekit.validity.comparability import is_official_gpu
from scorekit.validity.conditions import ALLOWED_REASONS, HOTTEST_C, LIMIT_W, reason_names
from scorekit.validity.verdicts import names

LEAST_FREE_GIB: Final = 20.0
"""Below this a 7 B model in float16 does not fit beside its cache."""
LEAST_FREE_HERE_GIB: Final = 1.0
"""A run folder takes a few MB, with an hour's power log less than 1 MB more."""
_NO_PERMISSION: Final = 4
_NEVER: Final = "scorekit never sets it; whoever runs the machine can: "
_ORDER: Final = ("impossible", "invalid", "incomparable", "told")


def obstacles(machine: Machine) -> tuple[Obstacle, ...]:
    """Everything that stands in the way of an official run, the worst first."""
    found = [*_software(machine), *_no_gpu(machine), *_room(machine), *_cpu(machine), *_plugins(machine)]
    for gpu in machine.gpus:
        if gpu.used:
            found += _gpu(gpu)
    if machine.runs_folder is not None:
        found += file_system.obstacles(machine.runs_folder, shared=True)
    return tuple(sorted(found, key=lambda obstacle: _ORDER.index(obstacle.effect)))


def is_possible(found: tuple[Obstacle, ...]) -> bool:
    """Whether a run can be made at all, be it on the CPU."""
    return all(obstacle.effect != "impossible" for obstacle in found)


def is_official(found: tuple[Obstacle, ...]) -> bool:
    """Whether an official run can be made: nothing is worse than a warning."""
    return all(obstacle.effect == "told" for obstacle in found)


def _software(machine: Machine) -> Iterator[Obstacle]:
    if machine.missing:
        yield Obstacle(
            effect="impossible",
            code="missing_extra",
            message=f"not installed: {names(machine.missing)}; reading logs and rating work without",
            mend=install_line("bench"),
        )
    if machine.missing is None:
        yield Obstacle(
            effect="told",
            code="no_metadata",
            message="scorekit runs without being installed, so its needs cannot be told",
            mend="in scorekit's checkout: pip install -c constraints.txt -e .",
        )
    if machine.wrong:
        yield Obstacle(
            effect="impossible",
            code="wrong_version",
            message=f"of another version than scorekit is written for: {names(machine.wrong)}",
            mend=install_line("bench"),
        )


def _no_gpu(machine: Machine) -> Iterator[Obstacle]:
    used = [gpu for gpu in machine.gpus if gpu.used]
    if machine.gpu_problem is not None:
        yield Obstacle(
            effect="incomparable",
            code="no_gpu",
            message=machine.gpu_problem,
            mend=machine.gpu_mend or "backend.device=cpu measures on the CPU",
        )
    elif not used:
        yield Obstacle(
            effect="incomparable",
            code="no_gpu",
            message="the run would use no GPU, expected one NVIDIA H100 80GB",
            mend="measure on a machine with one; backend.device=cpu tries everything but the GPU",
        )
    if len(used) > 1:
        yield Obstacle(
            effect="incomparable",
            code="several_gpus",
            message=f"{len(used)} GPUs would be used, expected 1 (only models above 66 B parameters may use more)",
            mend="backend.device_ids=0, or CUDA_VISIBLE_DEVICES=0",
            check=20,
        )
    if not used:
        return
    if not machine.nvidia_smi:
        yield Obstacle(
            effect="incomparable",
            code="no_nvidia_smi",
            message="nvidia-smi is not on the PATH; optimum-benchmark and CodeCarbon take it for the proof of a GPU",
            mend="add its folder to PATH; it comes with NVIDIA's driver",
        )
    if machine.torch_cuda == "none" or machine.torch_gpus == 0:
        yield Obstacle(
            effect="incomparable",
            code="torch_without_cuda",
            message="torch does not compute on the GPU: "
            + ("it was built without CUDA" if machine.torch_cuda == "none" else "it sees none"),
            mend="install a build of torch for the driver's CUDA; `nvidia-smi` shows the newest that it takes",
        )


def _room(machine: Machine) -> Iterator[Obstacle]:
    for place, free_gib, least_gib, mend in (
        ("for the Hub's cache", machine.free_cache_gib, LEAST_FREE_GIB, "make room, or set HF_HOME to a larger disk"),
        ("here, for run folders", machine.free_here_gib, LEAST_FREE_HERE_GIB, "make room, or run from another folder"),
    ):
        if free_gib is not None and free_gib < least_gib:
            yield Obstacle(
                effect="told",
                code="little_room",
                message=f"{free_gib:.1f} GiB are free {place}, fewer than {least_gib:.0f}",
                mend=mend,
            )


def _plugins(machine: Machine) -> Iterator[Obstacle]:
    for found in machine.plugins:
        if found.problem is not None:
            mend = found.mend or f"pip install --upgrade {found.distribution}, or pip uninstall it"
            yield Obstacle(effect="told", code="plugin", message=found.problem, mend=mend)


def _cpu(machine: Machine) -> Iterator[Obstacle]:
    if machine.rapl == "unreadable":
        yield Obstacle(
            effect="told",
            code="rapl_unreadable",
            message="the CPU's energy counters (RAPL) may not be read, so the CPU's energy is modelled",
            mend=f"{_NEVER}sudo chmod a+r /sys/class/powercap/*-rapl:*/energy_uj (until the next start)",
            check=25,
        )
    elif machine.rapl == "absent":
        yield Obstacle(
            effect="told",
            code="no_rapl",
            message="the CPU's energy counters (RAPL) are not there, so the CPU's energy is modelled",
            mend="nothing to do in a virtual machine or container; the GPU's energy is measured all the same",
            check=25,
        )


def _gpu(gpu: ProbedGpu) -> Iterator[Obstacle]:
    where = f"GPU {gpu.index}"
    if gpu.facts is None:
        yield Obstacle(
            effect="invalid",
            code="gpu_lost",
            message=f"{where} does not answer: {gpu.problem}",
            mend="see `nvidia-smi` and the kernel's log; a GPU that fell off the bus needs a restart",
            check=2,
        )
        return
    official = is_official_gpu(gpu.facts)
    if not official:
        size = "" if gpu.facts.memory_mib is None else f" ({gpu.facts.memory_mib} MiB)"
        yield Obstacle(
            effect="incomparable",
            code="gpu_model",
            message=f"{where} is an {gpu.facts.name}{size}, expected an NVIDIA H100 80GB",
            mend="measure on one; two models or more on this GPU compare by themselves: scorekit rate --edition local",
        )
    yield from _counter(gpu, where)
    yield from _whole(gpu.facts, where)
    if gpu.state is not None:
        for rule in _STATE_RULES:
            yield from rule(gpu.facts, gpu.state, where, official)


def _counter(gpu: ProbedGpu, where: str) -> Iterator[Obstacle]:
    if gpu.counter_problem is None:
        return
    allowed = gpu.counter_code != _NO_PERMISSION
    yield Obstacle(
        effect="invalid",
        code="counter_unsupported" if allowed else "counter_no_permission",
        message=f"{where} gives no energy counter: {gpu.counter_problem}",
        mend="GPUs before Volta and virtual ones have none; measure on a whole, newer one"
        if allowed
        else "add this user to the group that owns /dev/nvidia*, or in a container: docker run --gpus all",
        check=4,
    )


def _whole(facts: GpuFacts, where: str) -> Iterator[Obstacle]:
    if facts.mig:
        yield Obstacle(
            effect="invalid",
            code="mig",
            message=f"{where} is cut into slices (MIG), whose energies its counter does not tell apart",
            mend=f"{_NEVER}sudo nvidia-smi -i {facts.index} -mig 0",
            check=15,
        )
    if facts.virtualization not in (None, "none", "passthrough"):
        yield Obstacle(
            effect="invalid",
            code="virtual_gpu",
            message=f"{where} is virtual ({facts.virtualization}), expected a whole GPU",
            mend="measure on a machine that has the whole GPU, or where it is passed through",
            check=15,
        )
    if facts.counter_scope == "module":
        yield Obstacle(
            effect="invalid",
            code="module_counter",
            message=f"{where} ({facts.name}) shares its module with the CPU, whose energy its counter holds as well",
            mend="measure on a GPU with a counter of its own",
            check=15,
        )


_Rule = Callable[[GpuFacts, GpuState, str, bool], Iterator[Obstacle]]


def _others_work(facts: GpuFacts, state: GpuState, where: str, official: bool) -> Iterator[Obstacle]:  # noqa: ARG001
    if state.foreign_processes:
        count = state.foreign_processes
        yield Obstacle(
            effect="invalid",
            code="foreign_processes",
            message=f"{count} other process{'' if count == 1 else 'es'} on {where}, expected none",
            mend="`nvidia-smi` lists them; end them, or choose another GPU with backend.device_ids",
            check=9,
        )
    elif state.foreign_processes is None:
        yield Obstacle(
            effect="told",
            code="processes_unknown",
            message=f"NVML does not tell which processes are on {where}",
            mend="make sure that nobody else uses it",
            check=9,
        )
    if state.utilization_percent:
        yield Obstacle(
            effect="invalid",
            code="gpu_busy",
            message=f"{where} is in use ({state.utilization_percent} %), expected 0 before a run",
            mend="wait until it is idle, or choose another GPU with backend.device_ids",
            check=9,
        )


def _settings(facts: GpuFacts, state: GpuState, where: str, official: bool) -> Iterator[Obstacle]:
    # On any other GPU there is no official score whose hardware this would no longer be.
    effect: Literal["invalid", "told"] = "invalid" if official else "told"
    limit_w, default_w = state.power_limit_w, facts.power_limit_default_w
    if limit_w is not None and default_w is not None and abs(limit_w - default_w) > LIMIT_W:
        yield Obstacle(
            effect=effect,
            code="power_limit",
            message=f"the power limit of {where} is {limit_w:.0f} W, expected its default of {default_w:.0f} W",
            mend=f"{_NEVER}sudo nvidia-smi -i {facts.index} -pl {default_w:.0f}",
            check=12,
        )
    if state.clocks_locked:
        yield Obstacle(
            effect=effect,
            code="clocks_locked",
            message=f"the clocks of {where} are set by somebody, expected free ones",
            mend=f"{_NEVER}sudo nvidia-smi -i {facts.index} -rgc; sudo nvidia-smi -i {facts.index} -rac",
            check=13,
        )
    if state.persistence is False:
        yield Obstacle(
            effect="told",
            code="persistence_off",
            message=f"persistence mode of {where} is off: the driver may unload, and its counter start again from 0",
            mend=f"{_NEVER}sudo nvidia-smi -i {facts.index} -pm 1",
            check=16,
        )


def _conditions(facts: GpuFacts, state: GpuState, where: str, official: bool) -> Iterator[Obstacle]:  # noqa: ARG001
    strange = (state.reasons or 0) & ~ALLOWED_REASONS
    if strange:
        yield Obstacle(
            effect="told",
            code="held_back",
            message=f"{where} is held back by {reason_names(strange)} even now",
            mend="`nvidia-smi -q -d PERFORMANCE` shows why",
            check=11,
        )
    if state.temperature_c is not None and state.temperature_c > HOTTEST_C:
        yield Obstacle(
            effect="told",
            code="too_hot",
            message=f"{where} is at {state.temperature_c} C before a run, expected at most {HOTTEST_C} C",
            mend="let it cool down; see its fans and the room",
            check=14,
        )


_STATE_RULES: Final[tuple[_Rule, ...]] = (_others_work, _settings, _conditions)
