"""How scripts/compare_launchers.py tells whether sets of scores agree; the sweeps themselves are run by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts import compare_launchers

from scorekit import logs
from scorekit.records import Score
from tests import bundles


@pytest.fixture
def score(tmp_path: Path) -> Score:
    bundles.write_bundle(tmp_path / "run", bundles.environment("text_generation"), bundles.official_windows())
    return logs.read_score(tmp_path / "run")


def changed(score: Score, wh: float, half_width_wh: float | None, model: str = "a") -> Score:
    assert score.uncertainty is not None
    interval = None if half_width_wh is None else (wh - half_width_wh, wh + half_width_wh)
    told = score.uncertainty.model_copy(update={"interval_95_wh_per_1000": interval})
    return score.model_copy(update={"model": model, "wh_per_1000_queries": wh, "uncertainty": told})


def test_scores_agree_within_both_intervals_together(score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        "local": {"a": changed(score, 10.0, 0.3)},
        "slurm": {"a": changed(score, 10.49, 0.4)},
        "ray": {"a": changed(score, 10.2, 0.1)},
    }
    assert [pair.agree for pair in compare_launchers.paired(found)] == [True, True, True]
    assert compare_launchers.judged(found) == 0
    assert "all pairs: 3 of 3 agree" in capsys.readouterr().out
    found["ray"]["a"] = changed(score, 11.0, 0.1)
    assert [pair.agree for pair in compare_launchers.paired(found)] == [True, False, False]
    assert compare_launchers.judged(found) == 1
    assert "a: local 10, ray 11 Wh per 1,000 queries: +9.5 %, with 3.0 % allowed" in capsys.readouterr().out


def test_sets_of_other_models_or_figures_are_not_the_same(score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    one = {"a": changed(score, 10.0, 0.3), "b": changed(score, 10.0, 0.3, "b")}
    two = {"a": changed(score, 10.0, 0.3).model_copy(update={"queries": 999})}
    assert compare_launchers.judged({"local": one, "ray": two}) == 1
    out = capsys.readouterr().out
    assert "not the same: models of local and ray: ['b']" in out
    assert "not the same: the number of queries of a: 1000 by local, 999 by ray" in out
    nothing = {"a": changed(score, 10.0, None)}
    assert compare_launchers.judged({"local": {"a": one["a"]}, "ray": nothing}) == 1
    assert "whether it has an interval of a: True by local, False by ray" in capsys.readouterr().out


def test_as_many_may_disagree_as_chance_explains() -> None:
    assert [compare_launchers.allowed(pairs) for pairs in (0, 1, 3, 60)] == [0, 1, 1, 7]


def test_what_differs_between_runs_of_one_launcher_is_allowed_between_launchers(
    score: Score, capsys: pytest.CaptureFixture[str]
) -> None:
    def scores(*values: float) -> dict[str, Score]:
        return {str(number): changed(score, value, 0.1, str(number)) for number, value in enumerate(values)}

    found = {
        "local": scores(10.0, 11.0, 10.0, 11.0),
        "slurm": scores(10.8, 10.2, 10.1, 10.9),
        "ray": scores(10.2, 10.8, 10.8, 10.2),
    }
    assert compare_launchers.judged(found) == 1
    assert "twice" not in capsys.readouterr().out
    # A machine on which the same launcher's scores are as far apart tells nothing against another one.
    assert compare_launchers.judged(found | {compare_launchers.AGAIN: scores(11.0, 10.0, 10.9, 10.1)}) == 0
    out = capsys.readouterr().out
    assert "the same launcher twice: 0 of 4 agree" in out
    assert "all pairs: 12 of 12 agree" in out


def test_a_launcher_whose_scores_are_all_higher_is_told(score: Score, capsys: pytest.CaptureFixture[str]) -> None:
    def scores(factor: float) -> dict[str, Score]:
        return {name: changed(score, (10 + place) * factor, 0.6, name) for place, name in enumerate("abcd")}

    found = {"local": scores(1.0), "slurm": scores(1.05), "ray": scores(1.0), compare_launchers.AGAIN: scores(1.0)}
    assert all(pair.agree for pair in compare_launchers.paired(found))
    assert compare_launchers.judged(found) == 1
    out = capsys.readouterr().out
    assert "local and slurm: the scores are as a whole not the same" in out
    assert "local and ray: the scores are" not in out
