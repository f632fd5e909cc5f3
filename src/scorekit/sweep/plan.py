"""From the entries of lists to a plan: every job a list of Hydra overrides of one config, in the order of priority."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scorekit import __version__, atomic, tasks
from scorekit.errors import InputError, UsageError
from scorekit.measuring.configs import hydra_value, names_secret, slug
from scorekit.measuring.gpu_lock import SWEEP_JOB
from scorekit.messages import counted
from scorekit.records import PLAN_SCHEMA, Plan, SweepJob, first_complaint
from scorekit.sweep.attempts import RUN
from scorekit.sweep.entries import Entry
from scorekit.sweep.estimates import Asked, Earlier

ID_DIGITS: Final = 16
HARDWARE: Final = "SCOREKIT_SWEEP_HARDWARE"
"""Within a job: the plan's hardware."""
_MOST_LETTERS: Final = 100
_MOST_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every job of a sweep.

    Attributes:
        overrides: Hydra overrides of every job.
        class_c_gpus: GPUs of a job of class C; None where it is not told.
        classes: only jobs of these size classes; empty for all.
    """

    overrides: tuple[str, ...] = ()
    class_c_gpus: int | None = None
    classes: tuple[str, ...] = ()


def build(entries: Iterable[Entry], terms: Terms, earlier: Earlier, notes: Iterable[str] = ()) -> Plan:
    """The plan of entries.

    Args:
        entries: of `lists.read`.
        terms: what holds for all of them.
        earlier: earlier results, for the estimates.
        notes: what is to be told of the lists.

    Raises:
        UsageError: nothing is left, an override is no setting, or a job of class C has too few GPUs.
    """
    for override in terms.overrides:
        _check_override(override)
    wanted = [entry for entry in entries if not terms.classes or entry.model_class in terms.classes]
    if not wanted:
        raise UsageError(f"no model of the list is of class {' or '.join(terms.classes)}", mend="leave --class out")
    _check_gpus(wanted, terms)
    order = {task: at for at, task in enumerate(dict.fromkeys(entry.task for entry in wanted))}
    wanted.sort(key=lambda entry: (entry.priority, order[entry.task]))
    return Plan(
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        scorekit_version=__version__,
        jobs=tuple(_job(entry, terms, earlier) for entry in wanted),
        notes=tuple(notes),
    )


def job_id(job: SweepJob) -> str:
    """The id of a job, worked out from its content."""
    return _digest(job.model, job.revision, job.task, job.model_class, job.reasoning, job.protocol, job.overrides)


def shown(job: SweepJob) -> str:
    """A job's model as people read it: a folder by its last part, a Hub id with its revision."""
    if job.model.startswith("/"):
        return Path(job.model).name
    return job.model if job.revision is None else f"{job.model}@{job.revision}"


def folder_of(job: SweepJob) -> Path:
    """Where a job's runs and attempts lie, below the sweep's runs folder."""
    return Path(job.task) / f"{slug(job.model)[:_MOST_LETTERS]}--{job.id}"


def overrides_of(job: SweepJob, hardware: str | None = None) -> list[str]:
    """All overrides of a job: those of the plan, where it writes, and what its process is to know.

    Args:
        job: the job.
        hardware: the plan's.
    """
    known = [] if hardware is None else [f"++hydra.job.env_set.{HARDWARE}={hydra_value(hardware)}"]
    return [
        *known,
        *job.overrides,
        f"hydra.sweep.subdir={hydra_value(folder_of(job) / RUN)}",
        f"++hydra.job.env_set.{SWEEP_JOB}={hydra_value(job.id)}",
    ]


def batches(jobs: Iterable[SweepJob], *, by_priority: bool = True) -> Iterator[tuple[str, tuple[SweepJob, ...]]]:
    """Jobs that one Hydra app can take, for they share a config, with that config's name.

    Args:
        jobs: in the order of the plan.
        by_priority: keep that order, so that a config may come more than once; else one batch a config, which an engine
            of many nodes fills better.
    """
    ordered = list(jobs)
    if not by_priority:
        order = {task: at for at, task in enumerate(dict.fromkeys(job.task for job in ordered))}
        ordered.sort(key=lambda job: order[job.task])
    for task, group in groupby(ordered, key=lambda job: job.task):
        yield task, tuple(group)


def save(plan: Plan, path: Path) -> None:
    """Write a plan in one step.

    Raises:
        BundleError: it cannot be written.
    """
    atomic.write_bytes(path, plan.model_dump_json().encode() + b"\n", elsewhere="--save FILE")


