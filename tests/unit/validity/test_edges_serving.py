"""Runs that measure a server, at the bounds of their checks (8, 18 and 22)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import Window
from scorekit.tasks import PROTOCOL, SERVING_PROTOCOL
from scorekit.validity import Evidence, serving
from scorekit.validity.verdicts import Finding
from tests.bundles import NVML_GPU, reading
from tests.evidence import OTHER_GPU
from tests.serving_runs import served, serving_environment, serving_facts, serving_window, serving_windows


def _evidence(windows: Sequence[Window] | None = None, **facts: Any) -> Evidence:
    return Evidence(serving_environment(**facts), tuple(serving_windows() if windows is None else windows))


def _of(*told: dict[str, Any], **facts: Any) -> Evidence:
    """A run whose windows served otherwise."""
    return _evidence([serving_window(repeat, 12.0, served(**one)) for repeat, one in enumerate(told)], **facts)


def _of_no_server(evidence: Evidence) -> Evidence:
    return replace(evidence, environment=evidence.environment.model_copy(update={"serving": None}))


def _one(found: Iterable[Finding]) -> Finding:
    (finding,) = found
    return finding


@pytest.mark.parametrize(
    ("concurrency", "told"), [(1, "works on 1 query at a time"), (2, "2 queries at a time"), (8, "8 queries at a time")]
)
def test_a_server_is_measured_by_another_protocol(concurrency: int, told: str) -> None:
    reason = serving.not_official(serving_facts(concurrency=concurrency))
    assert reason.code == "protocol"
    for part in (told, SERVING_PROTOCOL, PROTOCOL):
        assert part in reason.message


@pytest.mark.parametrize(
    ("begun", "failures", "told"),
    [
        (1000, 0, []),
        (1001, 0, []),
        (999, 0, ["999 queries were begun, expected at least a pass of 1000"]),
        (1000, 1, ["1 queries failed"]),
        (0, 3, ["3 queries failed", "0 queries were begun"]),
    ],
)
def test_a_window_holds_a_pass_at_least_and_no_failure(begun: int, failures: int, told: list[str]) -> None:
    window = serving_window(2, 12.0, served(begun=begun), failures=failures)
    found = list(serving.incomplete(_evidence([window]), window))
    assert [finding.text.startswith(text) for finding, text in zip(found, told, strict=True)] == [True] * len(told)
    assert all((finding.severity, finding.window) == ("fail", window) for finding in found)
    if failures:
        assert found[0].details == {"failures": failures}


def test_a_window_that_does_not_tell_what_was_served_is_incomplete() -> None:
    window = serving_window(2, 12.0)
    untold = window.model_copy(update={"served": None})
    for evidence, found in ((_evidence([untold]), untold), (_of_no_server(_evidence([window])), window)):
        finding = _one(serving.incomplete(evidence, found))
        assert (finding.severity, finding.window) == ("fail", found)
        assert "does not tell what was served" in finding.text


@pytest.mark.parametrize(
    ("in_flight", "told"),
    [
        # 98 % of eight.
        ((7.99, 7.84), None),
        ((7.99, math.nextafter(7.84, 0), 7.9), "7.84"),
        ((7.0, 7.5), "7.00"),
        ((8.0, 0.0), "0.00"),
    ],
)
def test_the_loop_is_full_up_to_2_percent_in_each_window(in_flight: tuple[float, ...], told: str | None) -> None:
    found = list(serving.unsteady(_of(*({"mean_in_flight": mean} for mean in in_flight))))
    if told is None:
        assert found == []
        return
    finding = _one(found)
    assert (finding.severity, finding.window, finding.details) == ("fail", None, {"mean_in_flight": min(in_flight)})
    assert f"down to {told} queries were in flight on average of a window, expected 8" in finding.text
    assert "leave this machine's processor free" in str(finding.mend)


def test_a_loop_that_is_not_full_warns_on_a_cpu() -> None:
    told = _of({"mean_in_flight": 7.0}, run={"device": "cpu"}, gpus=(), gpus_from=None, server_gpus=None)
    windows = tuple(window.model_copy(update={"readings": (reading("cpu", 2.0),)}) for window in told.windows)
    finding = _one(serving.unsteady(replace(told, windows=windows)))
    assert (finding.severity, finding.details) == ("warn", {"mean_in_flight": 7.0})
    assert finding.mend is not None


@pytest.mark.parametrize(
    ("queries", "told"),
    # Five rounds of eight.
    [((1600.0, 40.0), None), ((1600.0, 39.96, 50.0), "40.0"), ((1600.0, 12.5), "12.5")],
)
def test_a_window_of_few_rounds_is_told(queries: tuple[float, ...], told: str | None) -> None:
    found = list(serving.unsteady(_of(*({"queries": count} for count in queries))))
    if told is None:
        assert found == []
        return
    finding = _one(found)
    assert (finding.severity, finding.window, finding.details) == ("warn", None, {"queries": min(queries)})
    assert f"down to {told} queries were served in a window, 8 at a time, expected at least 40" in finding.text
    assert "scenario.num_samples" in str(finding.mend)
    assert "scenario.min_window_s" in str(finding.mend)


def test_a_loop_that_is_neither_full_nor_long_is_told_twice() -> None:
    full, long = serving.unsteady(_of({"queries": 10.0, "mean_in_flight": 2.0}, concurrency=4))
    assert (full.severity, long.severity) == ("fail", "warn")
    assert "expected 4" in full.text
    assert "4 at a time, expected at least 20" in long.text


@pytest.mark.parametrize(
    "of_a_run", [serving.unsteady, serving.early_ends, serving.cached_prompts], ids=lambda found: found.__name__
)
def test_where_nothing_was_served_nothing_is_found_in_it(of_a_run: Any) -> None:
    bad = {"mean_in_flight": 1.0, "queries": 1.0, "cached_input_tokens": 9.0, "input_tokens": 9.0}
    window = serving_window(0, 12.0, served(**bad), early_ends=900)
    untold = window.model_copy(update={"served": None})
    for evidence in (_of_no_server(_evidence([window])), _evidence([]), _evidence([untold])):
        assert list(of_a_run(evidence)) == []
    # One window that does not tell hides no other.
    assert list(of_a_run(_evidence([window, untold]))) == list(of_a_run(_evidence([window]))) != []


@pytest.mark.parametrize(
    ("tokens", "severity", "told"),
    [
        (0.0, "fail", "no token was generated"),
        (1.0, None, ""),
        (160_000.0, None, ""),
        # Shares of queries are summed, and their last digits are no fault.
        (160_000.0 * (1 + 1e-9), None, ""),
        (160_000.0 * (1 + 2e-9), "fail", "100.0 tokens an answer"),
        (168_000.0, "fail", "105.0 tokens an answer, expected at most 100"),
    ],
)
def test_answers_have_the_most_tokens_that_were_asked_for(tokens: float, severity: str | None, told: str) -> None:
    window = serving_window(2, 12.0, served(output_tokens=tokens))
    found = list(serving.outputs(_evidence([window]), window))
    if severity is None:
        assert found == []
        return
    finding = _one(found)
    assert (finding.severity, finding.window) == (severity, window)
    assert finding.details == ({"output_tokens": tokens} if tokens else {})
    assert told in finding.text


def test_answers_of_no_server_are_not_looked_at() -> None:
    window = serving_window(2, 12.0, served(output_tokens=0.0))
    untold = window.model_copy(update={"served": None})
    assert list(serving.outputs(_of_no_server(_evidence([window])), window)) == []
    assert list(serving.outputs(_evidence([untold]), untold)) == []


@pytest.mark.parametrize(
    ("early", "share", "told"),
    [
        # Of 1,000 answers in two windows, 1 % at the most.
        ((4, 6), None, ""),
        ((4, 7), 0.011, "1% of the answers ended before 100 tokens (75.0 on average)"),
        ((250, None), 0.25, "25% of the answers"),
        ((None, None), None, ""),
    ],
)
def test_more_than_1_percent_of_early_ends_are_told(
    early: tuple[int | None, ...], share: float | None, told: str
) -> None:
    windows = [
        serving_window(repeat, 12.0, served(ended=500, output_tokens=120_000.0), early_ends=count)
        for repeat, count in enumerate(early)
    ]
    found = list(serving.early_ends(_evidence(windows)))
    if share is None:
        assert found == []
        return
    finding = _one(found)
    assert (finding.severity, finding.window, finding.details) == ("warn", None, {"early": share})
    assert told in finding.text
    assert "1,000 output tokens" in finding.text


def test_early_ends_that_were_not_counted_are_no_early_ends_and_no_answer_has_none() -> None:
    few = [serving_window(repeat, 12.0, served(ended=10), early_ends=None) for repeat in range(10)]
    none = [serving_window(0, 12.0, served(ended=0), early_ends=3)]
    assert list(serving.early_ends(_evidence(few))) == []
    assert list(serving.early_ends(_evidence(none))) == []


@pytest.mark.parametrize(
    ("windows", "share"),
    [
        # Of 100 tokens in two windows one may be from the cache.
        ([(50.0, 0.0), (50.0, 1.0)], None),
        ([(50.0, 0.5), (50.0, 0.6)], 0.011),
        ([(50.0, 50.0), (50.0, 0.0)], 0.5),
        # None is none, of however few tokens.
        ([(1.0, 0.0), (1.0, 0.0)], None),
        ([(0.0, 0.0)], None),
        # A server whose counts contradict each other is not believed.
        ([(0.0, 5.0)], 1.0),
        # What a window does not tell is not counted, neither its tokens.
        ([(50.0, 1.0), (1000.0, None)], 0.02),
    ],
)
def test_up_to_1_percent_of_the_prompts_tokens_may_be_from_the_cache(
    windows: list[tuple[float, float | None]], share: float | None
) -> None:
    told = [
        {"input_tokens": tokens, "cached_input_tokens": cached, "repeated_prompts": 0} for tokens, cached in windows
    ]
    found = list(serving.cached_prompts(_of(*told)))
    if share is None:
        assert found == []
        return
    finding = _one(found)
    assert (finding.severity, finding.window, finding.details) == ("fail", None, {"cached": pytest.approx(share)})
    assert f"{share:.1%} of the prompts' tokens came from the server's cache, expected at most 1%" in finding.text
    for flag in ("--no-enable-prefix-caching", "--disable-radix-cache", "--no-cache-prompt"):
        assert flag in str(finding.mend)
    assert str(finding.mend).endswith(" by backend.no_cache")


@pytest.mark.parametrize(
    ("cached", "repeated", "known"),
    [(None, 0, True), (None, 1, False), (None, 1600, False), (None, None, False), (0.0, 1600, True), (0.0, None, True)],
)
def test_of_prompts_that_came_again_it_must_be_told_what_the_cache_gave(
    cached: float | None, repeated: int | None, known: bool
) -> None:
    told = {"cached_input_tokens": cached, "repeated_prompts": repeated}
    # One window of many is enough.
    evidence = _of({}, told, no_cache={})
    found = list(serving.cached_prompts(evidence))
    if known:
        assert found == []
        return
    finding = _one(found)
    assert (finding.severity, finding.details) == ("warn", {"cannot_be_judged": True})
    assert finding.text.endswith("how many of their tokens came from its cache")
    assert "--enable-prompt-tokens-details" in str(finding.mend)
    assert str(finding.mend).endswith("keeps none without --continuous-batching")
    asked = _one(serving.cached_prompts(_of({}, told, no_cache={"cache_salt": "SALT", "cache_prompt": False})))
    assert asked.text.endswith("though it was asked to leave it alone (cache_salt, cache_prompt)")


@pytest.mark.parametrize(
    ("gpus", "found"),
    [
        ((NVML_GPU,), []),
        ((NVML_GPU, OTHER_GPU), [("fail", OTHER_GPU, f"computes on {OTHER_GPU}, but {NVML_GPU} was measured")]),
        (
            (OTHER_GPU,),
            [
                ("fail", OTHER_GPU, f"computes on {OTHER_GPU}, but {NVML_GPU} was measured"),
                ("fail", NVML_GPU, f"the energy of {NVML_GPU} is counted, but the server does not compute on it"),
            ],
        ),
        # A server that is on none: the GPUs were named by hand beside it.
        ((), [("warn", NVML_GPU, f"the energy of {NVML_GPU} is counted")]),
    ],
)
def test_the_gpus_measured_are_those_of_the_server(gpus: tuple[str, ...], found: list[tuple[str, str, str]]) -> None:
    told = list(serving.unlike_gpus(_evidence(server_gpus=gpus)))
    assert [(finding.severity, finding.details) for finding in told] == [
        (severity, {"device": device}) for severity, device, _ in found
    ]
    for finding, (_, _, text) in zip(told, found, strict=True):
        assert text in finding.text


def test_gpus_of_a_server_that_nobody_sees_are_not_known_and_nothing_else_is_said_of_them() -> None:
    finding = _one(serving.unlike_gpus(_evidence(server_gpus=None)))
    assert (finding.severity, finding.details) == ("warn", {"cannot_be_judged": True})
    assert "named by hand" in finding.text
    assert "as the same user" in str(finding.mend)
    assert list(serving.unlike_gpus(_of_no_server(_evidence(server_gpus=None)))) == []
