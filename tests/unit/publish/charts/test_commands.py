"""`scorekit chart` as it is typed: every chart as a file, and what is said where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scorekit import store
from scorekit.cli import main
from scorekit.logs.from_score import result_of
from scorekit.publish.charts import csv_text, registry, subjects
from scorekit.publish.charts.registry import Asked
from scorekit.records import PhaseEnergy
from tests.bundles import local_score, official_score
from tests.sites import HOSTILE, empty_site, full_site, local_site

SITE = full_site()
WRITER = "example/writer-1b"
ASKED: dict[str, dict[str, object]] = {
    "tasks": {},
    "cohort": {"task": "asr"},
    "extremes": {"task": "text_generation", "model_class": "A"},
    "history": {"models": (WRITER,)},
    "compare": {"models": ("example/listener-1", "example/listener-80")},
    "zones": {"zones": ("FRA", "Germany")},
    "world": {"kind": "water"},
}


def ask(name: str, **choices: object) -> registry.Chart:
    return registry.find(name).make(Asked(site=lambda: SITE, **choices))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ASKED)
def test_every_chart_can_be_made_of_a_site(name: str) -> None:
    chart = ask(name, **ASKED[name])
    assert chart.empty is None
    assert chart.name == name
    assert len(chart.rows) >= 2


def test_charts_of_a_site_tell_its_figures() -> None:
    tasks = {row["task"]: row for row in ask("tasks").rows}
    asr = tasks["Speech recognition"]
    assert (asr["models"], asr["lowest_wh_per_1000_queries"], asr["highest_wh_per_1000_queries"]) == (5, 1.0, 80.0)
    assert asr["mean_wh_per_1000_queries"] == pytest.approx(21.6)
    # Classes are never mixed in one average.
    assert {"Text generation, class A", "Text generation, class B", "Text generation, class C"} <= tasks.keys()
    bands = ask("cohort", task="asr").datasets["bands"]
    assert [band["from"] for band in bands][1:] == pytest.approx([16.8, 32.6, 48.4, 64.2])
    history = [(row["edition"], row["energy_wh_per_1000_queries"]) for row in ask("history", models=(WRITER,)).rows]
    assert history == [("2025-06", 2.0), ("2026-01", 2.0)]


def test_a_models_queries_cost_what_its_energy_does() -> None:
    per_kwh = {row["code"]: row["value"] for row in ask("zones").rows}
    rows = {row["code"]: row["value"] for row in ask("zones", models=("example/listener-20",)).rows}
    assert per_kwh.keys() == rows.keys()
    for code, value in rows.items():
        assert value == pytest.approx(per_kwh[code] * 0.02)


def test_phases_are_told_once() -> None:
    def shares(*phases: tuple[str, float | None, bool]) -> list[tuple[str, float, bool]]:
        rows = [PhaseEnergy(phase=name, energy_kwh=kwh, counted=counted) for name, kwh, counted in phases]
        return [(one.phase, one.energy_wh, one.counted) for one in subjects.phase_shares("run", rows)]

    split = (("generate", 0.004, True), ("prefill", 0.001, False), ("decode", 0.003, False))
    assert shares(("preprocess", 0.0005, True), *split) == [
        ("preprocess", 0.5, True),
        ("prefill", 1.0, True),
        ("decode", 3.0, True),
    ]
    assert shares(split[0], split[1], ("decode", None, False)) == [("generate", 4.0, True)]
    assert shares(("prefill", 0.001, True), ("decode", 0.003, True)) == [("prefill", 1.0, True), ("decode", 3.0, True)]
    assert shares(("call", float("nan"), True), ("forward", -0.001, True)) == []


def test_own_results_have_phases_and_local_ones_no_common_bands() -> None:
    site = local_site()
    chart = registry.find("phases").make(Asked(site=lambda: site, models=("small-llama",)))
    assert chart.empty is None
    (cohort,) = site.cohorts
    rating = site.of_cohort(cohort)[0].rating
    assert rating is not None
    assert subjects.bounds(site, cohort) in ((), tuple(rating.thresholds_wh_per_1000))


def test_names_of_strangers_can_be_asked_for() -> None:
    site = local_site()
    for name in HOSTILE:
        chart = registry.find("phases").make(Asked(site=lambda: site, models=(name,)))
        assert chart.title
        assert csv_text(chart)


@pytest.mark.parametrize("suffix", ["svg", "png", "csv", "json"])
def test_a_chart_is_written_as_its_file_is_called(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"regions.{suffix}"
    assert main(["chart", "zones", "--zone", "FRA", "--width", "300", "-o", str(path)]) == 0
    content = path.read_bytes()
    begins = {"svg": b"<svg", "png": b"\x89PNG", "csv": b"code,zone,value,note\r\nFRA,", "json": b"{\n"}
    assert content.startswith(begins[suffix])
    assert suffix != "json" or json.loads(content)["width"] == 300
    assert capsys.readouterr().out == ""


def test_a_chart_of_a_results_folder(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    folder = store.open(tmp_path / "results")
    folder.add(result_of(official_score("org/a", energy_wh=3.0), "a"))
    folder.add(result_of(local_score("org/b", energy_wh=5.0), "b"))
    arguments = ["--results", str(folder.root), "--edition", "local", "--format", "csv"]
    assert main(["chart", "cohort", *arguments]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["model", "org/a"]
    assert main(["chart", "phases", "--model", "org/b", *arguments]) == 0
    assert b"org/b" not in capfdbinary.readouterr().err


def test_a_files_name_does_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = store.open(tmp_path / "results")
    folder.add(result_of(official_score("org/a", energy_wh=3.0), "a"))
    (folder.root / "asr").mkdir(exist_ok=True)
    (folder.root / "asr" / "a\x1b[31mred--0123456789ab.json").write_text("{}")
    assert main(["chart", "cohort", "--results", str(folder.root), "--format", "csv"]) == 0
    err = capsys.readouterr().err
    assert "left out: asr/a?[31mred--0123456789ab.json" in err
    assert "\x1b" not in err


def test_charts_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chart", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(registry.CHARTS)


@pytest.mark.parametrize(
    ("arguments", "message", "mend"),
    [
        ([], "no chart is named", "--list"),
        (["zone"], "there is no chart 'zone'", "did you mean 'zones'?"),
        (["zones", "--zone", "Frace"], "no zone 'Frace'", "'France'"),
        (["zones", "--impact", "gwpp"], "no impact 'gwpp'", "choose one"),
        (["world", "--zone", "FRA"], "the map shows all zones", "`zones`"),
        (["zones", "--width", "10"], "a width of 10 px", "240"),
        (["zones", "--format", "png", "--scale", "0"], "a scale of 0", "0.25"),
        (["zones", "--results", "missing"], None, None),
        (["tasks", "--results", "missing"], "no results folder missing", "scorekit results add"),
        (["cohort", "--edition", "2025-13"], "no edition '2025-13'", "2025-02"),
        (["tasks"], "there is nothing to show", "--results"),
        (["cohort"], "no figures", "scorekit results add"),
        (["phases", "--model", "m"], "no figures", "scorekit results add"),
    ],
)
def test_what_cannot_be_is_told_with_how_to_mend_it(
    arguments: list[str],
    message: str | None,
    mend: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["chart", *arguments])
    said = capsys.readouterr().err
    if message is None or mend is None:
        assert code == 0, said
        return
    assert code in (1, 2)
    assert message in said
    assert mend in said.partition("mend:")[2]


@pytest.mark.parametrize(
    ("name", "choices", "message"),
    [
        ("cohort", {}, "several tasks are meant"),
        ("cohort", {"task": "asrr"}, "did you mean --task asr"),
        ("cohort", {"task": "asr", "model_class": "A"}, "no figures of asr, class A"),
        ("history", {}, "this chart is about a model"),
        ("history", {"models": ("listener-20",)}, "did you mean example/listener-20"),
        ("compare", {"models": (WRITER,)}, "this chart is about 2 models"),
        ("compare", {"models": tuple(f"example/listener-{size}" for size in (1, 2, 5, 20, 80))}, "choose up to 4"),
        ("phases", {"models": (WRITER,), "task": "asr"}, "has no figure of asr"),
        ("world", {"models": ("nobody/nothing",)}, "no figure of a model"),
    ],
)
def test_what_a_site_does_not_have_is_told(name: str, choices: dict[str, object], message: str) -> None:
    with pytest.raises(registry.UsageError, match=message.replace("(", r"\(")):
        str(ask(name, **choices))
    with pytest.raises(registry.UsageError, match="no figures to make a chart of"):
        registry.find("cohort").make(Asked(site=empty_site))
