"""A task and a meter that come from outside the package measure: the example of docs/extending.md, on a tiny model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit import bundle, logs
from scorekit.records import Environment
from scorekit.tasks import OTHER_PROTOCOL
from tests import plugin
from tests.e2e.conftest import INLINE, Tiny, run_inprocess

NAME = "code_completion"
TOKENS = 32


@pytest.fixture
def example(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """The distribution is installed until what is yielded is undone."""
    plugin.forget()
    with pytest.MonkeyPatch.context() as patch:
        plugin.install_example(tmp_path / "site", patch)
        yield patch
    plugin.forget()


def test_a_task_and_a_meter_of_a_plugin(tiny: Tiny, tmp_path: Path, example: pytest.MonkeyPatch) -> None:
    arguments = [
        "--config-name", NAME, f"backend.model={tiny['text_generation'].model}",
        f"scenario.dataset_name={tiny['text_to_image'].dataset}", "scenario.dataset_split=train",
        "backend.device=cpu", "backend.torch_dtype=float32", "scenario.num_samples=3", "scenario.runs=2",
        "scenario.warmup_runs=1", "scenario.meters=[cpu_time]", INLINE,
    ]  # fmt: skip
    result = run_inprocess(arguments, tmp_path)
    assert result.rc == 0, result.told()
    (run,) = logs.find_runs(tmp_path / "runs" / NAME)
    score = logs.read_score(run)
    assert (score.task, score.cohort, score.meter, score.origin) == (NAME, NAME, "cpu_time", "modelled")
    assert (score.queries, score.runs, score.output_tokens) == (3, 2, 3 * TOKENS)
    assert score.wh_per_1000_queries > 0
    assert score.provenance.protocol == OTHER_PROTOCOL
    reasons = {reason.code: reason.message for reason in score.not_comparable_because}
    assert not score.comparable
    assert f"not one of the protocol: found '{NAME}'" in reasons["task"]
    environment = Environment.model_validate_json((run / bundle.ENVIRONMENT).read_text(encoding="utf-8"))
    assert environment.packages["scorekit-example-plugin"] == "0.1.0"
    # Where the plugin is not, the run is read as it was.
    example.undo()
    assert logs.read_score(run) == score
