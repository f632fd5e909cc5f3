"""Parts of a validation: done once, left out, failed, interrupted, and what is kept of them."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scripts import validate_gpu
from scripts.validation import parts, records, running
from scripts.validation.parts import Part, Setup
from scripts.validation.records import Outcome
from scripts.validation.running import PartError

from tests.fake_nvml import FakeNvml
from tests.unit.validation.conftest import SETUP, setup_in


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
