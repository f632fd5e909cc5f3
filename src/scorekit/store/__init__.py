"""The results store: a folder with one JSON file a result, and a Parquet index that is worked out from them.

    store = scorekit.store.open("results")
    store.add(result)
    frame = store.frame()
    store.query("SELECT model, wh_per_1000_queries FROM results WHERE task = 'summarization'")

The files are the store: they are added and never changed. The index only makes reading quick; it may be removed at any
time. docs/store.md tells the layout and what is promised.
"""

from scorekit.store.columns import COLUMNS
from scorekit.store.files import MOST_RESULT_BYTES, Added, Skipped
from scorekit.store.folder import DEFAULT_FOLDER, STORE, Built, Store, is_store, open  # noqa: A004 - as in sqlite3, gzip and others
from scorekit.store.selection import Selection, select

__all__ = [
    "COLUMNS",
    "DEFAULT_FOLDER",
    "MOST_RESULT_BYTES",
    "STORE",
    "Added",
    "Built",
    "Selection",
    "Skipped",
    "Store",
    "is_store",
    "open",
    "select",
]
