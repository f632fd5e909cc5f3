"""Validating a GPU machine: shapes, lengths, ticks, meters beside each other, the report, and what is done again."""

from __future__ import annotations

import fcntl
import inspect
import json
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scripts import validate_gpu
from scripts.validation import architectures, bundles, parts, records, report, running, samples, ticks
from scripts.validation.parts import PARTS, Part, Setup
from scripts.validation.records import Outcome
from scripts.validation.running import PartError

from scorekit.errors import EXIT_FAILED, EXIT_USAGE, HardwareError, ScorekitError, UsageError
from scorekit.measure import launcher
from scorekit.measure.tiny import audio_models, diffusion_models, text_models, vision_models
from scorekit.tasks import MAIN_TASKS
from tests.fake_nvml import FakeNvml

SETUP = {"device": "cpu", "gpu": 0, "tiny": True}
MILLIONS = {
    "bert-base": 167.4, "gpt2": 124.4, "bert-large-qa": 334.1, "minilm": 22.7, "vit-base": 86.6, "detr": 60.5,
    "whisper-small": 241.7, "bart-large": 406.3, "blip-base": 224.0, "stable-diffusion": 1066.2, "llama-1b": 1176.8,
    "llama-8b": 8030.3, "whisper-large-v3": 1543.5, "llama-3b": 3212.7,
}  # fmt: skip
"""Parameters of the models whose shapes these are."""


def setup_in(folder: Path, **changes: Any) -> Setup:
    known = {"device": "cpu", "gpu": 0, "tiny": True, "out": folder / "out", "cache": folder / "cache", "disk_gb": 40}
    made = Setup(**{**known, **changes})
    made.cache.mkdir(parents=True, exist_ok=True)
    return made


def benched(**changes: Any) -> dict[str, Any]:
    rows = [
        {"phase": "generate", "repeat": 0, "duration_s": 11.0, "nvml": 2.0, "codecarbon": 2.05, "sampled_power": 1.99}
    ]
    return {
        "task": "text_generation", "like": "openai-community/gpt2", "published_wh": 2.0, "data": "prompts",
        "parameters": 124_000_000, "dtype": "float16", "attention": "sdpa", "wh_per_1000": 5.0, "by_repeat": [4.9, 5.1],
        "cov_percent": 2.8, "half_width_95_percent": 25.0, "trend_percent": 0.1, "outliers": [], "input_tokens": 404.0,
        "window_s": 11.2, "valid": True, "failed": [], "warned": [], "idle_w": {"before": 110.0, "after": None},
        "meters": rows, **changes,
    }  # fmt: skip


def test_every_task_has_a_part_and_every_part_a_name_of_its_own() -> None:
    measured = {architectures.ARCHITECTURES[part.model].task for part in PARTS if part.model is not None}
    assert measured == set(MAIN_TASKS) - {"reasoning"}
    assert len({part.name for part in PARTS}) == len(PARTS)
    assert sum(part.estimate_s for part in PARTS) <= 25 * 60


def test_real_shapes_have_the_parameters_of_the_models_that_they_are_named_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    found: dict[str, list[int]] = {}

    def count(model: Any, folder: Path) -> None:
        found[name].append(sum(parameter.numel() for parameter in model.parameters()))

    for module in (architectures, audio_models, diffusion_models, text_models, vision_models):
        monkeypatch.setattr(module, "save", count)
    monkeypatch.setattr(diffusion_models, "_name_as_on_the_hub", lambda weights: None)
    for name, each in architectures.ARCHITECTURES.items():
        found[name] = []
        (tmp_path / name).mkdir()
        with torch.device("meta"):
            each.build(tmp_path / name, each.dtype, **each.shape)
        gigabytes = sum(found[name]) * (2 if each.dtype == "float16" else 4) / 1e9
        assert gigabytes <= each.size_gb <= gigabytes + 0.3, name
    assert {name: round(sum(counts) / 1e6, 1) for name, counts in found.items()} == MILLIONS


