"""What each page takes for granted: files that its reader has, and words and names that stand for the reader's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scorekit import cli, store
from scorekit.logs.from_score import result_of
from tests import plugin
from tests.bundles import environment, local_score, official_score, official_windows, write_bundle
from tests.documentation.pages import ROOT, blocks
from tests.log_writers import lm_eval

GOLDEN: Final = ROOT / "tests" / "golden"
MODEL: Final = "example/model-1b"
"""Whose run the golden bundle is."""
_OFFICIAL = "model,total_gpu_energy,energy_score\nexample/a,0.001,5\nexample/b,0.002,3\nexample/c,0.004,1\n"
_ALL = "task,class,model,gpu_energy_wh_per_1000_queries\n"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a page takes for granted.

    Attributes:
        files: puts into a folder what the reader has there.
        stands_for: words of the page, and what they are here.
        environment: variables that the reader has set, made of the folder.
        made: puts into a folder what the page's commands have made before its Python.
        names: what the page's Python uses, and the reader has.
    """

    files: Callable[[Path], object] = lambda _folder: None
    stands_for: Mapping[str, str] = field(default_factory=dict)
    environment: Callable[[Path], Mapping[str, str]] = lambda _folder: {}
    made: Callable[[Path], object] = lambda _folder: None
    names: Mapping[str, object] = field(default_factory=dict)


def _run(path: str) -> Callable[[Path], object]:
    """A finished run on one H100, whose score is comparable."""
    return lambda folder: shutil.copytree(GOLDEN / "generate_h100_counter", folder / path)


def _two_runs(folder: Path) -> None:
    """Runs of two models that can be rated beside each other."""
    _run("one")(folder)
    write_bundle(folder / "two", environment(model={"name": "example/model-2b"}), official_windows())


def _results(folder: Path, name: str = "results") -> None:
    kept = store.open(folder / name)
    kept.add(result_of(official_score(MODEL, energy_wh=8.0), "runs/a"))
    kept.add(result_of(official_score("example/model-2b", energy_wh=16.0), "runs/b"))
    kept.add(result_of(local_score("tiny-llama"), "runs/c"))


def _quality(folder: Path) -> None:
    """Results, and evaluations of two of their models."""
    _results(folder)
    lm_eval.write(folder, "results.json", model=MODEL)
    lm_eval.write(folder, "other.json", model="example/model-2b", **lm_eval.mmlu())


def _csv_files(folder: Path) -> None:
    (folder / "official").mkdir()
    (folder / "official" / "asr.csv").write_text(_OFFICIAL, encoding="utf-8")
    rows = [f"text_generation,A,example/{name},{energy}\n" for name, energy in (("a", 3), ("b", 9), ("c", 30))]
    (folder / "all.csv").write_text(_ALL + "".join(rows), encoding="utf-8")


def _editions(folder: Path) -> None:
    _csv_files(folder)
    _results(folder)
    _run("runs/text_generation/MODEL")(folder)


def _labels(folder: Path) -> None:
    _run("runs/TASK/MODEL")(folder)
    _results(folder)


def _extending(folder: Path) -> None:
    plugin.write(folder / "site", *plugin.example())
    (text,) = (block.text for block in blocks("docs/extending.md") if block.language == "json")
    (folder / "tally.json").write_text(text, encoding="utf-8")
    _two_runs(folder / "runs")


def _operations(folder: Path) -> None:
    """A portal's folder, as the walk above leaves one."""
    data = folder / "DATA"
    assert cli.main(["portal", "migrate", "--data", str(data)]) == 0
    _csv_files(folder)
    _results(data)


def _cpu(folder: Path) -> None:
    """What the page measures: the demo's models, and one by itself."""
    _two_runs(folder / "demo" / "runs")
    shutil.copytree(GOLDEN / "forward_cpu", folder / "runs" / "summarization" / "tiny-bart")


def _edition(folder: Path) -> None:
    (listed,) = (block.text for block in blocks("docs/how-to/edition.md") if block.text.startswith("model,"))
    (folder / "models.csv").write_text(listed, encoding="utf-8")
    _run("edition/text_generation/one/run")(folder)
    _results(folder)


def _python(folder: Path) -> None:
    _two_runs(folder / "runs")


def _submission(folder: Path) -> None:
    shutil.copy(GOLDEN / "submissions" / "open.zip", folder / "submission.zip")


NEEDS: Final[dict[str, Needs]] = {
    "docs/editions.md": Needs(_editions),
    "docs/extending.md": Needs(
        _extending, environment=lambda folder: {"PYTHONPATH": f"{folder / 'site'}:{plugin.EXAMPLE / 'src'}"}
    ),
    "docs/how-to/closed-model.md": Needs(_run("runs/text_generation/secret-7b")),
    "docs/how-to/edition.md": Needs(_edition),
    "docs/impact.md": Needs(_run("runs/text_generation/MODEL")),
    "docs/labels.md": Needs(_labels, stands_for={"ORG/MODEL": MODEL}),
    "docs/logs.md": Needs(_run("runs/text_generation/MODEL")),
    "docs/operations.md": Needs(_operations, stands_for={"--data DIR": "--data DATA"}),
    "docs/python.md": Needs(_python),
    "README.md": Needs(
        made=_run("runs/text_generation/MODEL"),
        names={"answer_all": lambda: [sum(range(1000)) for _ in range(100)]},
    ),
    "docs/site.md": Needs(_results),
    "docs/start/cpu.md": Needs(_cpu),
    "docs/start/gpu.md": Needs(_run("runs/text_generation/ORG--MODEL")),
    "docs/quality.md": Needs(_quality),
    "docs/store.md": Needs(_run("runs/text_generation/MODEL"), stands_for={"ORG/MODEL": MODEL}),
    "docs/submissions.md": Needs(_submission),
}
"""By page; one that is not here takes nothing for granted."""
