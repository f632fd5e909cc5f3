"""Whether a run may stand beside the official scores, judged from the run's own evidence.

Probes collect facts and this module judges them: every function here is pure. A rule looks at the environment
and at what the windows add up to, and yields a `Reason` for each way in which the run departs from the
protocol (`scorekit.tasks`; source: the AI Energy Score documentation). A fact that was not recorded is a
reason as well: what cannot be shown is not comparable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scorekit import tasks
from scorekit.records import Check, Environment, GpuFacts, Reason, Validity
from scorekit.tasks import Task
from scorekit.validity import options
from scorekit.validity.inputs import departures
from scorekit.validity.serving import not_official
from scorekit.validity.verdicts import UNTOLD

_CTC_COHORT: Final = "asr"
_H100: Final = re.compile(r"\bH100\b", re.IGNORECASE)
_MIG: Final = re.compile(r"\bMIG\b", re.IGNORECASE)
_80GB: Final = re.compile(r"\b80 ?GB\b", re.IGNORECASE)
# NVML gives an H100 80GB 81,559 MiB. The band leaves out the 64 GB, 94 GB (NVL) and 96 GB boards, and MIG
# slices.
_MIN_80GB_MIB: Final = 76_000
_MAX_80GB_MIB: Final = 84_000
_OFFICIAL_SOURCES: Final = frozenset({("nvml", "nvml_counter"), ("codecarbon", "nvml")})
"""Meters that read the GPU's own energy counter in the run. The initiative's figures are by CodeCarbon. A recorded
trace was measured elsewhere and at another time; sampled power and other programs leave no evidence of a counter."""
_MUST_BE_SHOWN: Final = frozenset({2, 3, 4, 5, 6, 9, 11, 12, 15})
"""Checks that an official score must pass on evidence: none of them may be without it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run's windows add up to.

    Attributes:
        domain: what the energy covers.
        origin: whether sensors were read for it.
        queries: queries counted in one repeat.
        runs: repeats that were measured.
        output_tokens: mean tokens counted in one repeat; None where they were not counted.
        images: images made in one repeat; None where they were not counted.
        sources: meter and source of every reading that makes the energy.
    """

    domain: Literal["gpu", "cpu+ram"]
    origin: Literal["measured", "modelled", "mixed", "unknown"]
    queries: int
    runs: int
    output_tokens: float | None = None
    images: int | None = None
    sources: frozenset[tuple[str, str | None]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All that a rule may look at; `task` is None where the registry does not know it."""

    environment: Environment
    measured: Measured
    task: Task | None


def not_comparable(environment: Environment, measured: Measured) -> tuple[Reason, ...]:
    """Every reason why a run cannot be compared with the official scores; empty when it can.

    Args:
        environment: facts of the machine, the model, the data and what was asked.
        measured: what the run's windows add up to.

    Returns:
        Reasons in a fixed order, each with a stable code and a message that says what was found and expected.
    """
    if environment.serving is not None:
        return (not_official(environment.serving),)
    evidence = _Evidence(environment, measured, tasks.known(environment.run.task))
    return tuple(reason for rule in _RULES for reason in rule(evidence))


def claims_protocol(environment: Environment) -> bool:
    """Whether queries, repeats and GPUs are the protocol's, so that a run can only be meant as an official one."""
    run, gpus = environment.run, environment.gpus
    return (
        environment.serving is None
        and run.num_samples == tasks.OFFICIAL_SAMPLES
        and run.runs >= tasks.OFFICIAL_RUNS
        and bool(gpus)
        and all(is_official_gpu(gpu) for gpu in gpus)
    )


def untold(environment: Environment, validity: Validity) -> tuple[Reason, ...]:
    """The reason why a run of the protocol that lacks evidence is not comparable; none where it has all of it.

    A run by our own meter fails its checks for that. One by CodeCarbon alone is valid, but nobody can tell whether its
    counter was read rightly or the GPU was left alone.
    """
    missing = [
        check
        for check in validity.checks
        if check.number in _MUST_BE_SHOWN and check.passed is False and UNTOLD in check.message
    ]
    if not missing or not claims_protocol(environment):
        return ()
    message = f"there is no evidence for {', '.join(check.name for check in missing)}: {_mend(environment, missing)}"
    return (Reason(code="evidence", message=message),)


