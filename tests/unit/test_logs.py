"""Run folders are found, told apart, verified and scored; the golden ones by hand as well."""

from __future__ import annotations

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scorekit import bundle, logs
from scorekit.errors import BundleError, InvalidRunError, LogError, ScorekitError
from scorekit.logs import run_bundle
from scorekit.logs.runs import require_run
from scorekit.records import PhaseScore, Score
from tests.bundles import (
    edit_json,
)
from tests.golden import make

GOLDEN = Path(make.__file__).parent


def _copy(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN / name, tmp_path / name))


def _phase(score: Score, name: str) -> PhaseScore:
    (found,) = [phase for phase in score.phases if phase.phase == name]
    return found


@pytest.mark.parametrize("name", make.GOOD)
def test_a_golden_run_gives_its_score(name: str, tmp_path: Path) -> None:
    run = _copy(name, tmp_path)
    score = logs.read_score(run)
    expected = json.loads((GOLDEN / name / bundle.SCORE).read_text(encoding="utf-8"))
    found = json.loads(score.model_dump_json())
    # The score names the version that computed it, which golden files outlive.
    for content in (expected, found):
        del content["provenance"]["scorekit_version"]
    assert found == expected


def test_the_golden_folders_are_what_their_script_makes(tmp_path: Path) -> None:
    make.main(tmp_path)
    for name in (*make.GOOD, *make.FAULTY):
        files = sorted(path.name for path in (GOLDEN / name).iterdir())
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == files
        _, different, missing = filecmp.cmpfiles(GOLDEN / name, tmp_path / name, files, shallow=False)
        assert (different, missing) == ([], []), name


def test_text_generation_worked_out_by_hand() -> None:
    score = logs.read_score(GOLDEN / "generate_h100")
    # Each repeat: 0.5 Wh of preprocessing + 7.4 or 7.6 Wh of generating; neither loading nor prefill is
    # added.
    assert [repeat.gpu_wh for repeat in score.repeats] == pytest.approx([7.9, 8.1] * 5)
    assert score.wh_per_1000_queries == pytest.approx(8.0)
    assert score.wh_per_1000_queries_std == pytest.approx(0.1054092553)  # 0.1 x sqrt(10/9)
    assert score.energy_kwh == score.gpu_kwh == pytest.approx(0.008)
    assert score.cpu_kwh == pytest.approx(0.0021)
    assert score.ram_kwh == pytest.approx(0.00105)
    assert (score.domain, score.origin, score.cpu_origin) == ("gpu", "measured", "modelled")
    assert score.wh_per_1000_output_tokens == pytest.approx(0.8)
    assert (score.cohort, score.model_class, score.hardware) == (
        "text_generation",
        "A",
        "NVIDIA H100 80GB HBM3",
    )
    # CodeCarbon alone leaves no evidence of how it read the counter.
    assert [reason.code for reason in score.not_comparable_because] == ["evidence"]
    decode = _phase(score, "decode")
    assert decode.energy_wh_by_repeat[8] == pytest.approx(4.4)
    assert decode.energy_wh_by_repeat[9] is None
    assert decode.energy_wh == pytest.approx((5 * 4.4 + 4 * 4.6 - 0.2) / 10)
    # Prefill and decode are generate, split: their means add up to its own.
    assert decode.energy_wh + (_phase(score, "prefill").energy_wh or 0) == pytest.approx(7.5)
    assert decode.note is not None
    assert "1 of 10" in decode.note
    assert "over all pairs" in decode.note
    assert (decode.duration_s, decode.output_tokens) == (30.0, None)
    assert [phase.phase for phase in score.phases if phase.counted] == ["preprocess", "generate"]


def test_a_counter_two_passes_and_an_idle_baseline_worked_out_by_hand() -> None:
    score = logs.read_score(GOLDEN / "generate_h100_counter")
    # Each repeat: 0.06 Wh of preprocessing, and half of 14.88 or 15.28 Wh, which two passes took.
    assert [repeat.gpu_wh for repeat in score.repeats] == pytest.approx([7.5, 7.7] * 5)
    assert score.wh_per_1000_queries == pytest.approx(7.6)
    assert score.wh_per_1000_output_tokens == pytest.approx(0.76)
    assert (score.output_tokens, score.meter, score.comparable) == (10_000, "nvml", True)
    assert [repeat.duration_s for repeat in score.repeats] == pytest.approx([63.6] * 10)
    assert (_phase(score, "generate").duration_s, _phase(score, "generate").energy_wh) == pytest.approx((60.0, 7.54))
    # 60 W over the 60 s of answering.
    assert score.idle_power_w == pytest.approx(60.0)
    assert score.wh_per_1000_queries_net == pytest.approx(7.6 - 1.0)
    found = score.uncertainty
    assert found is not None
    half_widths = {term.name: term.half_width_95_percent for term in found.terms}
    assert half_widths == pytest.approx(
        {"repeats": 0.99217, "tick": 0.032236, "aliasing": 0.057384, "sampling": 0.0, "board_gain": 4.75}, rel=1e-4
    )
    assert found.interval_95_wh_per_1000 == pytest.approx((7.6 - 0.0754052, 7.6 + 0.0754052), abs=1e-6)
    assert (found.combined_95_percent, found.with_board_gain_95_percent) == pytest.approx(
        (0.994348, 4.852961), rel=1e-5
    )


