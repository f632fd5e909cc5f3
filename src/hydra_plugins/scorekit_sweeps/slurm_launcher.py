"""`hydra/launcher=slurm`: every job on a node of a Slurm cluster, through hydra-submitit-launcher (extra `slurm`).

A job's success is told by its bundle. Slurm's word is asked only for whether a job is still to come or goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.scorekit_sweeps.composing import composed, failed, start_method

_FIRST_JOBS: Final = 16


@dataclass
class SlurmLauncherConf:
    """`hydra.launcher` of a Slurm cluster; what is None is left to the cluster.

    Attributes:
        partition, account, qos, constraint, exclude, nodelist, cpus_per_task, mem_gb: as sbatch calls them.
        gres: the GPUs: `gpu`, or `gpu:h100`; how many is told by the job. With a number (`gpu:2`) it is taken as it is.
        timeout_min: after so many minutes Slurm ends a job.
        requeue: whether Slurm begins a job again that was preempted, or whose node was lost.
        exclusive: whether a job has its node for itself.
        array_parallelism: at most so many jobs of an array at once. The first arrays are small, so that work begins
            early, but where this is set lower than the number of jobs.
        array_size: at most so many jobs in one array; the cluster's MaxArraySize less one.
        setup: lines of shell before the job.
        additional_parameters: further options of sbatch.
        wait: whether to wait until all jobs are over.
    """

    _target_: str = "hydra_plugins.scorekit_sweeps.slurm_launcher.SlurmLauncher"
    # Not a folder for each job (%j), as the official launcher has: that is made when the job has its number, and a job
    # that begins before finds no place for its output, and is lost.
    submitit_folder: str = "${hydra.sweep.dir}/.submitit"
    name: str = "scorekit"
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    nodelist: str | None = None
    gres: str | None = "gpu"
    cpus_per_task: int | None = None
    mem_gb: int | None = None
    timeout_min: int = 1440
    requeue: bool = True
    exclusive: bool = False
    array_parallelism: int = 256
    array_size: int = 1000
    setup: list[str] | None = None
    additional_parameters: dict[str, Any] = field(default_factory=dict)
    wait: bool = True


ConfigStore.instance().store(group="hydra/launcher", name="slurm", node=SlurmLauncherConf, provider="scorekit")


class SlurmLauncher(Launcher):
    """Hydra's protocol of a launcher; its settings are those of `SlurmLauncherConf`."""

    def __init__(self, **settings: Any) -> None:
        self._settings: dict[str, Any] = {
            name: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
            for name, value in settings.items()
        }

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives; refuse where Slurm cannot be used from here."""
        from scorekit.sweep import slurm

        slurm.require()
        self._hydra_context, self._task_function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Hand the jobs over, and wait for them where that is not left to others."""
        from submitit.core.utils import JobPaths

        from scorekit.errors import LauncherError
        from scorekit.measuring.gpu_lock import SWEEP_JOB
        from scorekit.sweep import elsewhere, slurm, slurm_jobs

        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        runs = Path(str(self._config.hydra.sweep.dir)).absolute()
        runs.mkdir(parents=True, exist_ok=True)
        settings = {**self._settings, "submitit_folder": str(Path(self._settings["submitit_folder"]).absolute())}
        found: dict[int, JobReturn] = {}
        handed: list[tuple[slurm_jobs.Job, Any]] = []
        state = None
        # Composing takes a fifth of a second a job: the first ones work while the others are composed.
        for numbers in _growing(
            initial_job_idx, len(job_overrides), int(settings["array_size"]), int(settings["array_parallelism"])
        ):
            jobs: list[slurm_jobs.Job] = []
            ids: dict[int, str] = {}
            for number in numbers:
                overrides = job_overrides[number - initial_job_idx]
                try:
                    config = composed(self._hydra_context, self._config, overrides, number)
                    jobs.append(_job(config, overrides, number, runs))
                except Exception as error:  # noqa: BLE001 - whatever is wrong with this job is not the others' fault
                    found[number] = _told(number, overrides, error)
                    continue
                ids[number] = str((config.hydra.job.get("env_set") or {}).get(SWEEP_JOB) or "")
            if jobs and state is None:
                state = slurm_jobs.keep_state(
                    JobPaths.get_first_id_independent_folder(settings["submitit_folder"]),
                    self._hydra_context,
                    self._task_function,
                    self._config,
                )
            for array in slurm_jobs.submit(settings, state, jobs) if state is not None else ():
                if isinstance(refused := array[0][1], LauncherError):
                    for job, _ in array:
                        found[job.number] = _told(job.number, job.overrides, refused)
                        if ids[job.number]:
                            slurm.never_begun(job.output_folder.parent, ids[job.number], refused)
                    continue
                # At once: from now on a driver that is started again finds them.
                slurm.hand_over(
                    runs,
                    {
                        given.job_id: (ids[job.number], job.output_folder.parent)
                        for job, given in array
                        if ids[job.number]
                    },
                )
                handed += array
        if handed and settings["wait"]:
            slurm.wait(
                slurm.Queue(),
                [given.job_id for _, given in handed],
                lambda: all(given.paths.result_pickle.exists() for _, given in handed),
            )
        for job, given in handed:
            found[job.number] = _returned(job, given, waited=bool(settings["wait"]))
            if settings["wait"] and found[job.number].status is JobStatus.COMPLETED:
                _say(f"job {job.number}: done: {job.output_folder}")
                elsewhere.add(job.output_folder)
        return [found[number] for number in sorted(found)]


