"""The benchmark of the index measures what it says; how fast that is depends on the machine and is not tested."""

from __future__ import annotations

from pathlib import Path

from benchmarks import results_index

from scorekit import store


def test_every_row_is_measured(tmp_path: Path) -> None:
    folders = {size: tmp_path / str(size) for size in (10, 30)}
    for size, folder in folders.items():
        results_index.write_results(folder, size)
    rows = results_index.rebuilds(folders, rounds=2)
    assert [row.key for row in rows] == ["build_10", "build_30", "linear"]
    assert all(len(row.ours) == len(row.theirs) == 2 for row in rows)
    asked = results_index.query(folders[30], 2, None)
    assert len(asked.ours) == len(asked.theirs) == 2
    assert len(results_index.fresh(folders[30], 3).ours) == 3
    built = store.open(folders[30]).build_index(full=True)
    assert (built.results, built.skipped) == (30, ())
    answer = store.open(folders[30]).query_table(results_index.SQL).to_pylist()
    assert sum(row["results"] for row in answer) == 5
