"""SQL over the results, with DuckDB. A query comes from a stranger: it can reach the one table, and nothing else."""

from __future__ import annotations

from typing import Any, Final

from scorekit.errors import MissingExtraError, UsageError

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


def run(table: Any, sql: str) -> Any:
    """The answer to one statement as a `pyarrow.Table`.

    Args:
        table: an Arrow table, known to the query as `results`.
        sql: one statement.

    Raises:
        UsageError: the SQL is wrong, asks for what is not allowed, or is not one statement.
        MissingExtraError: duckdb is not installed.
    """
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise MissingExtraError("duckdb", "data") from error
    with duckdb.connect(":memory:") as connection:
        connection.register(TABLE, table)
        for setting in _CLOSED:
            connection.execute(setting)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise UsageError(f"expected one SQL statement, found {len(statements)}", mend=_COLUMNS)
            answer = connection.sql(sql)
            if answer is None:
                raise UsageError("the SQL statement gives no rows; expected a SELECT", mend=_COLUMNS)
            return answer.to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(f"the SQL cannot be run: {str(error).strip()}", mend=_COLUMNS) from error
