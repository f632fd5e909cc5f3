"""The entrypoint: what it runs, what it says instead, and with which code it ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from scorekit.container import facts, start
from scorekit.container.preflight import SMOKE_TEST
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, EXIT_USAGE
from tests.unit.container.test_preflight import GOOD, NO_LIBRARY, RESULTS

TASK = ["--config-name", "text_generation", "backend.model=org/model"]


class Scorekit:
    """scorekit's command line, which remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, arguments: Sequence[str]) -> int:
        self.asked.append(list(arguments))
        return EXIT_INVALID


def given(found: facts.Facts, looked: list[Path] | None = None) -> start.Collect:
    def collect(_environ: Mapping[str, str], results: Path) -> facts.Facts:
        if looked is not None:
            looked.append(results)
        return found

    return collect


def test_scorekits_code_is_the_containers(capsys: pytest.CaptureFixture[str]) -> None:
    run = Scorekit()
    assert start.main(TASK, {}, given(GOOD), run) == EXIT_INVALID
    assert run.asked == [["bench", *TASK]]
    assert capsys.readouterr() == ("", "")


def test_a_refusal_is_one_line_with_its_mend_and_nothing_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    run = Scorekit()
    missing = replace(GOOD, results=replace(RESULTS, mounted=False), gpus=NO_LIBRARY)
    assert start.main(TASK, {}, given(missing), run) == EXIT_USAGE
    assert run.asked == []
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(":")[0] for line in err.splitlines()] == ["error", "  mend"]


def test_notes_are_told_and_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    run = Scorekit()
    assert start.main(TASK, {}, given(replace(GOOD, shm_bytes=2**26)), run) == EXIT_INVALID
    assert capsys.readouterr().err.startswith("note: shared memory holds 64 MiB")
    assert len(run.asked) == 1


def test_commands_that_only_read_are_not_looked_at() -> None:
    run, looked = Scorekit(), list[Path]()
    start.main(["doctor"], {}, given(GOOD, looked), run)
    start.main(["--version"], {}, given(GOOD, looked), run)
    assert run.asked == [["doctor"], ["--version"]]
    assert looked == []


def test_the_folder_that_is_looked_at_is_the_one_that_is_written_to() -> None:
    run, looked = Scorekit(), list[Path]()
    start.main(TASK, {}, given(GOOD, looked), run)
    start.main([*TASK, "hydra.run.dir=/data/run"], {}, given(GOOD, looked), run)
    assert looked == [Path.cwd(), Path("/data/run")]


def test_configs_that_were_mounted_are_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "CONFIGS", tmp_path)
    run = Scorekit()
    start.main(TASK, {}, given(GOOD), run)
    assert run.asked == [["bench", "--config-dir", str(tmp_path), *TASK]]


def test_a_secret_file_is_handed_to_the_hubs_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "hf_token"
    monkeypatch.setattr(facts, "SECRET", secret)
    environ: dict[str, str] = {}
    start.main(TASK, environ, given(GOOD), Scorekit())
    assert environ == {}
    secret.write_text("hf_abc", encoding="utf-8")
    start.main(TASK, environ, given(GOOD), Scorekit())
    assert environ == {"HF_TOKEN_PATH": str(secret)}


def test_secrets_come_from_the_files_that_the_environment_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "worker_token"
    environ = {"SCOREKIT_TOKEN_FILE": str(token), "SCOREKIT_PORTAL_DATABASE_FILE": ""}
    run = Scorekit()
    assert start.main(["portal", "serve"], environ, given(GOOD), run) == EXIT_FAILED
    (error, mend) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"error: SCOREKIT_TOKEN_FILE={token} cannot be read by user ")
    assert error.endswith(": no such file or directory")
    assert mend.endswith("or set SCOREKIT_TOKEN itself")
    token.write_bytes(b"\xff")
    assert start.main(["portal", "serve"], environ, given(GOOD), run) == EXIT_FAILED
    assert capsys.readouterr().err.splitlines()[0].endswith(": it is no text")
    assert run.asked == []
    token.write_text("abc\n", encoding="utf-8")
    start.main(["portal", "serve"], environ, given(GOOD), run)
    assert environ["SCOREKIT_TOKEN"] == "abc"
    assert "SCOREKIT_PORTAL_DATABASE" not in environ


def test_without_words_the_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main([], {}, given(GOOD), Scorekit()) == EXIT_USAGE
    told = capsys.readouterr().err
    assert SMOKE_TEST in told
    assert start.main(["--help"], {}, given(GOOD), Scorekit()) == EXIT_DONE
    assert capsys.readouterr().out == told


def test_the_module_that_the_image_starts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scorekit.container", "--help"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (EXIT_DONE, "")
    assert done.stdout.startswith("usage: docker run")
