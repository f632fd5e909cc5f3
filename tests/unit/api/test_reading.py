"""scorekit.load, rate, impact, and what a measurement is saved as: each does what its command does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import scorekit
from scorekit import cli, store
from scorekit.api.wording import in_python
from scorekit.errors import BundleError, InvalidRunError, LogError, ScorekitError, UsageError
from scorekit.logs import Refusal
from tests.bundles import official_score
from tests.purse import Purse

GOLDEN = Path(__file__).parents[2] / "golden"
SAVED = GOLDEN / "measurements" / "version_1.json"
MIX = "ai-energy-score"
"""One that needs no package."""


def measured(purse: Purse, energy_wh: float, name: str = "mine", samples: int = 100) -> scorekit.Measurement:
    return scorekit.measure(
        lambda: purse.take(energy_wh), samples=samples, name=name, task="my_task", repeats=2, min_window_s=0
    )


def test_importing_scorekit_imports_nothing_else_of_it() -> None:
    script = (
        "import sys, scorekit; assert 'measure' in dir(scorekit) and scorekit.__all__;"
        "assert not [name for name in sys.modules if name.startswith('scorekit.')];"
        "scorekit.measure; import scorekit.api.measure as module; assert scorekit.measure is module.measure;"
        "heavy = {'torch', 'hydra', 'optimum_benchmark', 'codecarbon', 'transformers', 'pandas'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with pytest.raises(AttributeError, match="no attribute 'mesure'"):
        _ = scorekit.mesure


def test_logs_of_any_kind_are_loaded_in_the_order_of_their_paths(tmp_path: Path) -> None:
    results = scorekit.load(GOLDEN / "generate_h100", str(GOLDEN / "logs" / "ai_energy_benchmarks" / "whole.json"))
    assert [result.source.format for result in results] == ["scorekit.bundle/1", "ai-energy-benchmarks/1"]
    assert results[0].wh_per_1000_queries == pytest.approx(8.0)
    store.open(tmp_path / "results", report=print).add(results[0])
    assert scorekit.load(tmp_path / "results", tmp_path / "results") == results[:1]
    frame = results.to_frame()
    assert frame["wh_per_1000_queries"].iloc[0] == pytest.approx(8.0)
    assert "<pre" in results._repr_html_()
    assert str(results[0].task) in str(results)


def test_what_cannot_be_read_is_an_error_or_stands_beside(tmp_path: Path) -> None:
    paths = [GOLDEN / "generate_h100", GOLDEN / "negative_energy", GOLDEN / "incomplete"]
    expected = r"(?s)2 logs cannot be read\. The first: .*negative_energy.*incomplete"
    with pytest.raises(InvalidRunError, match=expected) as raised:
        scorekit.load(*paths)
    assert "refused=" in str(raised.value.mend)
    left_out: list[Refusal] = []
    assert len(scorekit.load(*paths, refused=left_out)) == 1
    assert [refusal.label for refusal in left_out] == ["negative_energy", "incomplete"]
    with pytest.raises(LogError, match="there is no"):
        scorekit.load(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no path is given"):
        scorekit.load()
    with pytest.raises(UsageError, match="found a list"):
        scorekit.load(paths)  # type: ignore[arg-type]


def test_a_damaged_file_of_a_store_is_not_passed_over(tmp_path: Path) -> None:
    root = tmp_path / "results"
    opened = store.open(root, report=print)
    opened.add(scorekit.load(GOLDEN / "generate_h100")[0])
    (file,) = [path for path in root.rglob("*.json") if path.name != store.STORE]
    file.write_text(file.read_text(encoding="utf-8").replace("8.0", "7.0"), encoding="utf-8")
    with pytest.raises(ScorekitError, match=file.name):
        scorekit.load(root)


def test_a_measurement_is_saved_and_read_back(purse: Purse, tmp_path: Path) -> None:
    found = measured(purse, 0.2)
    path = found.save(tmp_path / "mine.json")
    assert json.loads(path.read_text(encoding="utf-8"))["schema_version"] == "scorekit.measurement/1"
    assert scorekit.Measurement.read(path) == found
    (result,) = scorekit.load(path)
    assert result.wh_per_1000_queries == pytest.approx(3.0)
    assert result.model_copy(update={"source": found.result.source}) == found.result
    assert not result.comparable
    assert [reason.code for reason in result.not_comparable_because] == ["own_code"]
    with pytest.raises(BundleError, match="no_folder") as raised:
        found.save(tmp_path / "no_folder" / "mine.json")
    assert "hydra" not in str(raised.value)


def test_a_file_of_the_first_version_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    found = scorekit.Measurement.read(SAVED)
    assert found.energy_wh == pytest.approx(0.3)
    assert scorekit.load(SAVED)[0].wh_per_1000_queries == pytest.approx(3.0)
    assert cli.main(["parse", str(SAVED)]) == 0
    assert "scorekit-measurement/1" in capsys.readouterr().out


@pytest.mark.parametrize("changes", [{"schema_version": "scorekit.measurement/2"}, {"energy_wh": -1}, {"typo": 1}])
def test_a_file_that_is_none_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(json.loads(SAVED.read_text(encoding="utf-8")) | changes), encoding="utf-8")
    for read in (scorekit.load, scorekit.Measurement.read):
        with pytest.raises(LogError, match=r"other\.json is no measurement of this version"):
            read(path)


def test_measurements_of_one_task_are_rated_together(purse: Purse, tmp_path: Path) -> None:
    large, small = measured(purse, 0.4, "large"), measured(purse, 0.2, "small")
    ratings = scorekit.rate([large, small], edition="local")
    assert [(rating.model, rating.stars, rating.official) for rating in ratings] == [
        ("large", 1, False), ("small", 5, False),
    ]  # fmt: skip
    assert "small" in str(ratings)
    assert "<pre" in ratings._repr_html_()
    saved = [large.save(tmp_path / "large.json"), small.save(tmp_path / "small.json")]
    assert scorekit.rate(saved, edition="local") == ratings
    alone = scorekit.rate(large)
    assert alone[0].stars is None
    assert alone[0].no_official_star_because[0].code == "own_code"
    explained = scorekit.rate([large, small], edition="local", explained=True)
    assert explained[0].explanation
    with pytest.raises(UsageError, match="nothing to rate"):
        scorekit.rate([])


def test_a_rating_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    folder = GOLDEN / "generate_h100_counter"
    assert cli.main(["rate", str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [rating.model_dump(mode="json") for rating in scorekit.rate(folder)] == printed
    assert scorekit.rate(official_score())[0].official


def test_an_impact_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--energy-wh", "35", "--cpu-wh", "5", "--zone", "FRA", "--mix", MIX, "--pue", "1.2"]
    assert cli.main(["impact", *given, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    found = scorekit.impact(35, zone="France", mix=MIX, pue=1.2, added_wh={"cpu": 5})
    assert found.model_dump(mode="json") == printed
    assert "France" in str(found)
    assert "<pre" in found._repr_html_()


def test_an_impact_of_what_was_measured(purse: Purse) -> None:
    found = measured(purse, 20.0)
    once = scorekit.impact(found, zone="WOR", mix=MIX)
    assert once.energy_wh.low == pytest.approx(30)
    assert [term.name for term in once.terms] == ["cpu+ram"]
    assert scorekit.impact(found.result, zone="WOR", mix=MIX, queries=1000).energy_wh.low == pytest.approx(300)
    with pytest.raises(InvalidRunError, match="energy_positive") as raised:
        scorekit.impact(measured(purse, 0.0), zone="WOR", mix=MIX)
    assert "print the measurement" in str(raised.value)
    for give, why in (
        (lambda: scorekit.impact(0, zone="FRA", mix=MIX), "energy"),
        (lambda: scorekit.impact("35", zone="FRA", mix=MIX), "expected an energy"),  # type: ignore[arg-type]
        (lambda: scorekit.impact(True, zone="FRA", mix=MIX), "expected an energy"),
        (lambda: scorekit.impact(35, zone="Atlantis", mix=MIX), "Atlantis"),
        (lambda: scorekit.impact(35, zone="FRA", mix=MIX, queries=3), "queries are those of a result"),
        (lambda: scorekit.impact(35, zone="FRA", mix=MIX, pue=0.5), "PUE"),
    ):
        with pytest.raises(UsageError, match=why):
            give()


def test_names_of_strangers_are_escaped(purse: Purse) -> None:
    found = measured(purse, 0.2, name="<script>")
    assert "<script>" in str(found)
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("measure with scenario.meters=[nvml,codecarbon]", 'measure with meters=["nvml", "codecarbon"]'),
        ("scenario.runs=10 measures ten repeats", "repeats=10 measures ten repeats"),
        ("choose another GPU with backend.device_ids=1", "choose another GPU with gpus=[1]"),
        ("let the GPU warm up with scenario.warmup_runs", "let the GPU warm up with warmup"),
        ("nothing to say", "nothing to say"),
    ],
)
def test_settings_are_told_as_arguments(text: str, expected: str) -> None:
    assert in_python(text) == expected
