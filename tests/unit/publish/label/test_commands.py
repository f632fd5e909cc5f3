"""`scorekit label` and `scorekit card`: from a run, a file, a rating or the store to a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from scorekit import editions, logs, store
from scorekit.cli import main
from scorekit.records import Member
from tests.bundles import local_score, official_score
from tests.edition_members import draft, frozen

GOLDEN = Path(__file__).parents[3] / "golden"
RUN = GOLDEN / "generate_h100"
LINK = "https://energy.example.org/r/1"


def test_each_format_of_a_run(tmp_path: Path) -> None:
    starts = {"a.svg": b"<svg ", "a.png": b"\x89PNG", "a.pdf": b"%PDF", "a.json": b"{"}
    for name, start in starts.items():
        assert main(["label", str(RUN), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_bytes().startswith(start)
    assert main(["label", str(RUN), "--format", "svg", "-o", str(tmp_path / "b.txt")]) == 0
    assert (tmp_path / "b.txt").read_bytes() == (tmp_path / "a.svg").read_bytes()


def test_a_label_goes_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["label", str(RUN)]) == 0
    out = capfdbinary.readouterr().out
    assert b"example/model-1b" in out
    ET.fromstring(out)


def test_a_local_result_gets_no_link(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    path.write_text(local_score().model_dump_json())
    assert main(["card", str(path), "--link", LINK]) == 0
    told = capsys.readouterr()
    assert LINK not in told.out
    assert "Local result, not comparable" in told.out
    assert "--link is left out" in told.err


def test_a_lone_local_score_has_no_rule_and_is_told_what_to_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "score.json"
    path.write_text(local_score().model_dump_json())
    assert main(["card", str(path), "--edition", "local"]) == 0
    told = capsys.readouterr().out
    assert "| Edition | none |\n| Rule | none |" in told
    assert "scorekit rate RUN OTHER ..." in told
    assert "--results DIR" in told


def test_a_rating_file_may_hold_several(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, energy_wh in (("one", 1.0), ("two", 5.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "score.json").write_text(local_score(name, energy_wh).model_dump_json())
    assert main(["rate", str(tmp_path), "--json"]) == 0
    ratings = tmp_path / "ratings.json"
    ratings.write_text(capsys.readouterr().out)
    assert main(["card", str(ratings)]) == 2
    assert "one, two" in capsys.readouterr().err
    assert main(["card", str(ratings), "--model", "tw"]) == 2
    assert "did you mean --model 'two'?" in capsys.readouterr().err
    assert main(["card", str(ratings), "--model", "two"]) == 0
    assert "1 of 5 among 2 models" in capsys.readouterr().out


def test_results_of_the_store_by_model_and_by_id(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    results = tmp_path / "results"
    kept = store.open(results)
    for energy_wh in (10.0, 11.0):
        kept.add(logs.result_of(official_score("meta/one", energy_wh), "run"))
    kept.add(logs.result_of(official_score("meta/two", 20.0), "run"))
    made = ["label", "meta/two", "--results", str(results), "--link", LINK, "--format", "badge"]
    assert main(made) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["message"] == "\u2605\u2605\u2606\u2606\u2606 20.0 Wh per 1k queries (2025-02)"
    assert main(["card", "meta/one", "--results", str(results)]) == 2
    error = capsys.readouterr().err
    assert "has 2 results" in error
    ids = [row["id"] for row in kept.table().to_pylist() if row["model"] == "meta/one"]
    assert all(digits[:12] in error for digits in ids)
    assert main(["card", ids[0][:12], "--results", str(results)]) == 0
    assert main(["card", "meta/three", "--results", str(results)]) == 2
    assert main(["label", str(results)]) == 2
    assert "--results" in capsys.readouterr().err


def test_a_files_name_does_not_steer_the_terminal(tmp_path: Path) -> None:
    kept = store.open(tmp_path / "results")
    kept.add(logs.result_of(official_score("meta/two", 20.0), "run"))
    (kept.root / "asr").mkdir(exist_ok=True)
    (kept.root / "asr" / "a\x1b[31mred\nerror: forged--0123456789ab.json").write_text("{}")
    # In a process of its own: pytest takes what is logged.
    made = [sys.executable, "-m", "scorekit", "label", "meta/two", "-o", "\x1b[31mcard.svg"]
    done = subprocess.run(made, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "left out: asr/a?[31mred?error: forged--0123456789ab.json" in done.stderr
    assert "wrote ?[31mcard.svg" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nowhere"], 1, "nowhere"),
        ([str(RUN), "--scale", "100"], 2, "scale"),
        ([str(RUN), "--edition", "2099-01"], 2, "2099-01"),
        ([str(RUN), "-o", "no/such/folder/a.svg"], 2, "there is no folder"),
        ([str(GOLDEN / "negative_energy")], 3, "negative"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["label", *arguments]) == code
    assert told in capsys.readouterr().err


def test_a_rating_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rating.json"
    path.write_text('{"schema_version": "scorekit.rating/9"}')
    assert main(["label", str(path)]) == 1
    assert "is not a rating of this version" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "package", "form"),
    [("vl_convert", "vl-convert-python", "png"), ("pypdf", "pypdf", "pdf")],
)
def test_a_missing_package_is_answered_with_the_install_line(module: str, package: str, form: str) -> None:
    # In a process of its own, in which nothing has been imported.
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        f"from scorekit.cli import main; sys.exit(main(['label', {str(RUN)!r}, '--format', {form!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert f"'{package}'" in done.stderr
    assert 'pip install -c constraints.txt -e ".[publish]"' in done.stderr


def test_badge_and_card_need_neither_fonts_nor_what_draws() -> None:
    code = (
        "import sys\n"
        "for name in ('zxingcpp', 'fontTools', 'vl_convert', 'pypdf'): sys.modules[name] = None\n"
        f"from scorekit.cli import main\n"
        f"sys.exit(main(['label', {str(RUN)!r}, '--format', 'badge']) or main(['card', {str(RUN)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "## Energy of inference" in done.stdout


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _member(model: str, energy_wh: float, cohort: str = "asr", model_class: str | None = None) -> Member:
    return Member.model_validate(
        {"cohort": cohort, "model": model, "wh_per_1000_queries": energy_wh, "model_class": model_class}
    )


MEMBERS = [_member("org/ear", 1.0), _member("org/horn", 8.0), _member("org/ear", 3.0, "summarization")]


def test_a_model_is_looked_up_in_the_results_folder_of_this_place(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen(MEMBERS, here / "editions", "2026-01")
    store.open("results").add(logs.result_of(official_score("org/ear", 10.0), "run"))
    assert main(["label", "org/ear", "--format", "badge"]) == 0
    told = capsys.readouterr()
    assert "10.0 Wh" in told.out
    assert told.err == ""
    # Of what it has not, the published figure stands.
    assert main(["label", "org/horn", "--format", "badge"]) == 0
    assert "2026-01" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["label", "card"])
def test_a_model_without_a_result_gets_its_published_figure(
    command: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen([_member("org/horn", 4.0), *MEMBERS[:1]], here / "editions", "2025-12")
    edition = frozen(MEMBERS, here / "editions", "2026-01")
    assert edition.date == "2025-02"
    assert main([command, "org/horn", "--link", LINK]) == 0
    told = capsys.readouterr()
    assert "published figure of edition 2026-01" in told.err
    assert "8.00" in told.out
    assert "1 of 5 stars" in told.out
    assert "Local result" not in told.out
    # What the edition does not tell stays unknown.
    assert "uncertainty unknown" in told.out
    assert LINK in told.out
    assert main([command, "org/horn", "--edition", "2025-12"]) == 0
    assert "4.00" in capsys.readouterr().out


def test_several_figures_of_a_model_are_told_apart_by_task(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frozen(MEMBERS, here / "editions", "2026-01")
    assert main(["card", "org/ear"]) == 2
    assert "2 figures of 'org/ear': asr 1 Wh, summarization 3 Wh" in capsys.readouterr().err
    assert main(["card", "org/ear", "--task", "automatic_speech_recognition"]) == 0
    assert "5 of 5 stars" in capsys.readouterr().out
    # A cohort of one has no thresholds, so there is no star, and why is told.
    assert main(["label", "org/ear", "--task", "summarization", "--format", "badge"]) == 0
    assert "no star" in capsys.readouterr().out


def test_a_figure_of_other_hardware_is_local(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    editions.write_draft(draft(MEMBERS[:2], "small", hardware="NVIDIA L4"), here / "editions")
    editions.freeze("small", here / "editions")
    assert main(["card", "org/horn", "--link", LINK]) == 0
    told = capsys.readouterr()
    assert "Local result, not comparable" in told.out
    assert "holds energies of NVIDIA L4" in told.out
    assert LINK not in told.out
    assert "--link is left out" in told.err


def test_a_model_that_is_nowhere_is_told_what_to_type(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "org/my model"]) == 1
    told = capsys.readouterr().err
    assert "there is no results folder 'results' here, nor does any edition in 'editions' name such a model" in told
    assert "scorekit label runs/TASK/MODEL" in told
    assert "scorekit label 'org/my model' --results DIR" in told
    assert "scorekit edition import SOURCE --name NAME" in told
    frozen(MEMBERS, here / "editions", "2026-01")
    assert main(["card", "org/hern"]) == 1
    assert "mend: did you mean: scorekit card org/horn" in capsys.readouterr().err
    # A folder of that name which is none of ours gets no index written into it.
    (here / "results").mkdir()
    assert main(["card", "org/hern", "--edition", "local"]) == 1
    assert "edition" not in capsys.readouterr().err.partition("mend")[0]
    assert list((here / "results").iterdir()) == []


def test_a_rating_may_come_through_a_pipe(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # One alone gets no star, and a rating all the same.
    assert main(["rate", str(RUN), "--json"]) == 1
    content = capsys.readouterr().out
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=(here / "pipe").write_text, args=(content,))
    writer.start()
    assert main(["card", "pipe"]) == 0
    writer.join()
    told = capsys.readouterr()
    assert "it is the only model given" in told.out
    assert told.err == ""
