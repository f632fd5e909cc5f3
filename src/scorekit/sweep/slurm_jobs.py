"""Jobs handed to Slurm through hydra-submitit-launcher: arrays of jobs that need the same, and one job on its node.

A node gets the names of things, and Hydra's state in a file beside them. That is read there only after our configs are
registered, for it holds settings of theirs.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cloudpickle
import submitit
from hydra.core.singleton import Singleton
from hydra.core.utils import JobStatus
from hydra.types import HydraContext, TaskFunction
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher as OfficialLauncher
from omegaconf import DictConfig
from submitit.core import utils as submitit_files

from scorekit import bundle
from scorekit.errors import EXIT_DONE, InvalidRunError, LauncherError, ScorekitError
from scorekit.logs import run_bundle
from scorekit.measuring.configs import hydra_value
from scorekit.sweep import attempts, node, slurm

_COUNTED: Final = re.compile(r":\d+$")
_OURS: Final = frozenset(
    {"additional_parameters", "array_size", "gres", "requeue", "submitit_folder", "timeout_min", "wait"}
)
_OF_ALL_QUEUES: Final = frozenset({"name", "cpus_per_task", "mem_gb"})
_MOST_DELAY_S: Final = 120


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the driver knows it.

    Attributes:
        number: within the Hydra sweep.
        overrides: of the task's config.
        output_folder: Hydra's folder for it.
        device: backend.device.
        device_ids: backend.device_ids.
        gpus: how many it needs.
    """

    number: int
    overrides: tuple[str, ...]
    output_folder: Path
    device: str | None
    device_ids: str | int | None
    gpus: int


class NodeJob(OfficialLauncher):  # type: ignore[misc]
    """The official launcher's work on a node.

    Args:
        state: the file with Hydra's state.
    """

    def __init__(self, state: Path) -> None:
        super().__init__()
        self._state = state

    def __call__(
        self, overrides: Sequence[str], number: int, device: str | None, device_ids: str | int | None
    ) -> tuple[Any, BaseException | None]:
        """Do a job; what it returned, or its error."""
        from scorekit.measuring import configs

        # submitit would end the job without a word of what to do.
        signal.signal(getattr(signal, f"SIG{submitit.JobEnvironment.USR_SIG}"), _out_of_time)
        os.environ[attempts.ENGINE] = slurm.NAME
        # Read when the libraries are imported; bars of theirs only fill the log of a job.
        os.environ.setdefault("TQDM_DISABLE", "1")
        configs.register()
        with self._state.open("rb") as file:
            self.hydra_context, self.task_function, self.config, singletons = cloudpickle.load(file)
        given = node.device_ids(device, device_ids, os.environ)
        words = [*overrides, *([] if given is None else [f"backend.device_ids={hydra_value(given)}"])]
        done = super().__call__(words, "hydra.sweep.dir", number, "", singletons)
        return (done._return_value, None) if done.status is JobStatus.COMPLETED else (None, done._return_value)


def _out_of_time(_signal: int, _frame: Any) -> None:
    raise LauncherError(
        "Slurm's time for the job has run out", mend="give it more: hydra.launcher.timeout_min=2880 (minutes)"
    )


