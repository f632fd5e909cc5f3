"""What was asked of a run is kept without what is private to its machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.errors import UsageError
from scorekit.measuring import preflight, run_facts


def test_options_keep_no_path_of_this_machine() -> None:
    options = {"offload_folder": "/home/somebody/private", "nested": {"files": ["~/a/b.bin", "C:\\users\\me"]}, "n": 1}
    assert run_facts._plain(options) == {"offload_folder": "private", "nested": {"files": ["b.bin", "me"]}, "n": 1}


@pytest.mark.parametrize(
    ("launcher", "watched"),
    [
        ({"name": "process", "device_isolation": True}, True),
        ({"name": "process", "device_isolation": False}, False),
        ({"name": "torchrun", "device_isolation": True}, False),
        ({"name": "inline", "device_isolation": False}, False),
        ({}, None),
    ],
)
def test_gpus_are_watched_by_the_launcher_that_leaves_evidence_of_it(
    launcher: dict[str, object], watched: bool | None
) -> None:
    assert run_facts._watched(launcher) is watched


def test_a_relative_trace_is_meant_from_where_the_command_was_given(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("t_s,device,power_w\n", encoding="utf-8")
    assert preflight._trace("trace.csv", tmp_path) == str(tmp_path / "trace.csv")
    with pytest.raises(UsageError, match=r"there is no trace other\.csv"):
        preflight._trace("other.csv", tmp_path)
