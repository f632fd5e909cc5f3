"""`scorekit results` as a user meets it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scorekit import cli, logs, store
from scorekit.records import Result
from scorekit.store import incoming
from tests.golden import make
from tests.log_writers import optimum_benchmark
from tests.unit.store import records

GOLDEN = Path(make.__file__).parent

HOSTILE = "../../etc/\x1b[31m<b>x\n=cmd()\u202e😀" + "y" * 250


class Said:
    """What a command printed and how it ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `scorekit results ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        code = cli.main(["results", *arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def filled(say: Any, tmp_path: Path) -> Any:
    """The same with some results."""
    kept = store.open(tmp_path / "results")
    text = {"task": "text_generation", "cohort": "text_generation"}
    for result in (
        records.make("org/small", 0.001),
        records.corrected("org/faulty"),
        records.refused("org/broken"),
        records.make("org/large", 0.004, model_class="C", **text),
        records.make("org/medium", 0.003, model_class="B", hardware="NVIDIA L4", **text),
        records.make("t5", 0.005, task="t5_summarization"),
        records.make(HOSTILE, 0.0025, task="automatic_speech_recognition", cohort="asr"),
    ):
        kept.add(result)
    return say


def rows(said: Said) -> list[dict[str, Any]]:
    assert (said.code, said.err) == (0, "")
    return list(json.loads(said.out))


def lines(*results: Result) -> str:
    return "".join(result.model_dump_json() + "\n" for result in results)


def test_add_takes_json_lines_an_object_an_array_and_standard_input(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c, d = (records.make(name) for name in "abcd")
    (tmp_path / "a.jsonl").write_text("\n" + lines(a), encoding="utf-8-sig")
    (tmp_path / "b.json").write_text(b.model_dump_json(indent=2))
    (tmp_path / "c.json").write_text(f"[{c.model_dump_json()}, {a.model_dump_json(indent=1)}]")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines(d, records.refused("e")).encode())))
    done = say("add", "a.jsonl", "b.json", "c.json", "-")
    assert (done.code, done.err) == (0, "5 added, 1 there already\n")
    assert len(done.out.splitlines()) == 5
    assert all(Path(line).is_file() for line in done.out.splitlines())
    assert {row["model"] for row in rows(say("list", "--json"))} == set("abcde")


def test_add_tells_what_is_wrong_where_and_adds_the_rest(say: Any, tmp_path: Path) -> None:
    result = records.make("a")
    broken = [
        '{"schema_version": "scorekit.score/2"}',
        '{"model": "x"}',
        "[1]",
        "17",
        result.model_dump_json()[:50],
        result.model_dump_json().replace('"energy_kwh":0.002', '"energy_kwh":-1'),
    ]
    (tmp_path / "in.jsonl").write_text(lines(result) + "\n".join(broken) + "\n" + lines(records.make("b")))
    (tmp_path / "empty").write_text("")
    (tmp_path / "no.json").write_text("[{")
    (tmp_path / "binary").write_bytes(b"\x00\xff" * 100)
    done = say("add", "in.jsonl", "empty", "no.json", "binary", "missing.json")
    assert done.code == 1
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert [error.partition(" ")[2].split(" ")[0].rstrip(":") for error in errors] == [
        "in.jsonl:2", "in.jsonl:3", "in.jsonl:4", "in.jsonl:5", "in.jsonl:6", "in.jsonl:7",
        "empty", "no.json", "binary", "there",
    ]  # fmt: skip
    assert "its schema_version is 'scorekit.score/2'" in errors[0]
    assert done.err.endswith("2 added, 0 there already, 10 not added\n")


def test_add_refuses_a_line_or_document_that_is_too_large(
    say: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "sparse.json").open("wb") as file:
        file.truncate(10 * 2**30)
    monkeypatch.setattr(incoming, "MOST_DOCUMENT_BYTES", 1000)
    (tmp_path / "array.json").write_text("[" + lines(records.make()).strip() + "]")
    done = say("add", "sparse.json", "array.json")
    assert done.code == 1
    assert "sparse.json:1: the line has more than 16,777,216 bytes" in done.err
    assert "array.json has more than 1,000 bytes in one JSON value" in done.err


def test_list_is_a_table_that_no_name_breaks(filled: Any) -> None:
    done = filled("list")
    assert done.code == 0
    assert done.err == "7 results\n"
    assert "\x1b" not in done.out
    table = done.out.splitlines()
    rule = next(number for number, line in enumerate(table) if line.startswith("---"))
    assert len(table[rule + 1 :]) == 7
    assert any("corrected +5 %, 1 fault" in line for line in table)
    assert any("refused" in line and "unknown" in line for line in table)


@pytest.mark.parametrize(
    ("arguments", "models"),
    [
        (["--task", "summarization", "--sort", "model"], ["org/broken", "org/faulty", "org/small", "t5"]),
        (["--task", "t5_summarization"], ["t5"]),
        (["--task", "asr"], [HOSTILE]),
        (["--task", "automatic_speech_recognition"], [HOSTILE]),
        (["--class", "C"], ["org/large"]),
        (["--hardware", "l4"], ["org/medium"]),
        (["--model", "ORG/M"], ["org/medium"]),
        (["--model", "org", "--task", "text_generation", "--hardware", "H100"], ["org/large"]),
        (["--sort", "energy_kwh", "--limit", "2"], ["org/small", "org/faulty"]),
        (["--sort", "energy_kwh", "--descending", "--limit", "2"], ["t5", "org/large"]),
        (["--model", "nothing"], []),
    ],
)
def test_filters_and_order(filled: Any, arguments: list[str], models: list[str]) -> None:
    done = filled("list", "--json", *arguments)
    assert done.code == 0
    found = [row["model"] for row in json.loads(done.out)]
    assert found == models


def test_results_of_a_plugins_task_are_found_where_its_plugin_is_not(filled: Any, tmp_path: Path) -> None:
    made = records.make("org/coder", task="code_completion", cohort="code_completion")
    store.open(tmp_path / "results").add(made)
    assert [row["model"] for row in rows(filled("list", "--json", "--task", "code_completion"))] == ["org/coder"]
    assert "there is no task 'code_completions'" in filled("list", "--task", "code_completions").err


def test_what_is_not_known_comes_last_in_either_order(filled: Any) -> None:
    for order in ([], ["--descending"]):
        assert rows(filled("list", "--json", "--sort", "energy_kwh", *order))[-1]["model"] == "org/broken"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--task", "sumarization"], "did you mean 'summarization'?"),
        (["list", "--sort", "energy"], "did you mean --sort energy_kwh?"),
        (["list", "--limit", "-1"], "expected 0 (all) or more"),
        (["list", "--class", "D"], "invalid choice"),
        (["show", "org/smal"], "did you mean 'org/small'?"),
        (["show", "ffffffffffff"], "there is no result with the id or model"),
        (["export", "--format", "xml", "-o", "x"], "invalid choice"),
        (["export", "--format", "csv", "-o", "results/index.parquet"], "lies in the results folder"),
        (["query", "SELEC"], "the SQL cannot be run: Parser Error"),
        (["query", "SELECT 1", "--json", "--csv"], "not allowed with argument"),
        ([], "required: COMMAND"),
    ],
)
def test_wrong_usage_ends_with_2(filled: Any, arguments: list[str], message: str) -> None:
    done = filled(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_show_tells_all_of_a_result_by_id_or_model(filled: Any) -> None:
    done = filled("show", "org/faulty")
    assert done.code == 0
    assert "corrected" in done.out
    assert "(+5 %), without repeat 1" in done.out
    assert "lost_prefill (prefill, repeat 1): no energy" in done.out
    identity = rows(filled("list", "--json", "--model", "faulty"))[0]["id"]
    assert filled("show", identity[:8]).out == done.out
    shown = filled("show", identity, "--json")
    assert Result.model_validate(json.loads(shown.out)[0]).model == "org/faulty"
    hostile = filled("show", HOSTILE)
    assert hostile.code == 0
    assert "\x1b" not in hostile.out
    assert "unknown" in filled("show", "org/broken").out


def test_export_writes_the_same_rows_in_each_format(filled: Any, tmp_path: Path) -> None:
    for kind in ("csv", "jsonl", "parquet"):
        assert filled("export", "--format", kind, "-o", f"out.{kind}").code == 0
    table = pq.read_table(tmp_path / "out.parquet")
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        cells = list(csv.DictReader(file))
    assert table.column("model").to_pylist() == [row["model"] for row in told] == [row["model"] for row in cells]
    assert [row["wh_per_1000_queries"] for row in told] == table.column("wh_per_1000_queries").to_pylist()
    assert [float(row["energy_kwh"]) if row["energy_kwh"] else None for row in cells] == [
        row["energy_kwh"] for row in told
    ]
    broken = next(row for row in told if row["model"] == "org/broken")
    assert (broken["published_energy_kwh"], broken["wh_per_1000_queries"]) == ("NaN", None)
    assert next(row for row in cells if row["model"] == "org/faulty")["fault_codes"] == "lost_prefill"
    assert not [name for name in table.column_names if name.startswith("file_")]


def test_export_to_standard_output(filled: Any) -> None:
    done = filled("export", "--format", "jsonl", "-o", "-", "--task", "asr")
    assert json.loads(done.out)["model"] == HOSTILE


def test_a_text_is_no_formula_in_csv(say: Any, tmp_path: Path) -> None:
    store.open(tmp_path / "results").add(records.make("=1+1"))
    assert next(csv.DictReader(io.StringIO(say("export", "--format", "csv", "-o", "-").out)))["model"] == "'=1+1"
    assert rows(say("query", "SELECT model FROM results", "--json")) == [{"model": "=1+1"}]
    odd = "SELECT '-1+1' AS minus, '\t=1' AS tab, ['@a', 'b'] AS list, -1 AS number, -1.5::DECIMAL(5,2) AS exact"
    cells = next(csv.DictReader(io.StringIO(say("query", odd, "--csv").out)))
    assert cells == {"minus": "'-1+1", "tab": "'\t=1", "list": "'@a;b", "number": "-1", "exact": "-1.50"}


def test_query_as_table_json_and_csv(filled: Any) -> None:
    sql = (
        "SELECT cohort, cohort, count(*) AS n, list(model_class ORDER BY model_class) AS classes, "
        "max(energy_kwh) = 0.004 AS most FROM results WHERE cohort = 'text_generation' GROUP BY ALL"
    )
    assert rows(filled("query", sql, "--json")) == [
        {"cohort": "text_generation", "cohort_2": "text_generation", "n": 2, "classes": ["B", "C"], "most": True}
    ]
    assert next(csv.DictReader(io.StringIO(filled("query", sql, "--csv").out)))["classes"] == "B;C"
    table = filled("query", sql).out.splitlines()
    assert table[0].split() == ["cohort", "cohort_2", "n", "classes", "most"]
    assert table[2].split() == ["text_generation", "text_generation", "2", "B,", "C", "yes"]
    odd = "SELECT 10::HUGEINT h, 1.5::DECIMAL(5,2) d, 'x'::BLOB b, INTERVAL 1 DAY i, {'a': 1} s, DATE '2020-01-01' t"
    for form in ([], ["--json"], ["--csv"]):
        assert filled("query", odd, *form).code == 0
    many = filled("query", "SELECT range AS n FROM range(1500)")
    assert len(many.out.splitlines()) == 1002
    assert many.err == "1,000 of 1,500 rows; --csv or --json gives all\n"


def test_index_tells_how_many_and_what_is_left_out(filled: Any, tmp_path: Path) -> None:
    first = filled("index")
    assert (first.code, first.out) == (0, "7 results in the index, 7 files read, 0 left out\n")
    assert filled("index").out == "7 results in the index, 0 files read, 0 left out\n"
    bad = tmp_path / "results" / "asr" / "x\x1b\n--0123456789ab.json"
    bad.write_text("{}")
    done = filled("index", "--full")
    assert done.out == "7 results in the index, 8 files read, 1 left out\n"
    assert done.err.startswith("left out: asr/x??--0123456789ab.json: its content is not what was added")
    assert done.err.count("\n") == 1
    listed = filled("list")
    assert listed.code == 0
    assert listed.err.startswith("warning: left out: asr/x??--0123456789ab.json")


def test_a_missing_folder_is_told(say: Any) -> None:
    for arguments in (["list"], ["show", "x"], ["index"], ["query", "SELECT 1"]):
        done = say(*arguments, "--results", "nowhere")
        assert (done.code, done.out) == (1, "")
        assert "there is no results folder nowhere" in done.err
        assert "scorekit results add" in done.err


def test_a_folder_that_cannot_be_written_to_ends_add(say: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(lines(records.make()))
    (tmp_path / "file").write_text("x")
    done = say("add", "in.jsonl", "--results", "file")
    assert (done.code, done.out) == (1, "")
    assert "file is no folder" in done.err
    done = say("add", "in.jsonl", "--results", "file/below")
    assert (done.code, done.out) == (1, "")
    assert "could not be written" in done.err


def test_list_and_show_need_no_extra(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("duckdb", "pandas", "numpy"):
        monkeypatch.setitem(sys.modules, package, None)
    assert filled("list").code == 0
    assert filled("show", "org/small").code == 0
    assert filled("export", "--format", "csv", "-o", "-").code == 0
    done = filled("query", "SELECT 1")
    assert (done.code, done.out) == (2, "")
    assert 'pip install -c constraints.txt -e ".[data]"' in done.err


def test_add_reads_logs_of_any_format_and_checks_runs(say: Any, tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "generate_h100_counter", tmp_path / "logs" / "run")
    (tmp_path / "logs" / "other").mkdir()
    for name, content in optimum_benchmark.example().items():
        (tmp_path / "logs" / "other" / name).write_bytes(content)
    shutil.copytree(GOLDEN / "zero_repeat", tmp_path / "logs" / "zero")
    done = say("add", "logs")
    assert done.code == 1
    assert "2 added, 0 there already, 1 not added" in done.err
    assert "is zero" in done.err
    kept = {result.source.format: result for result in store.open(tmp_path / "results").results()}
    assert kept["scorekit.bundle/1"].comparable
    assert not kept["optimum-benchmark/0.5"].comparable
    assert say("add", str(shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "logs" / "run"))).code == 0


def test_a_record_that_anybody_could_have_written_is_no_official_result(say: Any, tmp_path: Path) -> None:
    (run,) = logs.read_logs([GOLDEN / "generate_h100_counter"])
    assert isinstance(run, Result)
    assert run.comparable
    (tmp_path / "records.jsonl").write_text(run.model_dump_json() + "\n")
    assert say("add", "records.jsonl").code == 0
    (kept,) = store.open(tmp_path / "results").results()
    assert not kept.comparable
    assert [reason.code for reason in kept.not_comparable_because] == ["unverified"]
    assert say("add", "--trusted", "records.jsonl").code == 0
    assert sorted(result.comparable for result in store.open(tmp_path / "results").results()) == [False, True]


def test_a_record_that_cannot_be_kept_keeps_no_other_from_being_added(say: Any, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        lines(records.make("a"), records.make("b", parameters=2**70), records.make("c", 0.003))
    )
    said = say("add", "in.jsonl")
    assert said.code == 1
    assert "error: the result cannot be stored" in said.err
    assert "2 added, 0 there already, 1 not added" in said.err
    assert {result.model for result in store.open(tmp_path / "results").results()} == {"a", "c"}


def test_a_pipe_is_read_once(say: Any, tmp_path: Path) -> None:
    # As the shell gives `<(...)`: a name under which a pipe can be opened, and what was read of it is gone.
    os.mkfifo(tmp_path / "pipe")
    content = lines(*(records.make(f"org/model-{number}") for number in range(60)))
    assert len(content) > 64 * 1024
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(content,))
    writer.start()
    done = say("add", "pipe")
    writer.join()
    assert (done.code, done.err) == (0, "60 added, 0 there already\n")