def _growing(first: int, count: int, most: int, at_once: int) -> Iterator[range]:
    """Numbers of so many jobs in parts: a few first, then ever more, never more than fit into one array.

    Slurm holds each array to its limit of jobs at once by itself. Who has set one that counts has as few as can be.
    """
    most = max(most, 1)
    held = at_once < min(count, SlurmLauncherConf.array_parallelism)
    size, end = most if held else min(_FIRST_JOBS, most), first + count
    while first < end:
        yield range(first, min(first + size, end))
        first, size = first + size, min(2 * size, most)


def _job(config: Any, overrides: Sequence[str], number: int, runs: Path) -> Any:
    from scorekit.measuring.configs import hydra_value
    from scorekit.sweep import slurm_jobs

    backend, scenario = config.get("backend") or {}, config.get("scenario") or {}
    device, device_ids, by_hand = backend.get("device"), backend.get("device_ids"), scenario.get("gpus")
    folder = str(config.hydra.sweep.subdir)
    # Worked out here, once: a node may tell another time, and stand in another folder.
    places = [f"hydra.sweep.dir={hydra_value(runs)}", f"hydra.sweep.subdir={hydra_value(folder)}"]
    begins = start_method(config, overrides)
    if begins is not None:
        places.append(f"launcher.start_method={begins}")
    return slurm_jobs.Job(
        number=number,
        overrides=(*overrides, *places),
        output_folder=runs / folder,
        device=device,
        device_ids=device_ids,
        gpus=slurm_jobs.gpus_of(device, device_ids, by_hand),
    )


def _returned(job: Any, given: Any, *, waited: bool) -> JobReturn:
    """What is told of a job: by its bundle where it wrote one, else by its error."""
    from scorekit.sweep import slurm_jobs

    error = slurm_jobs.failure(job, given) if waited else None
    if error is not None:
        return _told(job.number, job.overrides, error)
    done = JobReturn(overrides=list(job.overrides), cfg=OmegaConf.create({}), status=JobStatus.COMPLETED)
    done.return_value = None
    return done


def _told(number: int, overrides: Sequence[str], error: Exception) -> JobReturn:
    _say(f"job {number}: {error}")
    return failed(overrides, error)


def _say(message: str) -> None:
    from scorekit.messages import say

    say(message)