@pytest.mark.parametrize("count", [16, 48, 64, 1000])
def test_prompts_have_the_official_mean_and_about_the_official_median(count: int) -> None:
    lengths = samples.prompt_tokens(count)
    assert statistics.fmean(lengths) == pytest.approx(samples.MEAN_CHARACTERS / samples.CHARACTERS_A_TOKEN, rel=0.02)
    assert statistics.median(lengths) == pytest.approx(samples.MEDIAN_CHARACTERS / samples.CHARACTERS_A_TOKEN, rel=0.25)
    assert min(lengths) >= 2


def test_a_rhythm_is_told_from_what_was_read() -> None:
    # Read every 4 ms, changed every 100 ms.
    series = [(0.004 * step, float(int(0.004 * step / 0.1 + 1e-9))) for step in range(251)]
    found = ticks.rhythm(series)
    assert found["changes"] == 10
    assert found["median_ms"] == pytest.approx(100, abs=4.1)
    assert found["read_every_ms"] == pytest.approx(4)
    assert ticks.rhythm([]) == {
        "changes": 0, "median_ms": None, "from_ms": None, "to_ms": None, "read_every_ms": None
    }  # fmt: skip


def test_mean_power_is_taken_between_changes_of_the_counter() -> None:
    # 100 W: 10,000 mJ each 100 ms; what lies before the first and after the last change does not count.
    counter = [(0.05, 0.0), (0.1, 10_000.0), (0.15, 10_000.0), (0.2, 20_000.0), (0.3, 30_000.0), (0.39, 30_000.0)]
    assert ticks.mean_power_w(counter) == pytest.approx(100)
    assert ticks.mean_power_w([(0.0, 1.0), (1.0, 1.0)]) is None


