"""The store keeps exactly what was added: in any order, by several processes at once, and through kills."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit import atomic, store
from scorekit.errors import BundleError, InputError
from scorekit.records import Result
from scorekit.store import files, index, names
from tests.unit.store import records

ROOT = Path(__file__).parents[3]

hostile_names = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), max_size=250),
    st.sampled_from(
        [
            "",
            "..",
            "../..",
            "/etc/passwd",
            "a/../../b",
            ".hidden",
            "-rf",
            "a\x00b",
            "\x1b[31m",
            "<b>&",
            "x" * 300,
            "😀" * 90,
            "\u202eabc",
            "index.parquet",
            "store.json",
            "a--0123456789ab.json",
            "con",
            "~",
            "a\nb",
            "\\\\host\\x",
        ]
    ),
)


def quiet(folder: Path) -> store.Store:
    """The store, which must find nothing out of the ordinary."""

    def report(text: str) -> None:
        raise AssertionError(text)

    return store.open(folder, report=report)


def contents(folder: Path) -> set[str]:
    """Every result of the store, by way of the index."""
    return {result.model_dump_json() for result in quiet(folder).results()}


def test_a_result_is_one_file_named_by_model_and_content(tmp_path: Path) -> None:
    result = records.make("org/Model-7B.v1")
    added = quiet(tmp_path).add(result)
    path = tmp_path / added.path
    digits = names.digest(path.read_bytes())[:12]
    assert added.new
    assert added.path == f"summarization/org__Model-7B.v1--{digits}.json"
    assert Result.model_validate_json(path.read_bytes()) == result
    assert json.loads((tmp_path / "store.json").read_text()) == {"schema_version": "scorekit.store/1"}


def test_the_same_content_is_one_file_and_a_later_result_stands_beside(tmp_path: Path) -> None:
    kept = quiet(tmp_path)
    first = kept.add(records.make())
    before = (tmp_path / first.path).stat()
    assert kept.add(records.make()) == store.Added(first.path, new=False)
    assert (tmp_path / first.path).stat() == before
    assert kept.add(records.make(energy_kwh=0.003)).new
    assert kept.table().column("energy_kwh").to_pylist().count(0.002) == 1
    assert sorted(kept.table().column("energy_kwh").to_pylist()) == [0.002, 0.003]


@settings(max_examples=60, deadline=None)
@given(model=hostile_names, cohort=hostile_names)
def test_no_name_leaves_the_folder_or_is_lost(model: str | None, cohort: str | None) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "results"
        result = records.make(model, cohort=cohort)
        path = (folder / quiet(folder).add(result).path).resolve()
        assert path.parent.parent == folder.resolve()
        assert path.is_file()
        assert len(path.name) <= 128
        assert not path.name.startswith((".", "-"))
        assert [row["model"] for row in quiet(folder).table().to_pylist()] == [model]
        assert os.listdir(made) == ["results"]


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 12), max_size=12),
    looks=st.sets(st.integers(0, 12)),
)
def test_the_index_has_exactly_what_was_added_in_any_order(numbers: list[int], looks: set[int]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        kept = quiet(folder)
        added: dict[int, Result] = {}
        for step, number in enumerate(numbers):
            result = records.make(f"m{number % 5}", cohort=f"c{number % 3}", energy_kwh=0.001 * (number + 1))
            assert kept.add(result).new == (number not in added)
            added[number] = result
            if step in looks:
                assert kept.table().num_rows == len(added)
        assert contents(folder) == {result.model_dump_json() for result in added.values()}
        assert quiet(folder).build_index(full=True).results == len(added)


def spawn(folder: Path, numbers: Sequence[int], *, ends: str = "", index_too: bool = False) -> subprocess.Popen[bytes]:
    """A process that adds results; `ends` is Python that makes it end early."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from scorekit import store\n"
        "from tests.unit.store import records\n"
        f"{ends}\n"
        f"kept = store.open({str(folder)!r})\n"
        f"for number in {list(numbers)!r}:\n"
        "    kept.add(records.make(f'm{number % 7}', energy_kwh=0.001 * (number + 1)))\n"
        f"    {'kept.table()' if index_too else 'pass'}\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_several_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    shares = [range(15), range(14, -1, -1), range(8, 24)]
    writers = [spawn(tmp_path, share, index_too=share == shares[2]) for share in shares]
    while any(writer.poll() is None for writer in writers):
        # The index is read and written meanwhile; whatever it shows is whole.
        if tmp_path.exists() and any(tmp_path.iterdir()):
            quiet(tmp_path).table()
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sorted(quiet(tmp_path).table().column("energy_kwh").to_pylist()) == [0.001 * (n + 1) for n in range(24)]
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


KILL = "    os.kill(os.getpid(), signal.SIGKILL)\n"


