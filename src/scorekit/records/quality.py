"""How well the model of a result answers, beside what it takes: figures of an evaluation, each with its source.

A `Quality` is a file of its own: the result that it belongs to stays as it is. It cannot be without a source. Of the
model it holds no more than the result does, and what the evaluation tells of weights and revision.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from scorekit.records.base import Count, Finite, Record

QUALITY_SCHEMA: Final = "scorekit.quality/1"
_SHA256: Final = r"^[0-9a-f]{64}$"
COMMIT: Final = r"^[0-9a-f]{7,64}$"
SOURCE_URL: Final = r"^https?://[^\s<>\"'\\^`{|}@]+$"
"""Without a name or password in it, which stand before an `@`."""
LONGEST_URL: Final = 2048
_LONGEST_NAME: Final = 300
_LARGEST: Final = 1e12
_MOST_FIGURES: Final = 2000
_FRACTIONS: Final = frozenset({"acc", "acc_norm", "exact_match", "pass@1"})
"""Metrics of which every harness gives a part of one."""


class QualityFigure(Record):
    """One metric of one task."""

    task: str = Field(min_length=1, max_length=_LONGEST_NAME, description="As the harness names it, or its group.")
    metric: str = Field(min_length=1, max_length=_LONGEST_NAME, description="As the harness names it, e.g. acc_norm.")
    filter: str = Field(
        min_length=1, max_length=_LONGEST_NAME, description="How answers were read out of outputs; none is one too."
    )
    value: Finite = Field(ge=-_LARGEST, le=_LARGEST, description="In the harness's own scale, mostly 0 to 1.")
    stderr: Finite | None = Field(
        default=None, ge=0, le=_LARGEST, description="Standard error of the value; None where the harness gives none."
    )
    higher_is_better: bool | None = Field(description="None where the harness does not tell: it is put on no front.")
    samples: Count | None = Field(default=None, description="Questions that were asked.")
    samples_of: Count | None = Field(default=None, description="Questions that the task has.")
    num_fewshot: Count | None = Field(default=None, description="Examples that stood before each question.")
    task_version: str | None = Field(default=None, max_length=_LONGEST_NAME, description="As the harness gives it.")

    @property
    def is_fraction(self) -> bool:
        """Whether it is the part of the questions that were answered rightly, 0 to 1."""
        return self.metric in _FRACTIONS

    def key(self, chat_template: bool | None) -> tuple[object, ...]:
        """What one result has one value of, and what values must share to be compared.

        Args:
            chat_template: whether the questions of its evaluation were put as a chat.
        """
        return (self.task, self.metric, self.filter, self.num_fewshot, self.task_version, chat_template)

    @model_validator(mode="after")
    def _can_be(self) -> QualityFigure:
        if self.is_fraction and not 0 <= self.value <= 1:
            raise ValueError(f"{self.task} {self.metric} is {self.value:g}, expected 0 to 1")
        if self.samples is not None and self.samples_of is not None and self.samples > self.samples_of:
            raise ValueError(f"{self.task} was asked {self.samples} questions of {self.samples_of}")
        return self


class QualitySource(Record):
    """Where the figures come from."""

    name: str = Field(min_length=1, max_length=_LONGEST_NAME, description="Name of the file, without its folder.")
    sha256: str = Field(pattern=_SHA256, description="Of the file.")
    url: str | None = Field(
        default=None,
        pattern=SOURCE_URL,
        max_length=LONGEST_URL,
        description="Where others find the file; None where it is not published.",
    )
    harness: Literal["lm-evaluation-harness"] = "lm-evaluation-harness"
    harness_version: str | None = Field(default=None, max_length=_LONGEST_NAME, description="None where not told.")
    git_hash: str | None = Field(
        default=None,
        pattern=COMMIT,
        description="Commit of the folder that the harness ran in; None where it gave another name.",
    )
    evaluated_utc: str | None = Field(default=None, description="When the evaluation began, ISO 8601.")


class Quality(Record):
    """Figures of one evaluation, attached to one result."""

    schema_version: Literal["scorekit.quality/1"] = QUALITY_SCHEMA
    result_sha256: str = Field(pattern=_SHA256, description="Of the file of the result in its store.")
    model: str | None = Field(description="As the result names it.")
    matched_by: Literal["name", "folder", "statement"] = Field(
        description="How the model of the evaluation is known to be that of the result: by its name in both; by the "
        "name of a folder in both, which any files may be in; or because whoever attached the figures said so. Then "
        "nothing of what the evaluation calls it is kept."
    )
    revision: str | None = Field(default=None, description="Commit of the model that was evaluated; None if not told.")
    same_revision: bool | None = Field(
        default=None, description="Whether it is the result's; None where one of them is not known."
    )
    dtype: str | None = Field(default=None, max_length=_LONGEST_NAME, description="Of the weights, as evaluated.")
    quantized: tuple[str, ...] = Field(
        default=(), description="Settings of the evaluation that quantise the weights, e.g. load_in_4bit."
    )
    same_weights: bool | None = Field(
        default=None,
        description="Whether they were of the type that was measured, quantised or not; None where that is not known.",
    )
    chat_template: bool | None = Field(default=None, description="Whether questions were put as a chat.")
    limit: Finite | None = Field(
        default=None, gt=0, description="Questions of each task at most, or their part below 1; None for all."
    )
    figures: tuple[QualityFigure, ...] = Field(min_length=1, max_length=_MOST_FIGURES)
    source: QualitySource
    replaces: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="sha256 of earlier files of the result, whose figures of the same metrics this replaces.",
    )
    scorekit_version: str

    @model_validator(mode="after")
    def _each_once(self) -> Quality:
        keys = [figure.key(self.chat_template) for figure in self.figures]
        if len(set(keys)) < len(keys):
            one = next(figure for figure, key in zip(self.figures, keys, strict=True) if keys.count(key) > 1)
            raise ValueError(f"{one.task} {one.metric},{one.filter} stands twice")
        return self

    def is_limited(self, figure: QualityFigure) -> bool:
        """Whether only a part of a task was asked, so that the figure is no result of the task."""
        if self.limit is not None and not (figure.samples is not None and figure.samples == figure.samples_of):
            return True
        return figure.samples is not None and figure.samples_of is not None and figure.samples < figure.samples_of
