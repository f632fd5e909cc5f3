"""Exact edges of what may stand beside the official scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import GpuFacts
from scorekit.validity import Measured, is_official_gpu, judge, not_comparable, untold
from scorekit.validity.comparability import claims_protocol
from tests.bundles import H100, ONE_IMAGE, environment, greedy
from tests.evidence import change_facts, good_evidence
from tests.serving_runs import serving_environment, serving_facts

COUNTER = frozenset({("nvml", "nvml_counter")})
OFFICIAL = Measured(domain="gpu", origin="measured", queries=1000, runs=10, output_tokens=10_000.0, sources=COUNTER)
A100 = GpuFacts(index=0, name="NVIDIA A100-SXM4-80GB")


def _reasons(task: str = "text_generation", measured: Measured = OFFICIAL, **facts: Any) -> list[tuple[str, str]]:
    found = not_comparable(environment(task, **facts), measured)
    return [(reason.code, reason.message) for reason in found]


@pytest.mark.parametrize(
    ("memory_mib", "official"), [(75_999, False), (76_000, True), (81_559, True), (84_000, True), (84_001, False)]
)
def test_an_h100_has_80_gb_within_its_band(memory_mib: int, official: bool) -> None:
    assert is_official_gpu(H100.model_copy(update={"memory_mib": memory_mib})) is official


@pytest.mark.parametrize(
    ("run", "gpus", "serving", "claimed"),
    [
        ({}, (H100,), False, True),
        ({"num_samples": 999}, (H100,), False, False),
        ({"num_samples": 1001}, (H100,), False, False),
        ({"runs": 9}, (H100,), False, False),
        ({"runs": 11}, (H100,), False, True),
        ({}, (), False, False),
        ({}, (A100,), False, False),
        ({}, (H100, H100), False, True),
        ({}, (H100, A100), False, False),
        ({}, (H100,), True, False),
    ],
)
def test_a_run_claims_the_protocol_by_its_queries_repeats_and_gpus(
    run: dict[str, Any], gpus: tuple[GpuFacts, ...], serving: bool, claimed: bool
) -> None:
    facts = environment(gpus=gpus, run=run)
    if serving:
        facts = facts.model_copy(update={"serving": serving_facts()})
    assert claims_protocol(facts) is claimed


def test_the_checks_that_lack_their_evidence_are_named() -> None:
    evidence = good_evidence()
    windows = tuple(
        w.model_copy(update={"readings": tuple(r for r in w.readings if r.meter == "codecarbon")})
        for w in evidence.windows
    )
    bare = replace(evidence, windows=windows, trace=None, states=None)
    bare = change_facts(run={"meters": ("codecarbon",)}, torch_gpus=None)(bare)
    validity = judge(bare)
    (reason,) = untold(bare.environment, validity)
    # Others cannot be judged either; an official score does not rest on them.
    named = "counter_unbroken, window_length, counter_tick, power_plausible, counter_agrees_with_power, "
    named += "no_foreign_processes, not_throttled, power_limit_default: "
    assert reason.code == "evidence"
    assert reason.message == f"there is no evidence for {named}measure with scenario.meters=[nvml,codecarbon]"
    # A check that failed was made: it is no evidence that is missing.
    broken = tuple(
        check.model_copy(update={"message": "it is broken"}) if check.number != 6 else check
        for check in validity.checks
    )
    (reason,) = untold(bare.environment, validity.model_copy(update={"checks": broken}))
    assert reason.message.startswith("there is no evidence for counter_agrees_with_power: ")
    passed = tuple(check.model_copy(update={"passed": True}) for check in validity.checks)
    assert untold(bare.environment, validity.model_copy(update={"checks": passed})) == ()


def test_what_our_own_meter_lacks_is_mended_as_each_check_says() -> None:
    evidence = good_evidence()
    ended = (evidence.states or ())[0].model_copy(update={"when": "watch", "looks": 0, "foreign_processes": None})
    cut = replace(evidence, states=(*(evidence.states or ()), ended))
    validity = judge(cut)
    (reason,) = untold(cut.environment, validity)
    assert reason.message.startswith("there is no evidence for no_foreign_processes: ")
    assert "the log why the watch ended" in reason.message
    assert "scenario.meters" not in reason.message
    bare = tuple(check.model_copy(update={"details": {}}) for check in validity.checks)
    (reason,) = untold(cut.environment, validity.model_copy(update={"checks": bare}))
    assert reason.message.endswith(": `scorekit check` says of each what to do")


def test_a_run_of_another_protocol_has_that_one_reason() -> None:
    (reason,) = not_comparable(serving_environment(), replace(OFFICIAL, queries=3, runs=1))
    assert reason.code == "protocol"
    assert "a server that works on 8 queries at a time" in reason.message


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ({"task": None, "config_name": "mine"}, "found the config 'mine', expected"),
        ({"task": "mine", "config_name": "other"}, "found 'mine', expected"),
    ],
)
def test_what_is_no_task_of_the_protocol_is_named(run: dict[str, Any], found: str) -> None:
    ((code, message),) = _reasons(run=run)
    assert (code, found in message) == ("task", True)


@pytest.mark.parametrize(
    ("task", "facts", "code", "message"),
    [
        ("text_generation", {"gpus": (A100,)}, "hardware", f"the GPU is {A100.name}, expected NVIDIA H100 80GB"),
        (
            "text_generation",
            {"gpus": (A100, A100), "model": {"parameters": 66_000_000_001}},
            "hardware",
            f"the GPU is {A100.name}, expected NVIDIA H100 80GB",
        ),
        (
            "text_generation",
            {"gpus": (H100, H100)},
            "gpu_count",
            "2 GPUs were used for a model of class A, expected 1 (only class C may use more)",
        ),
        (
            "text_generation",
            {"gpus": (H100, H100), "model": {"parameters": 66_000_000_000}},
            "gpu_count",
            "2 GPUs were used for a model of class B, expected 1 (only class C may use more)",
        ),
        (
            "summarization",
            {"gpus": (H100, H100), "model": {"parameters": None}},
            "gpu_count",
            "2 GPUs were used for a model of unknown size, expected 1 (only class C may use more)",
        ),
        ("text_generation", {"run": {"device": "cpu:0"}}, "device", None),
        (
            "summarization",
            {"dataset": {"name": "me/data"}},
            "dataset",
            "the dataset is 'me/data', expected 'AIEnergyScore/summarization' from the Hub",
        ),
        (
            "summarization",
            {"dataset": {"name": "data", "local": True}},
            "dataset",
            "the dataset is the folder 'data', expected 'AIEnergyScore/summarization' from the Hub",
        ),
        ("automatic_speech_recognition", {"run": {"kind": "call", "image_steps": 30}}, "kind", None),
        (
            "reasoning",
            {"run": {"max_new_tokens": None}},
            "new_tokens",
            "an unlimited number of new tokens a query, expected up to 8192",
        ),
        ("reasoning", {"run": {"max_new_tokens": 8191}}, "new_tokens", None),
        ("reasoning", {"run": {"max_new_tokens": 8193}}, "new_tokens", None),
        ("summarization", {"run": {"new_tokens": 9}}, "new_tokens", "9 new tokens a query, expected 10"),
        ("summarization", {"run": {"new_tokens": 11}}, "new_tokens", "11 new tokens a query, expected 10"),
        ("image_to_text", {"run": {"new_tokens": 99}}, "new_tokens", "99 new tokens a query, expected 100"),
        ("text_to_image", {"run": {"image_steps": 29}}, "image_steps", "steps an image: 29, expected 30"),
        ("text_to_image", {"run": {"image_steps": 31}}, "image_steps", "steps an image: 31, expected 30"),
        ("text_to_image", {"run": {"image_steps": None}}, "image_steps", "steps an image: not recorded, expected 30"),
        ("text_generation", {"run": {"batch_size": 2}}, "batch_size", "batch size 2, expected 1"),
        ("text_generation", {"model": {"dtype": None}}, "dtype", None),
        (
            "summarization",
            {"model": {"quantization": "gptq"}},
            "quantization",
            "quantised by the run with gptq, the model's own files say nothing of it",
        ),
        (
            "summarization",
            {"model": {"declared_quantization": "awq"}},
            "quantization",
            "not quantised by the run, the model's own files say awq",
        ),
        (
            "summarization",
            {"run": {"generate_kwargs": greedy() | {"top_k": 50, "do_sample": True}}},
            "generation",
            "generated with do_sample=true, top_k=50, expected plain greedy decoding",
        ),
        ("text_to_image", {"run": {"call_kwargs": ONE_IMAGE | {"guidance_scale": 7.5}}}, "pipeline", None),
    ],
)
def test_a_departure_is_told_with_what_was_found_and_expected(
    task: str, facts: dict[str, Any], code: str, message: str | None
) -> None:
    ((found_code, found),) = _reasons(task, **facts)
    assert found_code == code
    assert message is None or found == message


def test_a_cpu_without_a_name_is_told_as_such() -> None:
    nameless = environment(gpus=()).model_copy(update={"cpu": None})
    ((code, message),) = [(each.code, each.message) for each in not_comparable(nameless, OFFICIAL)]
    assert (code, message) == ("hardware", "no GPU was used: found an unnamed CPU, expected one NVIDIA H100 80GB")


@pytest.mark.parametrize(
    ("task", "changes", "codes"),
    [
        ("text_generation", {"runs": 11}, []),
        ("text_generation", {"runs": 9}, ["repeats"]),
        ("text_generation", {"queries": 999}, ["samples"]),
        ("text_to_image", {"images": 1000}, []),
        ("text_to_image", {"images": 999}, ["images"]),
        ("text_to_image", {"images": 1001}, ["images"]),
        ("text_to_image", {"images": None}, []),
        ("summarization", {"images": 4000, "output_tokens": None}, []),
        ("reasoning", {"output_tokens": 0.5}, []),
        ("reasoning", {"output_tokens": 0.0}, ["output_tokens"]),
        # Whose energy is not the GPU's has no meter of the GPU to be blamed.
        ("text_generation", {"domain": "cpu+ram", "sources": frozenset()}, ["domain"]),
        ("text_generation", {"domain": "cpu+ram", "sources": frozenset({("replay", None)})}, ["domain"]),
    ],
)
def test_what_was_measured_is_held_to_the_protocol(task: str, changes: dict[str, Any], codes: list[str]) -> None:
    assert [code for code, _ in _reasons(task, replace(OFFICIAL, **changes))] == codes


def test_meters_that_are_not_official_are_all_named() -> None:
    sources = COUNTER | {("zeus", "nvml"), ("replay", None)}
    ((code, message),) = _reasons(measured=replace(OFFICIAL, sources=sources))
    assert code == "meter"
    assert message.startswith("the energy is by replay (source not told), zeus (nvml), expected nvml or codecarbon")