def _mend(environment: Environment, missing: Sequence[Check]) -> str:
    """What to do about checks without evidence: where our own meter took part, each check knows what it lacked."""
    if "nvml" not in environment.run.meters:
        return "measure with scenario.meters=[nvml,codecarbon]"
    told = dict.fromkeys(step for check in missing for step in check.mends)
    return " ".join(told) or "`scorekit check` says of each what to do"


def is_official_gpu(gpu: GpuFacts) -> bool:
    """Whether a GPU is a whole NVIDIA H100 with 80 GB, by its driver's name and, where known, its memory."""
    if not _H100.search(gpu.name) or _MIG.search(gpu.name):
        return False
    if gpu.memory_mib is not None:
        return _MIN_80GB_MIB <= gpu.memory_mib <= _MAX_80GB_MIB
    return _80GB.search(gpu.name) is not None


def _task(evidence: _Evidence) -> Iterator[Reason]:
    if evidence.task is None:
        run = evidence.environment.run
        found = f"'{run.task}'" if run.task is not None else f"the config '{run.config_name}'"
        yield Reason(
            code="task",
            message=f"the task is not one of the protocol: found {found}, expected one of `scorekit tasks`",
        )


def _kind(evidence: _Evidence) -> Iterator[Reason]:
    kind, task = evidence.environment.run.kind, evidence.task
    # CTC speech models transcribe in one forward pass; any other model of a generating task must generate.
    if task is None or kind == task.kind or (kind == "forward" and task.cohort == _CTC_COHORT):
        return
    yield Reason(code="kind", message=f"the model was called by {kind}, expected {task.kind} for {task.name}")


def _hardware(evidence: _Evidence) -> Iterator[Reason]:
    gpus = evidence.environment.gpus
    if not gpus:
        cpu = evidence.environment.cpu or "an unnamed CPU"
        yield Reason(code="hardware", message=f"no GPU was used: found {cpu}, expected one {tasks.OFFICIAL_GPU}")
        return
    device = evidence.environment.run.device
    if device.startswith("cpu"):
        # GPUs may be named by hand beside a model that does not use them.
        yield Reason(code="device", message=f"the model ran on the {device}, expected the GPU that was measured")
    strange = dict.fromkeys(_gpu_text(gpu) for gpu in gpus if not is_official_gpu(gpu))
    if strange:
        yield Reason(code="hardware", message=f"the GPU is {', '.join(strange)}, expected {tasks.OFFICIAL_GPU}")


def _gpu_count(evidence: _Evidence) -> Iterator[Reason]:
    count = len(evidence.environment.gpus)
    size = tasks.class_of(evidence.environment.model)
    if count <= 1 or size == "C":
        return
    kind = "a model of unknown size" if size is None else f"a model of class {size}"
    yield Reason(code="gpu_count", message=f"{count} GPUs were used for {kind}, expected 1 (only class C may use more)")


def _energy(evidence: _Evidence) -> Iterator[Reason]:
    measured = evidence.measured
    if measured.domain != "gpu":
        yield Reason(code="domain", message=f"the energy is that of {measured.domain}, expected that of the GPU")
    if measured.origin != "measured":
        yield Reason(code="origin", message=f"the energy is {measured.origin}, expected measured by a sensor")
    strange = sorted(
        f"{meter} ({source or 'source not told'})" for meter, source in measured.sources - _OFFICIAL_SOURCES
    )
    if measured.domain == "gpu" and (strange or not measured.sources):
        found = ", ".join(strange) or "a meter that is not told"
        yield Reason(
            code="meter", message=f"the energy is by {found}, expected nvml or codecarbon on the GPU's energy counter"
        )


def _weights(evidence: _Evidence) -> Iterator[Reason]:
    if evidence.environment.model.random_weights:
        yield Reason(code="random_weights", message="the model has random weights, expected trained ones")


def _volume(evidence: _Evidence) -> Iterator[Reason]:
    measured, run = evidence.measured, evidence.environment.run
    if measured.queries != tasks.OFFICIAL_SAMPLES:
        yield Reason(code="samples", message=f"{measured.queries} queries a repeat, expected {tasks.OFFICIAL_SAMPLES}")
    if measured.runs < tasks.OFFICIAL_RUNS:
        yield Reason(code="repeats", message=f"{measured.runs} repeats, expected at least {tasks.OFFICIAL_RUNS}")
    if run.batch_size != tasks.OFFICIAL_BATCH_SIZE:
        yield Reason(code="batch_size", message=f"batch size {run.batch_size}, expected {tasks.OFFICIAL_BATCH_SIZE}")


