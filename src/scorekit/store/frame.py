"""Tables as pandas data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from scorekit.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas


def to_pandas(table: Any) -> pandas.DataFrame:
    """An Arrow table as a data frame.

    Whole numbers, flags and texts have pandas' nullable types, so that a count stays whole beside a missing one;
    energies and times are plain floats, in which NaN stands for missing.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtraError("pandas", "data") from error
    nullable = {pa.int64(): pandas.Int64Dtype(), pa.bool_(): pandas.BooleanDtype(), pa.string(): pandas.StringDtype()}
    return table.to_pandas(types_mapper=nullable.get)
