"""What was asked and what was done, at the bounds: one query, batch, token, row or cut input more or less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import Check, Environment, Window
from scorekit.validity import Evidence
from tests.evidence import Change, at, change_facts, change_windows, check_of, good_evidence, of_phase
from tests.serving_runs import RUNS, served, serving_environment, serving_window, serving_windows
from tests.unit.validity.spoilt.changes import FOURTH, GENERATE


def outcome(check: Check) -> str:
    return {True: "passed", None: "nothing", False: check.severity}[check.passed]


def repeats(*kept: int) -> Change:
    """Some repeats alone."""
    return lambda evidence: replace(
        evidence, windows=tuple(w for w in evidence.windows if w.repeat is None or w.repeat in kept)
    )


def prefill(**changes: Any) -> Change:
    """A window beside those that are asked for."""
    extra = at("generate", 4).model_copy(update={"phase": "prefill", **changes})
    return lambda evidence: replace(evidence, windows=(*evidence.windows, extra))


def of_asked(windows: Change, **run: Any) -> Change:
    """Another thing was asked for, and something was done."""
    return lambda evidence: change_facts(run=run)(windows(evidence))


COUNTS: list[tuple[Change, str, str]] = [
    (of_asked(repeats(0, 1), target_ci=0.01, runs=2), "passed", "2 repeats of 1000 samples, none failed"),
    (of_asked(repeats(0, 1, 2), target_ci=0.01, runs=20), "passed", "3 repeats of 1000 samples, none failed"),
    (
        of_asked(repeats(0, 1), target_ci=0.01, runs=20),
        "fail",
        "3 to 20 repeats were asked for, but the windows hold 2",
    ),
    (of_asked(repeats(0, 1, 3), target_ci=0.01, runs=20), "fail", "but the windows hold 3 (0, 1, 3)"),
    (
        of_asked(repeats(0, 1), target_ci=0.01, runs=3),
        "fail",
        "3 repeats were asked for, but the windows hold 2 (0, 1)",
    ),
    (change_facts(run={"runs": 9}), "fail", "9 repeats were asked for, but the windows hold 10 (0, 1, 2"),
    (repeats(), "fail", "10 repeats were asked for, but the windows hold none"),
    (change_windows(FOURTH, samples=1001), "fail", "1001 queries were counted, expected 1000"),
    (change_windows(FOURTH, samples=None), "fail", "repeat 4, phase generate: no queries were counted, expected 1000"),
    (change_windows(FOURTH, samples=0, passes=2), "fail", "no queries were counted, expected 2000"),
    (change_windows(FOURTH, passes=2, samples=2000, batches=2000), "passed", "none failed"),
    (
        change_windows(FOURTH, passes=2, samples=2000, batches=1999),
        "fail",
        "1999 calls of the model, expected 2000 (batches",
    ),
    (change_windows(FOURTH, passes=2, samples=2001, batches=2000), "fail", "2001 queries were counted, expected 2000"),
    (change_windows(FOURTH, passes=None), "passed", "none failed"),
    (change_windows(FOURTH, batches=None), "passed", "none failed"),
    (change_windows(FOURTH, batches=999), "fail", "999 calls of the model, expected 1000 (batches left out)"),
    (of_asked(change_windows(GENERATE, batches=125), batch_size=8), "passed", "none failed"),
    # A last batch that is not full is one, too.
    (of_asked(change_windows(GENERATE, batches=334), batch_size=3), "passed", "none failed"),
    (of_asked(change_windows(FOURTH, batches=334), batch_size=3), "fail", "expected 334 (empty batches)"),
    (of_asked(change_windows(GENERATE, batches=7), batch_size=0), "passed", "none failed"),
    (prefill(failures=2), "warn", "repeat 4, phase prefill: 2 queries failed"),
    (prefill(samples=None), "passed", "none failed"),
    (prefill(batches=1), "passed", "none failed"),
    (change_windows(of_phase("preprocess", 4), samples=None), "passed", "none failed"),
    (change_windows(of_phase("preprocess", 4), samples=999), "fail", "repeat 4, phase preprocess: 999 queries"),
]


@pytest.mark.parametrize(("change", "expected", "words"), COUNTS)
def test_repeats_queries_and_batches_are_as_many_as_asked(change: Change, expected: str, words: str) -> None:
    check = check_of(change(good_evidence()), "samples_complete")
    assert outcome(check) == expected, check.message
    assert words in check.message


def switches(**found: Any) -> dict[str, Any]:
    return {"backend_switches": found}


GPTQ = {"quantization": "gptq", "declared_quantization": "gptq"}
DECLARED: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    # Of a quantised model most parameters have the dtype of its method.
    ({}, GPTQ | {"dtype": "int32"}, "passed", "dtype int32, quantised with gptq"),
    ({}, {"attention": "sdpa"}, "passed", "dtype float16, not quantised, attention sdpa, batch size 1"),
    ({}, {"attention": None}, "passed", "attention not told by the model"),
    ({"torch_dtype": "float32"}, {}, "fail", "dtype is float16, expected float32 as asked"),
    (switches(quantization_scheme="bnb"), {"quantization": "bitsandbytes"}, "passed", "quantised with bitsandbytes"),
    (switches(quantization_config={"bits": 4}), {"quantization": "awq"}, "passed", "quantised with awq"),
    (switches(quantization_config={"bits": 4}), {}, "fail", "not quantised, expected it to be by {'bits': 4}, as the"),
    (switches(quantization_scheme="bnb", quantization_config={"bits": 4}), {}, "fail", "to be by bnb, as the config"),
    (switches(quantization_scheme=None), {}, "passed", "not quantised"),
    (switches(attn_implementation="sdpa"), {"attention": "sdpa"}, "passed", "attention sdpa"),
    (switches(attn_implementation="sdpa"), {"attention": None}, "passed", "attention not told by the model"),
    (switches(model_kwargs={"attn_implementation": "sdpa"}), {"attention": "eager"}, "fail", "eager, expected sdpa"),
    (switches(model_kwargs=None), {}, "passed", "not quantised"),
    (switches(model_kwargs={"attn_implementation": None}), {"attention": "eager"}, "passed", "attention eager"),
    ({"batch_size": 0}, {}, "fail", "batch size 0, expected 1 or more"),
    ({"batch_size": 2}, {}, "passed", "batch size 2"),
]


@pytest.mark.parametrize(("run", "model", "expected", "words"), DECLARED)
def test_the_loaded_model_is_what_was_asked_for(
    run: dict[str, Any], model: dict[str, Any], expected: str, words: str
) -> None:
    check = check_of(change_facts(run=run, model=model)(good_evidence()), "model_as_declared")
    assert outcome(check) == expected, check.message
    assert words in check.message


@pytest.mark.parametrize(
    ("dataset", "expected", "words"),
    [
        ({"fingerprint": "0123456789abcdef" * 4}, "passed", "content 0123456789ab"),
        ({"fingerprint": "a" * 63}, "fail", "expected a sha256"),
        ({"fingerprint": "a" * 65}, "fail", "expected a sha256"),
        ({"fingerprint": "A" * 64}, "fail", "expected a sha256"),
        ({"rows": 1000}, "passed", "at 1111"),
        ({"rows": 999}, "fail", "1000 samples were chosen from 999 rows, expected no more"),
        ({"local": True, "revision": None}, "passed", "from a folder"),
        ({"local": False, "revision": None}, "warn", "revision of the dataset AIEnergyScore/text_generation was not"),
    ],
)
def test_the_data_can_be_found_again(dataset: dict[str, Any], expected: str, words: str) -> None:
    check = check_of(change_facts(dataset=dataset)(good_evidence()), "dataset_identified")
    assert outcome(check) == expected, check.message
    assert words in check.message


FREE = {"new_tokens": None, "max_new_tokens": 8192}
SPEECH = {"hf_task": "automatic-speech-recognition", "new_tokens": None}
OUTPUTS: list[tuple[dict[str, Any], Change, str, str]] = [
    ({}, change_windows(FOURTH, truncated_inputs=10), "passed", "as many as asked"),
    ({}, change_windows(FOURTH, truncated_inputs=11), "warn", "1.1% of the inputs were cut"),
    ({}, change_windows(FOURTH, truncated_inputs=11, samples=None, output_tokens=0), "fail", "no token was generated"),
    ({}, change_windows(FOURTH, output_tokens=9_999), "fail", "9999 tokens were generated, expected 10 for each of"),
    ({}, change_windows(FOURTH, output_tokens=10_001), "fail", "10001 tokens were generated, expected 10 for each"),
    ({}, change_windows(FOURTH, output_tokens=5, samples=None), "fail", "expected 10 for each of 0 queries"),
    (FREE, change_windows(FOURTH, output_tokens=1), "passed", "as many as asked"),
    (FREE, change_windows(FOURTH, output_tokens=0), "fail", "repeat 4, phase generate: no token was generated"),
    # A model of speech generates tokens, too, of inputs that nothing cuts.
    (SPEECH, change_windows(GENERATE, truncated_inputs=None), "passed", "as many as asked"),
    (SPEECH, change_windows(GENERATE, truncated_inputs=None, output_tokens=None), "warn", "tokens were not counted"),
]  # fmt: skip


@pytest.mark.parametrize(("run", "change", "expected", "words"), OUTPUTS)
def test_outputs_are_as_many_as_asked(run: dict[str, Any], change: Change, expected: str, words: str) -> None:
    check = check_of(change_facts(run=run)(change(good_evidence())), "outputs_counted")
    assert outcome(check) == expected, check.message
    assert words in check.message


@pytest.mark.parametrize(
    ("hf_task", "cut", "expected", "words"),
    [
        ("image-classification", None, "nothing", "the model generates no tokens"),
        ("image-classification", 0, "passed", "no input was cut"),
        ("text-classification", 0, "passed", "no input was cut"),
        ("text-classification", 20, "warn", "2.0% of the inputs were cut"),
        ("text-classification", None, "warn", "whether inputs were cut was not recorded in repeat 0, phase forward"),
    ],
)
def test_inputs_are_cut_of_texts_alone(hf_task: str, cut: int | None, expected: str, words: str) -> None:
    forward = change_windows(GENERATE, phase="forward", truncated_inputs=cut, output_tokens=None)
    check = check_of(
        change_facts(run={"kind": "forward", "hf_task": hf_task})(forward(good_evidence())), "outputs_counted"
    )
    assert outcome(check) == expected, check.message
    assert words in check.message


def of_server(windows: list[Window], facts: Environment | None = None) -> Evidence:
    return Evidence(facts or serving_environment(), tuple(windows))


def with_third(**changes: Any) -> list[Window]:
    """The windows of a server, the third of which served something else."""
    windows = serving_windows()
    windows[3] = serving_window(2, 12.0, served(**changes))
    return windows


def test_a_server_passes_by_the_windows_that_it_answered_in() -> None:
    evidence = of_server(serving_windows())
    complete, outputs = check_of(evidence, "samples_complete"), check_of(evidence, "outputs_counted")
    assert (complete.passed, outputs.passed, check_of(evidence, "model_as_declared").passed) == (True, True, None)
    assert "10 windows of at least a pass over 1000 samples, none failed" in complete.message
    assert outputs.details == {"early_ends": [0] * RUNS, "cached_input_tokens": [0.0] * RUNS}
    unserved = [w.model_copy(update={"served": None}) if w.repeat == 2 else w for w in serving_windows()]
    told = check_of(of_server(unserved), "outputs_counted").details["cached_input_tokens"]
    assert told == [0.0, 0.0, None, *[0.0] * (RUNS - 3)]


@pytest.mark.parametrize(
    ("windows", "check", "expected", "words"),
    [
        (with_third(begun=999), "samples_complete", "fail", "repeat 2, phase serve: 999 queries were begun"),
        (with_third(mean_in_flight=7.0), "samples_complete", "fail", "down to 7.00 queries were in flight"),
        (serving_windows()[:-1], "samples_complete", "fail", "10 repeats were asked for, but the windows hold 9"),
        (with_third(output_tokens=0.0), "outputs_counted", "fail", "repeat 2, phase serve: no token was generated"),
        (with_third(cached_input_tokens=1e5), "outputs_counted", "fail", "tokens came from the server's cache"),
        (
            [serving_window(repeat, 12.0, early_ends=100) for repeat in range(RUNS)],
            "outputs_counted",
            "warn",
            "of the answers ended before 100 tokens",
        ),
    ],
)
def test_a_server_is_held_to_what_it_served(windows: list[Window], check: str, expected: str, words: str) -> None:
    found = check_of(of_server(windows), check)
    assert outcome(found) == expected, found.message
    assert words in found.message
    assert "mends" in found.details
