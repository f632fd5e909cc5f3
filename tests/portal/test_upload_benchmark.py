"""The benchmark of handing in runs, whatever it finds on a busy machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import upload


def test_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = tmp_path / "found.json"
    code = upload.main(["--quick", "--turns", "1", "--folder", str(tmp_path), "--json", str(found)])
    document = json.loads(found.read_text())
    rows = {row["key"]: row for row in document["comparisons"]}
    assert set(rows) == {"file-1-bare", "form-1-bare-form", "pieces-1-bare", "file-1-synced", "synced-1-bare"}
    for row in rows.values():
        assert row["runs"] == 1
        assert row["ratio_median"] > 0
        assert all(ratio > 0 for ratio in row["cpu_ratios"])
    assert [rows[key]["goal"] for key in ("file-1-bare", "form-1-bare-form")] == [1 / 0.6] * 2
    assert code == int("no" in (rows["file-1-bare"]["met"], rows["form-1-bare-form"]["met"]))
    assert "of the bare endpoint's" in capsys.readouterr().out
