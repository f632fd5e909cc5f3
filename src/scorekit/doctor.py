"""`scorekit doctor`: what is on this machine, what would keep a run from an official score, and how to mend it.

It looks and changes nothing, and loads no torch unless it is asked to.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from scorekit import scales, tasks
from scorekit.errors import EXIT_DONE, EXIT_FAILED
from scorekit.layout import Column, Layout, layout_for, render
from scorekit.logs import formats
from scorekit.measuring import configs, machine, meters
from scorekit.plugins import Listed
from scorekit.records.machine import Diagnosis, FoundPlugin, Machine, Obstacle, ProbedFolder, ProbedGpu
from scorekit.validity import preflight

_SHOWN: Final = ("torch", "transformers", "diffusers", "datasets", "optimum-benchmark", "codecarbon", "nvidia-ml-py")
_RAPL: Final = {"readable": "measured (RAPL)", "unreadable": "modelled (RAPL may not be read)", "absent": "modelled"}


def main(*, config_name: str | None, as_json: bool, ask_torch: bool, runs: Path | None = None) -> int:
    """Look at the machine and print what was found.

    Args:
        config_name: the task that is thought of; its device and GPUs are looked at.
        as_json: print a Diagnosis as JSON.
        ask_torch: load torch and ask it too.
        runs: a folder for runs whose file system is to be tried; None for none.

    Returns:
        0, or 1 where not even a run on the CPU is possible.

    Raises:
        UsageError: there is no such task.
    """
    device, device_ids = _asked(config_name)
    probed = machine.probe(device=device, device_ids=device_ids, ask_torch=ask_torch, runs=runs)
    found = diagnose(probed.model_copy(update={"plugins": find_plugins()}))
    print(found.model_dump_json(indent=2) if as_json else report(found, layout_for(sys.stdout)))
    return EXIT_DONE if found.possible else EXIT_FAILED


def diagnose(found: Machine) -> Diagnosis:
    """Judge a machine."""
    obstacles = preflight.obstacles(found)
    return Diagnosis(
        machine=found,
        obstacles=obstacles,
        possible=preflight.is_possible(obstacles),
        official=preflight.is_official(obstacles),
    )


def find_plugins() -> tuple[FoundPlugin, ...]:
    """Everything that installed plugins bring; each is loaded."""
    listed: list[Listed] = []
    for registry in (tasks.REGISTRY, formats.REGISTRY, meters.REGISTRY, scales.REGISTRY):
        listed += registry.listed()
    return tuple(
        FoundPlugin(
            kind=found.kind,
            name=found.name,
            distribution=found.origin.distribution,
            version=found.origin.version,
            problem=None if found.fault is None else found.fault.message,
            mend=None if found.fault is None else found.fault.mend,
        )
        for found in listed
    )


def report(found: Diagnosis, layout: Layout) -> str:
    """The diagnosis as text."""
    rows = [(what, layout.text(value)) for what, value in _facts(found.machine)]
    parts = [render([Column("what"), Column("found", flexible=True)], rows, layout)]
    if found.obstacles:
        columns = [Column("a run"), Column("check", numeric=True), Column("because", flexible=True)]
        lines = [_row(obstacle, layout) for obstacle in found.obstacles]
        parts.append(render(columns, lines, layout))
    if not found.possible:
        parts.append("a run is not possible here, not even on the CPU")
    worse = [obstacle for obstacle in found.obstacles if obstacle.effect != "told"]
    parts.append(
        "official: yes, nothing is in the way that can be known beforehand"
        if found.official
        else layout.note(f"official: no, because {'; '.join(obstacle.message for obstacle in worse)}")
    )
    return "\n\n".join(parts)


def _row(obstacle: Obstacle, layout: Layout) -> tuple[str, str, str]:
    effect = {"impossible": "impossible", "invalid": "invalid", "incomparable": "not official", "told": "note"}
    check = "" if obstacle.check is None else str(obstacle.check)
    return effect[obstacle.effect], check, layout.text(f"{obstacle.message}. Mend: {obstacle.mend}")


def _facts(found: Machine) -> list[tuple[str, str]]:
    place = {True: ", in a container", False: "", None: ""}[found.in_container]
    image = f" of {found.container_image}" if found.container_image else ""
    cores = "" if found.cpu_count is None else f", {found.cpu_count} cores"
    ram = "" if found.ram_gib is None else f", {found.ram_gib:.1f} GiB RAM"
    rows = [
        ("machine", f"{found.platform}{place}{image}"),
        ("software", f"scorekit {found.scorekit_version}, Python {found.python}"),
        ("CPU", f"{found.cpu or 'unknown'}{cores}{ram}"),
        ("CPU energy", _RAPL[found.rapl]),
    ]
    rows += [(f"GPU {gpu.index}{' (used)' if gpu.used else ''}", _gpu(gpu)) for gpu in found.gpus]
    if not found.gpus:
        rows.append(("GPUs", "none"))
    drivers = {gpu.facts.driver for gpu in found.gpus if gpu.facts is not None and gpu.facts.driver}
    if drivers:
        rows.append(("GPU driver", ", ".join(sorted(drivers))))
    if found.visible is not None:
        rows.append(("CUDA_VISIBLE_DEVICES", found.visible or "(empty)"))
    shown = [f"{name} {found.packages[name]}" for name in _SHOWN if name in found.packages]
    rows.append(("packages", ", ".join(shown) or "none of the bench extra"))
    if found.torch_gpus is not None:
        rows.append(("torch", f"built for CUDA {found.torch_cuda}, sees {found.torch_gpus} GPUs"))
    network = "offline by HF_HUB_OFFLINE" if found.hub_offline else "not offline by setting, and not asked"
    rows.append(("Hub", f"{network}; token {'present' if found.hub_token else 'absent'}"))
    rows.append(
        ("free disk space", f"{_gib(found.free_here_gib)} here, {_gib(found.free_cache_gib)} for the Hub's cache")
    )
    if found.runs_folder is not None:
        rows.append(("runs folder", _folder(found.runs_folder)))
    return [*rows, *_plugins(found)]


def _plugins(found: Machine) -> list[tuple[str, str]]:
    """A row for each distribution that brings something."""
    brought: dict[str, list[str]] = {}
    for one in found.plugins:
        broken = "" if one.problem is None else " (cannot be used)"
        brought.setdefault(f"{one.distribution} {one.version}", []).append(f"{one.kind} {one.name}{broken}")
    return [("plugin", f"{origin}: {', '.join(things)}") for origin, things in brought.items()] or [("plugins", "none")]


def _folder(found: ProbedFolder) -> str:
    parts = [found.path, found.type or "file system unknown"]
    if found.problem is None:
        files = "" if found.free_files is None else f", {found.free_files:,} files"
        parts += [f"locks: {found.locks}", f"free: {_gib(found.free_gib)}{files}"]
    return ", ".join(parts)


def _gpu(gpu: ProbedGpu) -> str:
    if gpu.facts is None:
        return gpu.problem or "does not answer"
    parts = [gpu.facts.name]
    if gpu.facts.memory_mib is not None:
        parts.append(f"{gpu.facts.memory_mib} MiB")
    state = gpu.state
    if state is not None:
        if state.temperature_c is not None:
            parts.append(f"{state.temperature_c} C")
        if state.power_w is not None and state.power_limit_w is not None:
            parts.append(f"{state.power_w:.0f} of {state.power_limit_w:.0f} W")
        if state.utilization_percent is not None:
            parts.append(f"{state.utilization_percent} % in use")
    parts.append(gpu.facts.uuid or "no UUID")
    return ", ".join(parts)


def _gib(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} GiB"


def _asked(config_name: str | None) -> tuple[str, str | None]:
    """Device and GPUs that a task's config names."""
    if config_name is None:
        return "cuda", None
    folder = configs.builtin_folder()
    configs.check_name(config_name, folder)
    device, device_ids = (configs.backend_setting(key, config_name, folder) for key in ("device", "device_ids"))
    return device or "cuda", device_ids
