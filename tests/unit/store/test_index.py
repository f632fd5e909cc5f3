"""The index: always what the files say, whatever is wrong with some of them or with itself."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scorekit import store
from scorekit.store import columns, files, index, names
from tests.unit.store import records


def settle(folder: Path) -> None:
    """Give all folders a time long past, as if nothing had been added for an hour."""
    past = time.time_ns() - 3_600_000_000_000
    for path in folder.iterdir():
        if path.is_dir():
            os.utime(path, ns=(past, past))


class Told:
    """A store with what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.store = store.open(folder, report=self.said.append)

    def models(self) -> list[str]:
        return list(self.store.table().column("model").to_pylist())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three results in two folders, and a settled index."""
    kept = store.open(tmp_path)
    for result in (records.make("a"), records.make("b"), records.make("c", cohort="asr")):
        kept.add(result)
    settle(tmp_path)
    kept.build_index()
    return tmp_path


def path_of(folder: Path, model: str) -> Path:
    return next(folder.glob(f"*/{model}--*.json"))


def test_a_fresh_index_lists_no_folder_and_reads_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*_: object) -> None:
        raise AssertionError("a fresh index needs no file")

    monkeypatch.setattr(files, "entries_of", touched)
    monkeypatch.setattr(files, "read", touched)
    assert Told(folder).models() == ["c", "a", "b"]
    assert Told(folder).store.query_table("SELECT count(*) AS n FROM results").to_pylist() == [{"n": 3}]


def test_only_new_files_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.open(folder).add(records.make("d"))
    read: list[str] = []
    once = files.read
    monkeypatch.setattr(files, "read", lambda root, path: read.append(path) or once(root, path))  # type: ignore[func-returns-value]
    assert Told(folder).models() == ["c", "a", "b", "d"]
    assert [path.partition("--")[0] for path in read] == ["summarization/d"]


def test_an_index_made_in_the_tick_of_a_change_is_not_relied_on(tmp_path: Path) -> None:
    # What is added a moment later may leave the folder's time as it is: file systems' clocks have ticks.
    told = Told(tmp_path)
    told.store.add(records.make("a"))
    assert told.models() == ["a"]
    at = (tmp_path / "summarization").stat()
    told.store.add(records.make("b"))
    os.utime(tmp_path / "summarization", ns=(at.st_atime_ns, at.st_mtime_ns))
    assert told.models() == ["a", "b"]


def test_a_file_taken_away_leaves_the_index(folder: Path) -> None:
    path_of(folder, "a").unlink()
    assert Told(folder).models() == ["c", "b"]
    path_of(folder, "c").unlink()
    (folder / "asr").rmdir()
    assert Told(folder).models() == ["b"]


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"org', b'"Org').replace(b"0.002", b"0.001"))


def other_version(path: Path) -> None:
    content = path.read_bytes().replace(b"scorekit.result/1", b"scorekit.result/9")
    path.with_name(f"a--{names.digest(content)[:12]}.json").write_bytes(content)
    path.unlink()


def huge_count(path: Path) -> None:
    content = path.read_bytes().replace(b"139420416", b"9" * 30)
    path.with_name(f"a--{names.digest(content)[:12]}.json").write_bytes(content)
    path.unlink()


def no_result(path: Path) -> None:
    content = b'{"schema_version": "scorekit.result/1", "model": 1}'
    path.with_name(f"a--{names.digest(content)[:12]}.json").write_bytes(content)
    path.unlink()


def nested(path: Path) -> None:
    content = b"[" * 100_000
    path.with_name(f"a--{names.digest(content)[:12]}.json").write_bytes(content)
    path.unlink()


def too_large(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(10 * 2**30)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere.txt"))
    path.symlink_to("elsewhere.txt")


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def elsewhere(path: Path) -> None:
    path.rename(path.parent.parent / "asr" / path.name)


def renamed(path: Path) -> None:
    path.rename(path.with_name("a.json"))


def other_model(path: Path) -> None:
    path.rename(path.with_name(path.name.replace("a--", "b--")))


def in_the_root(path: Path) -> None:
    path.rename(path.parent.parent / path.name)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (edit, "its content is not what was added: sha256 begins with .*; it was edited or replaced"),
        (lambda path: path.write_bytes(path.read_bytes()[:700]), "it is no JSON"),
        (lambda path: path.write_bytes(b""), "it is empty"),
        (lambda path: path.write_bytes(os.urandom(500)), "it is no JSON"),
        (lambda path: path.write_text(path.read_text(), encoding="utf-16"), "it is no JSON"),
        (nested, "it is no result"),
        (other_version, "its schema_version is 'scorekit.result/9', this scorekit reads 'scorekit.result/1'"),
        (no_result, "it is no result: model"),
        (huge_count, "parameters is larger than any count can be"),
        (too_large, "it has 10,737,418,240 bytes; a result has 16,777,216 at most"),
        (linked, "it is a link"),
        (piped, "it is no regular file"),
        (a_folder, "it is no regular file"),
        (elsewhere, "it lies in the wrong place; expected summarization/a--"),
        (renamed, "its name does not end in --HASH.json"),
        (other_model, "it lies in the wrong place; expected summarization/a--"),
        (in_the_root, "it lies in no folder of a cohort"),
    ],
)
def test_a_bad_file_is_told_and_left_out(folder: Path, spoil: Callable[[Path], object], reason: str) -> None:
    spoil(path_of(folder, "a"))
    told = Told(folder)
    built = told.store.build_index()
    assert any(re.search(reason, skipped.reason) for skipped in built.skipped), built.skipped
    assert {result.model for result in told.store.results()} == {"b", "c"}
    # From an index that is fresh again it is told too.
    settle(folder)
    Told(folder).models()
    again = Told(folder)
    assert again.models() == ["c", "b"]
    assert any("left out: " in text for text in again.said)


def test_a_change_that_leaves_no_trace_is_found_by_a_full_build(folder: Path) -> None:
    path = path_of(folder, "a")
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"0.002", b"0.001"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert Told(folder).store.build_index().skipped == ()
    assert len(Told(folder).store.build_index(full=True).skipped) == 1


def test_a_folder_that_is_a_link_is_not_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    store.open(outside).add(records.make("d", cohort="other"))
    (folder / "other").symlink_to(outside / "other")
    built = Told(folder).store.build_index(full=True)
    assert built.results == 3
    assert [(skipped.path, skipped.reason) for skipped in built.skipped] == [
        ("other", "it is a link; links are not followed")
    ]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    """Turn over a byte in each page."""
    content = bytearray(path.read_bytes())
    for place in range(100, len(content) // 2, 50):
        content[place] ^= 0xFF
    path.write_bytes(content)


def other_table(path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), path)


def newer(path: Path) -> None:
    table = pq.read_table(path)
    facts = table.schema.metadata[b"scorekit.index"].replace(b"scorekit.index/1", b"scorekit.index/2")
    pq.write_table(table.replace_schema_metadata({b"scorekit.index": facts}), path)


def by_another_scorekit(path: Path) -> None:
    table = pq.read_table(path)
    facts = table.schema.metadata[b"scorekit.index"].replace(b'"scorekit_version": "', b'"scorekit_version": "9')
    pq.write_table(table.replace_schema_metadata({b"scorekit.index": facts}), path)


def as_a_link(path: Path) -> None:
    path.rename(path.with_name("real.bin"))
    path.symlink_to("real.bin")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PAR1" + b"\xff" * 500 + b"PAR1"),
        cut,
        flip,
        other_table,
        newer,
        by_another_scorekit,
        as_a_link,
    ],
)
def test_an_index_that_cannot_be_used_is_made_anew_with_a_word(folder: Path, spoil: Callable[[Path], object]) -> None:
    spoil(folder / index.INDEX)
    told = Told(folder)
    assert told.store.query_table("SELECT model FROM results ORDER BY model")["model"].to_pylist() == ["a", "b", "c"]
    assert [text.partition(":")[0] for text in told.said] == ["index.parquet is made anew"]
    again = Told(folder)
    assert again.models() == ["c", "a", "b"]
    assert again.said == []
    assert not (folder / index.INDEX).is_symlink()


def test_the_columns_are_typed_and_null_where_not_known(tmp_path: Path) -> None:
    kept = store.open(tmp_path)
    for result in (records.make("a"), records.corrected("b"), records.refused("c")):
        kept.add(result)
    table = kept.table()
    assert table.schema.equals(columns.SHOWN_SCHEMA)
    rows = {row["model"]: row for row in table.to_pylist()}
    assert rows["a"]["wh_per_1000_queries"] == rows["a"]["published_wh_per_1000_queries"] == 2.0
    assert rows["a"]["corrected_wh_per_1000_queries"] is None
    assert rows["a"]["prefill_kwh"] == 0.0005
    assert rows["a"]["measured_utc"].isoformat() == "2025-02-11T08:00:00"
    assert rows["b"]["corrected_wh_per_1000_queries"] == 2.1
    assert (rows["b"]["excluded_repeats"], rows["b"]["fault_codes"]) == (1, ["lost_prefill"])
    assert rows["c"]["wh_per_1000_queries"] is None
    assert rows["c"]["published_wh_per_1000_queries"] != rows["c"]["published_wh_per_1000_queries"]
    assert (rows["c"]["hardware"], rows["c"]["unknown"]) == (None, ["hardware"])


def test_the_data_frame_has_units_in_its_names_and_whole_counts(tmp_path: Path) -> None:
    kept = store.open(tmp_path)
    kept.add(records.make("a"))
    kept.add(records.refused("b"))
    frame = kept.frame().set_index("model")
    assert frame.loc["a", "wh_per_1000_queries"] == 2.0
    assert str(frame["gpu_count"].dtype) == "Int64"
    assert frame["gpu_count"].isna().tolist() == [False, True]
    assert str(frame["energy_kwh"].dtype) == "float64"
    assert str(frame["comparable"].dtype) == "boolean"


def test_results_can_be_read_without_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("duckdb", "pandas", "numpy"):
        monkeypatch.setitem(sys.modules, package, None)
    assert Told(folder).models() == ["c", "a", "b"]
