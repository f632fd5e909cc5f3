"""A server's score, its checks, and that it stands nowhere beside scores of the other protocol."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scorekit import cli, editions, logs, rating, store
from scorekit.edition_sources.own_results import members_of
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, InvalidRunError
from scorekit.logs.from_score import result_of
from scorekit.publish.site.content import Cohort
from scorekit.publish.site.gathering import gather
from scorekit.records import Check, Environment, Result, Score, Window
from scorekit.tasks import PROTOCOL, SERVING, SERVING_PROTOCOL
from scorekit.validity import CHECKS, Evidence
from tests.bundles import H100, official_score, reading, write_bundle
from tests.golden import make
from tests.serving_runs import RUNS, served, serving_environment, serving_window, serving_windows

GOLDEN = Path(make.__file__).parent / "serve_h100"


def scored(folder: Path, model: str = "org/served", **serving: Any) -> Score:
    facts = serving_environment(model, **serving)
    return logs.read_score(write_bundle(folder, facts, serving_windows()))


def checks(windows: list[Window], facts: Environment | None = None) -> dict[str, Check]:
    evidence = Evidence(environment=facts or serving_environment(), windows=tuple(windows))
    return {check.name: check for check in (make_check(evidence) for make_check in CHECKS)}


def test_what_comes_before_the_first_window_is_called_by_the_setting_of_a_server() -> None:
    spread = [serving_window(repeat, 12.0 + 4.0 * (repeat % 2)) for repeat in range(RUNS)]
    message = checks(spread)["repeats_agree"].message
    assert "let the GPU warm up (scenario.warmup_queries)" in message
    assert "warmup_runs" not in message


def test_the_score_worked_out_by_hand() -> None:
    score = logs.read_score(GOLDEN)
    assert score.wh_per_1000_queries == pytest.approx(7.625)
    assert score.wh_per_1000_output_tokens == pytest.approx(0.07625)
    assert [repeat.wh_per_1000_queries for repeat in score.repeats] == pytest.approx([7.5, 7.75] * 5)
    # One pass of 1.6: 60 s / 1.6, and 100 tokens for each of 1,000 queries.
    assert [repeat.duration_s for repeat in score.repeats] == pytest.approx([37.5] * RUNS)
    assert score.output_tokens == pytest.approx(100_000)
    assert (score.queries, score.runs, score.task, score.cohort) == (1000, RUNS, SERVING, SERVING)
    assert score.provenance.protocol == SERVING_PROTOCOL != PROTOCOL
    assert score.conditions is not None
    assert score.conditions.concurrency == 8
    assert [phase.phase for phase in score.phases] == [SERVING.removesuffix("ing") + "e"]
    assert score.uncertainty is not None
    # Standard deviation 0.1318 over sqrt(10), times Student's 2.2622.
    assert score.uncertainty.half_width_95_percent == pytest.approx(100 * 0.13176 * 2.2622 / 10**0.5 / 7.625, rel=1e-3)


def test_it_is_not_comparable_for_the_one_reason_that_it_is_of_another_protocol() -> None:
    score = logs.read_score(GOLDEN)
    (reason,) = score.not_comparable_because
    assert not score.comparable
    assert reason.code == "protocol"
    assert SERVING_PROTOCOL in reason.message
    assert PROTOCOL in reason.message


def test_batch_runs_are_written_as_before() -> None:
    """What an older version reads it must read still: no field is new in files that are none of a server's."""
    score = json.loads(official_score().model_dump_json())
    assert score["schema_version"] == "scorekit.score/2"
    assert "concurrency" not in score["conditions"]
    for name in ("windows.jsonl", "environment.json"):
        text = (GOLDEN.parent / "generate_h100" / name).read_text(encoding="utf-8")
        assert "serv" not in text.replace("observ", "")


@pytest.mark.parametrize("change", [{"served": None}, {"schema_version": "scorekit.window/2"}, {"phase": "generate"}])
def test_a_servers_window_tells_what_was_served_and_no_other_does(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="phase serve and served stand together"):
        Window.model_validate(serving_window(0, 12.0).model_dump() | change)


def test_a_servers_environment_tells_how_it_was_asked_and_no_other_does() -> None:
    facts = serving_environment().model_dump()
    for change in ({"serving": None}, {"schema_version": "scorekit.environment/2"}):
        with pytest.raises(ValidationError, match="kind serve and serving stand together"):
            Environment.model_validate(facts | change)


@pytest.mark.parametrize("field", ["protocol", "task"])
def test_no_result_of_a_server_can_call_itself_comparable(field: str) -> None:
    """A file that somebody has edited."""
    score = official_score()
    told = {"protocol": {"provenance": score.provenance.model_copy(update={"protocol": SERVING_PROTOCOL})}}
    changed = score.model_copy(update=told.get(field, {"task": SERVING}))
    result = result_of(score, "run").model_dump(mode="json")
    edited = {"score": changed.model_dump(mode="json"), "task": changed.task}
    assert Result.model_validate(result).comparable
    with pytest.raises(ValidationError, match="serving-1"):
        Result.model_validate(result | edited)


