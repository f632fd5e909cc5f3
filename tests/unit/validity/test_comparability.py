"""Each departure of a run from the protocol is a reason of its own: what was found and expected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import GpuFacts, Reason
from scorekit.tasks import TASKS
from scorekit.validity import Evidence, Measured, is_official_gpu, judge, not_comparable, untold
from tests.bundles import H100, ONE_IMAGE, environment, greedy
from tests.evidence import change_facts, good_evidence, unofficial

COUNTER = frozenset({("nvml", "nvml_counter")})
OFFICIAL = Measured(domain="gpu", origin="measured", queries=1000, runs=10, output_tokens=10_000.0, sources=COUNTER)
A100 = GpuFacts(index=0, name="NVIDIA A100-SXM4-80GB", memory_mib=81920)


def _reasons(task: str = "text_generation", measured: Measured = OFFICIAL, **facts: Any) -> dict[str, str]:
    reasons: tuple[Reason, ...] = not_comparable(environment(task, **facts), measured)
    assert len({reason.code for reason in reasons}) == len(reasons)
    return {reason.code: reason.message for reason in reasons}


def _measured(**changes: Any) -> Measured:
    facts: dict[str, Any] = {"domain": "gpu", "origin": "measured", "queries": 1000, "runs": 10}
    return Measured(**facts | {"output_tokens": 10_000.0, "sources": COUNTER} | changes)


def _generated(**options: Any) -> dict[str, Any]:
    return {"run": {"generate_kwargs": greedy() | options}}


def _called(**options: Any) -> dict[str, Any]:
    return {"run": {"call_kwargs": ONE_IMAGE | options}}


@pytest.mark.parametrize("task", TASKS)
def test_an_official_run_of_each_task_is_comparable(task: str) -> None:
    assert _reasons(task) == {}


@pytest.mark.parametrize(
    ("task", "facts", "code", "found", "expected"),
    [
        ("asr_x", {}, "task", "'asr_x'", "scorekit tasks"),
        ("text_generation", {"gpus": ()}, "hardware", "Example CPU 9000", "H100 80GB"),
        ("text_generation", {"run": {"device": "cpu"}}, "device", "ran on the cpu", "expected the GPU"),
        ("text_generation", {"gpus": (A100,)}, "hardware", "NVIDIA A100-SXM4-80GB (81920 MiB)", "H100 80GB"),
        ("text_generation", {"gpus": (H100, H100)}, "gpu_count", "2 GPUs", "expected 1"),
        (
            "summarization",
            {"gpus": (H100, H100), "model": {"parameters": None}},
            "gpu_count",
            "unknown",
            "1",
        ),
        ("text_generation", {"model": {"parameters": None}}, "class", "parameters unknown", "class"),
        ("t5_text_generation", {"model": {"parameters": None}}, "class", "parameters unknown", "class"),
        ("summarization", {"dataset": {"split": "test"}}, "dataset_split", "'test'", "'train'"),
        (
            "summarization",
            {"model": {"quantization": "bitsandbytes"}},
            "quantization",
            "quantised by the run with bitsandbytes",
            "the model's own files say nothing of it",
        ),
        (
            "summarization",
            {"model": {"quantization": "gptq", "declared_quantization": "awq"}},
            "quantization",
            "quantised by the run with gptq",
            "the model's own files say awq",
        ),
        (
            "summarization",
            {"model": {"declared_quantization": "mxfp4"}},
            "quantization",
            "not quantised",
            "the model's own files say mxfp4",
        ),
        ("summarization", _generated(do_sample=True), "generation", "do_sample=true", "greedy"),
        ("summarization", _generated(do_sample=None), "generation", "do_sample=null", "greedy"),
        ("summarization", _generated(num_beams=4), "generation", "num_beams=4", "greedy"),
        ("summarization", _generated(num_return_sequences=2), "generation", "num_return_sequences=2", "greedy"),
        ("summarization", _generated(use_cache=False), "generation", "use_cache=false", "greedy"),
        (
            "summarization",
            _generated(num_beams=4, cache_implementation="static"),
            "generation",
            'cache_implementation="static", num_beams=4,',
            "greedy",
        ),
        ("text_to_image", _called(num_images_per_prompt=4), "pipeline", "num_images_per_prompt=4", "one image"),
        ("text_to_image", _called(height=256), "pipeline", "height=256", "defaults"),
        (
            "object_detection",
            {"run": {"forward_kwargs": {"output_attentions": True}}},
            "forward",
            "output_attentions=true",
            "no options",
        ),
        (
            "object_detection",
            {"run": {"backend_switches": {"torch_compile": True, "allow_tf32": True}}},
            "backend",
            "allow_tf32=true, torch_compile=true",
            "defaults",
        ),
        ("text_generation", {"model": {"random_weights": True}}, "random_weights", "random", "trained"),
        ("text_generation", {"run": {"batch_size": 8}}, "batch_size", "8", "1"),
        ("text_generation", {"model": {"dtype": "float32"}}, "dtype", "float32", "float16"),
        ("text_generation", {"model": {"dtype": None}}, "dtype", "not recorded", "float16"),
        ("summarization", {"run": {"new_tokens": 100}}, "new_tokens", "100", "10"),
        (
            "summarization",
            {"run": {"new_tokens": None, "max_new_tokens": 10}},
            "new_tokens",
            "up to 10",
            "10",
        ),
        (
            "summarization",
            {"run": {"new_tokens": None, "max_new_tokens": None}},
            "new_tokens",
            "unlimited",
            "10",
        ),
        ("summarization", {"run": {"kind": "forward"}}, "kind", "forward", "generate"),
        ("reasoning", {"run": {"max_new_tokens": 10}}, "new_tokens", "up to 10", "8192"),
        ("reasoning", {"run": {"new_tokens": 8192}}, "new_tokens", "8192", "up to 8192"),
        ("text_to_image", {"run": {"image_steps": 2}}, "image_steps", "2", "30"),
        ("text_to_image", {"run": {"image_steps": None}}, "image_steps", "not recorded", "30"),
        ("asr", {"dataset": {"name": "me/ASR"}}, "dataset", "me/ASR", "AIEnergyScore/ASR"),
        ("asr", {"dataset": {"name": "AIEnergyScore/ASR", "local": True}}, "dataset", "folder", "Hub"),
    ],
)
def test_one_departure_is_one_reason(task: str, facts: dict[str, Any], code: str, found: str, expected: str) -> None:
    name = {"asr": "automatic_speech_recognition"}.get(task, task)
    if name not in TASKS:
        facts, name = {"run": {"task": name}}, "text_generation"
    reasons = _reasons(name, **facts)
    assert list(reasons) == [code]
    assert found in reasons[code]
    assert expected in reasons[code]


@pytest.mark.parametrize(
    ("task", "changes", "code", "found"),
    [
        ("text_generation", {"domain": "cpu+ram"}, "domain", "cpu+ram"),
        ("text_generation", {"origin": "modelled"}, "origin", "modelled"),
        ("text_generation", {"origin": "mixed"}, "origin", "mixed"),
        ("text_generation", {"origin": "unknown"}, "origin", "unknown"),
        ("text_generation", {"queries": 999}, "samples", "999"),
        ("text_generation", {"queries": 1001}, "samples", "1001"),
        ("text_generation", {"runs": 9}, "repeats", "9"),
        ("reasoning", {"output_tokens": None}, "output_tokens", "not counted"),
        ("text_generation", {"sources": frozenset({("replay", "replay")})}, "meter", "by replay (replay)"),
        ("text_generation", {"sources": frozenset({("nvml", "nvml_power")})}, "meter", "by nvml (nvml_power)"),
        ("text_generation", {"sources": frozenset({("zeus", "nvml")})}, "meter", "by zeus (nvml)"),
        ("text_generation", {"sources": COUNTER | {("nvml", None)}}, "meter", "by nvml (source not told)"),
        ("text_generation", {"sources": frozenset()}, "meter", "not told"),
        ("text_to_image", {"images": 4000}, "images", "4000"),
    ],
)
def test_what_was_measured_is_judged_too(task: str, changes: dict[str, Any], code: str, found: str) -> None:
    reasons = _reasons(task, _measured(**changes))
    assert list(reasons) == [code]
    assert found in reasons[code]


def test_a_model_that_the_run_quantised_must_keep_the_tasks_dtype() -> None:
    reasons = _reasons(model={"dtype": "bfloat16", "quantization": "bitsandbytes"})
    assert list(reasons) == ["dtype", "quantization"]


def test_every_departure_is_told_at_once() -> None:
    reasons = _reasons(
        measured=_measured(domain="cpu+ram", origin="modelled", queries=5, runs=2),
        gpus=(),
        run={"batch_size": 2, "new_tokens": 3},
        model={"random_weights": True, "dtype": "float32"},
        dataset={"local": True, "name": "text_generation"},
    )
    assert list(reasons) == [
        "hardware", "domain", "origin", "random_weights", "samples", "repeats", "batch_size", "dtype",
        "dataset", "new_tokens",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "facts"),
    [
        ("text_generation", {"dataset": {"name": "EnergyStarAI/text_generation"}}),
        (
            "text_generation",
            {"model": {"dtype": "bfloat16", "quantization": "mxfp4", "declared_quantization": "mxfp4"}},
        ),
        ("text_generation", {"model": {"parameters": 70_000_000_000}, "gpus": (H100, H100, H100, H100)}),
        ("text_generation", {"run": {"runs": 20}}),
        # As before these options were recorded.
        ("text_generation", {"run": {"generate_kwargs": {}}}),
        ("text_to_image", {"run": {"call_kwargs": {}}}),
        ("summarization", {"model": {"parameters": None}}),
        ("automatic_speech_recognition", {"run": {"kind": "forward", "new_tokens": None}}),
    ],
)
def test_what_the_protocol_allows_is_no_reason(task: str, facts: dict[str, Any]) -> None:
    assert _reasons(task, _measured(runs=20), **facts) == {}


@pytest.mark.parametrize(
    ("name", "memory_mib", "expected"),
    [
        ("NVIDIA H100 80GB HBM3", 81559, True),
        ("NVIDIA H100 80GB HBM3", None, True),
        ("NVIDIA H100 PCIe", 81559, True),
        ("NVIDIA H100 PCIe", None, False),
        ("NVIDIA H100 NVL", 95830, False),
        ("NVIDIA H100 SXM5 64GB", 65536, False),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", 9984, False),
        ("NVIDIA H100 80GB HBM3 MIG 7g.80gb", 81000, False),
        ("NVIDIA GH200 480GB", 97871, False),
        ("NVIDIA H200", 143771, False),
        ("NVIDIA H800", 81559, False),
        ("NVIDIA A100-SXM4-80GB", 81920, False),
        ("Tesla T4", 15360, False),
    ],
)
def test_only_a_whole_h100_with_80_gb_is_official(name: str, memory_mib: int | None, expected: bool) -> None:
    assert is_official_gpu(GpuFacts(index=0, name=name, memory_mib=memory_mib)) is expected


@pytest.mark.parametrize("source", [("nvml", "nvml_counter"), ("codecarbon", "nvml")])
def test_the_gpus_own_counter_read_by_us_or_by_codecarbon_is_official(source: tuple[str, str]) -> None:
    assert _reasons("text_generation", _measured(sources=frozenset({source}))) == {}


def _by_codecarbon(evidence: Evidence) -> Evidence:
    """The same run measured by CodeCarbon alone."""
    windows = tuple(
        w.model_copy(update={"readings": tuple(r for r in w.readings if r.meter == "codecarbon")})
        for w in evidence.windows
    )
    return change_facts(run={"meters": ("codecarbon",)})(replace(evidence, windows=windows, trace=None, states=None))


def test_an_official_run_by_codecarbon_alone_is_valid_but_not_comparable_for_want_of_evidence() -> None:
    evidence = _by_codecarbon(good_evidence())
    validity = judge(evidence)
    assert validity.valid
    (reason,) = untold(evidence.environment, validity)
    assert reason.code == "evidence"
    assert "counter_unbroken, " in reason.message
    assert "scenario.meters=[nvml,codecarbon]" in reason.message
    assert untold(unofficial(evidence).environment, validity) == ()


def test_an_official_run_with_all_evidence_lacks_none() -> None:
    assert untold(good_evidence().environment, judge(good_evidence())) == ()
