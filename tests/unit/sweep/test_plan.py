"""Plans: overrides, ids, order, estimates; and what is refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import store
from scorekit.errors import InputError, UsageError
from scorekit.layout import Layout
from scorekit.sweep import plan
from scorekit.sweep.estimates import Earlier, earlier_results
from scorekit.tables.sweep import plan_table
from tests.unit.store.records import make
from tests.unit.sweep.conftest import entry, job


def row(model: str, **changes: object) -> dict[str, object]:
    facts = {"model": model, "task": "text_generation", "cohort": "text_generation", "parameters": 1_000_000_000}
    return {**facts, "domain": "gpu", "duration_s": 36.0, "queries": 1000, "gpu_count": 1, **changes}


def test_a_job_is_a_list_of_overrides() -> None:
    made = job(
        "org/a", "scenario.runs=3", revision="v1", reasoning_params=(("reasoning_effort", "high"),), task="reasoning"
    )
    assert made.overrides == (
        "backend.model='org/a'",
        "++backend.model_kwargs.revision='v1'",
        "++scenario.reasoning_params.reasoning_effort='high'",
        "scenario.runs=3",
    )
    assert not made.as_asked
    assert job("org/a", revision="v1").as_asked


def test_a_job_of_class_c_takes_several_gpus() -> None:
    made = plan.build([entry(model_class="C")], plan.Terms(class_c_gpus=4), Earlier()).jobs[0]
    assert made.gpus == 4
    assert "backend.device_ids='0,1,2,3'" in made.overrides
    assert "backend.device_map=auto" in made.overrides
    assert job(model_class="C").gpus is None
    assert job("org/a", "backend.device=cpu", model_class="C").gpus == 0
    assert job("org/a", "backend.device_ids='0,1'", model_class="C").gpus == 2
    with pytest.raises(UsageError, match=r"1 of 2 jobs are of class C .* list.csv, line 2 \(org/big\)") as caught:
        plan.build([entry(), entry("org/big", model_class="C")], plan.Terms(class_c_gpus=1), Earlier())
    assert "--class A --class B" in str(caught.value.mend)
    few = plan.Terms(class_c_gpus=1, classes=("A",))
    made = plan.build([entry(model_class="A"), entry("org/big", model_class="C")], few, Earlier()).jobs[0]
    assert made.gpus == 1
    with pytest.raises(UsageError, match="no model of the list is of class B"):
        plan.build([entry()], plan.Terms(classes=("B",)), Earlier())


def test_the_id_is_that_of_the_content() -> None:
    same, other = job("org/a"), job("org/a", "scenario.runs=3")
    assert same.id == job("org/a").id == plan.job_id(same)
    assert len({same.id, other.id, job("org/a", revision="x").id, job("org/a", model_class="A").id}) == 4
    assert job("org/a", priority=3).id == same.id


def test_jobs_come_by_priority_and_batches_share_a_config() -> None:
    wanted = [
        entry("org/a", priority=2),
        entry("org/b", task="summarization"),
        entry("org/c"),
        entry("org/d", task="summarization", priority=2),
    ]
    jobs = plan.build(wanted, plan.Terms(), Earlier()).jobs
    assert [each.model for each in jobs] == ["org/c", "org/b", "org/a", "org/d"]
    assert [(task, len(found)) for task, found in plan.batches(jobs)] == [
        ("text_generation", 1),
        ("summarization", 1),
        ("text_generation", 1),
        ("summarization", 1),
    ]
    assert [(task, len(found)) for task, found in plan.batches(jobs, by_priority=False)] == [
        ("text_generation", 2),
        ("summarization", 2),
    ]


def test_hours_come_from_the_same_model_else_from_the_nearest_else_from_nobody() -> None:
    earlier = Earlier([row("org/a"), row("org/big", parameters=8_000_000_000, duration_s=360.0)])
    wanted = [entry("org/a"), entry("org/near", parameters=7_000_000_000), entry("org/far", parameters=70_000_000_000)]
    wanted += [entry("org/unheard")]
    same, near, far, unheard = (each.estimate for each in plan.build(wanted, plan.Terms(), earlier).jobs)
    assert same.device_hours == pytest.approx(0.1)
    assert same.device_hours_from == "same model"
    assert same.weights_bytes == 2_000_000_000, "float16, as the protocol asks"
    assert near.device_hours == pytest.approx(1.0)
    assert (near.device_hours_from, near.model) == ("nearest by parameters", "org/big")
    assert (far.device_hours, far.weights_bytes) == (None, 140_000_000_000)
    assert unheard == type(unheard)()
    less = plan.build(wanted[:1], plan.Terms(("scenario.num_samples=10", "scenario.runs=1")), earlier).jobs[0].estimate
    assert less.device_hours == pytest.approx(0.1 / 1000)
    on_cpu = plan.build(wanted[:1], plan.Terms(("backend.device=cpu",)), earlier).jobs[0].estimate
    assert on_cpu.device_hours is None, "a GPU's hours tell nothing of a CPU's"


def test_estimates_read_a_results_folder(tmp_path: Path) -> None:
    kept = store.open(tmp_path / "results")
    kept.add(make("org/a"))
    found = plan.build(
        [entry("org/a", task="summarization")], plan.Terms(), earlier_results(tmp_path / "results")
    ).jobs[0]
    assert found.estimate.device_hours == pytest.approx(12.5 * 10 / 3600)
    assert earlier_results(tmp_path / "none").estimate  # No folder is no error.


def test_a_plan_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    made = plan.build([entry("org/a"), entry("org/b")], plan.Terms(), Earlier(), ["line 3: twice"])
    plan.save(made, tmp_path / "plan.json")
    assert plan.load(tmp_path / "plan.json") == made


def test_a_plan_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    plan.save(plan.build([entry("org/a")], plan.Terms(), Earlier()), path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("backend.model='org/a'", "backend.model='org/b'"), encoding="utf-8")
    with pytest.raises(InputError, match="was changed after it was planned"):
        plan.load(path)
    path.write_text(text.replace("scorekit.plan/1", "scorekit.plan/9"), encoding="utf-8")
    with pytest.raises(InputError, match="no plan of this version"):
        plan.load(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="no plan of this version"):
        plan.load(path)
    with pytest.raises(InputError, match="there is no plan"):
        plan.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("backend.model=org/x", "no setting of every job"),
        ("scenario.runs", "no setting of every job"),
        ("+backend.model_kwargs.token=secret", "a token among the settings"),
    ],
)
def test_settings_that_are_refused(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan.build([entry()], plan.Terms((setting,)), Earlier())


def test_the_table_tells_what_is_known_and_what_is_not() -> None:
    earlier = Earlier([row("org/a")])
    made = plan.build([entry("org/a"), entry("org/b", model_class="B")], plan.Terms(), earlier, ["list.csv, line 9: x"])
    text = plan_table(made, Layout())
    assert "0.1000" in text
    assert "same model" in text
    assert "2 jobs, 2 models" in text
    assert "of 1 job that earlier results tell of; of 1 unknown" in text
    assert "disk for weights: 2.000 GB, of 1 model with known parameters; of 1 unknown" in text
    assert "note: list.csv, line 9: x" in text
    alone = plan.build([entry("org/a")], plan.Terms(), earlier)
    assert "1 job, 1 model" in plan_table(alone, Layout()).splitlines()


def test_a_long_plan_is_cut_off_in_the_table() -> None:
    made = plan.build([entry(f"org/m{number}") for number in range(300)], plan.Terms(), Earlier())
    text = plan_table(made, Layout())
    assert "300 jobs, 300 models" in text
    assert "100 more jobs are not shown; --save FILE writes all of them" in text


def test_folders_of_jobs_are_plain_names(tmp_path: Path) -> None:
    folder = plan.folder_of(job("/somewhere/my model, with a comma"))
    assert folder.parts[0] == "text_generation"
    assert folder.parts[1].startswith("my-model-with-a-comma--")
    assert len(plan.folder_of(job("/" + "x" * 250)).parts[1]) < 130
