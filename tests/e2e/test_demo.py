"""The demo, whole and with the network cut: what a newcomer runs first must need nothing from anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scorekit import logs
from scorekit.tasks import MAIN_TASKS
from tests.e2e.conftest import environment

CUT = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
"""A namespace of its own has no route, not even to this machine."""

MODELS = 25
"""Two sizes for each of eleven tasks, two CTC speech models, and all-MiniLM-L6-v2."""


def cut_off(*command: str, cwd: Path, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run a command where there is no network."""
    return subprocess.run(
        [*CUT, *command],
        cwd=cwd,
        env=environment({"HF_HUB_OFFLINE": "1"}),
        timeout=timeout,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def no_network(tmp_path: Path) -> None:
    """Make sure that the namespace can be made, and that the network is really cut in it."""
    reach = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    try:
        done = cut_off(sys.executable, "-c", reach, cwd=tmp_path, timeout=60)
    except FileNotFoundError:
        pytest.skip("unshare (Debian's util-linux) is not installed")
    if "unshare" in done.stderr and "failed" in done.stderr:
        pytest.skip(f"this machine gives no network namespaces: {done.stderr.strip()}")
    assert "Network is unreachable" in done.stderr


@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("no_network")
def test_the_whole_demo_without_a_network(tmp_path: Path) -> None:
    done = cut_off(sys.executable, "-m", "scorekit", "demo", "demo", cwd=tmp_path, timeout=1700)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = logs.find_runs(tmp_path / "demo" / "runs")
    assert len(runs) == MODELS
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith(MAIN_TASKS) and " 10 " in line]
    assert len(rows) == MODELS
    assert {row[0] for row in rows} == set(MAIN_TASKS)
    # Task, model, samples, Wh per 1,000 queries, kWh, stars as signs, stars as a number, comparable.
    for task, _model, samples, energy_wh, energy_kwh, _signs, stars, comparable in rows:
        assert samples == "10"
        assert float(energy_wh.replace(",", "")) > 0, task
        assert float(energy_kwh.replace(",", "")) > 0, task
        assert 1 <= int(stars) <= 5
        assert comparable == "no"
    # In every cohort somebody is best and somebody worst.
    for task in MAIN_TASKS:
        assert {"1", "5"} <= {row[6] for row in rows if row[0] == task}
    assert "all-MiniLM-L6-v2" in {row[1] for row in rows}
    assert "expected one NVIDIA H100 80GB" in done.stdout
    assert str(tmp_path / "demo" / "runs") in done.stderr
    assert "Traceback" not in done.stderr
    # It ends with a site of these results, and says how to open it.
    first = tmp_path / "demo" / "site" / "index.html"
    assert first.as_uri() in done.stderr
    assert "tiny-llama" in (first.parent / "leaderboard.html").read_text(encoding="utf-8")
    assert len(list((tmp_path / "demo" / "results").glob("*/*.json"))) == MODELS
    assert (tmp_path / "demo" / "table.txt").read_text(encoding="utf-8").count("★") > MODELS
