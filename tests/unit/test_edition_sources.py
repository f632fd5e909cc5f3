"""Where members come from: both shapes of CSV there and back, every bad cell with its place, the Hub, our results."""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit import store
from scorekit.edition_sources import csv_tables, hub, own_results
from scorekit.edition_sources.gathered import Gathered, draft_of
from scorekit.editions import Member, in_order
from scorekit.errors import InputError, LogError, MissingExtraError, ScorekitError, UsageError
from scorekit.logs import result_of
from scorekit.records import Result, Score
from scorekit.units import kwh_text_to_wh, wh_to_kwh_text
from tests.bundles import local_score, official_score
from tests.edition_members import asr, energies_wh, member_lists

SINGLE = "task,class,model,gpu_energy_wh_per_1000_queries,stars\n"
OFFICIAL = "model,total_gpu_energy,energy_score\n"
on_disk = settings(deadline=None, max_examples=25)


def _members(gathered: Gathered) -> list[Member]:
    return [member for member, _ in gathered.members]


def _read(tmp_path: Path, text: str | bytes, name: str = "asr.csv") -> Gathered:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return csv_tables.read_file(path)


# There and back


@on_disk
@given(member_lists())
def test_a_single_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, found: list[Member]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "edition.csv"
    path.write_text(csv_tables.write_single(found), encoding="utf-8")
    assert _members(csv_tables.read_file(path)) == list(in_order(found))


@on_disk
@given(member_lists())
def test_the_official_files_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, found: list[Member]
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    for name, text in csv_tables.write_official(found).items():
        (folder / name).write_text(text, encoding="utf-8")
    gathered = csv_tables.read_folder(folder)
    assert gathered.faults == ()
    assert in_order(_members(gathered)) == in_order(found)


@given(energies_wh)
def test_watt_hours_survive_being_written_as_kilowatt_hours(energy_wh: float) -> None:
    assert kwh_text_to_wh(wh_to_kwh_text(energy_wh)) == energy_wh
    assert float(wh_to_kwh_text(energy_wh)) == pytest.approx(energy_wh / 1000)


def test_kilowatt_hours_are_watt_hours_to_the_last_digit(tmp_path: Path) -> None:
    # As a product of floats the second would be 28.741175000000002.
    found = _members(_read(tmp_path, OFFICIAL + "one,0.001313333,5\ntwo,0.028741175,1.0\n"))
    assert [(one.wh_per_1000_queries, one.stars) for one in found] == [(1.313333, 5), (28.741175, 1)]


def test_the_row_numbers_that_pandas_writes_are_no_data(tmp_path: Path) -> None:
    text = ",model,total_gpu_energy,class,energy_score\n0,one,0.5,A,5\n1,two,0.75,B,\n"
    gathered = _read(tmp_path, text, "text_generation.csv")
    assert [(one.model_class, one.wh_per_1000_queries, one.stars) for one in _members(gathered)] == [
        ("A", 500.0, 5),
        ("B", 750.0, None),
    ]
    assert gathered.notes == ()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_marks_and_line_ends_change_nothing(tmp_path: Path, newline: str, mark: bytes) -> None:
    text = newline.join([OFFICIAL.strip(), '"a ""model"", with commas",1e-3,4', "", ""])
    (found,) = _members(_read(tmp_path, mark + text.encode()))
    assert (found.model, found.wh_per_1000_queries, found.stars) == ('a "model", with commas', 1.0, 4)


@pytest.mark.parametrize(
    ("name", "cohort"),
    [
        ("asr", "asr"),
        ("automatic_speech_recognition", "asr"),
        ("image_generation", "image_generation"),
        ("text_to_image", "image_generation"),
        ("image_captioning", "image_captioning"),
        ("image_to_text", "image_captioning"),
        ("t5_summarization", "summarization"),
    ],
)
def test_tasks_go_by_their_config_and_their_leaderboard_name(tmp_path: Path, name: str, cohort: str) -> None:
    assert _members(_read(tmp_path, OFFICIAL + "one,1,\n", f"{name}.csv"))[0].cohort == cohort
    assert _members(_read(tmp_path, SINGLE + f"{name},,one,1,\n", "x.csv"))[0].cohort == cohort


