"""`hydra/sweeper=plan`: the jobs of a plan that are of the chosen config, each with overrides of its own.

Hydra's own sweeper makes the product of values; jobs of a plan have nothing in common but their config. Whatever
launcher is configured gets one list of overrides a job. A job that fails does not end the sweep: what became of each is
told by its folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import MISSING, DictConfig


@dataclass
class PlanSweeperConf:
    """`hydra.sweeper` of a plan.

    Attributes:
        plan: the plan's file.
    """

    _target_: str = "hydra_plugins.scorekit_sweeps.plan_sweeper.PlanSweeper"
    plan: str = MISSING


ConfigStore.instance().store(group="hydra/sweeper", name="plan", node=PlanSweeperConf, provider="scorekit")


class PlanSweeper(Sweeper):
    """Hydra's protocol of a sweeper over a plan's file."""

    def __init__(self, plan: str) -> None:
        self._plan = plan

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra gives, and make the configured launcher."""
        self._hydra_context, self._config = hydra_context, config
        self._launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Hand the jobs over.

        Args:
            arguments: overrides of the command line; they hold for every job.

        Raises:
            UsageError: one of them has several values, or the plan has no job of this config.
            InputError: there is no such plan.
            ScorekitError: the first that a launcher brings back from elsewhere; all jobs have been run.
        """
        from scorekit.errors import ScorekitError, UsageError
        from scorekit.sweep import plan

        parser = OverridesParser.create(config_loader=self._hydra_context.config_loader)
        for override in parser.parse_overrides(arguments):
            if override.is_sweep_override():
                raise UsageError(
                    f"{override.input_line} has several values, but the jobs of a plan are each as planned",
                    mend="give one value, or sweep without hydra/sweeper=plan",
                )
        name = str(self._config.hydra.job.config_name).removesuffix(".yaml")
        planned = plan.load(Path(self._plan))
        found = [job for job in planned.jobs if job.task == name]
        if not found:
            raise UsageError(f"{self._plan} has no job of the config {name}", mend="choose it with --config-name TASK")
        jobs = [[*arguments, *plan.overrides_of(job, planned.hardware)] for job in found]
        # One is composed beforehand: what is wrong with the settings of all is told before anything is measured.
        self._hydra_context.config_loader.load_sweep_config(self._config, list(jobs[0]))
        returned = self._launcher.launch(jobs, initial_job_idx=0)
        for job in returned:
            if job.status is JobStatus.FAILED and isinstance(job._return_value, ScorekitError):
                raise job._return_value
        return [returned]
