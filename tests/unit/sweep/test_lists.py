"""Lists of models: every shape is read, and every line that is wrong is named."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import InputError, UsageError
from scorekit.sweep import entries, lists

BATCH = """\
,Models to Add,Priority (1=hi),Class,Task,Reasoning State,Chat Template
,https://huggingface.co/org/thinker-20b,1,B,text_gen,On (High),"  reasoning: True
  reasoning_params:
    reasoning_effort: high"
,https://huggingface.co/org/plain-4b,1,A,text_gen,Off (N/A),N/A (default)

,https://huggingface.co/org/plain-8b ,3,A,text_gen,Off,enable_thinking=False
,https://huggingface.co/org/thinker-1b,2,A,text_gen,On,Slow-Thinking Mode (Default): /think before the prompt.
,https://huggingface.co/org/painter,3,,image_gen,,N/A (default)
"""


def write(folder: Path, text: str, name: str = "list.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_batch_list_of_ai_energy_score(tmp_path: Path) -> None:
    path = write(tmp_path, BATCH)
    found = lists.read([path])
    told = [(each.model, each.task, each.model_class, each.priority, each.reasoning) for each in found.entries]
    assert told == [
        ("org/thinker-20b", "reasoning", "B", 1, "on, high"),
        ("org/plain-4b", "text_generation", "A", 1, "off"),
        ("org/plain-8b", "text_generation", "A", 3, "off"),
        ("org/thinker-1b", "reasoning", "A", 2, "on"),
        ("org/painter", "text_to_image", None, 3, None),
    ]
    assert found.entries[0].reasoning_params == (("reasoning_effort", "high"),)
    assert [each.place for each in found.entries][:3] == [f"{path}, line {line}" for line in (2, 5, 7)]
    (note,) = found.notes
    assert note.startswith(f"{path}, line 8: the chat template is told in words, which no setting takes")


def test_a_job_that_stands_there_twice_is_told_and_planned_once(tmp_path: Path) -> None:
    path = write(tmp_path, "model,task,priority\norg/a,summarization,3\norg/a,summarization,1\norg/a,asr,1\n")
    found = lists.read([path])
    assert [(each.task, each.priority) for each in found.entries] == [
        ("summarization", 1),
        ("automatic_speech_recognition", 1),
    ]
    assert found.notes == (f"{path}, line 3: the same job as {path}, line 2 (org/a); it is planned once",)


def test_a_column_that_is_misspelt_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "model,priorty,notes,task\norg/a,1,quick,summarization\n")
    found = lists.read([path])
    assert [each.priority for each in found.entries] == [lists.read(["org/a"], "summarization").entries[0].priority]
    assert found.notes == (f"{path}, line 1: the column 'priorty' is not read; did you mean 'priority'?",)


def test_every_wrong_line_is_told_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "model,task,class,priority,reasoning state\n"
        "org/a,text_generaton,A,1,\norg/b,summarization,Q,1,\n,summarization,,,\norg/c,summarization,,first,\n"
        "https://example.org/org/d,summarization,,,\norg/e,summarization,,,On\norg/f,text_generation,,,Maybe\n",
    )
    with pytest.raises(InputError) as caught:
        lists.read([path])
    lines = caught.value.message.splitlines()
    assert lines[0] == "7 lines of the list cannot be planned:"
    expected = (
        "there is no task 'text_generaton'",
        "there is no class 'Q'; valid: A, B, C",
        "names no model",
        "the priority 'first' is no whole number",
        "https://example.org/org/d is no link to a model of the Hub",
        "summarization knows no reasoning",
        "the reasoning state 'Maybe' is not known",
    )
    for number, (line, part) in enumerate(zip(lines[1:], expected, strict=True), start=2):
        assert line.startswith(f"  {path}, line {number}: {part}")
    assert "did you mean 'text_generation'" in lines[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("task,class\nsummarization,A\n", "line 1: there is no column for the model; found: task, class"),
        ("model,link\norg/a,org/b\n", "two columns for the model: 'model' and 'link'"),
        ("model,task\norg/a,summarization,A\n", "line 2: 3 cells, expected 2 as in the header"),
        ("model\0\norg/a\n", "zero bytes"),
    ],
)
def test_a_table_that_is_no_list(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=r".") as caught:
        lists.read([write(tmp_path, text)], "summarization")
    assert message in caught.value.message
    assert caught.value.mend


def test_a_list_without_models_and_without_tasks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the list names no model"):
        lists.read([write(tmp_path, "model,task\n")])
    with pytest.raises(InputError, match="no task is told"):
        lists.read(["org/a"])
    with pytest.raises(UsageError, match="names no model for summarization"):
        lists.read([write(tmp_path, "model,task\norg/a,asr\n")], "summarization")
    with pytest.raises(InputError, match="there is no list"):
        lists.read([str(tmp_path / "none.csv")])
    (tmp_path / "latin.csv").write_bytes("model\norg/é\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8"):
        lists.read([str(tmp_path / "latin.csv")], "summarization")


def test_a_task_takes_only_its_rows_of_a_list_that_names_tasks(tmp_path: Path) -> None:
    path = write(tmp_path, BATCH)
    assert [each.model for each in lists.read([path], "image_generation").entries] == ["org/painter"]
    assert [each.model for each in lists.read([path, "org/other"], "reasoning").entries] == [
        "org/thinker-20b",
        "org/thinker-1b",
        "org/other",
    ]


def test_yaml_lists(tmp_path: Path) -> None:
    text = """\
