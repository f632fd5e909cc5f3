"""optimum-benchmark's own energy_star configs run through `scorekit bench` unchanged.

The files come from optimum-benchmark's source package; they are not part of this repository. Overridden are only the
model, the dataset, the device, no_weights and device_isolation, and for most how the measuring process begins. The four
that generate most take many minutes with their 1,000 samples; without SCOREKIT_FULL=1 they, and all on transformers
4.57, run on fewer. There the launcher, which is the same on every version, is overridden too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import transformers
from filelock import FileLock

from scorekit import logs
from scorekit.measuring.tiny import TinyTask, sizes, tiny_paths, write_tiny
from scorekit.records import InputFacts
from scorekit.tasks import TASKS
from tests.e2e.conftest import FORK, INLINE, run_cli, run_inprocess

pytestmark = pytest.mark.transformers

VERSION = "0.6.0"
SHA256 = "8fc8c0ee4efa0e39f40a68fbee7fa9d4324a156821c65922d7b1bed8d12cc36a"
ROOT = Path(__file__).parents[2]
OFFICIAL_SAMPLES = 1000
FEW = 5
PATIENCE_S = 1800
AFRESH = {"text_generation", "text_to_image"}
"""Measured in a process that is started afresh, as the files say and as it is by default; how a process begins is the
same for all of them, and the others' have the libraries from the command's own."""
SLOW = {"automatic_speech_recognition", "image_to_text", "t5_question_answering", "text_to_image"}
NAMES = sorted(name for name in TASKS if name != "reasoning")
ON_TRANSFORMERS_4 = transformers.__version__.startswith("4.")
NEW_TOKENS = {name: task.new_tokens for name, task in TASKS.items()}


@pytest.fixture(scope="session")
def official_configs() -> Path:
    """Folder of the fourteen files and their `_base_`, fetched once from the package index."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    archive = cache / f"optimum_benchmark-{VERSION}.tar.gz"
    folder = cache / f"optimum_benchmark-{VERSION}" / "energy_star"
    with FileLock(cache / "official.lock"):
        if not archive.is_file():
            # pip prepares the metadata of a source package with its build backend, which it fetches as well.
            command = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "optimum-benchmark"]
            subprocess.run(
                [sys.executable, *command, "--dest", str(cache), f"optimum-benchmark=={VERSION}"], check=True
            )
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
        if not folder.is_dir():
            with tarfile.open(archive) as source:
                members = [
                    member
                    for member in source
                    if "/energy_star/" in member.name and "/optimum_benchmark/" not in member.name
                ]
                source.extractall(cache, members, filter="data")
    return folder


@pytest.fixture(scope="session")
def thousand(shared_folder: Path) -> dict[str, TinyTask]:
    """Tiny models with datasets of 1,000 rows; of one layer, for a thousand queries go through each."""
    root = shared_folder / "thousand"
    one_layer = dataclasses.replace(sizes.WIDTHS["tiny"], layers=1)
    with FileLock(f"{root}.lock"), pytest.MonkeyPatch.context() as patch:
        patch.setitem(sizes.WIDTHS, "tiny", one_layer)
        write_tiny(root, samples=OFFICIAL_SAMPLES)
    return {name: tiny_paths(root, name) for name in TASKS}


def test_there_are_fourteen(official_configs: Path) -> None:
    assert sorted(path.stem for path in official_configs.glob("[!_]*.yaml")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_official_config_runs_unchanged(
    official_configs: Path, request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    full = os.environ.get("SCOREKIT_FULL") == "1"
    short = not full and (name in SLOW or ON_TRANSFORMERS_4)
    samples = FEW if short else OFFICIAL_SAMPLES
    # A thousand are only written where they are asked for.
    found: TinyTask = request.getfixturevalue("tiny" if short else "thousand")[name]
    inline = short and ON_TRANSFORMERS_4
    arguments = [
        "--config-dir",
        str(official_configs),
        "--config-name",
        name,
        f"backend.model={found.model}",
        f"scenario.dataset_name={found.dataset}",
        "backend.device=cpu",
        "backend.no_weights=false",
        INLINE if inline else "launcher.device_isolation=false",
        *([f"scenario.num_samples={samples}"] if short else []),
    ]
    if inline or name in AFRESH:
        result = run_inprocess(arguments, tmp_path)
    else:
        result = run_cli("bench", *arguments, FORK, cwd=tmp_path, timeout=PATIENCE_S)
    assert result.rc == 0, result.told()
    (run,) = logs.find_runs(tmp_path / "runs")
    score = logs.read_score(run)
    assert score.task == name
    assert score.queries == samples
    assert not {reason.code for reason in score.not_comparable_because} & set(InputFacts.model_fields)
    tokens = NEW_TOKENS[name]
    assert score.output_tokens == (None if tokens is None else samples * tokens)
