"""`hydra/launcher=ray`: each job on whatever node of a Ray cluster has the GPUs that it asks for.

A worker or a node that is lost takes its own job with it and no other, and that job is tried again. What became of a
job is told by its run; Ray's word only says whether to try again.
"""

import contextlib
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.scorekit_sweeps.composing import composed, failed, start_method


@dataclass
class RayLauncherConf:
    """`hydra.launcher` of a Ray cluster.

    Attributes:
        address: of a cluster to join: auto, or HOST:PORT; null takes RAY_ADDRESS, and without that starts Ray on this
            machine; local does so in any case.
        num_gpus: of a job; null takes what its config asks for, which is none with backend.device=cpu.
        num_cpus: of a job, by Ray's count. Runs of a sweep on the CPU lock that, whatever this says.
        retries: how often a job is tried again whose process, worker or node was lost.
        node_wait_s: how long a job waits for a node that could run it, where the cluster has none.
        init: further arguments of ray.init.
    """

    _target_: str = "hydra_plugins.scorekit_sweeps.ray_launcher.RayLauncher"
    address: str | None = None
    num_gpus: int | None = None
    num_cpus: float = 1.0
    retries: int = 2
    node_wait_s: float = 0.0
    init: dict[str, Any] = field(default_factory=dict)


ConfigStore.instance().store(group="hydra/launcher", name="ray", node=RayLauncherConf, provider="scorekit")


class RayLauncher(Launcher):
    """Hydra's protocol of a launcher, over a Ray cluster; arguments as for RayLauncherConf."""

    def __init__(
        self,
        address: str | None,
        num_gpus: int | None,
        num_cpus: float,
        retries: int,
        node_wait_s: float,
        init: Any,
    ) -> None:
        self._address, self._num_gpus, self._num_cpus = address, num_gpus, num_cpus
        self._retries, self._node_wait_s = retries, node_wait_s
        self._init: Any = OmegaConf.to_container(init, resolve=True) if OmegaConf.is_config(init) else dict(init)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives."""
        self._hydra_context, self._task_function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; one that fails or is lost is returned as failed, with its error.

        Raises:
            ScorekitError: there is no Ray, no cluster at the address, or Ray does not take the settings.
        """
        from scorekit.errors import EXIT_INVALID
        from scorekit.messages import say
        from scorekit.sweep import elsewhere, ray_cluster, ray_engine, ray_jobs

        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        sweep_folder = Path(str(self._config.hydra.sweep.dir)).absolute()
        sweep_folder.mkdir(parents=True, exist_ok=True)
        ray_cluster.require()
        import cloudpickle

        common = cloudpickle.dumps((self._hydra_context, self._task_function, Singleton.get_state()))
        found: dict[int, JobReturn] = {}
        configs: dict[int, DictConfig] = {}

        def jobs() -> Iterator[ray_jobs.Job]:
            for number, overrides in enumerate(job_overrides, start=initial_job_idx):
                try:
                    config = composed(self._hydra_context, self._config, overrides, number)
                    config.hydra.sweep.dir = str(sweep_folder)
                    begins_by = start_method(config, overrides)
                    if begins_by is not None:
                        config.launcher.start_method = begins_by
                    own = cloudpickle.dumps(config)
                except Exception as error:  # noqa: BLE001 - whatever is wrong with this job is not the others' fault
                    say(f"job {number} cannot be composed: {error}")
                    found[number] = failed(overrides, error)
                    continue
                configs[number] = config
                # A node registers what this process has: scorekit's configs, or nothing for another app.
                measures = "optimum_benchmark" in sys.modules
                given = pickle.dumps((str(Path.cwd()), measures, common, own))
                yield ray_jobs.Job(number, _name(config), given, self._need(config), measures, _told())

        def begins(job: ray_jobs.Job) -> None:
            place = _place(configs[job.number], sweep_folder)
            if place is not None:
                ray_engine.begins(*place)

        with (
            ray_cluster.connected(self._address, self._init),
            contextlib.closing(ray_jobs.run(jobs(), self._retries, self._node_wait_s, begins)) as ends,
        ):
            for ended in ends:
                config = configs.pop(ended.job.number)
                place = _place(config, sweep_folder)
                if place is not None:
                    ray_engine.ends(*place, None if ended.returned else ended.value)
                overrides = job_overrides[ended.job.number - initial_job_idx]
                output_folder = sweep_folder / str(config.hydra.sweep.subdir)
                if place is None:
                    _tell(ended, output_folder)
                if ended.returned and not ended.value:
                    elsewhere.add(output_folder)
                if ended.returned and ended.value == EXIT_INVALID:
                    found[ended.job.number] = failed(overrides, _invalid(ended.job.name))
                elif ended.returned:
                    done = JobReturn(overrides=list(overrides), cfg=config, status=JobStatus.COMPLETED)
                    done.return_value = ended.value
                    found[ended.job.number] = done
                else:
                    found[ended.job.number] = failed(overrides, ended.value)
        return [found[number] for number in sorted(found)]

    def _need(self, config: DictConfig) -> Any:
        from scorekit.sweep.ray_cluster import Need

        gpus = self._num_gpus
        if gpus is None:
            backend = config.get("backend") or {}
            ids = backend.get("device_ids")
            gpus = 0 if backend.get("device") != "cuda" else 1 if ids is None else len(str(ids).split(","))
        return Need(gpus, self._num_cpus)


def _tell(ended: Any, output_folder: Path) -> None:
    """Say how a job outside of a sweep has ended, which has no display that does."""
    from scorekit.messages import say

    how = f"{'measured, but not valid' if ended.value else 'done'}: {output_folder}" if ended.returned else ended.value
    say(f"{ended.job.name}: {how}")


def _invalid(name: str) -> Exception:
    from scorekit.errors import InvalidRunError

    return InvalidRunError(f"{name} was measured, but is not valid", mend="scorekit check FOLDER shows every check")


def _name(config: DictConfig) -> str:
    model = (config.get("backend") or {}).get("model", "")
    return f"{config.hydra.job.config_name}: {str(model).rstrip('/').rsplit('/', 1)[-1] or config.hydra.job.num}"


def _told() -> dict[str, str]:
    """What the processes of jobs are told beside what their node tells them."""
    from scorekit.sweep import attempts, ray_engine

    # HF_HUB_OFFLINE=1 and quiet bars are asked of the sweep, and so of its jobs.
    names = ("HF_HUB_OFFLINE", "LOG_LEVEL", "TQDM_DISABLE")
    told = {name: os.environ[name] for name in names if name in os.environ}
    # Bars of the libraries' own only fill the log of a job.
    return {attempts.ENGINE: ray_engine.NAME, "TQDM_DISABLE": "1", **told}


def _place(config: DictConfig, sweep_folder: Path) -> tuple[Path, str] | None:
    """The folder of a job's runs and attempts, and its id within a sweep; None outside of one."""
    from scorekit.measuring.gpu_lock import SWEEP_JOB

    name = (config.hydra.job.env_set or {}).get(SWEEP_JOB)
    return None if name is None else ((sweep_folder / str(config.hydra.sweep.subdir)).parent, str(name))