@pytest.mark.parametrize(
    ("place", "models"),
    [
        ("def dies(*a, **k):\n" + KILL + "os.link = dies", ["before"]),
        ("link = os.link\ndef dies(*a, **k):\n    link(*a, **k)\n" + KILL + "os.link = dies", ["before", "m1"]),
        ("def dies(*a, **k):\n" + KILL + "os.replace = dies", ["before", "m1"]),
        (
            "import pyarrow.parquet\ndef dies(*a, **k):\n" + KILL + "pyarrow.parquet.write_table = dies",
            ["before", "m1"],
        ),
    ],
    ids=["before the link", "after the link", "before the index is in place", "while the index is made"],
)
def test_a_kill_leaves_nothing_half_visible(tmp_path: Path, place: str, models: list[str]) -> None:
    quiet(tmp_path).add(records.make("before"))
    assert spawn(tmp_path, [1], ends=place, index_too=True).wait() == -signal.SIGKILL
    # What was linked is whole, what was not is not there at all.
    assert quiet(tmp_path).table().column("model").to_pylist() == models
    quiet(tmp_path).add(records.make("m1", energy_kwh=0.002))
    assert quiet(tmp_path).table().column("model").to_pylist() == ["before", "m1"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_without_hard_links_the_name_holds_the_whole_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    kept = quiet(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", no_links)
        added = kept.add(records.make())
        assert added.new
        assert not kept.add(records.make()).new
    digits = added.path.removesuffix(".json").rpartition("--")[2]
    assert digits == names.digest((tmp_path / added.path).read_bytes())
    # On a file system with links the same content is still known.
    assert kept.add(records.make()) == store.Added(added.path, new=False)
    assert kept.table().num_rows == 1
    assert len(list((tmp_path / "summarization").iterdir())) == 1


def test_a_result_with_the_same_first_digits_gets_the_whole_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Real ones can be made on purpose: 48 bits are few.
    digest = names.digest
    monkeypatch.setattr(names, "digest", lambda content: "0123456789ab" + digest(content)[12:])
    kept = quiet(tmp_path)
    paths = [kept.add(records.make(energy_kwh=kwh)).path for kwh in (0.001, 0.002)]
    assert [len(path.rpartition("--")[2]) for path in paths] == [12 + 5, 64 + 5]
    assert not kept.add(records.make(energy_kwh=0.002)).new
    assert kept.table().num_rows == 2


def test_a_changed_file_is_never_written_over(tmp_path: Path) -> None:
    kept = store.open(tmp_path, report=lambda _: None)
    path = tmp_path / kept.add(records.make()).path
    path.write_bytes(path.read_bytes().replace(b"0.002", b"0.001"))
    changed = path.read_bytes()
    with pytest.raises(BundleError, match="is in the way: its content is not what was added") as caught:
        kept.add(records.make())
    assert "move the file" in (caught.value.mend or "")
    assert path.read_bytes() == changed


def test_a_linked_folder_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "summarization").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="links are not followed"):
        quiet(tmp_path / "results").add(records.make())
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    "result",
    [
        records.make(parameters=2**70),
        records.make("x" * files.MOST_RESULT_BYTES),
        records.make().model_copy(update={"model": "\ud800"}),
        records.make().model_copy(update={"energy_kwh": float("nan")}),
        records.make().model_copy(update={"model": 7}),
    ],
    ids=["too large a count", "too many bytes", "no text", "energy that is no number", "wrong type"],
)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_what_could_not_be_read_back_is_not_added(tmp_path: Path, result: Result) -> None:
    with pytest.raises(InputError, match="the result"):
        quiet(tmp_path).add(result)
    assert not list(tmp_path.rglob("*--*"))


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_a_full_disk_leaves_no_result_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    kept = quiet(tmp_path)
    kept.add(records.make("before"))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(BundleError, match="the disk is full") as caught:
            kept.add(records.make("after"))
        assert "--results FOLDER" in (caught.value.mend or "")
    assert [row["model"] for row in kept.table().to_pylist()] == ["before"]
    assert len(list((tmp_path / "summarization").iterdir())) == 1


def test_an_index_that_cannot_be_written_is_told_and_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    kept = store.open(tmp_path, report=said.append)
    kept.add(records.make())

    def read_only(path: Path, *_: object, **__: object) -> None:
        raise atomic.write_error(path, OSError(errno.EROFS, "Read-only file system"), "--results FOLDER")

    monkeypatch.setattr(atomic, "write_bytes", read_only)
    assert kept.table().num_rows == 1
    assert said == [f"the index is not kept: {tmp_path} cannot be written to: Read-only file system"]
    with pytest.raises(BundleError, match="cannot be written to"):
        kept.build_index()
    assert not (tmp_path / index.INDEX).exists()


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "results"
    path.write_text("x")
    with pytest.raises(InputError, match="is no folder"):
        store.open(path)
    with pytest.raises(InputError, match="there is no results folder"):
        store.open(tmp_path / "nowhere").table()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema_version": "scorekit.store/2"}', "of version 'scorekit.store/2'"),
        ("[]", "of version 'None'"),
        ("{", "cannot be read"),
        ("\xff", "cannot be read|of version"),
    ],
)
def test_a_folder_of_another_version_is_left_alone(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "store.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=message) as caught:
        store.open(tmp_path)
    assert caught.value.mend


def test_a_pipe_in_place_of_the_version_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store.json")
    with pytest.raises(InputError, match="is no file"):
        store.open(tmp_path)