def test_a_fake_gpu_is_watched(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(tick_ms=20, power_w=200)
    found = ticks.watch(0, 0.3)
    assert found["power_w"] == pytest.approx(200, rel=0.01)
    # How many ticks it sees, and how well, hangs on what else the machine does.
    assert found["counter_w"] is None or found["counter_w"] > 0
    assert {*found["counter"]} == {*found["power"]} == {*ticks.rhythm([])}


def test_power_is_integrated_over_the_window_alone() -> None:
    trace = [(0.0, 100.0), (1.0, 100.0), (2.0, 300.0), (4.0, 300.0)]
    assert bundles.integral_wh(trace, 0.5, 3.0) == pytest.approx((50 + 200 + 300) / 3600)
    assert bundles.integral_wh(trace, 1.5, 1.75) == pytest.approx((200 + 250) / 2 * 0.25 / 3600)
    assert bundles.integral_wh(trace, -1.0, 3.0) is None
    assert bundles.integral_wh([], 0.0, 1.0) is None
    # Two samples of one time are a jump.
    jump = [(0.0, 100.0), (1.0, 100.0), (1.0, 300.0), (2.0, 300.0)]
    assert bundles.integral_wh(jump, 0.0, 2.0) == pytest.approx(400 / 3600)


def test_meters_are_compared_where_both_read() -> None:
    rows = [{"nvml": 2.0, "codecarbon": 2.1}, {"nvml": None, "codecarbon": 1.0}, {"nvml": 1.0}]
    assert bundles.differences(rows, "codecarbon") == [pytest.approx(5)]


def test_the_report_tells_all_that_was_found_and_marks_what_is_far_off() -> None:
    seen = {"changes": 80, "median_ms": 200.0, "from_ms": 99.0, "to_ms": 301.0, "read_every_ms": 1.1}
    found = {"counter": seen, "power": seen, "counter_w": 71.0, "power_w": 70.5}
    row = {"what": "  work", "reference": "without", "unit": "s", "runs": 2, "ours": [2.0], "theirs": [1.0]}
    outcomes = {
        "machine": Outcome("machine", "done", data={"doctor": {"machine": {"gpus": [{"index": 0, "facts": None}]}}}),
        "ticks": Outcome("ticks", "done", data={"at_rest": found, "busy": found}),
        "gpt2": Outcome("gpt2", "done", data=benched()),
        "minilm": Outcome("minilm", "done", data=benched(valid=False, failed=["window_length: too short"])),
        "repeatability": Outcome("repeatability", "done", data=benched(by_repeat=[5.0] * 10, outliers=[3])),
        "overhead": Outcome("overhead", "done", data={"rows": [{**row, "ratio_median": 2.0}]}),
        "detr": Outcome("detr", "failed", "it ended with code 1", last_lines=("error: the GPU ran out of memory",)),
        "llama-8b": Outcome("llama-8b", "left out", "25 minutes do not suffice"),
    }
    text = report.markdown(outcomes, {"made": "today"}, {})
    assert "- made: today" in text
    assert "6 done, 1 failed, 1 left out" in text
    assert (
        "| gpt2 | text_generation | openai-community/gpt2 | 124 M | float16, sdpa | 5 | 2.8 % | 2 | 2.50 (look) |"
        in text
    )
    assert "+2.50 % | +2.50 % (look) | -0.50 % | -0.50 % |" in text
    assert "| counter, busy | 80 | 200 ms (look) | 99 to 301 ms | 1.1 ms |" in text
    assert "- minilm: window_length: too short" in text
    assert "10 repeats" in text
    assert "- outliers: 3" in text
    assert "      error: the GPU ran out of memory" in text
    assert "- llama-8b: 25 minutes do not suffice" in text
    assert "median 110.0 W" in text


def test_a_published_energy_of_a_file_goes_before_that_of_the_script(tmp_path: Path) -> None:
    file = tmp_path / "edition.csv"
    file.write_text("task,model,gpu_energy_wh_per_1000_queries\ntext_generation,openai-community/gpt2,10\n", "utf-8")
    published = validate_gpu._published(file)
    assert report.ratio(benched(), published) == pytest.approx(0.5)
    assert report.ratio(benched(), {}) == pytest.approx(2.5)
    assert report.ratio(benched(published_wh=None), {}) is None


def test_arguments_follow_the_protocol_on_a_gpu_and_name_it_by_hand_beside_a_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_count", lambda data: 64)
    gpt2 = architectures.ARCHITECTURES["gpt2"]
    run = tmp_path / "run"
    real = parts.bench_arguments(gpt2, setup_in(tmp_path, device="cuda", tiny=False, gpu=2), run, repeats=2)
    asked = {"backend.device=cuda", "backend.device_ids=2", "scenario.min_window_s=11", "scenario.num_samples=64"}
    assert asked <= {*real}
    # The dtype, the lengths of answers and the rest are those of the official config.
    own = ("backend.torch_dtype", "scenario.generate_kwargs", "launcher")
    assert not [word for word in real if word.startswith(own)]
    rehearsed = parts.bench_arguments(gpt2, setup_in(tmp_path), run, repeats=2)
    assert {"backend.device=cpu", "scenario.gpus=[0]", "launcher=inline"} <= {*rehearsed}


def part_that(work: Any, **changes: Any) -> Part:
    return Part(**{"name": "machine", "what": "something", "estimate_s": 60.0, "work": work, **changes})


def test_what_is_done_is_not_done_again_and_what_failed_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []

    def fail(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
        calls.append(part.name)
        raise PartError("it ended with code 1", ["the last line"])

    def do(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
        calls.append(part.name)
        return {"doctor": {}}

    setup = setup_in(tmp_path)
    assert validate_gpu.validate(setup, [part_that(fail)], 25, {}) == 1
    text = (setup.out / "report.md").read_text(encoding="utf-8")
    assert "- machine: it ended with code 1" in text
    assert "the last line" in text
    assert validate_gpu.validate(setup, [part_that(do)], 25, {}) == 0
    assert validate_gpu.validate(setup, [part_that(do)], 25, {}) == 0
    assert calls == ["machine", "machine"]
    assert "done before" in capsys.readouterr().err
    # Another device is another measurement.
    assert validate_gpu.validate(setup_in(tmp_path, gpu=1), [part_that(do)], 25, {}) == 0
    assert len(calls) == 3
    # A part that is not asked for now stands in the report all the same.
    assert validate_gpu.validate(setup_in(tmp_path, gpu=1), [], 25, {}) == 0
    whole = json.loads((setup.out / "report.json").read_text(encoding="utf-8"))
    assert [(one["name"], one["state"]) for one in whole["parts"]] == [("machine", "done")]


def test_what_nobody_expected_fails_its_part_and_the_others_go_on(tmp_path: Path) -> None:
    def strange(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
        raise ZeroDivisionError("of nothing")

    pieces = [part_that(strange), part_that(lambda *_: {}, name="ticks")]
    assert validate_gpu.validate(setup_in(tmp_path), pieces, 25, {}) == 1
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "- machine: ZeroDivisionError: of nothing" in text
    assert "1 done, 1 failed" in text


@pytest.mark.parametrize("content", [None, "name,wh\nx,1\n", "model,gpu_energy_wh_per_1000_queries\nx,much\n"])
def test_a_reference_that_cannot_be_read_names_its_columns(
    tmp_path: Path, fake_nvml_here: FakeNvml, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "edition.csv"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert validate_gpu.main(["--device", "cpu", "--reference", str(file), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "expected a CSV with the columns model and gpu_energy_wh_per_1000_queries" in told


def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, fake_nvml_here: FakeNvml, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    out = tmp_path / "file" / "out"
    assert validate_gpu.main(["--device", "cpu", "--out", str(out), "--cache", str(tmp_path / "cache")]) == 1
    assert "choose another with --out or --cache" in capsys.readouterr().err


def test_two_validations_do_not_write_to_one_folder(
    tmp_path: Path, fake_nvml_here: FakeNvml, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    arguments = ["--out", str(out), "--cache", str(tmp_path / "cache"), "--device", "cpu", "--only", "machine"]
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert validate_gpu.main(arguments) == 1
    assert "another validation writes to" in capsys.readouterr().err
    assert not (out / "report.md").exists()


def test_an_interrupted_validation_leaves_its_report(tmp_path: Path) -> None:
    def interrupt(part: Part, setup: Setup, log: Path) -> dict[str, Any]:
        raise KeyboardInterrupt

    pieces = [part_that(lambda *_: {}, name="ticks"), part_that(interrupt)]
    assert validate_gpu.validate(setup_in(tmp_path), pieces, 25, {}) == 130
    assert "1 done, 0 failed" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")


def test_parts_are_left_out_for_time_and_for_disk_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda path: SimpleNamespace(free=10e9))
    real = setup_in(tmp_path, device="cuda", tiny=False)
    pieces = [
        part_that(lambda *_: {}, name="llama-8b", model="llama-8b"),
        part_that(lambda *_: {}, name="machine", estimate_s=600),
        part_that(lambda *_: {}, name="ticks", estimate_s=1),
    ]
    assert validate_gpu.validate(real, pieces, 5, {}) == 0
    text = (real.out / "report.md").read_text(encoding="utf-8")
    assert "- llama-8b: its weights take 17.8 GB, and 10.0 are free" in text
    assert "- machine: 5 minutes do not suffice" in text
    assert "1 done, 0 failed, 2 left out" in text
    small = setup_in(tmp_path, device="cuda", tiny=False, disk_gb=5)
    assert "and --disk allows 5" in str(pieces[0].in_the_way(small))


def test_codes_tell_failed_from_invalid() -> None:
    done, invalid = Outcome("gpt2", "done", data={"valid": True}), Outcome("gpt2", "done", data={"valid": False})
    assert validate_gpu.exit_code([done, Outcome("detr", "left out")]) == 0
    assert validate_gpu.exit_code([done, invalid]) == 3
    assert validate_gpu.exit_code([invalid, Outcome("detr", "failed")]) == 1


def test_a_damaged_record_counts_as_not_there(tmp_path: Path) -> None:
    records.save(Outcome("ticks", "done", settings=SETUP), tmp_path)
    assert records.load("ticks", tmp_path, SETUP) == Outcome("ticks", "done", settings=SETUP)
    (tmp_path / "parts" / "ticks.json").write_text('{"schema_version": "scorekit.gpu_valida', encoding="utf-8")
    assert records.load("ticks", tmp_path, SETUP) is None
    (tmp_path / "parts" / "ticks.json").write_text("[]", encoding="utf-8")
    assert records.load("ticks", tmp_path, SETUP) is None


def test_a_command_that_fails_tells_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "one.log"
    assert running.run(["-c", "print('fine')"], log, 60) == 0
    with pytest.raises(PartError, match="ended with code 7") as caught:
        running.run(["-c", "import sys; print('what went wrong'); sys.exit(7)"], log, 60)
    assert caught.value.last_lines[-1] == "what went wrong"
    assert running.run(["-c", "import sys; sys.exit(3)"], log, 60, accept=(0, 3)) == 3
    with pytest.raises(PartError, match="did not end within"):
        running.run(["-c", "import time; time.sleep(600)"], log, 0.2)


def test_helpers_see_the_one_gpu_by_nvmls_number(tmp_path: Path) -> None:
    log = tmp_path / "one.log"
    show = "import os; print(os.environ['CUDA_DEVICE_ORDER'], os.environ['CUDA_VISIBLE_DEVICES'])"
    running.run(["-c", show], log, 60, gpu=3)
    assert running.last_lines(log)[-1] == "PCI_BUS_ID 3"


def given(gpu: str | None, visible: str | None = None, device: str = "cuda") -> int:
    return validate_gpu._gpu(gpu, device, {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})


UUID = "GPU-00000000-0000-0000-0000-00000000000{}"


@pytest.mark.parametrize(
    ("gpu", "visible", "expected"),
    [
        (None, None, 0),
        (None, "2,3", 2),
        (None, UUID.format(1), 1),
        ("3", "2", 3),
        (UUID.format(2), None, 2),
        (UUID.format(2), "0", 2),
    ],
)
def test_the_gpu_that_is_named_is_validated_or_the_first_that_was_given(
    fake_nvml_here: FakeNvml, gpu: str | None, visible: str | None, expected: int
) -> None:
    fake_nvml_here.set(gpus=4)
    named = {UUID.format(index): fake_nvml_here.uuid(index) for index in range(4)}
    assert given(named.get(str(gpu), gpu), named.get(str(visible), visible)) == expected


def test_the_beginning_of_a_uuid_names_a_gpu_where_it_fits_one_alone(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(gpus=2)
    one, other = fake_nvml_here.uuid(0), fake_nvml_here.uuid(1)
    alike = next(place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    assert given(other[: alike + 1]) == 1
    assert given(None, other[: alike + 1]) == 1
    with pytest.raises(UsageError, match=r"--gpu names GPU-.* fits 2 GPUs"):
        given(other[:alike])
    with pytest.raises(HardwareError, match=r"CUDA_VISIBLE_DEVICES names GPU-.* fits 2 GPUs"):
        given(None, other[:alike])


@pytest.mark.parametrize(
    ("gpu", "visible", "words", "mend"),
    [
        ("4", None, "--gpu names the GPU 4, but this machine has 4 GPUs (0 to 3)", "--gpu=0"),
        ("-1", None, "--gpu names '-1'", "--gpu=0"),
        ("first", None, "--gpu names 'first'; valid: an index (0), a UUID or its beginning", "--gpu=0"),
        ("", None, "--gpu names ''", "--gpu=0"),
        ("GPU-none", None, "is none of 4 GPUs", "nvidia-smi -L"),
        ("MIG-1", None, "names the slice MIG-1", "a whole GPU"),
        (None, "GPU-none", "CUDA_VISIBLE_DEVICES names GPU-none, which is none of 4 GPUs", "--gpu 0"),
        (None, "7", "CUDA_VISIBLE_DEVICES names the GPU 7", "--gpu 0"),
        (None, "", "leaves no GPU", "--gpu 0"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused_and_never_taken_for_the_first(
    fake_nvml_here: FakeNvml, gpu: str | None, visible: str | None, words: str, mend: str
) -> None:
    fake_nvml_here.set(gpus=4)
    with pytest.raises(ScorekitError) as caught:
        given(gpu, visible)
    assert words in caught.value.message
    assert mend in str(caught.value.mend)


def test_a_rehearsal_beside_a_model_on_the_cpu_takes_a_gpu_that_is_hidden_from_cuda(fake_nvml_here: FakeNvml) -> None:
    assert given(None, "", "cpu") == 0


@pytest.mark.parametrize(
    ("settings", "arguments", "code", "told"),
    [
        ({"init_errors": "init:9"}, [], EXIT_FAILED, "sudo modprobe nvidia"),
        ({}, ["--gpu", "1"], EXIT_USAGE, "--gpu names the GPU 1, but this machine has one GPU (0)"),
    ],
)
def test_a_machine_that_cannot_be_validated_is_told_at_once_with_the_rehearsal(
    tmp_path: Path,
    fake_nvml_here: FakeNvml,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    fake_nvml_here.set(**settings)
    assert validate_gpu.main(["--device", "cpu", "--out", str(tmp_path / "out"), *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert "--tiny --device cpu --fake-nvml" in line
    assert not (tmp_path / "out").exists()


def test_a_measuring_process_is_forked_in_one_part_and_compared_with_one_that_is_started_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_count", lambda data: 64)
    (part,) = [part for part in PARTS if part.name == "fork"]
    gpt2 = architectures.ARCHITECTURES["gpt2"]
    for tiny in (True, False):
        words = parts.bench_arguments(
            gpt2, setup_in(tmp_path, tiny=tiny), tmp_path / "run", repeats=2, start_method=part.start_method
        )
        assert "launcher.start_method=fork" in words
        assert "launcher=inline" not in words
    outcomes = {
        "gpt2": Outcome("gpt2", "done", data=benched()),
        "fork": Outcome("fork", "done", data=benched(wh_per_1000=5.2, valid=False)),
    }
    text = report.markdown(outcomes, {}, {})
    assert "| spawn (part gpt2) | 5 | 2.8 % | yes |" in text
    assert "| fork | 5.2 | 2.8 % | **no** |" in text
    assert "Fork beside spawn: +4.00 % (look)" in text
    del outcomes["gpt2"]
    alone = report.markdown(outcomes, {}, {})
    assert "| fork | 5.2 |" in alone
    assert "Fork beside spawn" not in alone


@pytest.mark.parametrize("forked", [True, False])
def test_a_part_that_was_not_forked_after_all_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: bool
) -> None:
    def run(arguments: Any, log: Path, *_: Any, **__: Any) -> int:
        log.write_text("" if forked else "CUDA was used already, so it is started afresh\n", encoding="utf-8")
        return 0

    assert parts.STARTED_AFRESH in inspect.getsource(launcher.ProcessLauncher.launch)
    monkeypatch.setattr(parts, "_count", lambda data: 64)
    monkeypatch.setattr(parts, "run", run)
    monkeypatch.setattr(parts.bundles, "readable", lambda bundle: (benched(), None))
    (part,) = [part for part in PARTS if part.name == "fork"]
    if forked:
        assert parts.bench(part, setup_in(tmp_path), tmp_path / "log")["valid"]
    else:
        with pytest.raises(PartError, match="nothing was forked"):
            parts.bench(part, setup_in(tmp_path), tmp_path / "log")