def test_it_is_rated_in_no_edition_and_beside_no_other_protocol(tmp_path: Path) -> None:
    server, batch = scored(tmp_path / "server"), official_score("org/batch", 9.0)
    # As like the other as it can be made, even in the name of its task.
    disguised = server.model_copy(update={"task": batch.task, "cohort": batch.cohort, "model_class": "A"})
    edition = editions.find(editions.LATEST, editions.FOLDER)
    for scores in ([server, batch], [disguised, batch]):
        found, other = rating.rate_scores(scores, edition)
        assert (found.stars, found.official) == (None, False)
        assert other.official
        assert [reason.code for reason in found.no_official_star_because] == ["protocol"]
        local, _ = rating.rate_scores(scores, None)
        assert local.stars is None


def test_servers_are_rated_locally_at_one_concurrency_only(tmp_path: Path) -> None:
    one = scored(tmp_path / "one")
    two = one.model_copy(update={"model": "org/other", "wh_per_1000_queries": 15.0, "energy_kwh": 0.015})
    ratings = rating.rate_scores([one, two], None)
    assert [(found.stars, found.official, found.edition) for found in ratings] == [
        (5, False, "local"),
        (1, False, "local"),
    ]
    assert two.conditions is not None
    slower = two.model_copy(update={"conditions": two.conditions.model_copy(update={"concurrency": 16})})
    found, _ = rating.rate_scores([one, slower], None)
    assert found.stars is None
    assert "queries in flight at a server (16, here 8)" in str(found.refused)


def test_it_is_no_member_of_an_edition_of_own_results(tmp_path: Path) -> None:
    gathered = members_of([("a" * 64, result_of(scored(tmp_path / "run"), "run"))], "results")
    assert gathered.members == ()
    (left_out,) = gathered.passed_over
    assert "not comparable with official scores (protocol)" in left_out.reason


def test_the_site_has_a_table_of_its_own_for_servers(tmp_path: Path) -> None:
    results = [result_of(scored(tmp_path / "server"), "server"), result_of(official_score(), "batch")]
    site = gather(results, None)
    server = Cohort(SERVING)
    assert [entry.model for entry in site.of_cohort(server)] == ["org/served"]
    assert site.of_cohort(server, official=True) == ()
    assert "server" in server.title
    assert all(entry.cohort == server or entry.model != "org/served" for entry in site.entries)


def test_a_table_of_servers_at_unlike_concurrencies_has_no_average(tmp_path: Path) -> None:
    score = scored(tmp_path / "run")
    assert score.conditions is not None
    more = score.model_copy(update={"conditions": score.conditions.model_copy(update={"concurrency": 16})})
    results = [result_of(score, "8"), result_of(more, "16")]
    (summary,) = [found for found in gather(results, None).summaries if found.cohort == Cohort(SERVING)]
    assert any("queries in flight" in why for why in summary.no_average_because)


def test_the_store_keeps_it_apart_and_gives_it_back(tmp_path: Path) -> None:
    assert cli.main(["results", "add", str(GOLDEN), "--results", str(tmp_path / "results")]) == EXIT_DONE
    (path,) = (tmp_path / "results" / SERVING).glob("*.json")
    assert json.loads(path.read_text(encoding="utf-8"))["schema_version"].startswith("scorekit.")
    folder = store.open(tmp_path / "results")
    (found,) = folder.results()
    assert (found.cohort, found.schema_version) == (SERVING, "scorekit.result/2")
    assert folder.table()["concurrency"].to_pylist() == [8]


def test_commands_answer_to_a_servers_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_bundle(tmp_path / "run", serving_environment(), serving_windows())
    assert cli.main(["check", str(run)]) == EXIT_DONE
    assert "windows of at least a pass over 1000 samples" in capsys.readouterr().out
    assert cli.main(["parse", str(run)]) == EXIT_DONE
    told = " ".join(capsys.readouterr().out.split())
    assert "steady state of a server, 8 in flight, by serving-1" in told
    assert "0.07625 Wh per 1,000 output tokens" in told
    assert cli.main(["rate", str(run)]) == EXIT_FAILED
    assert "measured by serving-1" in capsys.readouterr().out
    accepted = ["--accept-public-data", "--accept-integrity", "--accept-representation"]
    assert cli.main(["pack", str(run), "-o", str(tmp_path / "s.zip"), "--name", "A", *accepted]) == EXIT_USAGE
    assert "was measured by serving-1, and submissions are of ai-energy-score-v1" in capsys.readouterr().err
    assert not (tmp_path / "s.zip").exists()


def test_a_good_run_passes_its_checks() -> None:
    found = checks(serving_windows())
    assert found["samples_complete"].passed
    assert found["gpus_matched"].passed
    assert found["outputs_counted"].passed
    assert [found[name].passed for name in ("model_as_declared", "gpu_count", "only_used_gpus")] == [None] * 3
    assert not [check for check in found.values() if check.passed is False and check.severity == "fail"]


