"""What a sweep asks of the engine behind its launcher: what still works, what waits, and when all is over."""

from __future__ import annotations

from pathlib import Path

from scorekit.records import Attempt
from scorekit.sweep import attempts

LOCAL = "local"


class Engine:
    """This machine: a job goes on while its process lives here. The engines of several machines know more.

    Args:
        runs: the sweep's runs folder.
    """

    settings: tuple[str, ...] = ()
    """Hydra's settings that a sweep gives the launcher beside those of its user."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs

    def check(self) -> None:
        """Refuse, before anything is planned, what cannot be launched from here.

        Raises:
            UsageError: a package or a command is missing, with the line that installs it.
        """

    def alive(self, attempt: Attempt) -> bool:
        """Whether an attempt goes on, or its job will be started again."""
        return attempts.alive_here(attempt)

    def queued(self) -> frozenset[str]:
        """Ids of the jobs that the engine still has, those that an earlier driver handed over included."""
        return frozenset()

    def wait(self) -> None:
        """Wait until the engine has none of the sweep's jobs any more, whoever handed them over.

        Raises:
            LauncherError: the engine has not answered for too long.
        """


def of(launcher: str, runs: Path) -> Engine:
    """The engine behind a launcher.

    Args:
        launcher: its name in Hydra.
        runs: the sweep's runs folder.
    """
    from scorekit.sweep.ray_engine import RayEngine
    from scorekit.sweep.slurm import SlurmEngine

    kinds: dict[str, type[Engine]] = {"ray": RayEngine, "slurm": SlurmEngine}
    return kinds.get(launcher, Engine)(runs)
