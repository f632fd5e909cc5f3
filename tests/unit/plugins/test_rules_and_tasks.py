"""Rating rules and tasks of another distribution: used by name, and never official."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from scorekit import cli, scales, tasks
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import UsageError
from scorekit.measuring import configs
from scorekit.measuring.settings import EnergyStarSettings
from scorekit.rating import rate_scores
from scorekit.sweep import lists, plan
from scorekit.sweep.estimates import Earlier
from tests import plugin
from tests.bundles import official_score
from tests.unit.plugins.conftest import EXAMPLE, tally


def test_a_rule_of_a_plugin_rates_and_is_never_official(
    example: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    energies_j = {"a": 1e4, "b": 4e4, "c": 9e4}
    paths = [
        tally(tmp_path, f"{model}.json", model=f"org/{model}", task="summarization", gpu_joules=energy_j)
        for model, energy_j in energies_j.items()
    ]
    command = ["rate", *map(str, paths), "--edition", "local", "--rule", "root_width"]
    assert cli.main([*command, "--json"]) == 0
    ratings = json.loads(capsys.readouterr().out)
    assert [(one["stars"], one["official"], one["rule"]) for one in ratings] == [
        (5, False, "root_width"),
        (3, False, "root_width"),
        (1, False, "root_width"),
    ]
    assert {reason["message"] for one in ratings for reason in one["no_official_star_because"]} == {
        f"the rule root_width is that of {EXAMPLE}, and no edition's"
    }
    assert cli.main(command) == 0
    assert f"Rule root_width, of {EXAMPLE}: five parts" in " ".join(capsys.readouterr().out.split())


def test_a_comparable_score_has_no_official_star_by_a_plugin(example: None) -> None:
    (by_own,) = rate_scores([official_score()], FEBRUARY_2025)
    (by_plugin,) = rate_scores([official_score()], FEBRUARY_2025, "root_width")
    assert (by_own.official, by_plugin.official) == (True, False)
    assert by_plugin.stars is not None
    assert [reason.code for reason in by_plugin.no_official_star_because] == ["rule"]


def test_an_edition_has_no_rule_of_a_plugin(example: None) -> None:
    with pytest.raises(
        UsageError, match=f"'root_width' is that of {EXAMPLE}, and an edition has one of scorekit's own"
    ):
        scales.find_rule("root_width")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("(1, 2, 3)", "failed: ValueError: not enough values"),
        ("(9, 8, 7, 6)", "made the bounds 9, 8, 7, 6; expected"),
        ("(rising[0], 8, 9, 10)", "made the bounds 1, 8, 9, 10; expected"),
        ("(2, 3, 4, float('nan'))", "made the bounds 2, 3, 4, nan; expected"),
    ],
)
def test_a_rule_that_makes_no_bounds_gives_no_star(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, told: str
) -> None:
    source = f"from scorekit.scales import Rule\nRULE = Rule('odd', 'odd', True, lambda rising: {made})\n"
    plugin.install(
        tmp_path, monkeypatch, "odd-rule", {"scorekit.rating_rules": {"odd": "odd_c:RULE"}}, {"odd_c": source}
    )
    with pytest.raises(Exception, match=r"the rule odd of odd-rule 0\.1\.0") as caught:
        scales.find_any_rule("odd").scale([1.0, 5.0, 20.0])
    assert told in str(caught.value)
    scores = [official_score("a/a", 1.0), official_score("b/b", 9.0)]
    assert [one.stars for one in rate_scores(scores, None, "odd")] == [None, None]


def test_a_task_of_a_plugin_is_none_of_the_protocol(example: None) -> None:
    with pytest.raises(UsageError, match=f"'code_completion' is that of {EXAMPLE}, and none of the protocol's"):
        tasks.find("code_completion")
    assert tasks.config_name("code_completion") == "code_completion"
    assert tasks.config_name("asr") == "automatic_speech_recognition"
    assert tasks.protocol_of("code_completion") != tasks.PROTOCOL == tasks.protocol_of("summarization")


def test_a_plan_reckons_with_the_queries_of_a_plugins_task(example: None) -> None:
    row = {
        "model": "org/a", "task": "code_completion", "cohort": "code_completion", "parameters": None, "domain": "gpu",
        "duration_s": 41.0, "queries": 41, "gpu_count": 1,
    }  # fmt: skip
    entries = lists.read(["org/a"], "code_completion").entries
    (made,) = plan.build(entries, plan.Terms(), Earlier([row])).jobs
    assert (made.task, made.protocol) == ("code_completion", tasks.OTHER_PROTOCOL)
    # A second each, ten repeats of the task's 164.
    assert made.estimate.device_hours == pytest.approx(1640 / 3600)


def test_a_task_of_a_plugin_is_not_run_as_reasoning(example: None) -> None:
    with pytest.raises(UsageError, match=r"scenario\.reasoning is for the task reasoning, not code_completion"):
        EnergyStarSettings(extra_task="code_completion", reasoning=True)


def test_a_task_of_a_plugin_is_not_measured_with_a_model_for_another(example: None) -> None:
    made = OmegaConf.create(configs.config_of(tasks.extra_task("code_completion")))
    configs.check_extra_task(made)
    made.backend.task = "summarization"
    with pytest.raises(UsageError, match=r"models for text-generation, and backend\.task is summarization"):
        configs.check_extra_task(made)
    made.scenario.extra_task = None
    configs.check_extra_task(made)


@pytest.mark.parametrize("name", ["asr", "serving", "../up", "Capital", "", None])
def test_no_unknown_task_slips_into_a_cohort(name: str | None) -> None:
    assert tasks.cohort_of(name) is None
    assert tasks.cohort_of("automatic_speech_recognition") == "asr"
    assert tasks.cohort_of("code_completion") == "code_completion"