- org/a
- model: org/b@v1.0
  task: reasoning
  reasoning: On
  reasoning_params: {reasoning_effort: low}
  overrides: [backend.seed=1]
- model: org/c
  task: text_generation
  reasoning: Off
  class: A
  parameters: 8000000000
"""
    found = lists.read([write(tmp_path, text, "list.yaml")], "text_generation").entries
    # Of rows with tasks of their own only those of the named one.
    assert [(each.model, each.reasoning) for each in found] == [("org/a", None), ("org/c", "off")]
    everything = lists.read([write(tmp_path, text.removeprefix("- org/a\n"), "list.yml")]).entries
    assert everything[0].revision == "v1.0"
    assert everything[0].overrides == ("backend.seed=1",)
    assert everything[0].reasoning_params == (("reasoning_effort", "low"),)
    assert everything[1].parameters == 8_000_000_000
    assert everything[1].place.endswith("list.yml, line 6")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [org/a", "line 1: "),
        ("task: x", "expected a list of models"),
        ("- {model: org/a, tsk: asr}", "line 1: there is no 'tsk'"),
        ("- {task: asr}", "line 1: expected a model's name"),
        ("- org/a\n- 3", "line 2: expected a model's name"),
        ("- {model: org/a, overrides: backend.seed=1}", "overrides must be a list"),
        ("- {model: org/a, reasoning_params: {a: {b: 1}}}", "must be plain settings"),
        ("- {model: org/a, priority: 1.5}", "must be one word or whole number"),
        ("- !!python/object/apply:os.system [id]", "line 1: "),
    ],
)
def test_yaml_that_is_no_list(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        lists.read([write(tmp_path, text, "list.yaml")], "asr")
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", ("org/name", None)),
        ("gpt2", ("gpt2", None)),
        ("org/name@0a1b2c3", ("org/name", "0a1b2c3")),
        ("https://huggingface.co/org/name/", ("org/name", None)),
        ("https://huggingface.co/org/name/tree/refs/pr/1", ("org/name", "refs/pr/1")),
        ("https://hf.co/org/name?x=1", ("org/name", None)),
    ],
)
def test_models_in_every_spelling(text: str, expected: tuple[str, str | None]) -> None:
    assert entries.model_of(text) == expected


def test_a_folder_is_taken_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    assert entries.model_of("./model") == (str(tmp_path / "model"), None)
    with pytest.raises(UsageError, match=r"there is no model folder \./none"):
        entries.model_of("./none")


@given(st.text(max_size=60))
def test_no_text_but_a_name_is_a_model(text: str) -> None:
    model = "refused"
    with contextlib.suppress(UsageError):
        model, _ = entries.model_of(text)
    assert model == model.strip()
    assert model.startswith("/") or entries._HUB_ID.fullmatch(model)


def test_contradictions_between_state_and_template() -> None:
    with pytest.raises(UsageError, match="switches thinking off"):
        entries.reasoning_of("text_generation", "On", "enable_thinking=False")
    with pytest.raises(UsageError, match="says low, but the chat template high"):
        entries.reasoning_of("text_generation", "On (Low)", "reasoning_effort: high")
    off = entries.reasoning_of("text_generation", "Off", "enable_thinking=True")
    assert off.notes == ("the state is Off, but the chat template switches thinking on",)
    with pytest.raises(UsageError, match="reasoning with reasoning off"):
        entries.reasoning_of("reasoning", "Off", "")
