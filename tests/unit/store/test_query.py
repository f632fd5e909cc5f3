"""SQL over the results reaches the one table and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from scorekit import store
from scorekit.errors import MissingExtraError, UsageError
from scorekit.store import index, query
from tests.unit.store import records
from tests.unit.store.test_index import settle

WRONG = (
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY results TO '{folder}/out.csv'",
    "DROP VIEW results",
    "CREATE TABLE x AS SELECT 1",
    "PRAGMA database_list",
    "",
    "-- nothing",
    "SELECT nosuch FROM results",
    "SELEC",
    "\x00",
)


@pytest.fixture(params=["fresh index", "index in memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> store.Store:
    """Three results, with both ways that their index gets to DuckDB."""
    made = store.open(tmp_path / "results")
    for result in (records.make("a"), records.corrected("b"), records.refused("c")):
        made.add(result)
    if request.param == "fresh index":
        settle(made.root)
        made.build_index()
    return made


def test_a_query_gives_rows_and_a_data_frame(kept: store.Store) -> None:
    sql = "SELECT model, wh_per_1000_queries AS wh FROM results WHERE wh_per_1000_queries > 1 ORDER BY model"
    assert kept.query_table(sql).to_pylist() == [{"model": "a", "wh": 2.0}, {"model": "b", "wh": 2.0}]
    assert kept.query(sql)["wh"].tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    "sql",
    [
        "SUMMARIZE results",
        "SHOW TABLES",
        "EXPLAIN SELECT model FROM results",
        "WITH a AS (FROM results) SELECT count(*) FROM a",
        "PIVOT (SELECT model, cohort, energy_kwh FROM results) ON cohort USING max(energy_kwh)",
    ],
)
def test_every_kind_of_question_is_answered(kept: store.Store, sql: str) -> None:
    assert kept.query_table(sql).num_rows > 0


@pytest.mark.parametrize(
    ("sql", "models"),
    [
        ("wh_per_1000_queries IS NULL", ["c"]),
        ("isnan(published_energy_kwh)", ["c"]),
        ("list_contains(fault_codes, 'lost_prefill')", ["b"]),
        ("measured_utc < TIMESTAMP '2025-03-01'", ["a", "b", "c"]),
        ("NOT comparable AND gpu_count = 1", ["a", "b"]),
        ("model = 'a' OR cohort = 'nothing'", ["a"]),
    ],
)
def test_columns_have_their_types_in_sql(kept: store.Store, sql: str, models: list[str]) -> None:
    found = kept.query_table(f"SELECT model FROM results WHERE {sql} ORDER BY model")
    assert found["model"].to_pylist() == models


def test_only_what_is_told_of_results_is_in_the_table(kept: store.Store) -> None:
    assert kept.query_table("DESCRIBE results")["column_name"].to_pylist() == ["id", "path"] + [
        column.name for column in store.COLUMNS
    ]


OUTWARD = (
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM read_parquet('{index}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_csv('https://example.org/x.csv')",
    "COPY results TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{index}'",
    "ATTACH '{folder}/out.db'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "SET python_enable_replacements = true",
    "SELECT * FROM hidden",
    "SELECT getenv('HOME')",
    "CREATE SECRET (TYPE s3)",
)
"""What reaches for files, the network, extensions, settings or this program's variables."""


@pytest.mark.parametrize("sql", [*OUTWARD, *WRONG])
def test_what_is_wrong_or_not_allowed_is_a_usage_error(kept: store.Store, sql: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        kept.query_table(filled_in(sql, kept, tmp_path))
    assert "DESCRIBE results" in (caught.value.mend or "")


@pytest.mark.parametrize("sql", OUTWARD)
def test_the_database_itself_is_closed(tmp_path: Path, sql: str) -> None:
    made = store.open(tmp_path / "results")
    made.add(records.make())
    hidden = made.table()
    sql = filled_in(sql, made, tmp_path)
    before = sorted(tmp_path.rglob("*")), (made.root / index.INDEX).read_bytes()
    with query.closed(hidden) as connection, pytest.raises(duckdb.Error):
        connection.execute(sql)
    assert (sorted(tmp_path.rglob("*")), (made.root / index.INDEX).read_bytes()) == before


def filled_in(sql: str, made: store.Store, folder: Path) -> str:
    secret = folder / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    return sql.format(secret=secret, index=made.root / index.INDEX, folder=folder)


def test_a_missing_extra_is_told_with_the_way_to_get_it(kept: store.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtraError, match=r'pip install -c constraints.txt -e "\.\[data\]"'):
        kept.query("SELECT 1")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="pandas"):
        kept.frame()
