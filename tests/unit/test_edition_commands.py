"""`scorekit edition` and `scorekit rate` from end to end, as a user types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli, store
from scorekit.edition_sources import csv_tables, hub
from scorekit.logs import result_of
from scorekit.tasks import OFFICIAL_GPU
from tests.bundles import official_score
from tests.edition_members import REFERENCE, asr, needs_reference
from tests.golden import make
from tests.log_writers import optimum_benchmark

GOLDEN = Path(make.__file__).parent


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with one official CSV file in official/."""
    monkeypatch.chdir(tmp_path)
    official = tmp_path / "official"
    official.mkdir()
    (official / "asr.csv").write_text("model,total_gpu_energy,energy_score\na,0.001,5\nb,0.0035,3\nc,0.006,1\n")
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    found = cli.main(list(arguments))
    captured = capsys.readouterr()
    assert found == code, captured.err
    return captured.out, captured.err


def _json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    return json.loads(_run(capsys, *arguments, "--json", code=code)[0])


def _freeze(capsys: pytest.CaptureFixture[str], name: str = "trial", source: str = "official") -> None:
    _run(capsys, "edition", "import", source, "--name", name, "--date", "2025-02")
    _run(capsys, "edition", "freeze", name)


def test_the_whole_road_of_an_edition(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = _run(capsys, "edition", "import", "official", "--name", "trial", "--date", "2025-02")
    assert "equal_width gives 3 of 3 published stars" in out
    assert "nothing is final before `scorekit edition freeze trial`" in err
    assert _json(capsys, "edition", "list")[1]["kind"] == "draft"
    _, err = _run(capsys, "edition", "freeze", "trial")
    assert "froze editions/trial.json, sha256 " in err
    listed = {row["name"]: row for row in _json(capsys, "edition", "list")}
    assert (listed["2025-02"]["kind"], listed["trial"]["kind"], listed["trial"]["members"]) == (
        "built-in", "frozen", 3,
    )  # fmt: skip
    shown = _json(capsys, "edition", "show", "trial")
    assert shown == json.loads((place / "editions" / "trial.json").read_text())
    assert shown["thresholds"][0]["bounds_wh_per_1000"] == [2.0, 3.0, 4.0, 5.0]
    assert str(place) not in json.dumps(shown)
    out, _ = _run(capsys, "edition", "show", "trial", "--members")
    assert "***-- 3" in out
    assert shown["content_sha256"] in out


def test_every_command_prints_json_and_a_table(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _freeze(capsys, "one")
    (place / "official" / "asr.csv").open("a").write("monster,0.101,1\n")
    _freeze(capsys, "two")
    found = _json(capsys, "edition", "diff", "one", "two")
    assert (found["stars_moved"], found["carried_over"]) == (2, 3)
    out, _ = _run(capsys, "edition", "diff", "one", "two")
    text = " ".join(out.split())
    assert "2 of the 3 models that stand in both have another star" in text
    assert "highest 6.000 to 101.0 Wh: the range was stretched by the new monster" in text
    assert "1 -> 5 (+4)" in text
    found = _json(capsys, "edition", "sensitivity", "two")
    assert found["removals"][0]["model"] == "monster"
    out, _ = _run(capsys, "edition", "sensitivity", "two")
    assert "2 stars hang on a single other model" in " ".join(out.split())
    out, _ = _run(capsys, "edition", "list")
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["2025-02", "one", "two"]
    out, _ = _run(capsys, "edition", "diff", "2025-02", "two")
    assert "holds thresholds only" in " ".join(out.split())


def test_an_edition_is_written_as_csv_and_gathered_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _freeze(capsys)
    _run(capsys, "edition", "export", "trial", "single.csv")
    _run(capsys, "edition", "export", "trial", "folder")
    for source in ("single.csv", "folder"):
        _freeze(capsys, f"from-{source}", source)
        assert _json(capsys, "edition", "diff", "trial", f"from-{source}")["cohorts"] == []
    _, err = _run(capsys, "edition", "export", "2025-02", "x.csv", code=1)
    assert "thresholds only" in err


def test_several_sources_make_one_edition(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = store.open(place / "results")
    opened.add(result_of(official_score("ours", 8.0), "ours"))
    opened.add(result_of(official_score("ours-too", 9.0), "ours-too"))
    found = _json(capsys, "edition", "import", "official", "results", "--name", "both")
    assert {member["model"] for member in found["members"]} == {"a", "b", "c", "ours", "ours-too"}
    assert [source["name"] for source in found["sources"]] == ["official/asr.csv", "results"]
    assert [row["cohort"] for row in found["thresholds"]] == ["asr", "text_generation"]


def test_a_space_is_gathered_by_its_name(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_downloads", lambda: lambda name, **_: str(place / "official"))
    found = _json(capsys, "edition", "import", "space:AIEnergyScore/Leaderboard", "--name", "hub")
    assert found["sources"][0]["name"] == "space:AIEnergyScore/Leaderboard/asr.csv"
    assert found["members"][0]["wh_per_1000_queries"] == 1.0


def test_a_frozen_edition_is_never_changed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _freeze(capsys)
    for arguments in (["import", "official", "--name", "trial"], ["freeze", "trial"]):
        _, err = _run(capsys, "edition", *arguments, code=2)
        assert "a frozen edition is never changed" in err
    path = place / "editions" / "trial.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"b"', '"better"'))
    _, err = _run(capsys, "edition", "show", "trial", code=1)
    assert "trial.json was changed after it was frozen" in err
    _, err = _run(capsys, "edition", "list", code=1)
    assert "was changed" in err
    _, err = _run(capsys, "rate", str(GOLDEN / "generate_h100_counter"), "--edition", "trial", code=1)
    assert "was changed" in err


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["import", "nowhere", "--name", "x"], "there is no nowhere", 1),
        (["import", "empty", "--name", "x"], "neither a CSV file of an edition nor a result", 1),
        (["import", "bad.csv", "--name", "x"], "bad.csv, line 3, column stars: expected 1 to 5 stars, found '7'", 1),
        (["import", "official", "--name", "2025-02"], "a name of scorekit's own", 2),
        (["import", "official", "--name", "x", "--date", "soon"], "'soon' is no date", 2),
        (["import", "official"], "required: --name", 2),
        (["import", "space:nothing", "--name", "x"], "expected space:ORG/NAME", 2),
        (["freeze", "x"], "there is no draft 'x'", 2),
        (["show", "2025-20"], "there is no edition '2025-20'", 2),
        (["diff", "2025-02", "x"], "there is no edition 'x'", 2),
        (["sensitivity", "2025-02"], "holds thresholds only", 1),
        (["frieze", "x"], "invalid choice: 'frieze'", 2),
        ([], "required: COMMAND", 2),
    ],
)
def test_what_cannot_be_is_told_with_its_mend(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, code: int
) -> None:
    (place / "empty").mkdir()
    (place / "bad.csv").write_text(csv_tables.write_single(asr(one=1.0)) + "asr,,two,2.0,7\n")
    out, err = _run(capsys, "edition", *arguments, code=code)
    assert out == ""
    assert message in err
    assert "\n  mend: " in err
    assert not (place / "editions").exists()


def test_faulty_rows_are_left_out_only_when_asked_for(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "bad.csv").write_text(csv_tables.write_single(asr(one=1.0, two=2.0)) + "asr,,three,3.0,7\n")
    found = _json(capsys, "edition", "import", "bad.csv", "--name", "x", "--skip-faulty")
    assert [left["place"] for left in found["left_out"]] == ["bad.csv, line 4, column stars"]
    out, _ = _run(capsys, "edition", "show", "x")
    assert "Left out:\n  - bad.csv, line 4, column stars" in out


@needs_reference
def test_the_published_edition_by_every_rule(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {}
    for rule in ("equal_width", "rank_quintile", "log_width"):
        _run(capsys, "edition", "import", str(REFERENCE), "--name", rule, "--date", "2025-02")
        edition = _json(capsys, "edition", "freeze", rule, "--rule", rule)
        bounds = {(row["cohort"], row["model_class"]): row["bounds_wh_per_1000"] for row in edition["thresholds"]}
        # From the file alone, as someone without scorekit would.
        given[rule] = sum(
            5 - sum(bound <= one["wh_per_1000_queries"] for bound in bounds[one["cohort"], one["model_class"]])
            == one["stars"]
            for one in edition["members"]
        )
    assert given["equal_width"] == 166
    assert abs(given["rank_quintile"] - 70) <= 1
    assert abs(given["log_width"] - 64) <= 1


# rate


def test_rate_in_a_frozen_edition_by_its_rule_or_another(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "official" / "text_generation.csv").write_text(
        "model,total_gpu_energy,class,energy_score\nx,0.001,A,\ny,0.008,A,\nz,0.1,A,\n"
    )
    _freeze(capsys)
    run = str(GOLDEN / "generate_h100_counter")
    (own,) = _json(capsys, "rate", run, "--edition", "trial")
    assert (own["edition"], own["rule"], own["stars"], own["official"]) == ("trial", "equal_width", 5, True)
    assert own["schema_version"] == "scorekit.rating/2"
    (other,) = _json(capsys, "rate", run, "--edition", "trial", "--rule", "log_width")
    assert (other["rule"], other["stars"], other["official"]) == ("log_width", 3, False)
    out, _ = _run(capsys, "rate", run, "--edition", "trial", "--rule", "log_width")
    assert "is rated by equal_width, and log_width was asked for" in " ".join(out.split())
    shutil.move(place / "editions", place / "elsewhere")
    _, err = _run(capsys, "rate", run, "--edition", "trial", code=2)
    assert "there is no edition 'trial'" in err
    assert _json(capsys, "rate", run, "--edition", "trial", "--editions", "elsewhere") == [own]
    _, err = _run(capsys, "rate", run, "--rule", "best", code=2)
    assert "valid: equal_width, rank_quintile, log_width" in err


def test_rate_explains_each_star(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(GOLDEN / "generate_h100_counter")
    (rating,) = _json(capsys, "rate", run, "--explain")
    assert "has 4 stars because its 7.600 Wh per 1,000 queries lies between 6.799 and 12.28 Wh" in rating["explanation"]
    assert "Below 6.799 Wh (0.8011 Wh or 11 % less) it would have 5 stars" in rating["explanation"]
    out, _ = _run(capsys, "rate", run, "--explain")
    assert rating["explanation"] in " ".join(out.split())
    (plain,) = _json(capsys, "rate", run)
    assert plain["explanation"] is None


def test_rate_takes_a_results_folder_and_logs_of_other_tools(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = store.open(place / "results")
    opened.add(result_of(official_score("ours", 8.0), "ours"))
    (rating,) = _json(capsys, "rate", "results")
    assert (rating["model"], rating["stars"], rating["official"]) == ("ours", 4, True)
    (place / "logs").mkdir()
    (place / "logs" / "emissions.csv").write_text("not,a,log\n")
    _, err = _run(capsys, "rate", "logs", code=1)
    assert "error: " in err


def test_rate_stars_logs_of_other_tools_among_themselves(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, energy_kwh in (("small", 0.008), ("large", 0.020)):
        (place / "logs" / name).mkdir(parents=True)
        answers = {"prefill": (energy_kwh / 4,), "decode": (energy_kwh / 2,)}
        run = optimum_benchmark.Run(model=f"org/{name}", task="summarization", answers_kwh=answers)
        for file, content in optimum_benchmark.write(run).items():
            (place / "logs" / name / file).write_bytes(content)
    shutil.copytree(GOLDEN / "generate_h100_counter", place / "logs" / "own")
    found = {rating["model"]: rating for rating in _json(capsys, "rate", "logs")}
    assert {name: (rating["stars"], rating["edition"]) for name, rating in found.items()} == {
        "org/small": (5, "local"),
        "org/large": (1, "local"),
        "example/model-1b": (4, "2025-02"),
    }
    assert _json(capsys, "rate", "logs/small", code=1)[0]["stars"] is None


def test_rate_sets_no_logs_side_by_side_that_do_not_tell_their_hardware(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, energy_wh in (("small", 8.0), ("large", 20.0)):
        log = {
            "config": {"name": "summarization", "model": f"org/{name}"},
            "summary": {"total_prompts": 1000, "successful_prompts": 1000},
            "energy": {"gpu_energy_wh": energy_wh},
        }
        (place / "logs" / name).mkdir(parents=True)
        (place / "logs" / name / "benchmark.json").write_text(json.dumps(log))
    for rating in _json(capsys, "rate", "logs", code=1):
        assert rating["stars"] is None
        assert "would have to share with others: hardware" in rating["refused"]


def test_an_import_says_what_it_took_for_granted(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    guessed = _json(capsys, "edition", "import", "official", "--name", "guessed")
    assert [note.partition(" ")[0] for note in guessed["notes"] if "was not named" in note] == ["date", "hardware"]
    assert any(
        note.startswith(f"hardware was not named: {OFFICIAL_GPU} is the protocol's") for note in guessed["notes"]
    )
    options = ("--date", "2026-01", "--hardware", "NVIDIA L4")
    named = _json(capsys, "edition", "import", "official", "--name", "named", *options)
    assert not [note for note in named["notes"] if "was not named" in note]
    # What is comparable was measured on the protocol's GPU: nothing is guessed of it.
    opened = store.open(place / "results")
    opened.add(result_of(official_score("ours", 8.0), "ours"))
    own = _json(capsys, "edition", "import", "results", "--name", "own")
    assert [note.partition(" ")[0] for note in own["notes"] if "was not named" in note] == ["date"]