def keep_state(folder: Path, context: HydraContext, function: TaskFunction, config: DictConfig) -> Path:
    """Write what all jobs of a launch share; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"hydra-{uuid.uuid4().hex}.pkl"
    with path.open("wb") as file:
        cloudpickle.dump((context, function, config, Singleton.get_state()), file)
    return path


def submit(settings: Mapping[str, Any], state: Path, jobs: Sequence[Job]) -> Iterator[list[tuple[Job, Any]]]:
    """Hand jobs to Slurm: arrays of those that need the same number of GPUs, in their order.

    Args:
        settings: of the launcher.
        state: see `keep_state`.
        jobs: to be done.

    Yields:
        The jobs of an array that Slurm has taken, each with submitit's; of one whose jobs need several GPUs and that it
        refuses, each with the error: the others need fewer.

    Raises:
        LauncherError: Slurm refuses jobs of one GPU or none, and so would refuse all.
    """
    size = int(settings["array_size"])
    for gpus in dict.fromkeys(job.gpus for job in jobs):
        alike = [job for job in jobs if job.gpus == gpus]
        executor = submitit.AutoExecutor(folder=settings["submitit_folder"], cluster="slurm", slurm_max_num_timeout=0)
        executor.update_parameters(**parameters(settings, gpus))
        for first in range(0, len(alike), size):
            some = alike[first : first + size]
            arguments = [(list(job.overrides), job.number, job.device, job.device_ids) for job in some]
            try:
                given = executor.map_array(NodeJob(state), *zip(*arguments, strict=True))
            except submitit_files.FailedJobError as error:
                refused = _refusal(error, gpus)
                if gpus <= 1:
                    raise refused from error
                yield [(job, refused) for job in some]
            else:
                yield list(zip(some, given, strict=True))


def _refusal(error: Exception, gpus: int) -> LauncherError:
    jobs = f"jobs of {gpus} GPUs each" if gpus > 1 else "the jobs"
    return LauncherError(
        f"Slurm refuses {jobs}: {_last_line(error)}",
        mend="change what it names: hydra.launcher.partition, .gres, .timeout_min, .account, .array_size"
        + (", or take fewer GPUs (--class-c-gpus 2)" if gpus > 1 else "")
        + "; `sinfo -o '%P %D %G'` lists what there is",
    )


def gpus_of(device: str | None, device_ids: str | int | None, by_hand: Any) -> int:
    """How many GPUs a job needs.

    Args:
        device: backend.device.
        device_ids: backend.device_ids.
        by_hand: scenario.gpus.
    """
    if device == "cuda":
        return 1 if device_ids is None else len(str(device_ids).split(","))
    # Measured though no model runs on them; "auto" are those that the model uses.
    return 0 if by_hand is None or isinstance(by_hand, str) else len(by_hand)


def parameters(settings: Mapping[str, Any], gpus: int) -> dict[str, Any]:
    """The launcher's settings as submitit takes them, for jobs of so many GPUs."""
    minutes = int(settings["timeout_min"])
    found: dict[str, Any] = {
        "timeout_min": minutes,
        # A job that runs out of time is told, and can still write down why it ended.
        "slurm_signal_delay_s": min(_MOST_DELAY_S, minutes * 6),
    }
    for name, value in settings.items():
        if value is not None and value is not False and name not in _OURS:
            found[name if name in _OF_ALL_QUEUES else f"slurm_{name}"] = value
    gres = settings["gres"]
    if gres and gpus:
        found["slurm_gres"] = gres if _COUNTED.search(gres) else f"{gres}:{gpus}"
    again = {"requeue" if settings["requeue"] else "no-requeue": True}
    found["slurm_additional_parameters"] = {**again, **settings["additional_parameters"]}
    return found


def failure(job: Job, given: Any) -> Exception | None:
    """Why a job that is over has not done its work; None where it has.

    Args:
        job: as it was handed over.
        given: submitit's.
    """
    if given.paths.result_pickle.exists():
        kind, told = submitit_files.pickle_load(given.paths.result_pickle)
        if kind != "success":
            return LauncherError(f"the job failed: {_last_line(told)}", mend=f"see its log: {given.paths.stderr}")
        code, error = told
        if error is not None or code in (None, EXIT_DONE):
            return error  # type: ignore[no-any-return]
        return InvalidRunError("it was measured, but not scored", mend=f"scorekit check {job.output_folder}")
    # It died, maybe after its run was whole.
    with contextlib.suppress(ScorekitError, OSError):
        if bundle.is_complete(job.output_folder):
            run_bundle.read_score(job.output_folder)
            return None
    return LauncherError(
        f"its process ended without a word and left no whole run in {job.output_folder}",
        mend=f"see its log: {given.paths.stderr}",
    )


def _last_line(error: Any) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:600] if lines else type(error).__name__