# Bad cells, each with its place


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        ("asr,,one,0,5", "x.csv, line 2, column gpu_energy_wh_per_1000_queries", "a positive energy, found 0"),
        ("asr,,one,-1,5", "column gpu_energy_wh_per_1000_queries", "a positive energy, found -1"),
        ("asr,,one,nan,5", "column gpu_energy_wh_per_1000_queries", "a positive number, found 'nan'"),
        ("asr,,one,inf,5", "column gpu_energy_wh_per_1000_queries", "found 'inf'"),
        ("asr,,one,1e999,5", "column gpu_energy_wh_per_1000_queries", "a positive energy, found 1e999"),
        ("asr,,one,much,5", "column gpu_energy_wh_per_1000_queries", "found 'much'"),
        ("asr,,one,1_000,5", "column gpu_energy_wh_per_1000_queries", "found '1_000'"),
        ('asr,,one,"1,5",5', "column gpu_energy_wh_per_1000_queries", "found '1,5'"),
        ("asr,,one,,5", "column gpu_energy_wh_per_1000_queries", "found nothing"),
        ("asr,,one,1.5,0", "x.csv, line 2, column stars", "1 to 5 stars, found '0'"),
        ("asr,,one,1.5,6", "column stars", "found '6'"),
        ("asr,,one,1.5,4.5", "column stars", "found '4.5'"),
        ("asr,,one,1.5,*****", "column stars", "found '*****'"),
        ("asr,,,1.5,5", "x.csv, line 2, column model", "found nothing"),
        ("asr,,12.5,1.5,5", "column model", "columns are shifted"),
        ("chess,,one,1.5,5", "x.csv, line 2, column task", "no task is called 'chess'"),
        (",,one,1.5,5", "column task", "no task is called ''"),
        ("text_generation,,one,1.5,5", "column class", "expected A, B or C, found nothing"),
        ("reasoning,D,one,1.5,5", "column class", "found 'D'"),
        ("asr,A,one,1.5,5", "column class", "has no size classes"),
        ("asr,one,1.5,5", "x.csv, line 2", "expected 5 cells as in the header, found 4"),
        ("asr,,one,1.5,5,7", "x.csv, line 2", "found 6"),
    ],
)
def test_a_bad_cell_is_named_with_file_line_and_column(tmp_path: Path, row: str, place: str, reason: str) -> None:
    gathered = _read(tmp_path, f"{SINGLE}{row}\nasr,,good,2.5,5\n", "x.csv")
    (fault,) = gathered.faults
    assert place in fault.place
    assert reason in fault.reason
    assert [member.model for member in _members(gathered)] == ["good"]
    with pytest.raises(InputError, match="cannot be taken into an edition") as caught:
        _draft(gathered)
    assert fault.place in str(caught.value)
    assert "--skip-faulty" in (caught.value.mend or "")
    assert [left.place for left in _draft(gathered, skip_faulty=True).left_out] == [fault.place]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("asr.csv", "", "is empty"),
        ("asr.csv", "name,total_gpu_energy\na,1\n", "line 1: expected the column model"),
        ("asr.csv", "model,throughput\na,1\n", "expected the column total_gpu_energy or gpu_energy_wh"),
        ("x.csv", "model,total_gpu_energy\na,1\n", r"expected the column task \(the file is not named by one\)"),
        ("asr.csv", "model,total_gpu_energy,gpu_energy_wh_per_1000_queries\na,1,1\n", "two columns of energy"),
        ("asr.csv", "model,model,total_gpu_energy\na,b,1\n", "'model' is there twice"),
        ("asr.csv", (OFFICIAL + "one,1,5\n").encode("utf-16"), "UTF-16"),
        ("asr.csv", OFFICIAL.encode() + b"caf\xe9,1,5\n", "line 2: is not UTF-8"),
        ("asr.csv", OFFICIAL.encode() + b"a\0b,1,5\n", "zero bytes"),
        ("asr.csv", OFFICIAL + "a" * 100_000 + ",1,5\n", "longer than"),
        ("asr.csv", b"PK\x03\x04" + bytes(range(128, 256)), "asr.csv"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    with pytest.raises((InputError, LogError), match=message) as caught:
        _read(tmp_path, text, name)
    assert caught.value.mend


def test_unknown_columns_are_told_and_left_out(tmp_path: Path) -> None:
    gathered = _read(tmp_path, "model,total_gpu_energy,energy_score,licence\na,1,5,mit\n")
    assert gathered.notes == ("asr.csv, line 1, column licence: not known, and left out",)
    assert len(gathered.members) == 1


@on_disk
@given(st.text("0123456789.eE+-naif,\"' \n\rABC;\t☆", max_size=60))
def test_no_text_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("csv") / "text_generation.csv"
    path.write_text("model,total_gpu_energy,energy_score,class\n" + text, encoding="utf-8")
    told = ""
    try:
        members = _members(csv_tables.read_file(path))
    except ScorekitError as error:
        members, told = [], error.message
    assert all(member.wh_per_1000_queries > 0 for member in members)
    assert not told or "text_generation.csv" in told


# Twice


def _draft(*gathered: Gathered, skip_faulty: bool = False) -> Any:
    return draft_of(
        gathered, name="trial", date="2025-02", hardware="NVIDIA H100 80GB", source="made up", skip_faulty=skip_faulty
    )


def test_a_model_that_stands_twice_is_told(tmp_path: Path) -> None:
    text = OFFICIAL + "one,0.001,5\none,0.002,4\ntwo,0.006,1\ntwo,0.006,1\n"
    edition = _draft(_read(tmp_path, text))
    assert [(one.model, one.wh_per_1000_queries) for one in edition.members] == [
        ("one", 1.0),
        ("one", 2.0),
        ("two", 6.0),
    ]
    notes = " ".join(edition.notes)
    assert "one stands in asr 2 times (1, 2 Wh per 1,000 queries): all are kept" in notes
    assert "two stands in asr twice with the same energy (asr.csv, line 5): kept once" in notes


def test_a_published_star_that_the_rule_does_not_give_is_told(tmp_path: Path) -> None:
    # Throughput in the column of energy: the star still says what the energy must have been like.
    edition = _draft(_read(tmp_path, OFFICIAL + "a,0.001,5\nb,0.0055,5\nc,0.006,1\n"))
    assert "equal_width gives 2 of 3 published stars" in edition.notes
    assert any(note.startswith("b in asr was published with 5 stars and equal_width gives 1") for note in edition.notes)


def test_nothing_makes_no_draft() -> None:
    with pytest.raises(InputError, match="no member"):
        _draft(Gathered((), ()))


# Folders


def test_a_folder_as_the_leaderboard_has_it(tmp_path: Path) -> None:
    for below in ("energy", "params"):
        (tmp_path / "data" / below).mkdir(parents=True)
    (tmp_path / "data" / "energy" / "asr.csv").write_text(OFFICIAL + "one,0.001,5\n")
    (tmp_path / "data" / "energy" / "image_captioning.csv").write_text(OFFICIAL + "two,0.05,1\n")
    (tmp_path / "data" / "energy" / "prices.csv").write_text("a,b\n1,2\n")
    (tmp_path / "data" / "params" / "asr.csv").write_text("Link,parameters\none,5\n")
    gathered = csv_tables.read_folder(tmp_path, "Leaderboard")
    assert [(one.cohort, one.wh_per_1000_queries) for one in _members(gathered)] == [
        ("asr", 1.0),
        ("image_captioning", 50.0),
    ]
    assert [source.name for source in gathered.sources] == [
        "Leaderboard/data/energy/asr.csv",
        "Leaderboard/data/energy/image_captioning.csv",
    ]
    assert all(source.sha256 for source in gathered.sources)
    assert gathered.notes == ("Leaderboard/data/energy/prices.csv was left out: no task has that name",)


def test_a_folder_without_files_of_tasks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("a,b\n")
    with pytest.raises(InputError, match="no CSV file that is named by a task"):
        csv_tables.read_folder(tmp_path)


# The Hub, without a network


class _FakeHub:
    """Gives a folder, or raises."""

    def __init__(self, answer: Path | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def snapshot_download(self, repo_id: str, **options: Any) -> str:
        self.asked.append((repo_id, options))
        if isinstance(self.answer, Exception):
            raise self.answer
        return str(self.answer)


@pytest.mark.parametrize("kind", ["space", "dataset"])
def test_a_repository_of_the_hub_is_read_by_its_commit(tmp_path: Path, kind: str) -> None:
    commit = "0123456789abcdef" * 2 + "01234567"
    folder = tmp_path / "snapshots" / commit
    (folder / "data" / "energy").mkdir(parents=True)
    # In the cache of huggingface_hub files are links.
    (tmp_path / "blob").write_text(OFFICIAL + "one,0.001,5\n")
    os.symlink(tmp_path / "blob", folder / "data" / "energy" / "asr.csv")
    fake = _FakeHub(folder)
    gathered = hub.read_hub(f"{kind}:AIEnergyScore/Leaderboard@main", fake)
    assert fake.asked == [
        ("AIEnergyScore/Leaderboard", {"repo_type": kind, "revision": "main", "allow_patterns": ["*.csv"]})
    ]
    assert [one.wh_per_1000_queries for one in _members(gathered)] == [1.0]
    assert gathered.sources[0].name == f"{kind}:AIEnergyScore/Leaderboard@{commit}/data/energy/asr.csv"


@pytest.mark.parametrize("name", ["space:Leaderboard", "space:", "dataset:a/b/c", "space:a/b@", "space:../x y"])
def test_a_name_that_is_none_of_the_hub(name: str) -> None:
    assert hub.is_hub_name(name)
    with pytest.raises(UsageError, match="expected space:ORG/NAME"):
        hub.read_hub(name, _FakeHub(RuntimeError()))


def test_what_the_hub_cannot_give_is_told_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled, RepositoryNotFoundError

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for error, message, mend in (
        (RepositoryNotFoundError.__new__(RepositoryNotFoundError), "there is no space a/b on the Hub", "spelling"),
        (LocalEntryNotFoundError("no connection"), "cannot be reached", "hf download a/b --repo-type space"),
        (OfflineModeIsEnabled("offline"), "not in the local cache", "import a folder with the files"),
        (ConnectionError("down"), "cannot be reached", "import a folder with the files"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            hub.read_hub("space:a/b", _FakeHub(error))
        assert mend in (caught.value.mend or "")


def test_offline_the_real_hub_gives_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set") as caught:
        hub.read_hub("space:nobody/nothing-of-this-name")
    assert "hf download" in (caught.value.mend or "")


def test_without_huggingface_hub_its_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="huggingface_hub") as caught:
        hub.read_hub("space:a/b")
    assert caught.value.mend == 'pip install "scorekit[data]"'


# Our own results


def _results(folder: Path, *scores: Score) -> None:
    opened = store.open(folder)
    for score in scores:
        opened.add(result_of(score, score.model))


def test_comparable_results_are_members_and_the_others_are_named(tmp_path: Path) -> None:
    _results(
        tmp_path / "results",
        official_score("one", 8.0),
        official_score("two", 20.0),
        local_score("three", 5.0),
        official_score("four", 9.0, model_class=None),
    )
    told: list[str] = []
    gathered = own_results.read_results(tmp_path / "results", told.append)
    found = {one.model: one for one in _members(gathered)}
    assert {name: one.wh_per_1000_queries for name, one in found.items()} == {"one": 8.0, "two": 20.0}
    assert {one.model_class for one in found.values()} == {"A"}
    assert all(one.result_id for one in found.values())
    reasons = {left.place.split()[1]: left.reason for left in gathered.passed_over}
    assert "not comparable with official scores (hardware, samples)" in reasons["three"]
    assert "size is not known" in reasons["four"]
    # What was never meant for an edition refuses no import.
    assert len(_draft(gathered).members) == 2
    assert {left.place.split()[1] for left in _draft(gathered).left_out} == {"three", "four"}


def _run(model: str, energy_wh: float, day: int, label: str, **changes: object) -> Result:
    result = result_of(official_score(model, energy_wh, **changes), label)
    source = result.source.model_copy(update={"measured_utc": f"2025-06-{day:02}T12:00:00+00:00"})
    return result.model_copy(update={"source": source})


def test_runs_of_one_model_are_one_member_the_latest() -> None:
    results = {
        "a" * 64: _run("one", 8.0, 3, "runs/a"),
        "b" * 64: _run("one", 8.0, 3, "copy/a"),
        "c" * 64: _run("one", 9.0, 9, "runs/c"),
        "d" * 64: _run("one", 7.0, 1, "runs/d"),
        "e" * 64: _run("two", 20.0, 1, "runs/e"),
        "f" * 64: _run("one", 5.0, 1, "runs/f", parameters=2_000_000),
    }
    for pairs in (list(results.items()), list(results.items())[::-1]):
        gathered = own_results.members_of(pairs, "results")
        assert sorted((one.model, one.wh_per_1000_queries) for one in _members(gathered)) == [
            ("one", 5.0),
            ("one", 9.0),
            ("two", 20.0),
        ]
        assert {left.reason for left in gathered.passed_over} == {
            "the latest result of the model is taken (cccccccccccc)"
        }
        assert len(gathered.passed_over) == 3


def test_a_result_without_a_time_is_taken_where_there_is_no_other() -> None:
    dated = _run("one", 8.0, 3, "runs/a")
    undated = dated.model_copy(update={"source": dated.source.model_copy(update={"measured_utc": None})})
    assert [one.result_id for one in _members(own_results.members_of([("0" * 64, undated)], "results"))] == ["0" * 64]
    both = own_results.members_of([("f" * 64, undated), ("0" * 64, dated)], "results")
    assert [one.result_id for one in _members(both)] == ["0" * 64]


def test_the_same_energy_under_two_ids_is_one_member() -> None:
    member = Member(cohort="asr", model="one", wh_per_1000_queries=3.0)
    same = [(member.model_copy(update={"result_id": digit * 64}), digit) for digit in "ab"]
    other = (Member(cohort="asr", model="two", wh_per_1000_queries=4.0), "c")
    for pairs in ([*same, other], [other, *reversed(same)]):
        edition = _draft(Gathered(members=tuple(pairs), sources=()))
        assert [(one.model, one.result_id) for one in edition.members] == [("one", "a" * 64), ("two", None)]
        assert edition.notes == ("one stands in asr twice with the same energy (b): kept once",)


def test_a_damaged_result_is_told_and_left_out(tmp_path: Path) -> None:
    _results(tmp_path / "results", official_score("one", 8.0), official_score("two", 20.0))
    damaged = sorted((tmp_path / "results").rglob("*one*.json"))[0]
    damaged.chmod(0o644)
    damaged.write_text(damaged.read_text()[:100])
    told: list[str] = []
    gathered = own_results.read_results(tmp_path / "results", told.append)
    assert [one.model for one in _members(gathered)] == ["two"]
    assert any(damaged.name in line for line in told)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wh_per_1000_queries": None, "refused": "the sample count is unknown"}, "the sample count is unknown"),
        ({"wh_per_1000_queries": None}, "gives no energy"),
        ({"valid": False}, "failed its checks"),
        ({"cohort": None}, "does not name its task"),
        ({"model": None}, "does not name its model"),
    ],
)
def test_a_result_that_is_no_member(changes: dict[str, object], reason: str) -> None:
    result = result_of(official_score("one", 8.0), "one").model_copy(update=changes)
    gathered = own_results.members_of([("0" * 64, result)], "results")
    assert gathered.members == ()
    assert reason in gathered.passed_over[0].reason


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a CSV file of an edition nor a result"):
        own_results.read_results(tmp_path, print)


def test_a_written_file_is_a_table_that_others_read_too() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_tables.write_single(asr(one=1.5)))))
    assert rows == [{"task": "asr", "class": "", "model": "one", "gpu_energy_wh_per_1000_queries": "1.5", "stars": ""}]
    assert csv_tables.write_official(asr(one=1.5)) == {
        "asr.csv": "model,total_gpu_energy,energy_score,class\none,0.0015,,\n"
    }
