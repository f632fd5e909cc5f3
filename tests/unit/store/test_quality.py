"""Quality beside results, as a user attaches and lists it, and as the store keeps it."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scorekit import cli, store
from scorekit.records import Quality, QualityFigure
from scorekit.store import quality
from tests.golden import make
from tests.log_writers import lm_eval
from tests.unit.store import records

GOLDEN = Path(make.__file__).parent
URL = "https://example.org/results/org.json"


class Said:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command in a folder that has a store with two results of one model and one of another."""
    monkeypatch.chdir(tmp_path)
    kept = store.open("results")
    kept.add(records.make("org/small", 0.001))
    kept.add(records.make("org/large", 0.004))
    kept.add(records.make("org/large", 0.005, task="asr", cohort="asr"))

    def run(*arguments: str) -> Said:
        code = cli.main(list(arguments))
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


def write(model: str = "org/small", name: str = "results.json", **told: Any) -> str:
    return str(lm_eval.write(Path(), name, model=model, **told))


def attach(say: Any, *arguments: str, result: str = "org/small", file: str | None = None, code: int = 0) -> Said:
    said: Said = say("quality", "attach", result, "--lm-eval", file or write(), *arguments)
    assert said.code == code, said.err
    return said


def files() -> list[str]:
    return sorted(path.name for path in Path("results/_quality").glob("*")) if Path("results/_quality").exists() else []


