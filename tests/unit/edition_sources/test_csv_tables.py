"""Members in tables of CSV: both shapes there and back, whole folders, and every bad cell with its place."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.edition_sources import csv_tables
from scorekit.editions import Member, in_order
from scorekit.errors import InputError, LogError, ScorekitError
from scorekit.units import kwh_text_to_wh, wh_to_kwh_text
from tests.edition_members import OFFICIAL, asr, drafted, energies_wh, member_lists, members_of, on_disk, read_csv

SINGLE = "task,class,model,gpu_energy_wh_per_1000_queries,stars\n"


# There and back


@on_disk
@given(member_lists())
def test_a_single_file_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, found: list[Member]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "edition.csv"
    path.write_text(csv_tables.write_single(found), encoding="utf-8")
    assert members_of(csv_tables.read_file(path)) == list(in_order(found))


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
    assert in_order(members_of(gathered)) == in_order(found)


@given(energies_wh)
def test_watt_hours_survive_being_written_as_kilowatt_hours(energy_wh: float) -> None:
    assert kwh_text_to_wh(wh_to_kwh_text(energy_wh)) == energy_wh
    assert float(wh_to_kwh_text(energy_wh)) == pytest.approx(energy_wh / 1000)


def test_kilowatt_hours_are_watt_hours_to_the_last_digit(tmp_path: Path) -> None:
    # As a product of floats the second would be 28.741175000000002.
    found = members_of(read_csv(tmp_path, OFFICIAL + "one,0.001313333,5\ntwo,0.028741175,1.0\n"))
    assert [(one.wh_per_1000_queries, one.stars) for one in found] == [(1.313333, 5), (28.741175, 1)]


def test_the_row_numbers_that_pandas_writes_are_no_data(tmp_path: Path) -> None:
    text = ",model,total_gpu_energy,class,energy_score\n0,one,0.5,A,5\n1,two,0.75,B,\n"
    gathered = read_csv(tmp_path, text, "text_generation.csv")
    assert [(one.model_class, one.wh_per_1000_queries, one.stars) for one in members_of(gathered)] == [
        ("A", 500.0, 5),
        ("B", 750.0, None),
    ]
    assert gathered.notes == ()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_byte_order_marks_and_line_ends_change_nothing(tmp_path: Path, newline: str, mark: bytes) -> None:
    text = newline.join([OFFICIAL.strip(), '"a ""model"", with commas",1e-3,4', "", ""])
    (found,) = members_of(read_csv(tmp_path, mark + text.encode()))
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
    assert members_of(read_csv(tmp_path, OFFICIAL + "one,1,\n", f"{name}.csv"))[0].cohort == cohort
    assert members_of(read_csv(tmp_path, SINGLE + f"{name},,one,1,\n", "x.csv"))[0].cohort == cohort


def test_a_written_file_is_a_table_that_others_read_too() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_tables.write_single(asr(one=1.5)))))
    assert rows == [{"task": "asr", "class": "", "model": "one", "gpu_energy_wh_per_1000_queries": "1.5", "stars": ""}]
    assert csv_tables.write_official(asr(one=1.5)) == {
        "asr.csv": "model,total_gpu_energy,energy_score,class\none,0.0015,,\n"
    }


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
    gathered = read_csv(tmp_path, f"{SINGLE}{row}\nasr,,good,2.5,5\n", "x.csv")
    (fault,) = gathered.faults
    assert place in fault.place
    assert reason in fault.reason
    assert [member.model for member in members_of(gathered)] == ["good"]
    with pytest.raises(InputError, match="cannot be taken into an edition") as caught:
        drafted(gathered)
    assert fault.place in str(caught.value)
    assert "--skip-faulty" in (caught.value.mend or "")
    assert [left.place for left in drafted(gathered, skip_faulty=True).left_out] == [fault.place]


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
        read_csv(tmp_path, text, name)
    assert caught.value.mend


def test_unknown_columns_are_told_and_left_out(tmp_path: Path) -> None:
    gathered = read_csv(tmp_path, "model,total_gpu_energy,energy_score,licence\na,1,5,mit\n")
    assert gathered.notes == ("asr.csv, line 1, column licence: not known, and left out",)
    assert len(gathered.members) == 1


@on_disk
@given(st.text("0123456789.eE+-naif,\"' \n\rABC;\t☆", max_size=60))
def test_no_text_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("csv") / "text_generation.csv"
    path.write_text("model,total_gpu_energy,energy_score,class\n" + text, encoding="utf-8")
    told = ""
    try:
        members = members_of(csv_tables.read_file(path))
    except ScorekitError as error:
        members, told = [], error.message
    assert all(member.wh_per_1000_queries > 0 for member in members)
    assert not told or "text_generation.csv" in told


# Folders


def test_a_folder_as_the_leaderboard_has_it(tmp_path: Path) -> None:
    for below in ("energy", "params"):
        (tmp_path / "data" / below).mkdir(parents=True)
    (tmp_path / "data" / "energy" / "asr.csv").write_text(OFFICIAL + "one,0.001,5\n")
    (tmp_path / "data" / "energy" / "image_captioning.csv").write_text(OFFICIAL + "two,0.05,1\n")
    (tmp_path / "data" / "energy" / "prices.csv").write_text("a,b\n1,2\n")
    (tmp_path / "data" / "params" / "asr.csv").write_text("Link,parameters\none,5\n")
    gathered = csv_tables.read_folder(tmp_path, "Leaderboard")
    assert [(one.cohort, one.wh_per_1000_queries) for one in members_of(gathered)] == [
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
