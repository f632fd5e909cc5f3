"""The words after the image's name: which command they mean, whether it measures, on what, and where it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.container.asked import understand

TASK = ("--config-name", "text_classification")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([*TASK, "backend.model=org/m"], ("bench", *TASK, "backend.model=org/m")),
        (["backend.model=org/m", *TASK], ("bench", "backend.model=org/m", *TASK)),
        (["-m", *TASK], ("bench", "-m", *TASK)),
        (["bench", *TASK], ("bench", *TASK)),
        (["doctor", "--json"], ("doctor", "--json")),
        (["scorekit", "doctor"], ("doctor",)),
        (["scorekit", *TASK], ("bench", *TASK)),
        (["text_generation"], ("text_generation",)),
    ],
)
def test_words_that_name_no_command_are_for_bench(words: list[str], command: tuple[str, ...]) -> None:
    assert understand(words).words == command


def test_configs_of_ones_own_are_found_without_being_named() -> None:
    mine = Path("/configs")
    assert understand([*TASK], mine).words == ("bench", "--config-dir", "/configs", *TASK)
    for spelling in (["--config-dir", "/other"], ["--config-dir=/other"], ["-cd", "/other"]):
        assert understand([*TASK, *spelling], mine).words == ("bench", *TASK, *spelling)
    assert understand(["doctor"], mine).words == ("doctor",)


@pytest.mark.parametrize(
    ("words", "writes", "device"),
    [
        ([*TASK], True, "cuda"),
        ([*TASK, "backend.device=cpu"], True, "cpu"),
        ([*TASK, "backend.device=cpu", "++backend.device=cuda"], True, "cuda"),
        ([*TASK, "backend=openai"], True, None),
        ([*TASK, "backend=pytorch"], True, "cuda"),
        (["--config-name", "no_such_task"], True, None),
        ([*TASK, "--cfg=job"], False, None),
        (["bench", "--help"], False, None),
        (["sweep", "org/a", "--task", "summarization"], True, "cuda"),
        (["sweep", "models.csv", "--plan-only"], False, None),
        (["sweep", "models.csv", "--hydra", "backend.device=cpu"], True, "cpu"),
        (["worker", "--device", "cpu"], True, "cpu"),
        (["demo", "--task", "summarization"], True, None),
        (["parse", "runs"], False, None),
    ],
)
def test_what_is_measured_on(words: list[str], writes: bool, device: str | None) -> None:
    asked = understand(words)
    assert (asked.writes, asked.device) == (writes, device)


def test_a_config_of_ones_own_says_itself_what_it_is_measured_on(tmp_path: Path) -> None:
    text = "defaults:\n  - benchmark\nscenario:\n  runs: 1\nbackend:\n  model: a/b\n  device: 'cpu'  # here\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "silent.yaml").write_text("backend:\n  model: a/b\n", encoding="utf-8")
    assert understand(["--config-name", "mine"], tmp_path).device == "cpu"
    assert understand(["--config-name=mine.yaml", "--config-dir", str(tmp_path)]).device == "cpu"
    assert understand(["--config-name", "silent"], tmp_path).device is None
    assert understand([*TASK], tmp_path).device == "cuda"


def test_a_model_in_a_folder_is_not_downloaded(tmp_path: Path) -> None:
    assert understand([*TASK, "backend.model=org/model"]).downloads
    assert not understand([*TASK, f"backend.model={tmp_path}"]).downloads
    assert not understand(["demo"]).downloads


@pytest.mark.parametrize(
    ("word", "folder"),
    [
        ("hydra.run.dir=/data/run", Path("/data/run")),
        ("hydra.sweep.dir='/data/two words'", Path("/data/two words")),
        ("hydra.run.dir=runs/mine", None),
        ("--runs=/data", Path("/data")),
        ("--runs=data", None),
    ],
)
def test_where_it_writes(word: str, folder: Path | None) -> None:
    assert understand(["bench", *TASK, word]).folder == folder
