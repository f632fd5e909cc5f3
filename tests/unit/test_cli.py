"""The command line as a user meets it: results on stdout, errors on stderr with their mend, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import scorekit
from scorekit import cli, errors, messages
from scorekit.errors import InvalidRunError, TerminatedError, install_line
from tests.golden import make

GOLDEN = Path(make.__file__).parent


def _module(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: Any) -> None:
    """Put a module in the place of one that a verb imports."""
    module = types.ModuleType(f"scorekit.{name}")
    for key, value in attributes.items():
        setattr(module, key, value)
    monkeypatch.setitem(sys.modules, f"scorekit.{name}", module)
    parent, _, leaf = f"scorekit.{name}".rpartition(".")
    monkeypatch.setattr(f"{parent}.{leaf}", module, raising=False)


def test_help_lists_every_verb_and_each_has_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in ("tiny", "demo", "parse", "rate", "doctor", "tasks"):
        assert verb in text
        assert cli.main([verb, "--help"]) == 0
        assert f"usage: scorekit {verb}" in capsys.readouterr().out


def test_help_tells_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out.partition("Exit codes: ")[2].partition(".\n")[0]
    codes = {code for name, code in vars(errors).items() if name.startswith("EXIT_")}
    assert {int(one.split()[0]) for one in told.replace("\n", " ").split(", ") if one[0].isdigit()} == codes
    assert max(map(len, told.split("\n"))) < 100


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom scorekit.cli import main\nmain(['--help'])\n"
        "heavy = {'pydantic', 'rich', 'torch', 'hydra', 'dataclasses', 'json', 'asyncio', 'importlib.metadata'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"scorekit {scorekit.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message", "mend"),
    [
        (["pars"], "there is no command 'pars'", "did you mean 'scorekit parse'?"),
        (["parse"], "required: PATH", "see scorekit parse --help"),
        (["parse", "x", "--jsn"], "unrecognized arguments: --jsn", "--help"),
        (["tiny", "x", "--samples", "many"], "invalid int value: 'many'", "see scorekit tiny --help"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate", "see scorekit --help"),
        (["rate", ".", "--edition", "2024"], "there is no edition '2024'; valid: 2025-02, local", "2025-02"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_mend(
    arguments: list[str], message: str, mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert mend in captured.err.partition("\n  mend: ")[2]


def test_no_command_prints_help_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: scorekit" in capsys.readouterr().err


# bench, tiny and demo are handed on


def test_bench_gets_its_arguments_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def main(argv: list[str]) -> int:
        seen.append(argv)
        return 7

    _module(monkeypatch, "bench", main=main)
    arguments = [
        "--help",
        "-m",
        "backend.model=a,b",
        "--config-name",
        "text_generation",
        "+x={a: 1}",
        "--",
        "~y",
    ]
    assert cli.main(["bench", *arguments]) == 7
    assert seen == [arguments]


@pytest.mark.parametrize(("name", "package"), [("hydra", "hydra-core"), ("optimum_benchmark.cli", "optimum-benchmark")])
def test_a_missing_extra_is_answered_with_its_install_line(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(_: list[str]) -> int:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)

    _module(monkeypatch, "bench", main=main)
    assert cli.main(["bench"]) == 2
    text = capsys.readouterr().err
    assert f"'{package}'" in text
    assert install_line("bench") in text


def test_a_missing_module_of_ours_is_a_fault_and_no_missing_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(_: list[str]) -> int:
        raise ModuleNotFoundError("No module named 'scorekit.gone'", name="scorekit.gone")

    _module(monkeypatch, "bench", main=main)
    assert cli.main(["bench"]) == 1
    assert "please report it" in capsys.readouterr().err


def test_tiny_hands_on_only_what_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def write_tiny(folder: Path, *, report: Any, **options: Any) -> dict[str, Any]:
        seen.append((folder, options))
        return {}

    _module(monkeypatch, "measuring.tiny", write_tiny=write_tiny)
    assert cli.main(["tiny", str(tmp_path)]) == 0
    arguments = ["--task", "asr", "--task", "reasoning", "--samples", "5", "--size", "small", "--seed", "1"]
    assert cli.main(["tiny", str(tmp_path), *arguments]) == 0
    assert seen == [
        (tmp_path, {"tasks": None}),
        (tmp_path, {"tasks": ["asr", "reasoning"], "samples": 5, "size": "small", "seed": 1}),
    ]


def test_demo_gets_its_folder_and_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def main(folder: Path, tasks: list[str] | None) -> int:
        seen.append((folder, tasks))
        return 0

    _module(monkeypatch, "demo", main=main)
    assert cli.main(["demo"]) == 0
    assert cli.main(["demo", "there", "--task", "asr"]) == 0
    assert seen == [(Path("demo"), None), (Path("there"), ["asr"])]


# How commands end


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (InvalidRunError("a zero", mend="again"), 3, "error: a zero\n  mend: again\n"),
        (TerminatedError(), 143, "error: ended by SIGTERM\n"),
        (SystemExit(5), 5, ""),
    ],
)
def test_errors_end_a_command_with_their_code(
    error: BaseException,
    code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main(_: list[str]) -> int:
        raise error

    _module(monkeypatch, "bench", main=main)
    monkeypatch.delenv(messages.DEBUG, raising=False)
    assert cli.main(["bench"]) == code
    assert capsys.readouterr().err == text


def test_a_fault_is_one_line_and_a_traceback_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(_: list[str]) -> int:
        raise RuntimeError("broken\nin two lines")

    _module(monkeypatch, "bench", main=main)
    monkeypatch.delenv(messages.DEBUG, raising=False)
    assert cli.main(["bench"]) == 1
    text = capsys.readouterr().err
    assert text.startswith("error: unexpected RuntimeError: broken in two lines\n")
    assert messages.DEBUG in text
    assert "Traceback" not in text
    monkeypatch.setenv(messages.DEBUG, "1")
    assert cli.main(["bench"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "scorekit", "tasks"],
            check=False,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (done.returncode, done.stderr) == (141, "")
