"""`scorekit check`, and what parse and bench make of a run whose checks fail."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from scorekit import bundle, cli, logs, rating
from scorekit.errors import InvalidRunError, LogError
from scorekit.logs import run_bundle
from scorekit.logs.power_trace import read_power_trace
from scorekit.logs.run_bundle import load
from scorekit.records import POWER_SCHEMA, Score, Validity
from scorekit.validity import Evidence, judge
from tests.bundles import NVML_GPU, write_unsealed
from tests.evidence import change_energy, change_facts, change_readings, good_evidence, of_phase
from tests.golden import make

GOLDEN = Path(make.__file__).parent
COLUMNS: dict[str, pyarrow.DataType] = {
    "t_s": pyarrow.float64(),
    "device": pyarrow.string(),
    "power_w": pyarrow.float64(),
    "counter_mj": pyarrow.int64(),
    "temperature_c": pyarrow.int32(),
    "sm_clock_mhz": pyarrow.int32(),
    "mem_clock_mhz": pyarrow.int32(),
    "reasons": pyarrow.int64(),
    "utilization_percent": pyarrow.int32(),
}
ABOUT = {"schema_version": POWER_SCHEMA, "period_s": "0.1", "sampler_cpu_s": "0.5", "sampler_wall_s": "1000"}


def _write_power(path: Path, columns: dict[str, list[Any]], about: dict[str, str]) -> None:
    fields = [(name, kind) for name, kind in COLUMNS.items() if name in columns]
    table = pyarrow.table(columns, schema=pyarrow.schema(fields, metadata=about))
    pyarrow.parquet.write_table(table, path)


def _rows(*rows: tuple[Any, ...]) -> dict[str, list[Any]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)}


def _write_run(folder: Path, evidence: Evidence) -> Path:
    """A sealed run folder with all that the evidence holds."""
    write_unsealed(folder, evidence.environment, evidence.windows)
    states = "".join(state.model_dump_json() + "\n" for state in evidence.states or ())
    (folder / bundle.GPU_STATES).write_text(states, encoding="utf-8")
    assert evidence.trace is not None
    samples = evidence.trace.devices[NVML_GPU]
    columns = {name: [float(v) for v in getattr(samples, name)] for name in COLUMNS if name != "device"}
    whole = {
        name: [int(v) for v in values] if "int" in str(COLUMNS[name]) else values for name, values in columns.items()
    }
    _write_power(folder / bundle.POWER, {"device": [NVML_GPU] * len(samples.t_s), **whole}, ABOUT)
    bundle.seal(folder)
    return folder


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return _write_run(tmp_path / "good", good_evidence())


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A run with the faults of published logs: a zero, a negative and a doubled repeat."""
    evidence = change_readings(of_phase("generate", 2), energy_wh=0.0)(good_evidence())
    evidence = change_readings(of_phase("generate", 5), energy_wh=-1.5)(evidence)
    return _write_run(tmp_path / "faulty", change_energy(of_phase("generate", 7), 2.0)(evidence))


@pytest.fixture
def doubled(tmp_path: Path) -> Path:
    return _write_run(tmp_path / "doubled", change_energy(of_phase("generate", 7), 2.0)(good_evidence()))


def test_a_whole_bundle_is_read_as_it_was_written(good: Path) -> None:
    evidence = load(good).evidence
    trace = evidence.trace
    assert trace is not None
    assert (trace.period_s, trace.sampler_cpu_s, trace.sampler_wall_s) == (0.1, 0.5, 1000.0)
    expected = good_evidence()
    assert expected.trace is not None
    assert list(trace.devices[NVML_GPU].power_w) == list(expected.trace.devices[NVML_GPU].power_w)
    assert list(trace.devices[NVML_GPU].counter_mj) == list(expected.trace.devices[NVML_GPU].counter_mj)
    assert (evidence.states, evidence.windows) == (expected.states, expected.windows)
    assert judge(replace(evidence, star_probability=0.99)) == judge(replace(expected, run="good"))


