"""What verifying a submission comes to: a verdict, with every reason named."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Finite, Record
from scorekit.records.edition import Edition
from scorekit.records.score import Score
from scorekit.records.submission import Submission
from scorekit.records.validity import Validity

VERDICT_SCHEMA: Final = "scorekit.verdict/1"

Weight = Literal["refuse", "review", "note"]


class VerdictReason(Record):
    """One thing that was found."""

    code: str = Field(description="Short name, fixed for ever.")
    weight: Weight = Field(description="Whether it refuses the submission, wants a person's eye, or is only told.")
    message: str = Field(description="What was found and what was expected.")
    file: str | None = Field(default=None, description="In the archive; None for what holds for all of it.")
    mend: str | None = Field(default=None, description="The submitter's next step.")


class Signed(Record):
    """What the signature says."""

    state: Literal["unsigned", "allowed", "unknown_key", "wrong", "unchecked"] = Field(
        description="allowed: by a key that was given. unknown_key: it holds, and nobody said whose key it is. wrong: "
        "it does not hold, or its key is none of those given. unchecked: there is no ssh-keygen here."
    )
    signer: str | None = Field(default=None, description="Principal of the allowed signers.")
    key: str | None = Field(default=None, description="Type and fingerprint of the key.")


class Neighbour(Record):
    """A result that a submission's energy was held against."""

    model: str
    wh_per_1000_queries: Finite
    parameters: Count | None = None
    source: str = Field(description="The edition, or the results.")
    cohort: str | None = Field(default=None, description="Of a result.")


class RunPrint(Record):
    """By what a run's measurement is known again, whatever it is called: exact energies and lengths by repeat."""

    sha256: str = Field(description="Of both lists: the same measurement has the same.")
    energies_wh: tuple[float | None, ...] = Field(description="Of the answering window of each repeat.")
    durations_s: tuple[float | None, ...]


class VerifiedRun(Record):
    """One run of a submission, worked out again from its evidence."""

    folder: str
    score: Score | None = Field(description="None where it cannot be scored.")
    validity: Validity | None
    evidence: RunPrint | None
    neighbours: tuple[Neighbour, ...] = ()


class Verdict(Record):
    """What verifying a submission comes to."""

    schema_version: Literal["scorekit.verdict/1"] = VERDICT_SCHEMA
    verdict: Literal["accepted", "needs review", "refused"]
    readable: bool = Field(description="Whether the archive could be read as a submission at all.")
    reasons: tuple[VerdictReason, ...]
    sha256: str | None = Field(description="Of the archive; None where it could not be read.")
    size_bytes: Count | None
    signed: Signed
    submission: Submission | None = None
    runs: tuple[VerifiedRun, ...] = ()
    verified_utc: str
    scorekit_version: str
    confinement: tuple[str, ...] = Field(
        default=(), description="How the process that read it was confined; empty where it was read without."
    )


class Earlier(Record):
    """A measurement that was handed in or published before."""

    name: str = Field(description="Of the result or submission.")
    model: str | None
    evidence: RunPrint


class Terms(Record):
    """By what a submission is judged, as the one who judges it gives it; it travels to the process that reads it."""

    edition: Edition
    now_utc: str
    earlier: tuple[Earlier, ...] = ()
    results: tuple[Neighbour, ...] = Field(default=(), description="Comparable results, as neighbours.")
    allowed_signers: str | None = Field(default=None, description="Text of a file of allowed signers.")
    public_key: str | None = Field(default=None, description="One public key, in place of such a file.")