V1 = GOLDEN / "v1"


@pytest.mark.parametrize("name", sorted(path.name for path in V1.iterdir()))
def test_a_run_of_version_1_keeps_every_figure_it_had(name: str, tmp_path: Path) -> None:
    before = json.loads((V1 / name / bundle.SCORE).read_text(encoding="utf-8"))
    assert before["schema_version"] == "scorekit.score/1"
    found = json.loads(logs.read_score(V1 / name).model_dump_json())
    assert found["schema_version"] == "scorekit.score/2"
    for content in (before, found):
        del content["schema_version"], content["provenance"]["scorekit_version"]
    # By CodeCarbon alone on an H100: such runs want evidence today, and every figure stays.
    judged = {"comparable", "not_comparable_because"}
    assert {key: found[key] for key in before if key not in judged} == {
        key: value for key, value in before.items() if key not in judged
    }
    codes = {reason["code"] for reason in before["not_comparable_because"]}
    assert {reason["code"] for reason in found["not_comparable_because"]} - codes <= {"evidence"}
    # And the file by itself, without its run.
    alone = logs.read_score_file(Path(shutil.copy(V1 / name / bundle.SCORE, tmp_path)))
    assert alone.wh_per_1000_queries == before["wh_per_1000_queries"]
    assert (alone.schema_version, alone.uncertainty, alone.valid) == ("scorekit.score/1", None, None)


def test_classification_on_a_cpu_worked_out_by_hand() -> None:
    score = logs.read_score(GOLDEN / "forward_cpu")
    # Each repeat: CPU 0.001 + (0.010, 0.011, 0.012) and RAM 0.0005 + 0.0025 Wh, for 20 queries.
    assert [repeat.wh_per_1000_queries for repeat in score.repeats] == pytest.approx([0.7, 0.75, 0.8])
    assert score.wh_per_1000_queries == pytest.approx(0.75)
    assert score.wh_per_1000_queries_std == pytest.approx(0.05)
    assert score.energy_kwh == pytest.approx(1.5e-5)
    assert (score.gpu_kwh, score.repeats[0].gpu_wh) == (None, None)
    assert (score.domain, score.origin, score.hardware) == ("cpu+ram", "modelled", "Example CPU 9000")
    assert (score.model_class, score.output_tokens, score.wh_per_1000_output_tokens) == (None, None, None)
    assert {reason.code for reason in score.not_comparable_because} >= {
        "hardware",
        "samples",
        "random_weights",
    }


def test_a_preprocess_window_that_the_counter_cannot_see_counts_as_0_and_is_told() -> None:
    score = logs.read_score(GOLDEN / "call_h100_short_preprocess")
    assert score.wh_per_1000_queries == pytest.approx(500.0)
    assert [reason.code for reason in score.not_comparable_because] == ["evidence"]
    preprocess, call = _phase(score, "preprocess"), _phase(score, "call")
    assert (preprocess.energy_wh, preprocess.energy_wh_by_repeat) == (0.0, (0.0,) * 10)
    assert preprocess.note is not None
    assert "below what the counter resolves in 10 of 10 repeats" in preprocess.note
    assert call.note is None


def test_a_second_meter_is_not_added() -> None:
    score = logs.read_score(GOLDEN / "call_h100")
    assert score.wh_per_1000_queries == pytest.approx(500.0)
    assert score.meter == "codecarbon"
    assert [reason.code for reason in score.not_comparable_because] == ["evidence"]


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("zero_repeat", InvalidRunError, "repeat 1, phase generate: .* is zero"),
        ("negative_energy", InvalidRunError, "repeat 1, phase generate: .* is negative"),
        ("nan_energy", InvalidRunError, "repeat 1, phase generate: .* is not a number"),
        ("incomplete", BundleError, "did not end.*windows of 2 repeats"),
        ("changed_file", BundleError, r"changed: windows\.jsonl"),
        ("truncated_line", LogError, r"windows\.jsonl, line 4 is not a window"),
    ],
)
def test_a_faulty_run_is_refused_and_left_as_it_was(
    name: str, kind: type[ScorekitError], message: str, tmp_path: Path
) -> None:
    run = _copy(name, tmp_path)
    with pytest.raises(kind, match=message) as caught:
        logs.read_score(run)
    assert str(run) in str(caught.value)
    assert caught.value.exit_code == (3 if kind is InvalidRunError else 1)
    assert not (run / bundle.SCORE).exists()