def rows(say: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(say("quality", "list", "--json").out)
    return found


def test_figures_stand_beside_a_result_that_stays_as_it_is(say: Any) -> None:
    before = {path: path.read_bytes() for path in Path("results").rglob("*.json")}
    said = attach(say, "--source", URL)
    assert "2 figures attached to summarization/org__small" in said.err
    assert said.out.strip() == f"results/_quality/{files()[0]}"
    assert {path: path.read_bytes() for path in before} == before
    first, second = rows(say)
    assert (first["model"], first["benchmark"], first["metric"], first["filter"]) == (
        "org/small", "gsm8k", "exact_match", "flexible-extract"
    )  # fmt: skip
    assert (second["value"], second["stderr"], second["samples"], second["source_url"]) == (0.5762, 0.0136, 1319, URL)
    assert say("results", "index").out.startswith("3 results in the index")
    assert "left out" not in say("results", "index", "--full").err
    text = say("quality", "list", "--model", "SMALL").out
    assert "exact_match,strict-match" in text
    assert "org/large" not in text


def test_the_record_holds_what_the_file_tells_of_its_source(say: Any) -> None:
    path = Path(attach(say, "--metric", "exact_match,strict-match").out.strip())
    held = Quality.model_validate_json(path.read_bytes())
    assert held.model == "org/small"
    assert (held.matched_by, held.same_revision, held.dtype, held.limit) == ("name", None, "bfloat16", None)
    assert held.source.name == "results.json"
    assert held.source.sha256 == quality.names.digest(Path("results.json").read_bytes())
    assert [figure.filter for figure in held.figures] == ["strict-match"]


def test_the_same_figures_are_attached_once(say: Any) -> None:
    attach(say)
    said = attach(say)
    assert said.out == ""
    assert "0 figures attached" in said.err
    assert "2 there already" in said.err
    # The same value from another file has another source.
    attach(say, file=write(tasks={"gsm8k": lm_eval.gsm8k(), "arc": {"acc,none": 0.5}}), code=1)
    assert len(files()) == 1


def test_another_value_is_refused_and_replaced_where_that_is_asked(say: Any) -> None:
    attach(say)
    other = write(name="later.json", tasks={"gsm8k": {"exact_match,strict-match": 0.7}})
    said = attach(say, file=other, code=1)
    assert "has already gsm8k exact_match,strict-match: 0.5762 from results.json, here 0.7" in said.err
    assert "mend: --replace" in said.err
    attach(say, "--replace", file=other)
    assert len(files()) == 2
    assert {row["filter"]: row["value"] for row in rows(say)} == {"flexible-extract": 0.6662, "strict-match": 0.7}
    # Back again, by a file of its own.
    attach(say, "--replace", file="results.json")
    assert len(files()) == 3
    assert [row["value"] for row in rows(say)] == [0.6662, 0.5762]


def test_an_address_that_comes_later_is_another_source(say: Any) -> None:
    attach(say)
    assert "the same value with no address of its source" in attach(say, "--source", URL, code=1).err
    attach(say, "--source", URL, "--replace")
    assert {row["source_url"] for row in rows(say)} == {URL}
    assert "2 there already" in attach(say).err


def test_questions_put_as_a_chat_and_plainly_stand_beside_each_other(say: Any) -> None:
    only = ("--metric", "exact_match,strict-match")
    attach(say, *only)
    chat = write(name="chat.json", tasks={"gsm8k": lm_eval.gsm8k(0.7)}, chat_template="{{ messages }}")
    assert "replace" not in attach(say, *only, file=chat).err
    assert [(row["chat_template"], row["value"]) for row in rows(say)] == [(False, 0.5762), (True, 0.7)]
    assert "as a chat" in say("quality", "list").out
    # Of a chat the chat is replaced.
    attach(say, *only, file=write(name="later.json", tasks={"gsm8k": lm_eval.gsm8k(0.8)}, chat_template="x"), code=1)
    attach(say, *only, "--replace", file="later.json")
    assert [row["value"] for row in rows(say)] == [0.5762, 0.8]


def test_two_values_of_which_none_replaces_the_other_are_both_left_out(say: Any) -> None:
    attach(say, "--metric", "exact_match,strict-match")
    (first,) = files()
    hidden = Path("results/_quality", first).rename("aside")
    attach(say, "--metric", "exact_match,strict-match", file=write(tasks={"gsm8k": lm_eval.gsm8k(0.1)}))
    hidden.rename(Path("results/_quality", first))
    said = say("quality", "list")
    assert "gsm8k exact_match,strict-match has 2 values, and none replaces others" in said.err
    assert said.out == ""
    attach(say, "--replace", file=write(tasks={"gsm8k": lm_eval.gsm8k(0.2)}))
    assert [row["value"] for row in rows(say)] == pytest.approx([0.29, 0.2])


def test_another_model_is_refused_and_taken_by_statement_without_its_name(say: Any) -> None:
    other = write("secret/true-name", name="true-name.json", git_hash="abc-true-name")
    said = attach(say, file=other, code=1)
    assert "is of the model 'secret/true-name'; the result is of 'org/small'" in said.err
    assert "--model-matches" in said.err
    said = attach(say, "--model-matches", file=other)
    assert "your statement" in said.err
    content = Path(said.out.strip()).read_text(encoding="utf-8")
    assert "true-name" not in content
    assert json.loads(content)["matched_by"] == "statement"
    assert {row["matched_by"] for row in rows(say)} == {"statement"}


def test_an_evaluation_without_a_model_is_refused(say: Any) -> None:
    said = attach(say, file=write("", arguments=""), code=1)
    assert "does not tell which model it is of; the result is of 'org/small'" in said.err


def test_a_model_that_is_known_by_a_folders_name_is_told_as_that(say: Any) -> None:
    store.open("results").add(records.make("tiny", 0.003))
    said = attach(say, result="tiny", file=write(arguments="pretrained=/data/secret/tiny"))
    assert "known by the name of a folder alone" in said.err
    assert "secret" not in Path(said.out.strip()).read_text(encoding="utf-8")
    assert {row["matched_by"] for row in rows(say)} == {"folder"}
    assert "folder's name" in " ".join(say("quality", "list").out.split())


def test_other_weights_than_those_measured_are_told(say: Any) -> None:
    store.open("results").add(records.make("org/half", 0.003, dtype="float16"))
    said = attach(say, result="org/half", file=write("org/half"))
    assert "evaluated with weights in bfloat16 and measured in float16: the figures stand in no comparison" in said.err
    assert {row["same_weights"] for row in rows(say)} == {False}
    attach(say, "--replace", result="org/half", file=write("org/half", config={"model_dtype": "torch.float16"}))
    assert {row["same_weights"] for row in rows(say)} == {True}


def test_another_revision_is_refused(say: Any) -> None:
    store.open("results").add(records.make("org/dated", 0.003, model_revision="f" * 40))
    said = attach(say, result="org/dated", file=write("org/dated", config={"model_sha": lm_eval.SHA}), code=1)
    assert f"is of revision {lm_eval.SHA}, the result of {'f' * 40}" in said.err
    attach(say, result="org/dated", file=write("org/dated", config={"model_sha": "f" * 40}))


def test_of_several_results_one_has_to_be_named(say: Any) -> None:
    file = write("org/large")
    said = attach(say, result="org/large", file=file, code=2)
    assert "'org/large' has 2 results" in said.err
    assert "(asr)" in said.err
    attach(say, "--every", result="org/large", file=file)
    assert len(files()) == 2
    identity = next(row["id"] for row in rows(say))
    assert "2 there already" in attach(say, result=identity[:8], file=file).err


def test_of_several_results_all_are_judged_before_a_file_is_written(say: Any) -> None:
    for number, revision in enumerate("ab"):
        store.open("results").add(records.make("org/two", 0.003 + number, model_revision=revision * 40))
    for revision in "ab":
        file = write("org/two", config={"model_sha": revision * 40})
        assert "is of revision" in attach(say, "--every", result="org/two", file=file, code=1).err
    assert files() == []


def test_a_run_and_a_result_file_are_found_by_what_they_were_read_from(say: Any, tmp_path: Path) -> None:
    run = tmp_path / "elsewhere" / "run"
    shutil.copytree(GOLDEN / "forward_cpu", run)
    model = json.loads((run / "score.json").read_text())["model"]
    file = write(model)
    said = attach(say, result=str(run), file=file, code=1)
    assert "is not among the results in results" in said.err
    assert f"mend: scorekit results add {run}" in said.err
    added = Path(say("results", "add", "elsewhere").out.strip())
    assert "2 figures attached" in attach(say, result=str(run), file=file).err
    assert "2 there already" in attach(say, result=str(added), file=file).err
    # What holds records is judged as `results add` judges it, and a pipe of them is read once.
    Path("copy.jsonl").write_text(" " * 70_000 + "\n" + added.read_text())
    assert "2 there already" in attach(say, result="copy.jsonl", file=file).err
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_text, args=(added.read_text(),))
    writer.start()
    assert "2 there already" in attach(say, result="pipe", file=file).err
    writer.join()