def test_check_of_a_good_run(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(good)]) == 0
    captured = capsys.readouterr()
    rows = [line.split()[:3] for line in captured.out.splitlines() if line.strip()[:1].isdigit()]
    assert [int(row[0]) for row in rows] == list(range(1, 27))
    assert {row[2] for row in rows[:25]} == {"passed"}
    assert rows[25][1:] == ["star_certain", "none"]
    assert "The run is valid: 0 failed, 0 warned, 25 passed, 1 had nothing to judge." in captured.out
    assert f"wrote {good / bundle.VALIDITY}" in captured.err
    manifest = bundle.read_manifest(good)
    assert bundle.VALIDITY in manifest.derived
    bundle.check(good, manifest)


def test_a_zero_a_negative_and_a_doubled_repeat_are_named_and_not_scored(
    faulty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(faulty)]) == 3
    out = capsys.readouterr().out
    assert "repeat 2, phase generate: the energy of GPU-00000000-0000-0000-0000-000000000001 is zero" in out
    assert "repeat 5, phase generate: the energy of GPU-00000000-0000-0000-0000-000000000001 is negative" in out
    assert "repeat 7, phase generate: 2.00 x the energy of the other repeats in 1.00 x their time" in out
    assert "NOT valid and is not scored" in out
    assert cli.main(["parse", str(faulty)]) == 3
    err = capsys.readouterr().err
    for repeat in (2, 5, 7):
        assert f"repeat {repeat}, phase generate" in err
    assert f"mend: scorekit check {faulty}" in err
    assert not (faulty / bundle.SCORE).exists()
    # What has no true energy is not scored even if told to.
    assert cli.main(["parse", str(faulty), "--allow-invalid"]) == 3
    assert "is zero" in capsys.readouterr().err
    assert not (faulty / bundle.SCORE).exists()


