"""Results files of lm-evaluation-harness: what is read of them, what is chosen, and what is refused in one line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit.errors import LogError, UsageError
from scorekit.logs import lm_eval as reader
from scorekit.logs.fields import Field
from scorekit.logs.lm_eval import Evaluation, read_evaluation
from tests.log_writers import lm_eval


def read(folder: Path, **told: Any) -> Evaluation:
    return read_evaluation(lm_eval.write(folder, **told))


def test_metrics_are_read_with_filter_error_questions_and_source(tmp_path: Path) -> None:
    found = read(tmp_path)
    strict, flexible = found.choose()
    assert (strict.task, strict.metric, strict.filter) == ("gsm8k", "exact_match", "strict-match")
    assert (strict.value, strict.stderr, strict.higher_is_better) == (0.5762, 0.0136, True)
    assert (strict.samples, strict.samples_of, strict.num_fewshot, strict.task_version) == (1319, 1319, 5, "3.0")
    assert flexible.filter == "flexible-extract"
    source = found.source
    assert (source.harness_version, source.git_hash) == ("0.4.9.2", "b97e2b2")
    assert source.evaluated_utc == "2025-11-30T10:53:20.250000+00:00"
    assert source.name.startswith("results_")
    assert len(source.sha256) == 64
    assert (found.limit, found.chat_template, found.model.dtype) == (None, False, "bfloat16")


def test_of_a_group_its_tasks_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, **lm_eval.mmlu())
    (whole,) = found.choose()
    assert (whole.task, whole.samples, whole.num_fewshot) == ("mmlu", 4 * 1319, 5)
    assert len(found.below) == 6
    assert [one.task for one in found.choose(["mmlu_law", "mmlu_other"])] == ["mmlu_other", "mmlu_law"]


def test_a_group_without_an_average_gives_its_tasks(tmp_path: Path) -> None:
    told = lm_eval.mmlu()
    blank = {"acc,none": " ", "acc_stderr,none": " "}
    found = read(tmp_path, tasks=told["tasks"], groups=dict.fromkeys(told["groups"], blank), subtasks=told["subtasks"])
    assert len(found.choose()) == 4


def test_groups_that_hold_each_other_end(tmp_path: Path) -> None:
    told = lm_eval.mmlu()
    loop = {"mmlu": ["mmlu_other"], "mmlu_other": ["mmlu", "mmlu_art"]}
    found = read(tmp_path, tasks=told["tasks"], groups=told["groups"], subtasks=loop)
    assert {one.task for one in found.choose(["mmlu"])} == {"mmlu"}


def test_where_no_task_stands_above_the_others_one_has_to_be_named(tmp_path: Path) -> None:
    told = lm_eval.mmlu()
    loop = {"mmlu": ["mmlu_other"], "mmlu_other": ["mmlu"]}
    found = read(tmp_path, tasks={}, groups={name: told["groups"][name] for name in loop}, subtasks=loop)
    with pytest.raises(UsageError, match="no figure is chosen") as told_of:
        found.choose()
    assert "--task" in told_of.value.mend


@pytest.mark.parametrize("stderr", ["N/A", float("nan"), None])
def test_without_a_standard_error_it_is_unknown(tmp_path: Path, stderr: object) -> None:
    assert read(tmp_path, tasks={"a": {"acc,none": 0.5, "acc_stderr,none": stderr}}).choose()[0].stderr is None


def test_a_part_of_the_questions_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, asked=100)
    assert (found.limit, found.choose()[0].samples, found.choose()[0].samples_of) == (100, 100, 1319)


def test_what_a_file_does_not_tell_is_unknown(tmp_path: Path) -> None:
    gone: dict[str, Any] = dict.fromkeys(
        ("n-samples", "n-shot", "versions", "higher_is_better", "date", "git_hash", "lm_eval_version", "chat_template",
         "chat_template_sha", "model_name")
    )  # fmt: skip
    found = read(tmp_path, arguments="", **gone)
    one = found.choose()[0]
    assert (one.samples, one.num_fewshot, one.task_version, one.higher_is_better) == (None, None, None, None)
    assert (found.source.evaluated_utc, found.source.git_hash, found.source.harness_version) == (None, None, None)
    assert (found.chat_template, found.model.name, found.model.revision) == (None, None, None)


@pytest.mark.parametrize("told", ["v2-for-customer", "v1.0-5-gabcdef1", "abcdef", "ABCDEF1", "a" * 65, ""])
def test_a_name_of_the_folder_it_ran_in_that_is_no_commit_is_not_kept(tmp_path: Path, told: str) -> None:
    assert read(tmp_path, git_hash=told).source.git_hash is None
    assert read(tmp_path, git_hash="a" * 40).source.git_hash == "a" * 40


def test_what_stands_beside_metrics_is_none(tmp_path: Path) -> None:
    beside = {"alias": " - arc", "name": "arc", "sample_len": 1172, "sample_count": {"acc,none": 4}, "samples": 4}
    assert [one.metric for one in read(tmp_path, tasks={"arc": {"acc,none": 0.5} | beside}).choose()] == ["acc"]


@pytest.mark.parametrize(
    ("arguments", "name", "is_local"),
    [
        ("pretrained=org/name", "org/name", False),
        ("pretrained=tiny", "tiny", False),
        ("pretrained=./tiny", "tiny", True),
        ("pretrained=/models/org/tiny", "tiny", True),
        ("pretrained=models/org/tiny", "tiny", True),
        # A relative path of two parts looks as a name on the Hub does.
        ("pretrained=models/tiny", "models/tiny", False),
    ],
)
def test_a_folder_is_told_from_a_name_on_the_hub(tmp_path: Path, arguments: str, name: str, is_local: bool) -> None:
    model = read(tmp_path, arguments=arguments).model
    assert (model.name, model.is_local) == (name, is_local)


@pytest.mark.parametrize(
    ("evaluated", "measured", "same"),
    [
        ({}, "bfloat16", True),
        ({}, "torch.bfloat16", True),
        ({}, "float16", False),
        # What quantised weights are packed in says nothing of how, nor that it was done on loading.
        ({}, "int8", None),
        ({}, None, None),
        ({}, "auto", None),
        ({"load_in_4bit": True}, "bfloat16", False),
        # Of a checkpoint that was quantised before, most of what torch counts may be of another type.
        ({"quantization": "awq"}, "float16", None),
        ({"load_in_4bit": True}, "uint8", None),
        ({"dtype": "half"}, "float16", True),
        ({"dtype": "float"}, "float16", False),
        ({"dtype": "auto"}, "float16", None),
    ],
)
def test_weights_are_those_that_were_measured_or_not(
    tmp_path: Path, evaluated: dict[str, Any], measured: str | None, same: bool | None
) -> None:
    own = None if "dtype" in evaluated else "torch.bfloat16"
    model = read(tmp_path, arguments={"pretrained": "a/b"} | evaluated, config={"model_dtype": own}).model
    assert model.is_weights(measured) is same


@pytest.mark.parametrize(
    ("arguments", "name", "revision"),
    [
        (f"pretrained=org/name,revision={lm_eval.SHA},dtype=float16", "org/name", lm_eval.SHA),
        ({"pretrained": "org/name", "revision": "main"}, "org/name", None),
        ("pretrained=org/base,peft=org/adapter", "org/adapter", None),
        ("model=org/served,base_url=http://user:secret@127.0.0.1:8000/v1", "org/served", None),
        ("pretrained=/home/ada/models/tiny-llama/", "tiny-llama", None),
        (f"pretrained=/c/hub/models--org--name/snapshots/{lm_eval.SHA}", "org/name", lm_eval.SHA),
        ("pretrained=https://huggingface.co/org/name", "org/name", None),
        ("pretrained=C:\\models\\tiny", "tiny", None),
    ],
)
def test_the_model_is_known_by_its_arguments(
    tmp_path: Path, arguments: object, name: str, revision: str | None
) -> None:
    model = read(tmp_path, arguments=arguments, model_name="").model
    assert (model.name, model.revision) == (name, revision)
    assert "secret" not in repr(model)
    assert "home" not in repr(model)


def test_models_are_one_by_name_and_revision(tmp_path: Path) -> None:
    model = read(tmp_path, model="Org/Name", config={"model_sha": lm_eval.SHA}).model
    assert model.is_model("org/name")
    assert not model.is_model("org/other")
    assert not model.is_model(None)
    assert model.is_revision(lm_eval.SHA) is True
    assert model.is_revision(lm_eval.SHA[:8]) is True
    assert model.is_revision("f" * 40) is False
    assert model.is_revision(None) is None
    assert model.is_revision("main") is None


def test_settings_that_quantise_are_told_and_no_other(tmp_path: Path) -> None:
    given = {
        "pretrained": "a/b",
        "load_in_4bit": True,
        "load_in_8bit": False,
        "quantization": "awq",
        "autogptq": "/x/y",
    }
    assert read(tmp_path, arguments=given).model.quantized == ("load_in_4bit", "autogptq", "quantization=awq")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1.5, -0.1, 1e400, [1], True])
def test_a_value_that_cannot_be_is_refused_where_it_is_chosen(tmp_path: Path, value: object) -> None:
    found = read(tmp_path, tasks={"bad": {"acc,none": value}, "good": {"acc,none": 0.5}})
    assert found.choose(["good"])[0].value == 0.5
    with pytest.raises(LogError, match=r"results\.bad\.acc,none"):
        found.choose()


@pytest.mark.parametrize("stderr", [-0.1, float("inf")])
def test_a_standard_error_that_cannot_be_is_refused(tmp_path: Path, stderr: float) -> None:
    with pytest.raises(LogError, match=r"results\.bad\.acc,none: stderr"):
        read(tmp_path, tasks={"bad": {"acc,none": 0.5, "acc_stderr,none": stderr}}).choose()


def test_more_questions_than_there_are_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="asked 20 questions of 10"):
        read(tmp_path, questions=10, asked=20).choose()


def test_metrics_of_other_scales_are_taken_as_they_are(tmp_path: Path) -> None:
    values = {"word_perplexity,none": 12.5, "bleu,none": 57.7}
    found = {one.metric: one for one in read(tmp_path, tasks={"wiki": values}).choose()}
    assert (found["word_perplexity"].value, found["word_perplexity"].higher_is_better) == (12.5, False)
    assert found["bleu"].value == 57.7


def test_names_that_are_not_there_are_answered_with_those_that_are(tmp_path: Path) -> None:
    found = read(tmp_path)
    with pytest.raises(UsageError, match="has no task 'gsm8'; valid: gsm8k") as told:
        found.choose(["gsm8"])
    assert told.value.mend == "did you mean --task gsm8k?"
    with pytest.raises(UsageError, match="has no metric 'acc'; valid: exact_match, exact_match,flexible-extract"):
        found.choose(metrics=["acc"])
    assert [one.filter for one in found.choose(metrics=["exact_match,strict-match"])] == ["strict-match"]


def _text(text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "x.json").write_text(text, encoding="utf-8")
        return folder / "x.json"

    return write


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none.json", "there is no none.json"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: folder / "samples_gsm8k.jsonl", "holds lines"),
        (_text("{}"), "no results file of lm-evaluation-harness"),
        (_text("[1]"), "no results file of lm-evaluation-harness"),
        (_text('{"results": 3, "config": {}}'), "no results file of lm-evaluation-harness"),
        (_text('{"results": {"a": {"acc": 0.5, "acc_stderr": 0.1}}, "config": {}}'), "before 0.4"),
        (_text('{"results": {}, "config": {}}'), "no metric with a filter"),
        (_text('{"results": {"a": {"acc,none": 0.5}}, "config": {"limit": -3}}'), "config.limit: expected a positive"),
        (_text('{"results": {"a": {"acc,none": 0.5}}, "config": {"model_args": 3}}'), "config.model_args"),
        (_text('{"results": {"a": {"acc,none": 0.5}}, "config": {}'), "is not JSON"),
        (_text("[" * 5000), "is not JSON"),
    ],
)  # fmt: skip
def test_what_is_no_results_file_is_told_in_a_line(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    with pytest.raises(LogError, match=message) as told:
        read_evaluation(make(tmp_path))
    assert "\n" not in told.value.message
    assert told.value.mend


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lm_eval.write(tmp_path)
    with path.open("ab") as file:
        file.truncate(33 * 1024 * 1024)
    with pytest.raises(LogError, match="such a log has"):
        read_evaluation(path)


def test_names_of_any_kind_are_held_as_they_are(tmp_path: Path) -> None:
    name = "</script><b>\u202e" + "x" * 100
    document = lm_eval.document(tasks={name: {"acc,none": 0.5}})
    path = tmp_path / "r.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert read_evaluation(path).choose()[0].task == name


def test_each_of_many_groups_within_groups_is_looked_into_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"group_{number}" for number in range(40)]
    subtasks = {name: [below] for name, below in itertools.pairwise(names)}
    looked_into: list[str] = []

    def look(log: Field, group: str) -> list[str]:
        looked_into.append(group)
        return children(log, group)

    children = reader._children
    monkeypatch.setattr(reader, "_children", look)
    found = read(tmp_path, tasks={name: {"acc,none": 0.5} for name in names}, subtasks=subtasks)
    assert found.below == set(names[1:])
    # Once where a group has a metric, once more at most where another holds it.
    assert len(looked_into) <= 2 * len(names)
