"""The page on Python and the notebook do what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.api.conftest import Purse

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "docs" / "notebooks" / "measure.ipynb"


def test_the_page_can_be_followed(purse: Purse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) >= 6
    shutil.copytree(ROOT / "tests" / "golden" / "generate_h100", tmp_path / "runs" / "one")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"take": purse.take}
    for block in blocks:
        # Each call of the page's function takes some energy here, and windows are as short as they can be.
        text = block.replace("return [", "take(0.2)\n    return [").replace("repeats=5)", "repeats=5, min_window_s=0)")
        exec(text, names)
    assert (tmp_path / "answers.json").is_file()
    assert names["again"] == names["found"].measurement  # type: ignore[attr-defined]


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
