"""The notebook does what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "docs" / "notebooks" / "measure.ipynb"


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path: Path) -> None:
    executed = tmp_path / "executed.ipynb"
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        # Nothing is written there, and no GPU of the machine is measured.
        "HOME": str(tmp_path / "no_home"),
        "CUDA_VISIBLE_DEVICES": "",
        "SCOREKIT_LOCKS": str(tmp_path / "locks"),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    command = [sys.executable, "-m", "scripts.run_notebook", str(NOTEBOOK), "-o", str(executed)]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    shown = [kind for output in outputs for kind in output.get("data", {})]
    assert "image/svg+xml" in shown
    assert shown.count("text/html") >= 4
    assert not (tmp_path / "no_home").exists()


def test_a_notebook_that_fails_says_where(tmp_path: Path) -> None:
    broken = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    broken["cells"] = [{**broken["cells"][2], "source": "raise ValueError('mine')"}]
    path = tmp_path / "broken.ipynb"
    path.write_text(json.dumps(broken), encoding="utf-8")
    command = [sys.executable, "-m", "scripts.run_notebook", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ValueError" in done.stderr
    assert "mine" in done.stderr
