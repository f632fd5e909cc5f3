"""Log readers of another distribution: what they read, and their contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scorekit import cli, logs
from scorekit.errors import LogError
from scorekit.logs import formats
from scorekit.logs.places import Place
from scorekit.records import Result
from tests import plugin
from tests.unit.plugins.conftest import EXAMPLE, tally


def test_a_foreign_log_is_parsed(example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(tally(tmp_path)), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["source"]["format"], result["model"], result["task"]) == (
        "gpu-tally/1",
        "org/model",
        "text_generation",
    )
    assert result["wh_per_1000_queries"] == pytest.approx(50)
    assert (result["comparable"], result["unknown"]) == (False, [])


def test_a_foreign_log_of_a_plugins_task_keeps_it(example: None, tmp_path: Path) -> None:
    (result,) = logs.read_logs([tally(tmp_path, task="code_completion")])
    assert isinstance(result, Result)
    assert (result.task, result.cohort) == ("code_completion", "code_completion")


def test_a_bad_log_is_told_by_its_field(example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(tally(tmp_path, gpu_joules="many")), "--json"]) == 1
    assert "tally.json: gpu_joules: expected a number, found 'many'" in capsys.readouterr().err
    assert cli.main(["parse", str(tally(tmp_path, queries=0)), "--json"]) == 1
    assert "tally.json: queries: expected a number of queries, found 0" in capsys.readouterr().err
    # What the reader lets through, the record refuses.
    assert cli.main(["parse", str(tally(tmp_path, gpus=-1)), "--json"]) == 1
    err = capsys.readouterr().err
    assert f"the log reader 'gpu_tally' of {EXAMPLE} makes no result of it: gpu_count: Input should be greater" in err


READER = """
from scorekit.logs import Reader
from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.records import Source

def source(form):
    return Source(name="log", format=form, files={}, scorekit_version="0")

def other(place):
    yield foreign_result(source("codecarbon-csv/1"), Facts(), Energies(None))

def scored(place):
    made = foreign_result(source("odd_log/1".replace("_", "-")), Facts(), Energies(None))
    yield made.model_copy(update={"comparable": True})

def wrong(place):
    raise KeyError("column")

def late(place):
    return 1 / 0

def known(place):
    return place.head.startswith(b"odd")
"""


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ("wrong", "failed: KeyError: 'column'"),
        ("other", "it gives a result of format 'codecarbon-csv/1', expected 'odd-log/1'"),
        ("scored", "as only scorekit's own runs are"),
        ("lambda place: [None]", "expected a scorekit.records.result.Result, found a NoneType"),
    ],
)
def test_a_reader_that_breaks_its_contract_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: str, told: str
) -> None:
    source = f"{READER}\nREADER = Reader('odd-log/1', 'an odd log', known, {read})\n"
    plugin.install(
        tmp_path / "site", monkeypatch, "odd", {"scorekit.log_readers": {"odd_log": "odd_a:READER"}}, {"odd_a": source}
    )
    (tmp_path / "x.txt").write_text("odd", encoding="utf-8")
    place = Place.of_file(tmp_path / "x.txt")
    reader = formats.reader_of(place)
    assert reader is not None
    with pytest.raises(LogError, match=r"x\.txt: the log reader 'odd_log' of odd 0\.1\.0 failed") as caught:
        list(reader.read(place))
    assert told in caught.value.message
    assert caught.value.mend == "leave the log out, or pip install --upgrade odd"


def test_a_reader_that_cannot_tell_hides_no_log_from_the_others(
    example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = f"{READER}\nREADER = Reader('a-log/1', 'a log', late, wrong)\n"
    plugin.install(
        tmp_path / "more", monkeypatch, "late", {"scorekit.log_readers": {"a_log": "odd_b:READER"}}, {"odd_b": source}
    )
    found = list(logs.read_logs([tally(tmp_path), tally(tmp_path, "again.json")]))
    assert [type(one).__name__ for one in found] == ["Result", "Result"]
    err = capsys.readouterr().err
    assert err.count("warning: the log reader 'a_log' of late 0.1.0 failed: ZeroDivisionError") == 1


def test_a_reader_with_no_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from scorekit.logs import Reader\nREADER = Reader(None, 'x', lambda place: True, lambda place: ())\n"
    points = {"scorekit.log_readers": {"none_log": "odd_p:READER"}}
    plugin.install(tmp_path / "site", monkeypatch, "none", points, {"odd_p": source})
    (found,) = formats.REGISTRY.listed()
    assert found.fault is not None
    assert "is refused: AttributeError" in found.fault.message
