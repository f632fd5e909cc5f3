"""validity.json: every check of a run, with what it found."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, JsonValue

from scorekit.records.base import Record

VALIDITY_SCHEMA: Final = "scorekit.validity/1"
MENDS: Final = "mends"
"""Among a check's details: the next steps, as its message ends with them."""

Severity = Literal["info", "warn", "fail"]


class Check(Record):
    """One check of a run's evidence."""

    number: int = Field(ge=1, description="Number in the methodology, fixed for ever.")
    name: str = Field(description="Short name, fixed for ever, e.g. energy_positive.")
    passed: bool | None = Field(description="None where there is nothing to judge, e.g. a GPU's limit without a GPU.")
    severity: Severity = Field(description="How bad it is where it did not pass; info where it passed.")
    message: str = Field(description="What was found and expected, and the next command where it did not pass.")
    details: dict[str, JsonValue] = Field(default_factory=dict, description="Figures behind the message.")

    @property
    def mends(self) -> tuple[str, ...]:
        """The next steps, which the message ends with; none where it passed, or where an older version made it."""
        told = self.details.get(MENDS)
        return tuple(step for step in told if isinstance(step, str)) if isinstance(told, list) else ()


class Validity(Record):
    """validity.json: whether a run's figures can be true, judged from its own evidence."""

    schema_version: Literal["scorekit.validity/1"] = VALIDITY_SCHEMA
    run: str = Field(description="The run folder's last part.")
    scorekit_version: str
    checks: tuple[Check, ...]
    valid: bool = Field(description="Whether no check failed with severity fail.")

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that make the run invalid."""
        return tuple(check for check in self.checks if check.passed is False and check.severity == "fail")

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that a reader should know of."""
        return tuple(check for check in self.checks if check.passed is False and check.severity == "warn")
