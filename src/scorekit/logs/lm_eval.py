"""Reader of the results file of lm-evaluation-harness, 0.4 and later: `results_DATE.json`; pure.

What the file holds, by result_schema.py, evaluator.py and loggers/evaluation_tracker.py of
https://github.com/EleutherAI/lm-evaluation-harness (package lm-eval 0.4.13) and files of 0.4.9:

- `results` maps a task or group to its metrics: `acc,none` is metric and filter, `acc_stderr,none` its standard error,
  a number or "N/A". Beside them stand `alias`, and later `name`, `sample_len` and, of groups, `sample_count`.
- `groups` repeats those of groups; `group_subtasks` maps a group to what is in it.
- `higher_is_better` maps a task to its metrics, each true, false or null; `n-shot`, `versions` and `n-samples`
  (`original`, `effective`) map a task; groups stand in some of them only.
- `config` has `model`, `model_args` (a text, or since 0.4.9 a mapping), of some backends `model_sha`, and `limit`.
  `date` is a Unix time, `lm_eval_version` a version, or an error's text. `git_hash` is what `git describe --always`
  says of the folder it ran in: a commit, or a tag, which may be anybody's own words and is not kept.
- Values are written by Python's json, so that NaN is no JSON and stands there all the same.

The samples files beside it (`samples_TASK_DATE.jsonl`) are not read.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scorekit.errors import LogError, UsageError, nearest
from scorekit.logs.evaluated_model import EvaluatedModel, evaluated_model
from scorekit.logs.fields import Field
from scorekit.logs.places import Place, told
from scorekit.records import QualityFigure, QualitySource, first_complaint
from scorekit.records.quality import COMMIT

_STDERR: Final = "_stderr"
_VERSION: Final = re.compile(r"\d[\w.+-]{0,60}")
_MOST_NAMED: Final = 20
_GET: Final = "give the file results_DATE.json that lm_eval writes with --output_path FOLDER"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one task, as it stands in the file: its value is not judged yet."""

    task: str
    name: str
    filter: str
    value: Field
    stderr: Field


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A results file.

    Attributes:
        source: the file and the harness.
        model: what was evaluated.
        chat_template: whether questions were put as a chat; None where the file does not tell.
        limit: of questions of each task; None for all.
        metrics: everything that was worked out, in the order of the file.
        below: tasks that are part of a group that has metrics itself.
        log: the file.
    """

    source: QualitySource
    model: EvaluatedModel
    chat_template: bool | None
    limit: float | None
    metrics: tuple[Metric, ...]
    below: frozenset[str]
    log: Field

    def choose(self, tasks: Sequence[str] = (), metrics: Sequence[str] = ()) -> tuple[QualityFigure, ...]:
        """The figures that are meant.

        Args:
            tasks: names of tasks or groups; none for all but the tasks of a group that is there as a whole.
            metrics: `acc`, or `acc,none` with a filter; none for all.

        Raises:
            UsageError: there is no such task or metric; lists what there is.
            LogError: a chosen value is no number, or cannot be one of its metric.
        """
        found = [one for one in self.metrics if (one.task in tasks if tasks else one.task not in self.below)]
        _check_known("task", tasks, {one.task for one in self.metrics}, self.source.name)
        _check_known("metric", metrics, {name for one in found for name in _names(one)}, self.source.name)
        chosen = [one for one in found if not metrics or set(_names(one)) & set(metrics)]
        if not chosen:
            # Groups that hold each other leave none that stands above.
            raise UsageError(f"{self.source.name}: no figure is chosen", mend="name tasks with --task")
        return tuple(self._figure(one) for one in chosen)

    def _figure(self, one: Metric) -> QualityFigure:
        value = one.value.number()
        if value is None or not math.isfinite(value):
            one.value.refuse("a finite number")
        samples, samples_of = self._samples(one)
        version = self.log["versions"][one.task].value
        try:
            return QualityFigure(
                task=one.task,
                metric=one.name,
                filter=one.filter,
                value=value,
                stderr=_stderr(one.stderr),
                higher_is_better=self.log["higher_is_better"][one.task][one.name].flag(),
                samples=samples,
                samples_of=samples_of,
                num_fewshot=self._fewshot(one.task),
                task_version=None if version is None or isinstance(version, list | dict) else str(version)[:60],
            )
        except ValidationError as error:
            raise LogError(
                f"{self.source.name}: results.{one.task}.{one.name},{one.filter}: {first_complaint(error)}",
                mend="choose others with --task and --metric, or look at the evaluation",
            ) from error

    def _samples(self, one: Metric) -> tuple[int | None, int | None]:
        """How many questions were asked and how many there are; of a group the sums over its tasks, if all tell."""
        counts = [self.log["n-samples"][task] for task in self._leaves(one.task)]
        asked, there = ([count[name].integer() for count in counts] for name in ("effective", "original"))
        return (
            sum(each for each in asked if each is not None) if None not in asked else None,
            sum(each for each in there if each is not None) if None not in there else None,
        )

    def _fewshot(self, task: str) -> int | None:
        own = self.log["n-shot"][task].integer()
        found = {self.log["n-shot"][leaf].integer() for leaf in self._leaves(task)} if own is None else {own}
        return found.pop() if len(found) == 1 else None

    def _leaves(self, task: str) -> list[str]:
        """The tasks of a group, at any depth; a task itself."""
        return [name for name in _descendants(self.log, task) if not _children(self.log, name)] or [task]


def read_evaluation(path: Path) -> Evaluation:
    """Read a results file.

    Raises:
        LogError: it cannot be read, is too large, or is no results file of lm-evaluation-harness 0.4 or later.
    """
    label = told(path.name)
    if path.is_dir():
        raise LogError(f"{label} is a folder", mend=_GET)
    if path.suffix == ".jsonl":
        raise LogError(f"{label} holds lines, as the harness's samples do, and no results", mend=_GET)
    content, sha256 = Place.of_file(path).read_json()
    log = Field(content, label)
    if not isinstance(content, dict) or not all(isinstance(content.get(key), dict) for key in ("results", "config")):
        raise LogError(f"{label} is no results file of lm-evaluation-harness: no `results` and `config`", mend=_GET)
    metrics = tuple(_metrics(log))
    if not metrics:
        raise LogError(
            f"{label} has no metric with a filter, such as `acc,none`: it is of lm_eval before 0.4, or of something "
            "else",
            mend="evaluate with lm-eval 0.4 or later",
        )
    limit = log["config"]["limit"].number()
    if limit is not None and not (math.isfinite(limit) and limit > 0):
        log["config"]["limit"].refuse("a positive number")
    version, commit = log["lm_eval_version"].text(), log["git_hash"].text()
    source = QualitySource(
        name=label[:200],
        sha256=sha256,
        harness_version=version if version is not None and _VERSION.fullmatch(version) else None,
        git_hash=commit if commit is not None and re.fullmatch(COMMIT, commit) else None,
        evaluated_utc=_utc(log["date"]),
    )
    below = _below(log, {one.task for one in metrics})
    return Evaluation(source, evaluated_model(log), _is_chat(log), limit, metrics, below, log)


def _metrics(log: Field) -> Iterator[Metric]:
    for task in log["results"].mapping():
        if not task:
            continue
        held = log["results"][task]
        for key in held.mapping():
            name, comma, kind = key.partition(",")
            is_error = name.endswith(_STDERR) and f"{name.removesuffix(_STDERR)},{kind}" in held
            # A group without an average of its own has blanks in the place of values.
            if comma and name and kind and not is_error and not isinstance(held[key].value, str):
                yield Metric(task, name, kind, held[key], held[f"{name}{_STDERR},{kind}"])


def _names(one: Metric) -> tuple[str, str]:
    return (one.name, f"{one.name},{one.filter}")


def _children(log: Field, group: str) -> list[str]:
    return [name for item in log["group_subtasks"][group].items() if (name := item.text()) is not None]


def _descendants(log: Field, task: str) -> list[str]:
    """A group and what is in it, at any depth, each once, whatever a file says of itself."""
    found, waiting = {task: None}, [task]
    while waiting:
        for name in _children(log, waiting.pop()):
            if name not in found:
                found[name] = None
                waiting.append(name)
    return list(found)


def _below(log: Field, groups: set[str]) -> frozenset[str]:
    """What is in any of the groups, at any depth. Each is looked into once: groups may be many and deep."""
    found = {name for group in groups for name in _children(log, group) if name != group}
    waiting = list(found - groups)
    while waiting:
        for name in _children(log, waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


def _stderr(given: Field) -> float | None:
    """None where the harness could not work one out: "N/A", or NaN."""
    if isinstance(given.value, str):
        return None
    value = given.number()
    return None if value is None or math.isnan(value) else value


def _is_chat(log: Field) -> bool | None:
    if "chat_template" not in log and "chat_template_sha" not in log:
        return None
    return bool(log["chat_template_sha"].value or log["chat_template"].value)


def _utc(given: Field) -> str | None:
    seconds = given.number()
    try:
        return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _check_known(kind: str, wanted: Sequence[str], there: set[str], label: str) -> None:
    for name in wanted:
        if name not in there:
            ordered = sorted(there)
            named = ", ".join(ordered[:_MOST_NAMED])
            more = f" and {len(ordered) - _MOST_NAMED:,} more" if len(ordered) > _MOST_NAMED else ""
            close = nearest(name, ordered)
            raise UsageError(
                f"{label} has no {kind} '{name}'; valid: {named}{more}",
                mend=f"did you mean --{kind} {close}?" if close else "choose one of the names above",
            )