@pytest.mark.parametrize(
    ("change", "check", "severity", "words"),
    [
        ({"mean_in_flight": 7.0}, "samples_complete", "fail", "7.00 queries were in flight on average"),
        ({"begun": 999}, "samples_complete", "fail", "repeat 2, phase serve: 999 queries were begun"),
        ({"queries": 39.0, "begun": 1000}, "samples_complete", "warn", "at least 40"),
        ({"output_tokens": 0.0}, "outputs_counted", "fail", "repeat 2, phase serve: no token was generated"),
        ({"output_tokens": 170_000.0}, "outputs_counted", "fail", "takes no notice of the limit"),
    ],
)
def test_a_window_that_is_not_the_steady_state_is_told(
    change: dict[str, Any], check: str, severity: str, words: str
) -> None:
    windows = serving_windows()
    windows[3] = serving_window(2, 12.0, served(**change))
    found = checks(windows)[check]
    assert (found.passed, found.severity) == (False, severity)
    assert words in found.message


def test_failures_refuse_the_run(tmp_path: Path) -> None:
    windows = serving_windows()
    windows[4] = serving_window(3, 12.4, failures=2)
    assert "2 queries failed" in checks(windows)["samples_complete"].message
    with pytest.raises(InvalidRunError, match="samples_complete"):
        logs.read_score(write_bundle(tmp_path / "run", serving_environment(), windows))


def test_answers_that_end_early_are_told_once() -> None:
    windows = [serving_window(repeat, 12.0, served(output_tokens=120_000.0), early_ends=400) for repeat in range(RUNS)]
    found = checks(windows)["outputs_counted"]
    assert (found.passed, found.severity) == (False, "warn")
    assert found.message.startswith("25% of the answers ended before 100 tokens (75.0 on average)")


@pytest.mark.parametrize(
    ("cached", "repeated", "severity", "words"),
    [
        (0.009 * 640_000, 1600, None, "it read the prompts"),
        (0.02 * 640_000, 1600, "fail", "2.0% of the prompts' tokens came from the server's cache, expected at most 1%"),
        (None, 1600, "warn", "cannot be judged: the same prompts were asked again and again"),
        (None, None, "warn", "though it was asked to leave it alone (cache_salt)"),
        (None, 0, None, "it read the prompts"),
    ],
)
def test_prompts_that_the_server_kept_are_told_and_unknown_is_no_pass(
    cached: float | None, repeated: int | None, severity: str | None, words: str
) -> None:
    told = served(cached_input_tokens=cached, repeated_prompts=repeated)
    found = checks([serving_window(repeat, 12.0, told) for repeat in range(RUNS)])["outputs_counted"]
    assert (found.passed, found.severity) == (severity is None, severity or "info")
    assert words in found.message
    if severity == "fail":
        assert "--no-enable-prefix-caching" in found.message
    if severity == "warn":
        assert "--enable-prompt-tokens-details" in found.message
    assert found.details["cached_input_tokens"] == [cached] * RUNS


OTHER = "GPU-00000000-0000-0000-0000-000000000002"


@pytest.mark.parametrize(
    ("serving", "severity", "words"),
    [
        ({"server_gpus": (H100.uuid, OTHER)}, "fail", f"the server computes on {OTHER}"),
        ({"server_gpus": (OTHER,)}, "fail", "but the server does not compute on it"),
        ({"server_gpus": (), "gpus_from": "by_hand"}, "warn", "the server does not compute on it"),
        ({"server_gpus": None, "gpus_from": "by_hand"}, "warn", "could not be seen"),
    ],
)
def test_other_gpus_than_the_servers_are_told(serving: dict[str, Any], severity: str, words: str) -> None:
    found = checks(serving_windows(), serving_environment(**serving))["gpus_matched"]
    assert (found.passed, found.severity) == (False, severity)
    assert words in found.message


def test_a_run_of_a_server_is_never_taken_for_an_official_one() -> None:
    evidence = Evidence(environment=serving_environment(), windows=tuple(serving_windows()))
    assert not evidence.official
    assert dataclasses.replace(evidence, run="other").repeats_wh_per_query() == pytest.approx(
        {repeat: (12.4 if repeat % 2 else 12.0) / 1600 for repeat in range(RUNS)}
    )


def test_on_a_cpu_the_client_may_take_time_of_the_server() -> None:
    facts = serving_environment(gpus=(), run={"device": "cpu"}, gpus_from=None, server_gpus=None)
    readings = (reading("cpu", 2.0), reading("ram", 1.0))
    windows = [
        serving_window(repeat, 1.0, served(mean_in_flight=7.0)).model_copy(update={"readings": readings})
        for repeat in range(RUNS)
    ]
    found = checks(windows, facts)["samples_complete"]
    assert (found.passed, found.severity) == (False, "warn")
