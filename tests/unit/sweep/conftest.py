"""Jobs and their folders as sweeps leave them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit import bench, logs, tasks
from scorekit.measuring.gpu_lock import FOLDER
from scorekit.records import Attempt, SweepJob
from scorekit.sweep import plan
from scorekit.sweep.entries import Entry
from scorekit.sweep.estimates import Earlier
from tests import bundles

MODEL = "example/model-1b"


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a run of somebody else on this machine."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "locks"))


class Bench:
    """Stands in for measuring: writes a run, or does what was told for a model."""

    def __init__(self) -> None:
        self.measured: list[str] = []
        self.settings: list[Any] = []
        self.instead: dict[str, Callable[[], int]] = {}

    def __call__(self, config: Any, start_folder: Path, tell: bench.Tell) -> int:
        from hydra.core.hydra_config import HydraConfig

        model = config.backend.model
        self.measured.append(model)
        self.settings.append(config)
        if model in self.instead:
            return self.instead[model]()
        folder = Path(HydraConfig.get().runtime.output_dir)
        told = bundles.environment(config.name, model={"name": model})
        bundles.write_bundle(folder, told, bundles.official_windows())
        logs.write_validity(folder, logs.read_validity(folder))
        score = logs.read_score(folder)
        logs.write_score(folder, score)
        tell(folder, score)
        return 0


@pytest.fixture
def measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    found = Bench()
    monkeypatch.setattr(bench, "measure_and_score", found)
    monkeypatch.chdir(tmp_path)
    return found


def entry(model: str = MODEL, **changes: Any) -> Entry:
    return Entry(**{"model": model, "place": "list.csv, line 2", "task": "text_generation", **changes})


def job(model: str = MODEL, *settings: str, **changes: Any) -> SweepJob:
    """The planned job of an entry."""
    return plan.build([entry(model, **changes)], plan.Terms(settings), Earlier()).jobs[0]


def write_run(runs: Path, of: SweepJob, name: str = "run", *, scored: bool = True, of_model: str | None = None) -> Path:
    """A whole run of a job, as `scorekit bench` leaves it; unscored, as a process that died after measuring does."""
    folder = runs / plan.folder_of(of) / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    told = bundles.environment(of.task, model={"name": of_model or of.model})
    bundles.write_bundle(folder, told, bundles.official_windows(tasks.TASKS[of.task].kind))
    if scored:
        logs.write_validity(folder, logs.read_validity(folder))
        logs.write_score(folder, logs.read_score(folder, allow_invalid=True))
    return folder


def attempt(**changes: Any) -> Attempt:
    """An attempt that ended with an error."""
    fields: dict[str, Any] = {
        "job": "0" * 16,
        "number": 1,
        "host": "elsewhere",
        "pid": 1,
        "started_utc": "2026-01-01T00:00:00+00:00",
        "ended_utc": "2026-01-01T00:01:00+00:00",
        "duration_s": 60.0,
        "exit_code": 1,
        "error": "ModelError",
        "message": "there is no model org/x on the Hub, or it is private",
    }
    return Attempt(**{**fields, **changes})


def write_attempt(runs: Path, of: SweepJob, **changes: Any) -> None:
    folder = runs / plan.folder_of(of)
    folder.mkdir(parents=True, exist_ok=True)
    made = attempt(job=of.id, **changes)
    (folder / f"attempt-{made.number}.json").write_text(made.model_dump_json(), encoding="utf-8")
