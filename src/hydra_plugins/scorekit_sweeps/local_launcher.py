"""`hydra/launcher=local`: the jobs one after the other on this machine, each on its own whatever became of the others.

Hydra's own launcher (`basic`) does the same, but ends with the first job whose config does not compose.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.scorekit_sweeps.composing import composed, failed

LOGGER = logging.getLogger("scorekit")


@dataclass
class LocalLauncherConf:
    """`hydra.launcher` of this machine; it has no settings."""

    _target_: str = "hydra_plugins.scorekit_sweeps.local_launcher.LocalLauncher"


ConfigStore.instance().store(group="hydra/launcher", name="local", node=LocalLauncherConf, provider="scorekit")


class LocalLauncher(Launcher):
    """Hydra's protocol of a launcher, in this process."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives."""
        self._hydra_context, self._task_function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; one that fails is returned as failed, with its error."""
        from scorekit.sweep import attempts, node

        setup_globals()
        configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        Path(str(self._config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        found = []
        for number, overrides in enumerate(job_overrides, start=initial_job_idx):
            try:
                config = composed(self._hydra_context, self._config, overrides, number)
                if attempts.ENGINE in os.environ:
                    # An engine has started this process for one job, and named its GPUs.
                    node.use_own_gpus(config)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with this job is not the others' fault
                LOGGER.error("job %d cannot be composed: %s", number, error)
                found.append(failed(overrides, error))
                continue
            found.append(
                run_job(
                    hydra_context=self._hydra_context,
                    task_function=self._task_function,
                    config=config,
                    job_dir_key="hydra.sweep.dir",
                    job_subdir_key="hydra.sweep.subdir",
                )
            )
            configure_log(self._config.hydra.hydra_logging, self._config.hydra.verbose)
        return found
