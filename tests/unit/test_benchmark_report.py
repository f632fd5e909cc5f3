"""The report of all benchmarks: what is shown of what they found."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml
from benchmarks import comparison
from benchmarks.comparison import Goal
from benchmarks.program import ROOT
from benchmarks.report import __main__ as program
from benchmarks.report import gathered, machine, page, rows
from benchmarks.report.programs import NAMES, PROGRAMS

from tests.unit.left_by_benchmarks import MACHINE, compared, document, leave, leave_some


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return leave_some(tmp_path)


def test_what_is_missed_unclear_and_failed_stands_at_the_top(folder: Path) -> None:
    report = gathered.gather(folder)
    text = page.render(report, {"ratings": {"mis*": "it is slow.", "*": "something else"}})
    missed, unclear, failed = (
        text.split(f"## {title}\n")[1].split("\n## ")[0]
        for title in ("Goals that are missed", "Goals that are unclear", "What failed, was left out or not run")
    )
    assert (
        "| ratings | missed work | 2.4 ms, ratio 2.400 to bare \\| floor (2.200 to 2.600) | &lt;= 1.5 x | it is slow. |"
        in missed
    )
    assert "exact work" in missed
    assert "unclear" not in missed
    assert "| ratings | unclear work |" in unclear
    assert "- labels: failed, code 1: ImportError: &lt;nothing> (not explained)" in failed
    assert "- verify: failed, ValueError: what verify has written is not of its form" in failed
    assert failed.count("not run") == len(NAMES) - 3
    assert "Goals met: 1; missed: 2; unclear: 1. Benchmarks that failed: 2." in text
    assert text.index("Goals that are missed") < text.index("## Machines") < text.index("### ratings")


def test_what_was_left_out_is_told_beside_what_failed(tmp_path: Path) -> None:
    leave(tmp_path, "job_overhead", {**document(compared("met", (1.0,) * 5, Goal(2))), "left_out": ["Slurm | here"]})
    without = {**MACHINE, "versions": {"zeus": "0.16.0", "ai_energy_benchmarks": None}}
    leave(tmp_path, "accuracy", None, failed="code 1: it broke", machine=without)
    failed = page.render(gathered.gather(tmp_path), {}).split("## What failed")[1].split("\n## ")[0]
    assert "- job_overhead: without Slurm \\| here\n" in failed
    assert "- accuracy: without ai_energy_benchmarks, which could not be fetched\n" in failed
    assert "zeus" not in failed


def test_a_missed_goal_without_a_reason_is_told_as_that(folder: Path) -> None:
    text = page.render(gathered.gather(folder), {})
    assert text.count(f"| {page.NOT_EXPLAINED} |") == 3


def test_rows_tell_how_many_runs_there_were(folder: Path) -> None:
    told = {row["key"]: row["runs"] for one in gathered.gather(folder)["benchmarks"] for row in one["rows"]}
    assert told == {"met": "5", "missed": "5", "unclear": "5", "exact": "exact", "few": "3, fewer than 5"}


def test_each_benchmark_has_its_own_date_commit_load_and_machine(folder: Path) -> None:
    text = page.render(gathered.gather(folder), {})
    assert "| ratings | 2026-02-03 04:05 | abc123 | 1 | 0.5, 1.25 | 1 min 23 s |" in text
    assert "| labels | 2026-02-03 04:05 | abc123 | 2 | 0.5, 1.25 | 1 min 23 s |" in text
    assert "| verify | 2026-02-03 04:05 | unknown | 1 |" in text
    assert "1. CPU: Made up; cores: 2; GiB of memory: 8.0; kernel: 6.1; Python: 3.11.2. Versions: torch 2.9.\n" in text


def test_the_accuracy_is_told_of_every_meter() -> None:
    def seen(tool: str, *energies: float | None, row: str = "constant") -> list[dict[str, Any]]:
        return [
            {"row": row, "window_s": 10.0, "tool": tool, "exact_wh": 1.0, "energy_wh": energy, "problem": None}
            for energy in energies
        ]

    observed = [
        *seen("scorekit", *[1.001] * 5), *seen("codecarbon", *[1.02] * 5), *seen("zeus", 0.99, 0.99),
        *seen("scorekit", *[None] * 5, row="frozen"), *seen("zeus", *[2.0] * 5, row="frozen"),
    ]  # fmt: skip
    constant, frozen = rows.of("accuracy", {"quick": False, "observations": observed})
    assert (constant.ours, constant.theirs, constant.met) == ("0.1 %", "codecarbon 2 %, zeus 1 %", "yes")
    assert (constant.ratio, constant.spread, constant.runs) == ("0.1", "worst 0.1 %", "5, zeus 2")
    assert (frozen.ours, frozen.goal, frozen.met, frozen.ratio) == ("no number", "no number, a reason", "yes", "")
    (worse,) = rows.of("accuracy", {"quick": False, "observations": seen("scorekit", 1.1) + seen("zeus", 1.0)})
    assert worse.met == "no"
    assert "worst error 10 % is above 0.5 %" in worse.why
    assert worse.runs == "1, fewer than 5"


def test_the_cost_is_told_of_every_target() -> None:
    from benchmarks.cost import trials

    made = trials.as_json([trials.run(trials.MODELS[1], 12)])
    given, true, percent = rows.of("cost", json.loads(json.dumps(made)))
    assert given.key == "as_given: quiet, passes of 10 s"
    assert given.met in ("yes", "no")
    assert true.goal == "<= 0.4 x, and it holds"
    assert (percent.goal, percent.runs) == ("it holds, and <= 1 x where theirs does", "12 simulated")
    assert percent.met in ("yes", "no")


def test_a_report_is_written_anew_from_what_was_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--from", str(folder)]) == 1
    text = (folder / program.PAGE).read_text(encoding="utf-8")
    told = capsys.readouterr().out
    assert "goal missed: ratings: missed work: not explained" in told
    assert "goal not shown to be met: ratings: unclear work: not explained" in told
    assert "labels failed: code 1: ImportError" in told
    data = json.loads((folder / program.DATA).read_text(encoding="utf-8"))
    assert page.render(data, program.read_reasons()) == text
    for word in (str(folder), str(ROOT)):
        assert word not in text


@pytest.mark.parametrize(
    ("pattern", "failed", "code"),
    [("mis*", None, 0), ("met", None, 1), ("mis*", "code 1: it broke", 1)],
    ids=["explained", "not explained", "failed"],
)
def test_a_missed_goal_is_a_fault_where_it_has_no_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pattern: str,
    failed: str | None,
    code: int,
) -> None:
    reasons = tmp_path / "reasons.yaml"
    reasons.write_text(f'ratings: {{"{pattern}": it is slow.}}\n', encoding="utf-8")
    monkeypatch.setattr(program, "REASONS", reasons)
    leave(
        tmp_path, "ratings", document(compared("missed", (2.0,) * 5, Goal(1.5)), compared("met", (1.0,) * 5, Goal(2)))
    )
    leave(tmp_path, "labels", document(), failed=failed)
    assert program.main(["--from", str(tmp_path)]) == code
    told = capsys.readouterr().out
    explained = pattern == "mis*"
    assert f"goal missed: ratings: missed work: {'it is slow.' if explained else page.NOT_EXPLAINED}" in told
    assert f"1 goals missed or unclear, {0 if explained else 1} of them not explained; " in told
    assert "## Goals that are missed\n\n| benchmark" in (tmp_path / program.PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--from", "nowhere"], ["--from", ".", "--quick"], ["--only", "nothing"]])
def test_bad_words_are_answered_in_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(words)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_quick_report_says_so(tmp_path: Path) -> None:
    leave(tmp_path, "ratings", document(compared("met", (1.0,) * 5, Goal(1.2))), quick=True)
    text = page.render(gathered.gather(tmp_path), {})
    assert "**This is a quick run**" in text
    assert "| ratings (quick) |" in text


def test_the_machine_is_told_without_its_name_and_paths() -> None:
    told = machine.facts()
    assert told["cores"] >= 1
    assert told["versions"]["optimum-benchmark"] == "0.6.0"
    assert machine.plain("no such file: /var/lib/x y/z.txt, 1/2 of https://example.org/a") == (
        "no such file: (path) y/z.txt, 1/2 of https://example.org/a"
    )


def test_reasons_are_of_benchmarks_that_there_are() -> None:
    reasons = yaml.safe_load(program.REASONS.read_text(encoding="utf-8"))
    assert set(reasons) <= set(NAMES)
    assert all(text.endswith(".") for own in reasons.values() for text in own.values())


def test_every_benchmark_is_run_and_told_of() -> None:
    folder = Path(comparison.__file__).parent
    programs = {path.stem for path in folder.glob("*.py") if "def main(" in path.read_text(encoding="utf-8")}
    programs |= {path.parent.name for path in folder.glob("*/__main__.py")}
    assert sorted([*NAMES, "guard", "report"]) == sorted(programs)
    readme = (folder / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `python -m benchmarks\.(\w+)`", readme, flags=re.MULTILINE)
    assert sorted(told) == sorted(programs)
    assert sum(one.minutes for one in PROGRAMS) <= 75


def test_the_committed_report_is_what_its_data_tell() -> None:
    folder = Path(comparison.__file__).parent
    data, text = folder / program.DATA, folder / program.PAGE
    assert data.exists() == text.exists()
    if not data.exists():
        pytest.skip("not applicable: no full run is committed")
    report = json.loads(data.read_text(encoding="utf-8"))
    assert text.read_text(encoding="utf-8") == page.render(report, program.read_reasons())
    keys = {one["name"]: [row["key"] for row in one["rows"] if row["goal"]] for one in report["benchmarks"]}
    for name, own in program.read_reasons().items():
        for pattern in own:
            assert any(fnmatchcase(key, pattern) for key in keys[name]), f"{name} has no row {pattern} with a goal"
    assert not any(one["quick"] for one in report["benchmarks"])
