"""What is taken from the site is what it shows, and can be read back."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from scorekit.editions import FEBRUARY_2025, content_sha256, load
from scorekit.publish.site import boamps, data
from scorekit.publish.site.content import model_slug
from scorekit.publish.site.gathering import gather
from scorekit.records import Edition, Result
from tests.edition_members import frozen
from tests.sites import HOSTILE, built, empty_site, full_site, members, results


def _named(path: str) -> bytes:
    return next(one.content for one in data.figures(full_site()) if one.path == path)


def test_csv_and_json_hold_every_figure() -> None:
    site = full_site()
    rows = list(csv.DictReader(io.StringIO(_named("data/scores.csv").decode("utf-8"), newline="")))
    told = json.loads(_named("data/scores.json"))
    assert [row["id"] for row in rows] == [one["id"] for one in told] == [entry.id for entry in site.entries]
    for row, one, entry in zip(rows, told, site.entries, strict=True):
        assert one["model"] == entry.model
        assert float(row["wh_per_1000_queries"]) == one["wh_per_1000_queries"] == entry.wh_per_1000_queries
        assert row["official"] == str(entry.official).lower()
        # What is not known is null and empty, never zero.
        assert row["parameters"] == ("" if one["parameters"] is None else str(one["parameters"]))
    assert set(HOSTILE) <= {one["model"] for one in told}


def test_no_cell_is_a_formula() -> None:
    for row in csv.reader(io.StringIO(_named("data/scores.csv").decode("utf-8"), newline="")):
        assert not any(cell.startswith(("=", "+", "@", "\t", "\r")) for cell in row)
    assert "'=cmd|" in _named("data/scores.csv").decode("utf-8")


def test_results_are_whole_and_refused_ones_are_among_them() -> None:
    lines = gzip.decompress(_named("data/results.jsonl.gz")).splitlines()
    read = [Result.model_validate_json(line) for line in lines]
    assert {one.model for one in read} == {one.model for one in results()}
    assert sum(one.refused is not None for one in read) == 1


def test_an_edition_can_be_used_again(tmp_path: Path) -> None:
    made = frozen(members(), tmp_path, "mine")
    site = gather([], made, [made, FEBRUARY_2025])
    folder = built(site, tmp_path)
    again = load(folder / "data" / "editions" / "mine.json")
    assert again == made
    content = json.loads((folder / "data" / "editions" / "mine.json").read_bytes())
    assert content_sha256(content) == made.content_sha256
    assert f"sha256 {made.content_sha256}" in (folder / "methodology.html").read_text()


def test_an_edition_of_a_strange_name_has_a_safe_file() -> None:
    odd = FEBRUARY_2025.model_copy(update={"name": "../my edition"})
    assert data.edition_path(odd).startswith("data/editions/my-edition-")
    assert data.edition_path(FEBRUARY_2025) == "data/editions/2025-02.json"


def test_editions_whose_names_differ_by_case_only_have_files_of_their_own(tmp_path: Path) -> None:
    capital = frozen(members(), tmp_path / "one", "Spring")
    small = frozen(members(), tmp_path / "two", "spring")
    # The name that the file of the first would have, were it a name of an edition too.
    like = frozen(members(), tmp_path / "three", model_slug(capital.name))
    every = [capital, small, like]
    paths = {data.edition_path(edition).lower() for edition in every}
    assert len(paths) == len(every)
    folder = built(gather([], capital, every), tmp_path)
    assert {load(folder / data.edition_path(edition)).name for edition in every} == {one.name for one in every}


@pytest.mark.parametrize("download", data.schemas(), ids=lambda one: one.path)
def test_schemas_are_json_schema_with_descriptions(download: data.Download) -> None:
    schema = json.loads(download.content)
    assert schema["type"] == "object"
    assert schema["properties"]["schema_version"]
    assert download.about.endswith(".")


def test_an_edition_keeps_to_its_schema() -> None:
    schema = json.loads(next(one.content for one in data.schemas() if "edition" in one.path))
    content = FEBRUARY_2025.model_dump(mode="json")
    assert set(content) <= set(schema["properties"])
    assert set(schema["required"]) <= set(content)
    assert schema["title"] == Edition.__name__


def test_hashes_on_the_page_are_those_of_the_files(tmp_path: Path) -> None:
    site = full_site()
    folder = built(site, tmp_path)
    page = (folder / "data.html").read_text()
    downloads = [*data.figures(site), *data.edition_files(site), *data.schemas()]
    for one in downloads:
        assert (folder / one.path).read_bytes() == one.content
        assert one.sha256 in page


def test_a_site_of_nothing_has_files_without_rows() -> None:
    found = {one.path: one for one in data.figures(empty_site())}
    assert set(found) == {"data/scores.csv", "data/scores.json"}
    assert found["data/scores.json"].content == b"[]\n"
    assert found["data/scores.csv"].content.count(b"\n") == 1


def test_boamps_reports_say_what_is_known_and_no_more() -> None:
    known = results()[0].model_copy(update={"gpu_count": 1})
    unknown = known.model_copy(update={"gpu_count": None})
    cpu = known.model_copy(update={"domain": "cpu+ram"})
    made = boamps.reports([(known, "a" * 64), (unknown, None), (cpu, None)])
    assert made is not None
    assert (made.made, made.left_out) == (1, 2)
    report = json.loads(made.lines)
    assert report["task"]["taskStage"] == "inference"
    assert report["task"]["nbRequest"] == known.queries
    assert report["measures"][0]["powerConsumption"] == known.energy_kwh
    assert report["infrastructure"]["components"] == [
        {"componentName": known.hardware, "componentType": "gpu", "nbComponent": 1}
    ]
    assert "environment" not in report  # the country is not known


def test_without_codecarbon_there_are_no_boamps_reports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(boamps, "_MODULE", "codecarbon_that_is_not_installed")
    assert boamps.reports([(results()[0], None)]) is None
    folder = built(gather(results()[:1], None, []), tmp_path)
    assert "scorekit's extra <code>bench</code>" in (folder / "data.html").read_text()
    assert not (folder / "data" / "boamps.jsonl").exists()