def _dtype(evidence: _Evidence) -> Iterator[Reason]:
    model, task = evidence.environment.model, evidence.task
    # A model that was published quantised may keep the dtype that it was published in; the protocol sets only that
    # of plain models. One that the run itself quantised is none of the former.
    published_so = model.quantization is not None and model.quantization == model.declared_quantization
    if task is None or published_so or model.dtype == task.dtype:
        return
    yield Reason(code="dtype", message=f"dtype {model.dtype or 'not recorded'}, expected {task.dtype} for {task.name}")


def _quantization(evidence: _Evidence) -> Iterator[Reason]:
    model = evidence.environment.model
    if model.quantization == model.declared_quantization:
        return
    found = (
        "not quantised by the run" if model.quantization is None else f"quantised by the run with {model.quantization}"
    )
    declared = model.declared_quantization or "nothing of it"
    yield Reason(code="quantization", message=f"{found}, the model's own files say {declared}")


def _class(evidence: _Evidence) -> Iterator[Reason]:
    task = evidence.task
    if (
        task is None
        or task.cohort not in tasks.CLASSED_COHORTS
        or tasks.class_of(evidence.environment.model) is not None
    ):
        return
    yield Reason(code="class", message="parameters unknown, so the class cannot be told")


def _dataset(evidence: _Evidence) -> Iterator[Reason]:
    dataset, task = evidence.environment.dataset, evidence.task
    if task is None or (not dataset.local and dataset.name in tasks.official_dataset_ids(task)):
        return
    found = f"the folder '{dataset.name}'" if dataset.local else f"'{dataset.name}'"
    yield Reason(code="dataset", message=f"the dataset is {found}, expected '{task.dataset}' from the Hub")


def _dataset_split(evidence: _Evidence) -> Iterator[Reason]:
    split = evidence.environment.dataset.split
    if split != tasks.OFFICIAL_SPLIT:
        yield Reason(
            code="dataset_split", message=f"the dataset's split is '{split}', expected '{tasks.OFFICIAL_SPLIT}'"
        )


def _settings(evidence: _Evidence) -> Iterator[Reason]:
    run = evidence.environment.run
    yield from (found.reason for found in departures(run) if not found.official)
    yield from options.departing(run)


def _new_tokens(evidence: _Evidence) -> Iterator[Reason]:
    run, task = evidence.environment.run, evidence.task
    # The run's kind, not the task's: a CTC speech model answers in one forward pass and generates nothing.
    if task is None or run.kind != "generate":
        return
    found = _asked_tokens(evidence)
    if task.new_tokens is not None and run.new_tokens != task.new_tokens:
        yield Reason(
            code="new_tokens",
            message=f"{found} new tokens a query, expected {task.new_tokens}",
        )
    if task.name != "reasoning":
        return
    if run.new_tokens is not None or run.max_new_tokens != tasks.REASONING_NEW_TOKENS:
        yield Reason(
            code="new_tokens",
            message=f"{found} new tokens a query, expected up to {tasks.REASONING_NEW_TOKENS}",
        )
    if not evidence.measured.output_tokens:
        yield Reason(code="output_tokens", message="output tokens were not counted, expected a count for reasoning")


def _images(evidence: _Evidence) -> Iterator[Reason]:
    run, measured = evidence.environment.run, evidence.measured
    if run.kind != "call":
        return
    if run.image_steps != tasks.OFFICIAL_IMAGE_STEPS:
        found = "not recorded" if run.image_steps is None else str(run.image_steps)
        yield Reason(code="image_steps", message=f"steps an image: {found}, expected {tasks.OFFICIAL_IMAGE_STEPS}")
    if measured.images is not None and measured.images != measured.queries:
        yield Reason(
            code="images",
            message=f"{measured.images} images of {measured.queries} queries, expected one a query",
        )


_RULES: Final[tuple[Callable[[_Evidence], Iterator[Reason]], ...]] = (
    _task, _kind, _hardware, _gpu_count, _class, _energy, _weights, _volume, _dtype, _quantization, _dataset,
    _dataset_split, _new_tokens, _images, _settings,
)  # fmt: skip


def _gpu_text(gpu: GpuFacts) -> str:
    return gpu.name if gpu.memory_mib is None else f"{gpu.name} ({gpu.memory_mib} MiB)"


def _asked_tokens(evidence: _Evidence) -> str:
    run = evidence.environment.run
    if run.new_tokens is not None:
        return str(run.new_tokens)
    return "an unlimited number of" if run.max_new_tokens is None else f"up to {run.max_new_tokens}"