def test_what_is_to_be_known_is_told(say: Any) -> None:
    given = {"pretrained": "org/small", "load_in_4bit": True}
    said = attach(say, file=write(asked=100, arguments=given, higher_is_better={}))
    for words in ("part of the task", "whether more is better is not told of exact_match", "load_in_4bit", "revisions"):
        assert words in said.err
    assert "part of the task" in say("quality", "list").out


def test_sql_reaches_figures_beside_results(say: Any) -> None:
    sql = "SELECT model, benchmark, value, limited FROM results JOIN quality USING (id) ORDER BY value"
    assert json.loads(say("results", "query", sql, "--json").out) == []
    attach(say)
    found = json.loads(say("results", "query", sql, "--json").out)
    assert [(row["model"], row["benchmark"], row["value"], row["limited"]) for row in found] == [
        ("org/small", "gsm8k", 0.5762, False), ("org/small", "gsm8k", 0.6662, False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "https://user:key@example.org/x",
        "javascript:alert(1)",
        "x y",
        "https://example.org/" + "x" * 2048,
    ],
)
def test_an_address_that_is_none_is_refused(say: Any, url: str) -> None:
    assert "is no address" in attach(say, "--source", url, code=2).err
    assert files() == []


def test_the_longest_address_is_taken_and_a_file_without_one_is_told(say: Any) -> None:
    assert "--source URL tells where others find it" in attach(say).err
    assert "file not published" in " ".join(say("quality", "list").out.split())
    longest = "https://example.org/" + "x" * (2048 - len("https://example.org/"))
    said = attach(say, "--replace", "--source", longest)
    assert "--source" not in said.err
    assert {row["source_url"] for row in rows(say)} == {longest}


