"""Every accommodation to optimum-benchmark is still needed, works, and stands in the bridge alone."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import scorekit
from scorekit.errors import UsageError
from scorekit.measuring import bridge
from tests.fake_nvml import FakeNvml

pytestmark = pytest.mark.transformers

SOURCES = Path(scorekit.__file__).parent
MUTATORS = {"update", "append", "extend", "insert", "setdefault", "pop", "remove", "clear"}

# Runs where nothing has been patched yet: what each probe says of the libraries as they are, whether the backend
# can be imported before the bridge is applied, and whether it can be after.
PROBE = """
import importlib, json
from scorekit.measuring import bridge
from tests.fake_nvml import FakeNvml

def imports():
    try:
        importlib.import_module("optimum_benchmark.backends.pytorch.backend")
    except ImportError as error:
        return str(error)
    return "ok"

needed = {one.name: one.needed() for one in bridge.ACCOMMODATIONS}
before = imports()
bridge.apply()
print(json.dumps({"needed": needed, "before": before, "after": imports()}))
"""


@cache
def probe() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("accommodation", bridge.ACCOMMODATIONS, ids=lambda one: one.name)
def test_an_accommodation_is_still_needed(accommodation: bridge.Accommodation) -> None:
    expected = not accommodation.transformers_5_only or bridge.transformers_major() >= 5
    assert probe()["needed"][accommodation.name] is expected, (
        f"remove {accommodation.name} from the bridge, or mend its probe: {accommodation.reason}"
    )


def test_the_backend_imports_once_the_bridge_is_applied() -> None:
    assert probe()["after"] == "ok"


def test_the_backend_does_not_import_without_the_bridge_on_transformers_5() -> None:
    expected = bridge.transformers_major() >= 5
    assert ("SpecialTokensMixin" in probe()["before"]) is expected


LATE = """
import sys
from scorekit.measuring import configs
configs.register()
assert "diffusers" not in sys.modules, "composing a config imports diffusers"
assert "optimum_benchmark.backends.base" not in sys.modules, "composing a config imports the backends"
import optimum_benchmark.backends.pytorch.backend
from optimum_benchmark import task_utils
from optimum_benchmark.backends import base, diffusers_utils
assert "diffusers" not in sys.modules, "the backends import diffusers"
assert base.Backend.create_no_weights_model_fast.__module__ == "scorekit.measuring.bridge"

import diffusers
from diffusers.pipelines import auto_pipeline
assert diffusers.__file__, "this is a stand-in"
assert diffusers_utils.get_diffusers_auto_pipeline_class_for_task("text-to-image") is (
    diffusers.AutoPipelineForText2Image
)
assert diffusers_utils.DiffusionPipeline.load_config == diffusers.DiffusionPipeline.load_config
table = task_utils.TASKS_TO_PIPELINE_TYPES_TO_PIPELINE_CLASS_NAMES
expected = {name: one.__name__ for name, one in auto_pipeline.AUTO_TEXT2IMAGE_PIPELINES_MAPPING.items()}
assert expected
read = [dict(table.items()), {task: table[task] for task in table}, {task: table.get(task) for task in table.keys()}]
for each in read:
    assert len(table) == len(each) == len(table.values()) == 3
    assert each["text-to-image"] == expected
assert "inpainting" in table
"""


def test_diffusers_and_the_backends_are_imported_when_they_are_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_are_unique_and_reasons_are_given() -> None:
    names = [one.name for one in bridge.ACCOMMODATIONS]
    assert len(set(names)) == len(names)
    assert all(len(one.reason.split()) > 5 for one in bridge.ACCOMMODATIONS)


def test_the_bridge_is_for_the_installed_release() -> None:
    assert importlib.metadata.version("optimum-benchmark") == bridge.OPTIMUM_BENCHMARK


def test_image_to_text_loads_through_a_class_that_is_there() -> None:
    bridge.apply()
    import transformers
    from optimum_benchmark import task_utils

    name = task_utils.TASKS_TO_AUTO_MODEL_CLASS_NAMES["image-to-text"]
    assert hasattr(transformers, name)
    assert "blip" in task_utils.TASKS_TO_MODEL_TYPES_TO_MODEL_CLASS_NAMES["image-to-text"]


def patches_of_optimum_benchmark(source: str) -> list[int]:
    """Lines that assign to, delete from or change in place what was imported from optimum_benchmark."""
    tree = ast.parse(source)
    theirs = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "optimum_benchmark":
            theirs |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            theirs |= {
                alias.asname or alias.name.split(".")[0]
                for alias in node.names
                if alias.name.split(".")[0] == "optimum_benchmark"
            }

    def is_theirs(node: ast.expr) -> bool:
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        return isinstance(node, ast.Name) and node.id in theirs

    lines = []
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, (ast.Assign, ast.Delete)):
            targets = node.targets
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets = [node.target]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            lines += [node.lineno] if is_theirs(node.func.value) else []
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
            lines += [node.lineno] if is_theirs(node.args[0]) else []
        # A bare name is only bound anew in this module.
        lines += [target.lineno for target in targets if not isinstance(target, ast.Name) and is_theirs(target)]
    return sorted(set(lines))


def test_the_scan_finds_the_bridges_own_patches() -> None:
    text = (SOURCES / "measuring" / "bridge.py").read_text(encoding="utf-8")
    assert len(patches_of_optimum_benchmark(text)) >= 3
    found = patches_of_optimum_benchmark(
        "import optimum_benchmark as ob\nfrom optimum_benchmark.x import T\n"
        "ob.a.b = 1\nT['k'] = 2\nsetattr(ob, 'a', 1)\nT.update(k=1)\ndel ob.a\nmine = ob.a\nprint(ob.a)\n"
    )
    assert found == [3, 4, 5, 6, 7]


def test_no_other_module_patches_optimum_benchmark() -> None:
    found = {
        path.relative_to(SOURCES).as_posix(): lines
        for path in sorted(SOURCES.rglob("*.py"))
        if path.name != "bridge.py" and (lines := patches_of_optimum_benchmark(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("body", "refused"), [("print('no library'); raise KeyError('libamd_smi.so')", True), ("", False), (None, False)]
)
def test_a_package_amdsmi_that_fails_is_named_with_the_way_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: str | None,
    refused: bool,
) -> None:
    if body is not None:
        (tmp_path / "amdsmi.py").write_text(body, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "amdsmi", raising=False)
    if refused:
        with pytest.raises(UsageError, match="amdsmi fails on this machine") as caught:
            bridge.refuse_broken_amdsmi()
        assert caught.value.mend == "pip uninstall --yes amdsmi"
    else:
        bridge.refuse_broken_amdsmi()
    assert capsys.readouterr().out == ""
    sys.modules.pop("amdsmi", None)


def test_a_gpu_that_is_lost_does_not_end_a_config_for_the_cpu(fake_nvml: FakeNvml) -> None:
    """In a process of its own: here the library has already asked."""
    fake_nvml.set(gpus=2)
    fake_nvml.set(1, errors="all:15")
    build = (
        "from scorekit.measuring import bridge; bridge.apply(); from optimum_benchmark import system_utils as theirs; "
        "found = theirs.get_system_info(); print(found['gpu'], found['gpu_vram_mb'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", build],
        env={**os.environ, **fake_nvml.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[] None"
