"""What launchers share: the config of one job of a sweep, and what is returned of one that has none."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict


def composed(context: HydraContext, sweep: DictConfig, overrides: Sequence[str], number: int) -> Any:
    """The config of a job.

    Args:
        context: Hydra's.
        sweep: the config that the launcher was set up with.
        overrides: of the job.
        number: of the job within the sweep.
    """
    config = context.config_loader.load_sweep_config(sweep, list(overrides))
    with open_dict(config):
        config.hydra.job.id = config.hydra.job.num = number
    return config


def start_method(config: DictConfig, overrides: Sequence[str]) -> str | None:
    """How the measuring process is to begin where an engine starts a fresh process for each job; None as it is told.

    That process has imported most of what is needed, and nothing has been measured in it. So the measuring process is
    made as a copy of it (fork), and does not import for many seconds what is there already. Where the config sets
    variables for the job (hydra.job.env_set), it starts afresh: libraries read theirs when they are imported.

    Args:
        config: of the job.
        overrides: of the job; who names a start method there has it.
    """
    from scorekit.measuring.gpu_lock import SWEEP_JOB
    from scorekit.sweep.plan import HARDWARE

    launcher, hydra = config.get("launcher") or {}, config.get("hydra") or {}
    told = any(word.lstrip("+").startswith("launcher.start_method=") for word in overrides)
    variables = set((hydra.get("job") or {}).get("env_set") or {}) - {SWEEP_JOB, HARDWARE}
    return "fork" if launcher.get("name") == "process" and not told and not variables else None


def failed(overrides: Sequence[str], error: Exception) -> JobReturn:
    """What a launcher returns of a job that failed with this error."""
    found = JobReturn(overrides=list(overrides), cfg=OmegaConf.create({}), status=JobStatus.FAILED)
    found.return_value = error
    return found