def test_files_that_were_changed_are_told_and_left_out(say: Any) -> None:
    path = Path(attach(say).out.strip())
    kept = path.read_bytes()
    os.symlink("/etc/passwd", path.with_name("link.json"))
    for content, reason in (
        (kept.replace(b"0.5762", b"0.9999"), "its content is not what was added"),
        (kept[:100], "it is no quality of this version"),
        (kept.replace(b"scorekit.quality/1", b"scorekit.quality/9"), "schema_version"),
    ):
        path.write_bytes(content)
        said = say("quality", "list")
        assert reason in said.err
        assert "link.json (it is a link; links are not followed)" in said.err
        assert said.out == ""
    assert "is in the way" in attach(say, code=1).err
    path.write_bytes(kept)
    assert len(rows(say)) == 2


def test_figures_are_taken_back_with_all_that_they_had_replaced(say: Any) -> None:
    attach(say, "--metric", "exact_match,strict-match")
    attach(say, "--replace", file=write(name="later.json", tasks={"gsm8k": lm_eval.gsm8k(0.7)}))
    attach(say, "--every", result="org/large", file=write("org/large"))
    held = files()
    said = say("quality", "detach", "org/small")
    assert (said.code, "2 files of figures of summarization/org__small" in said.err) == (0, True)
    assert sorted(Path(line).name for line in said.out.splitlines()) == sorted(set(held) - set(files()))
    assert {row["model"] for row in rows(say)} == {"org/large"}
    assert "0 files of figures" in say("quality", "detach", "org/small").err
    assert "has 2 results" in say("quality", "detach", "org/large").err
    assert say("quality", "detach", "org/large", "--every").code == 0
    assert files() == []
    assert say("results", "index").out.startswith("3 results")


def test_figures_of_a_result_that_is_gone_are_shown_nowhere(say: Any) -> None:
    attach(say)
    next(Path("results/summarization").glob("org__small*")).unlink()
    assert rows(say) == []


def test_there_is_no_quality_without_a_source() -> None:
    document = json.loads(_record().model_dump_json())
    for changed in (
        {"source": None},
        {"source": document["source"] | {"sha256": ""}},
        {"source": {key: value for key, value in document["source"].items() if key != "sha256"}},
        {"source": document["source"] | {"url": "javascript:alert(1)"}},
        {"figures": []},
        {"figures": document["figures"] * 2},
    ):
        with pytest.raises(ValidationError):
            Quality.model_validate_json(json.dumps(document | changed))


@pytest.mark.parametrize("changed", [{"value": 1.5}, {"value": float("nan")}, {"stderr": -1}, {"samples": 20}])
def test_a_figure_that_cannot_be_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        QualityFigure(**({"samples_of": 10} | _FIGURE | changed))


_FIGURE: dict[str, Any] = {
    "task": "arc", "metric": "acc", "filter": "none", "value": 0.5, "stderr": None, "higher_is_better": True
}  # fmt: skip


def _record() -> Quality:
    return Quality(
        result_sha256="a" * 64,
        model="org/small",
        matched_by="name",
        figures=(QualityFigure(**_FIGURE),),
        source={"name": "results.json", "sha256": "b" * 64},  # type: ignore[arg-type]
        scorekit_version="0.1.0",
    )
