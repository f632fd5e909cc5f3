"""What packing tells its user, in words: what was left out, what a reader of the file learns, what becomes public."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scorekit.logs.run_bundle import RunBundle
from scorekit.messages import counted
from scorekit.records import Score, SubmittedRun
from scorekit.submission import allow_lists
from scorekit.submission.allow_lists import Form
from scorekit.submission.evidence_files import PackedRun
from scorekit.submission.public import BY_TOKENS

NOT_PACKED: Final = (
    "the configuration files (benchmark_config.json, benchmark.json): they hold paths of the machine",
    "the logs (*.log)",
)
_PUBLIC: Final[dict[Form, tuple[str, ...]]] = {
    "open": (
        "energies, times and tokens of each phase and repeat, uncertainty, idle power, checks that warn",
        "the model's name, revision, size and class; task, hardware, meter, conditions and time of the measurement",
        "not who hands it in, and no file: operators alone see these",
    ),
    "confidential": (
        "energies, whole, by phase and repeat, with their uncertainty, to six digits; of reasoning also that of 1,000 "
        "output tokens",
        "the given name and the size class; task, hardware, meter, conditions and day of the measurement",
        "names of checks that warn, without their words",
        "by themselves not times, counts of tokens, powers, dtype, quantisation and attention, nor who hands it in, "
        "and no file: operators alone see these",
    ),
}


def left_out(form: Form, whole: RunBundle, packed: PackedRun) -> tuple[str, ...]:
    """What of a run is not in its submission."""
    facts = allow_lists.left_out(whole.environment, packed.environment)
    lines = [f"of environment.json: {', '.join(facts)}"] if facts else []
    lines.append("of the report and CodeCarbon's files: everything but energies and lengths")
    problems = any(reading.problem for window in whole.windows for reading in window.readings)
    if problems and form == "confidential":
        lines.append("of windows.jsonl: the words in which meters told of problems")
    if packed.power is not None and packed.power.kept_one_of > 1:
        lines.append(f"of power.parquet: all but one of {packed.power.kept_one_of} samples")
    if form == "confidential":
        lines.append("the GPUs' serial names (UUID): each has a number in their place")
    return tuple(lines)


def told(entry: SubmittedRun, packed: PackedRun) -> tuple[str, ...]:
    """What a reader of the submission, who is an operator, learns of a run."""
    facts, model, folder = packed.environment, packed.environment.model, entry.folder
    energy = (
        "no score" if entry.wh_per_1000_queries is None else f"{entry.wh_per_1000_queries:.4g} Wh per 1,000 queries"
    )
    gpus = ", ".join(dict.fromkeys(gpu.name for gpu in facts.gpus))
    where = f"{counted(len(facts.gpus), 'GPU')} ({gpus})" if facts.gpus else f"the CPU ({facts.cpu or 'unknown'})"
    versions = ", ".join(f"{name} {version}" for name, version in sorted(facts.packages.items()))
    lines = [
        f"{folder}: {entry.model}, {entry.task or 'no known task'}, {energy}"
        + ("" if entry.valid else ", marked as INVALID")
        + ("" if entry.comparable else ", not comparable with official scores"),
        f"{folder}: measured at {facts.created_utc} on {where}, "
        f"{counted(facts.run.runs, 'repeat')} of {counted(facts.run.num_samples, 'query', 'queries')}",
        f"{folder}: energy, time and counts (queries, tokens in and out) of {counted(len(packed.windows), 'window')}"
        + ("" if packed.power is None else ", and the sampled power of each GPU"),
        f"{folder}: class {entry.model_class or 'unknown'}, dtype {model.dtype or 'unknown'}, quantisation "
        f"{model.quantization or 'none'}, attention {model.attention or 'unknown'}",
        f"{folder}: {facts.platform}, Python {facts.python}{', ' if versions else ''}{versions}",
    ]
    if model.parameters is not None:
        lines.append(f"{folder}: {model.architecture} with {model.parameters:,} parameters")
    return tuple(lines)


def becomes_public(form: Form, follows: Iterable[str] = ()) -> tuple[str, ...]:
    """What of a submission of a form becomes public when an operator accepts it.

    Args:
        form: of the submission.
        follows: what can be worked out from that, as `follows_from` tells it of each run.
    """
    return (*_PUBLIC[form], *dict.fromkeys(follows))


def follows_from(form: Form, folder: str, score: Score | None) -> tuple[str, ...]:
    """What can be worked out from what is public of a run though it is not told itself; of an open one all is told."""
    if form == "open" or score is None:
        return ()
    lines = []
    if score.origin != "measured":
        lines.append(
            f"{folder}: whoever knows the machine can work out how long all of it, each phase and each repeat took: "
            "its energy, or a part of it, was not measured but is a constant power times the time"
        )
    if score.task in BY_TOKENS:
        lines.append(f"{folder}: both energies together tell how many tokens an answer has on average")
    return tuple(lines)
