"""SQL over the results, with DuckDB. A query comes from a stranger: it can reach the one table, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from scorekit.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import duckdb

TABLE: Final = "results"
_COLUMNS: Final = 'scorekit results query "DESCRIBE results" lists the columns'
# Set in this order, and locked: no file and no network, no extension from anywhere, no variable of this program.
_CLOSED: Final = (
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class FailedError(UsageError):
    """DuckDB did not take the SQL, or could not answer it."""


def run(table: Any, sql: str, beside: Mapping[str, Any] | None = None) -> Any:
    """The answer to one statement as a `pyarrow.Table`.

    Args:
        table: an Arrow table or dataset, known to the query as `results`.
        sql: one statement.
        beside: other Arrow tables, by the names that the query knows them by.

    Raises:
        FailedError: the SQL is wrong, or asks for what is not allowed.
        UsageError: it is not one statement, or not one that asks for rows.
        MissingExtraError: duckdb is not installed.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise MissingExtraError("duckdb", "data") from error
    # A PIVOT is several statements to DuckDB.
    asks = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI)
    with closed(table, beside) as connection:
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type not in asks:
                found = f"{len(statements)} statements" if len(statements) != 1 else statements[0].type.name
                raise UsageError(
                    f"expected one SQL statement that asks for rows, a SELECT; found {found}", mend=_COLUMNS
                )
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise FailedError(f"the SQL cannot be run: {str(error).strip()}", mend=_COLUMNS) from error


@contextlib.contextmanager
def closed(table: Any, beside: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that holds the tables, and from which nothing else can be reached."""
    import duckdb

    with duckdb.connect(":memory:") as connection:
        for name, held in {TABLE: table, **(beside or {})}.items():
            connection.register(name, held)
        for setting in _CLOSED:
            connection.execute(setting)
        yield connection