def load(path: Path) -> Plan:
    """Read a plan back.

    Raises:
        InputError: it cannot be read, is of another version, or says of a job what does not fit to its id.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputError(
            f"there is no plan {path}", mend="scorekit sweep ... --plan-only --save FILE makes one"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise InputError(f"{path} is larger than any plan")
    try:
        plan = Plan.model_validate_json(data)
    except ValidationError as error:
        raise InputError(
            f"{path} is no plan of this version ({PLAN_SCHEMA}): {first_complaint(error)}",
            mend="plan again with this version of scorekit",
        ) from error
    for job in plan.jobs:
        if job.id != job_id(job):
            raise InputError(
                f"{path}: the job {job.id[:40]!r} ({job.model[:80]}) was changed after it was planned",
                mend="change the list or the overrides instead, and plan again",
            )
        tasks.config_name(job.task)
    if len({job.id for job in plan.jobs}) != len(plan.jobs):
        raise InputError(f"{path} holds a job twice", mend="plan again from the list")
    return plan


def _job(entry: Entry, terms: Terms, earlier: Earlier) -> SweepJob:
    device, device_ids, dtype = (_setting(terms, entry, name) for name in ("device", "device_ids", "torch_dtype"))
    gpus = 0 if device == "cpu" else len(device_ids.split(",")) if device_ids is not None else _gpus(entry, terms)
    overrides = [f"backend.model={hydra_value(entry.model)}"]
    if entry.revision is not None:
        # The processor's loading falls back on the model's arguments.
        overrides.append(f"++backend.model_kwargs.revision={hydra_value(entry.revision)}")
    if gpus is not None and gpus > 1 and device_ids is None:
        overrides += [f"backend.device_ids={hydra_value(','.join(map(str, range(gpus))))}", "backend.device_map=auto"]
    overrides += [f"++scenario.reasoning_params.{key}={hydra_value(value)}" for key, value in entry.reasoning_params]
    overrides += [*terms.overrides, *entry.overrides]
    task = tasks.REGISTRY.find(entry.task)
    assert task is not None, entry.task
    cohort, protocol = tasks.cohort_of(entry.task), tasks.protocol_of(entry.task)
    assert cohort is not None, entry.task
    samples = task.num_samples if isinstance(task, tasks.ExtraTask) else tasks.OFFICIAL_SAMPLES
    asked = Asked(
        model=entry.model,
        cohort=cohort,
        task=entry.task,
        gpus=gpus,
        queries=_whole(_setting(terms, entry, "num_samples", "scenario"), samples),
        runs=_whole(_setting(terms, entry, "runs", "scenario"), tasks.OFFICIAL_RUNS),
        dtype=dtype or task.dtype,
        parameters=entry.parameters,
    )
    return SweepJob(
        id=_digest(entry.model, entry.revision, entry.task, entry.model_class, entry.reasoning, protocol, overrides),
        model=entry.model,
        revision=entry.revision,
        task=entry.task,
        model_class=entry.model_class,
        reasoning=entry.reasoning,
        protocol=protocol,
        overrides=tuple(overrides),
        as_asked=not (terms.overrides or entry.overrides or entry.reasoning_params),
        priority=entry.priority,
        gpus=gpus,
        estimate=earlier.estimate(asked),
    )


def _gpus(entry: Entry, terms: Terms) -> int | None:
    """Official configs take one GPU; a job of class C as many as was told."""
    return terms.class_c_gpus if entry.model_class == "C" else 1


def _check_gpus(entries: Sequence[Entry], terms: Terms) -> None:
    large = [
        entry
        for entry in entries
        if entry.model_class == "C"
        and _setting(terms, entry, "device") != "cpu"
        and _setting(terms, entry, "device_ids") is None
    ]
    if large and terms.class_c_gpus is not None and terms.class_c_gpus < 2:
        raise UsageError(
            f"{len(large)} of {counted(len(entries), 'job is', 'jobs are')} of class C (above 66 billion parameters), "
            f"which needs several GPUs, and there is {terms.class_c_gpus or 'none'}: {large[0].place} "
            f"({large[0].model})" + (f", and {len(large) - 1} more" if len(large) > 1 else ""),
            mend="take the others, --class A --class B; or a machine with more GPUs, --class-c-gpus 4",
        )


def _check_override(override: str) -> None:
    if names_secret(override):
        raise UsageError(
            "a token among the settings would be written into the plan and the runs' files",
            mend="set it in the environment instead: HF_TOKEN=... scorekit sweep ...",
        )
    name, equals, _ = override.partition("=")
    if not (equals or override.startswith("~")) or name.lstrip("+~") in ("backend.model", "hydra/launcher"):
        raise UsageError(
            f"'{override[:120]}' is no setting of every job",
            mend="SETTING=VALUE, as scorekit bench --help lists them: scenario.runs=3",
        )


def _setting(terms: Terms, entry: Entry, name: str, part: str = "backend") -> str | None:
    """The last value that an override gives a setting; None where none does."""
    found = None
    for override in (*terms.overrides, *entry.overrides):
        key, equals, value = override.partition("=")
        if equals and key.lstrip("+") == f"{part}.{name}":
            found = value.strip().strip("'\"")
    return found


def _whole(value: str | None, otherwise: int) -> int | None:
    """A number of one or more; None where only the job itself will know it (-1: all samples that there are)."""
    value = str(otherwise) if value is None else value
    return int(value) if value.isascii() and value.isdigit() and int(value) > 0 else None


def _digest(
    model: str,
    revision: str | None,
    task: str,
    model_class: str | None,
    reasoning: str | None,
    protocol: str,
    overrides: Iterable[str],
) -> str:
    content = json.dumps([model, revision, task, model_class, reasoning, protocol, list(overrides)])
    return hashlib.sha256(content.encode()).hexdigest()[:ID_DIGITS]