def test_check_as_json_is_what_it_writes(faulty: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(faulty), str(good), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert [run["run"] for run in found] == ["faulty", "good"]
    assert [run["valid"] for run in found] == [False, True]
    for folder, content in zip((faulty, good), found, strict=True):
        text = (folder / bundle.VALIDITY).read_text(encoding="utf-8")
        assert json.loads(text) == content
        assert Validity.model_validate_json(text).run == folder.name
    first = found[0]["checks"][0]
    assert [(told["repeat"], told["phase"]) for told in first["details"]["findings"]] == [
        (2, "generate"), (5, "generate"), (7, "generate"),
    ]  # fmt: skip


def test_an_invalid_run_is_scored_only_if_told_to_and_says_so(
    doubled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidRunError, match=r"Check 1, energy_positive: repeat 7, phase generate: 2\.00 x") as caught:
        logs.read_score(doubled)
    assert caught.value.exit_code == 3
    assert cli.main(["parse", str(doubled), "--allow-invalid", "--json"]) == 0
    (score,) = json.loads(capsys.readouterr().out)
    assert (score["valid"], score["comparable"]) == (False, False)
    assert {reason["code"] for reason in score["invalid_because"]} >= {"energy_positive", "repeats_agree"}
    assert json.loads((doubled / bundle.SCORE).read_text())["valid"] is False
    assert json.loads((doubled / bundle.VALIDITY).read_text())["valid"] is False


def test_a_valid_run_keeps_its_score_and_its_warnings(tmp_path: Path) -> None:
    evidence = change_facts(dataset={"revision": None})(good_evidence())
    run = _write_run(tmp_path / "run", evidence)
    for allow_invalid in (False, True):
        score = logs.read_score(run, allow_invalid)
        assert (score.valid, score.invalid_because) == (True, ())
        assert [reason.code for reason in score.warnings] == ["dataset_identified"]
    assert set(score.provenance.files) == {bundle.WINDOWS, bundle.ENVIRONMENT, bundle.GPU_STATES, bundle.POWER}


@pytest.mark.parametrize("name", make.GOOD)
def test_golden_runs_are_valid(name: str, tmp_path: Path) -> None:
    run = Path(shutil.copytree(GOLDEN / name, tmp_path / name))
    assert cli.main(["check", str(run)]) == 0


@pytest.mark.parametrize(("name", "code"), [("incomplete", 1), ("changed_file", 1), ("truncated_line", 1)])
def test_a_broken_run_is_no_run_to_check(
    name: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(GOLDEN / name, tmp_path / name))
    assert cli.main(["check", str(run), "--json"]) == code
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert "mend:" in captured.err
    assert not (run / bundle.VALIDITY).exists()


def test_rate_leaves_out_what_is_not_valid(good: Path, doubled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rate", str(good.parent), "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 1
    assert "warning: left out" in captured.err
    assert "energy_positive" in captured.err


def test_bench_keeps_an_invalid_run_and_ends_with_3(
    doubled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hydra.core.hydra_config import HydraConfig

    import scorekit.measuring
    from scorekit import bench

    # What Hydra and the measuring process would have done.
    measured = SimpleNamespace(run=lambda *_: doubled)
    monkeypatch.setitem(sys.modules, "scorekit.measuring.job", measured)
    monkeypatch.setattr(scorekit.measuring, "job", measured, raising=False)
    runtime = SimpleNamespace(runtime=SimpleNamespace(output_dir=str(doubled)))
    monkeypatch.setattr(HydraConfig, "get", staticmethod(lambda: runtime))
    told: list[Path] = []
    assert bench.measure_and_score({}, doubled.parent, lambda folder, _score: told.append(folder)) == 3
    err = capsys.readouterr().err
    assert "Check 1, energy_positive: repeat 7" in err
    assert f"scorekit check {doubled}" in err
    assert told == []
    assert json.loads((doubled / bundle.VALIDITY).read_text())["valid"] is False
    assert not (doubled / bundle.SCORE).exists()
    bundle.check(doubled, bundle.read_manifest(doubled))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _rewrite(rows: dict[str, list[Any]], **about: str) -> Callable[[Path], None]:
    return lambda path: _write_power(path, rows, ABOUT | about)


ROW = (1.0, NVML_GPU, 100.0, 5, 40, 1000, 2000, 1, 0)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut, "cannot be read as a power trace"),
        (lambda path: path.write_text("no parquet"), "cannot be read as a power trace"),
        (_rewrite(_rows(ROW), schema_version="scorekit.power/9"), "version scorekit.power/9, expected"),
        (_rewrite(_rows(ROW), period_s="often"), "gives period_s as 'often'"),
        (_rewrite(_rows(ROW), period_s="-0.1"), "power.parquet gives period_s as '-0.1'"),
        (_rewrite(_rows(ROW), period_s="0.0"), "power.parquet gives period_s as '0.0', expected 0.001 to 60 s"),
        (_rewrite(_rows(ROW), period_s="0.00099"), "gives period_s as '0.00099'"),
        (_rewrite(_rows(ROW), period_s="60.1"), "gives period_s as '60.1'"),
        (_rewrite(_rows(ROW), period_s="1e9"), "gives period_s as '1e9'"),
        (_rewrite(_rows(ROW), sampler_cpu_s="nan"), "gives sampler_cpu_s as 'nan'"),
        (_rewrite(_rows(ROW, (0.5, *ROW[1:]))), "times of .* do not rise"),
        (_rewrite(_rows((None, *ROW[1:]))), "times of .* do not rise"),
        (_rewrite({key: value for key, value in _rows(ROW).items() if key != "reasons"}), "has no column reasons"),
    ],
)
def test_a_broken_trace_is_an_error_that_names_the_mend(
    spoil: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    path = tmp_path / bundle.POWER
    _rewrite(_rows(ROW))(path)
    spoil(path)
    with pytest.raises(LogError, match=message) as caught:
        read_power_trace(path)
    assert caught.value.mend is not None


@pytest.mark.parametrize("period_s", ["0.001", "60"])
def test_any_period_of_a_sampler_is_read(period_s: str, tmp_path: Path) -> None:
    path = tmp_path / bundle.POWER
    _rewrite(_rows(ROW), period_s=period_s)(path)
    assert read_power_trace(path).period_s == float(period_s)


@pytest.mark.parametrize("verb", ["check", "parse"])
def test_a_trace_without_a_period_ends_the_reading_of_no_other_run(
    verb: str, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = shutil.copytree(good, good.parent / "broken")
    _rewrite(_rows(ROW), period_s="0.0")(broken / bundle.POWER)
    bundle.seal(broken)
    assert cli.main([verb, str(good.parent)]) == 1
    captured = capsys.readouterr()
    assert "power.parquet gives period_s as '0.0'" in captured.err
    assert (good / (bundle.VALIDITY if verb == "check" else bundle.SCORE)).is_file()
    assert "unexpected" not in captured.err


def test_figures_that_break_the_checks_are_an_error_of_their_run(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(_evidence: Evidence) -> None:
        raise ZeroDivisionError("float\ndivision by zero")

    monkeypatch.setattr(run_bundle, "judge", judge)
    for read in (logs.read_validity, logs.read_score):
        with pytest.raises(LogError, match="could not be judged: ZeroDivisionError: float division by zero") as caught:
            read(good)
        assert str(good) in caught.value.message
        assert "please report it" in str(caught.value.mend)


def test_what_the_driver_did_not_answer_stays_unknown(tmp_path: Path) -> None:
    path = tmp_path / bundle.POWER
    silent = (2.0, NVML_GPU, None, None, None, None, None, None, None)
    _write_power(path, _rows(ROW, silent, (2.0, "GPU-other", *ROW[2:])), {"schema_version": POWER_SCHEMA})
    trace = read_power_trace(path)
    assert trace.period_s is trace.sampler_cpu_s is None
    assert [name for name, _ in trace] == [NVML_GPU, "GPU-other"]
    assert trace.devices[NVML_GPU].between("power_w", 0, 9) == [(1.0, 100.0)]
    assert list(trace.devices[NVML_GPU].t_s) == [1.0, 2.0]


def test_a_broken_line_of_states_is_an_error(tmp_path: Path) -> None:
    run = write_unsealed(tmp_path / "run", good_evidence().environment, good_evidence().windows)
    (run / bundle.GPU_STATES).write_text('{"when": "never"}\n')
    bundle.seal(run)
    with pytest.raises(LogError, match=r"gpu_states\.jsonl, line 1 is not a state of a GPU") as caught:
        logs.read_validity(run)
    assert caught.value.mend is not None


def test_a_score_of_before_does_not_stay_beside_a_refusal(good: Path, tmp_path: Path) -> None:
    assert cli.main(["parse", str(good)]) == 0
    assert (good / bundle.SCORE).exists()
    # The same run, were it read by checks that refuse it.
    windows = change_energy(of_phase("generate", 7), 2.0)(good_evidence()).windows
    (good / bundle.WINDOWS).write_text("".join(w.model_dump_json() + "\n" for w in windows), encoding="utf-8")
    bundle.seal(good)
    assert cli.main(["parse", str(good)]) == 3
    left = {path.name for path in good.iterdir()}
    assert not left & {bundle.SCORE, bundle.GPU_WH, bundle.GPU_SUMMARY}
    manifest = bundle.read_manifest(good)
    bundle.check(good, manifest)
    assert set(manifest.derived) == {bundle.VALIDITY}


def test_an_invalid_score_gets_no_star_and_moves_nobody_elses(
    good: Path, doubled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["parse", str(doubled), "--allow-invalid"]) == 0
    invalid = Score.model_validate_json((doubled / bundle.SCORE).read_bytes())
    sound = [
        logs.read_score(good).model_copy(update={"model": name, "wh_per_1000_queries": energy_wh})
        for name, energy_wh in (("a", 1.0), ("b", 2.0))
    ]
    rated = rating.rate_scores([*sound, invalid], None)
    assert [one.stars for one in rated] == [5, 1, None]
    assert rated[2].refused is not None
    assert "energy_positive" in rated[2].refused
    assert rated[0].max_wh_per_1000 == 2.0
