"""What `scorekit doctor --json` prints: this machine as it stands, before anything is measured."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record
from scorekit.records.gpus import GpuFacts, GpuState

DOCTOR_SCHEMA: Final = "scorekit.doctor/1"


class ProbedGpu(Record):
    """One GPU of the machine."""

    index: Count = Field(description="Number as in nvidia-smi.")
    used: bool = Field(description="Whether a run would use it.")
    facts: GpuFacts | None = Field(default=None, description="None where the GPU does not answer.")
    state: GpuState | None = None
    problem: str | None = Field(default=None, description="Why it does not answer.")
    counter_problem: str | None = Field(default=None, description="Why it gives no energy counter.")
    counter_code: int | None = Field(default=None, description="NVML's code for that.")


class ProbedFolder(Record):
    """The file system of a runs folder. None is unknown or was not tried."""

    path: str
    type: str | None = Field(default=None, description="As the kernel calls it: ext4, nfs4, lustre, fuse.sshfs.")
    options: tuple[str, ...] = Field(default=(), description="It is mounted with.")
    problem: str | None = Field(default=None, description="Why it cannot be written to.")
    locks: Literal["work", "refused", "shared by two"] | None = Field(
        default=None, description="Whether a lock (flock) keeps a second process of this machine away."
    )
    lock_problem: str | None = None
    links: bool | None = Field(default=None, description="Whether a name is given to one only, by hard links.")
    renames: bool | None = Field(default=None, description="Whether a file takes another's place by its renaming.")
    syncs: bool | None = Field(default=None, description="Whether fsync is done.")
    free_gib: Finite | None = None
    free_files: Count | None = Field(default=None, description="Inodes; None where the file system counts none.")


class FoundPlugin(Record):
    """One thing that an installed plugin brings."""

    kind: str = Field(description="A task, meter, log reader or rating rule.")
    name: str
    distribution: str
    version: str
    problem: str | None = Field(default=None, description="Why it cannot be used.")
    mend: str | None = None


class Machine(Record):
    """What is on a machine. None is unknown."""

    platform: str
    python: str
    scorekit_version: str
    cpu: str | None = None
    cpu_count: Count | None = None
    ram_gib: Finite | None = None
    in_container: bool | None = None
    container_image: str | None = None
    rapl: Literal["readable", "unreadable", "absent"] = Field(description="The CPU's energy counters.")
    gpus: tuple[ProbedGpu, ...] = ()
    gpu_problem: str | None = Field(default=None, description="Why a run would use no GPU, or could not.")
    gpu_mend: str | None = None
    nvidia_smi: bool = Field(description="Whether the command is there, which other libraries run to find GPUs.")
    visible: str | None = Field(default=None, description="CUDA_VISIBLE_DEVICES.")
    packages: dict[str, str] = Field(description="Versions of what measuring needs.")
    missing: tuple[str, ...] | None = Field(description="Packages of the bench extra that are not installed.")
    wrong: tuple[str, ...] = Field(default=(), description="Packages of another version than the one pinned.")
    torch_cuda: str | None = Field(default=None, description="CUDA that torch was built for; None where it is unknown.")
    torch_gpus: Count | None = Field(default=None, description="GPUs that torch sees; None where it was not asked.")
    hub_offline: bool
    hub_token: bool = Field(description="Whether there is one; never which.")
    free_here_gib: Finite | None = Field(default=None, description="Room for run folders.")
    free_cache_gib: Finite | None = Field(default=None, description="Room for the Hub's cache.")
    runs_folder: ProbedFolder | None = Field(default=None, description="Where it was asked for.")
    plugins: tuple[FoundPlugin, ...] = ()


class Obstacle(Record):
    """What keeps a run on this machine from an official score."""

    effect: Literal["impossible", "invalid", "incomparable", "told"] = Field(
        description="No run at all; a run whose score would be refused; one that has no place beside official scores; "
        "nothing but a warning."
    )
    code: str
    message: str = Field(description="What was found and expected.")
    mend: str
    check: Count | None = Field(default=None, description="Number of the check that would name it after the run.")


class Diagnosis(Record):
    """The doctor's whole report."""

    schema_version: Literal["scorekit.doctor/1"] = DOCTOR_SCHEMA
    machine: Machine
    obstacles: tuple[Obstacle, ...]
    possible: bool = Field(description="Whether a run is possible, be it on the CPU.")
    official: bool = Field(description="Whether nothing is in the way of an official run.")