def test_runs_are_found_below_a_folder(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "forward_cpu", tmp_path / "runs" / "b")
    shutil.copytree(GOLDEN / "incomplete", tmp_path / "runs" / "a" / "deep")
    (tmp_path / "runs" / "empty").mkdir()
    assert logs.find_runs(tmp_path) == [tmp_path / "runs" / "a" / "deep", tmp_path / "runs" / "b"]
    assert logs.find_runs(tmp_path / "runs" / "b") == [tmp_path / "runs" / "b"]
    assert logs.find_runs(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "there is no"),
        ([], r"no windows\.jsonl; expected a run folder of scorekit"),
        (["benchmark_report.json"], "folder of optimum-benchmark itself"),
        (["experiment_config.json"], "folder of optimum-benchmark itself"),
    ],
)
def test_a_folder_that_is_no_run_is_told_what_was_expected(
    files: list[str] | None, message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    for name in files or []:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    if files == []:
        folder.mkdir()
    with pytest.raises(LogError, match=message) as caught:
        logs.read_score(folder)
    assert caught.value.mend is not None


def test_a_file_of_a_run_is_told_to_give_the_folder(tmp_path: Path) -> None:
    run = _copy("forward_cpu", tmp_path)
    with pytest.raises(LogError, match="is a file") as caught:
        logs.read_score(run / bundle.WINDOWS)
    assert str(run) in str(caught.value.mend)


def test_a_run_that_died_before_its_first_window_is_incomplete(tmp_path: Path) -> None:
    folder = bundle.claim(tmp_path / "run")
    with pytest.raises(BundleError, match=r"did not end.*nothing was measured"):
        logs.read_score(folder)


def test_only_a_folder_with_signs_of_a_run_is_called_unfinished(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="is no run"):
        run_bundle.load(tmp_path / "nosuch")
    with pytest.raises(LogError, match="is no run"):
        run_bundle.load(tmp_path)
    with pytest.raises(BundleError, match="did not end"):
        run_bundle.load(bundle.claim(tmp_path / "run"))


def test_a_folder_above_runs_is_told_which_they_are(tmp_path: Path) -> None:
    runs = [tmp_path / f"run{number}" for number in range(7)]
    for run in runs:
        shutil.copytree(GOLDEN / "forward_cpu", run)
    with pytest.raises(LogError, match=r"is no run; below it are: .*run0, .*run4 and 2 more\n"):
        require_run(tmp_path)


def test_a_run_whose_windows_were_deleted_is_told(tmp_path: Path) -> None:
    run = _copy("forward_cpu", tmp_path)
    (run / bundle.WINDOWS).unlink()
    with pytest.raises(BundleError, match=r"missing: windows\.jsonl"):
        logs.read_score(run)


def test_a_manifest_that_leaves_the_windows_out_is_refused(tmp_path: Path) -> None:
    run = _copy("forward_cpu", tmp_path)
    edit_json(run / bundle.MANIFEST, measured={})
    with pytest.raises(LogError, match="does not list"):
        logs.read_score(run)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (bundle.ENVIRONMENT, b"[]", "is not an environment of this version"),
        (bundle.ENVIRONMENT, b"\xff\xfe", "is not an environment of this version"),
        (bundle.WINDOWS, b'{"phase": "generate"}\n', "line 1 is not a window"),
        (bundle.WINDOWS, b"\x00\x01\n", "line 1 is not a window"),
        (bundle.WINDOWS, b"", "3 repeats were asked for, but the windows hold"),
    ],
)
def test_garbage_under_a_true_manifest_is_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    run = _copy("forward_cpu", tmp_path)
    (run / name).write_bytes(content)
    (run / bundle.MANIFEST).unlink()
    bundle.seal(run)
    with pytest.raises((LogError, InvalidRunError), match=message):
        logs.read_score(run)


def test_reading_a_run_loads_nothing_that_measures_and_reaches_nothing_outside() -> None:
    code = (
        "import sys\n"
        "outside = ('socket.', 'subprocess.', 'os.posix_spawn', 'os.fork', 'os.exec', 'os.system')\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(outside) else None)\n"
        "from pathlib import Path\n"
        "from scorekit import logs, rating, tables\n"
        "scores = [logs.read_score(run) for run in logs.find_runs(Path(sys.argv[1]))]\n"
        "rating.rate_scores(scores, None)\n"
        "heavy = {'torch', 'hydra', 'transformers', 'codecarbon', 'numpy', 'multiprocessing'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules)) + seen) or None)"
    )
    command = [sys.executable, "-c", code, str(GOLDEN / "generate_h100")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
