"""The three clauses that a submitter accepts one by one: what they are called, and their words.

After the attestation that the AI Energy Score initiative asks of makers of closed models, in our own words. A changed
word is a new version: a submission tells which text was accepted, by its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from scorekit.errors import UsageError
from scorekit.records import AcceptedClause, Attestation

VERSION: Final = "scorekit.attestation/1"
ClauseName = Literal["public_data", "integrity", "representation"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause.

    Attributes:
        name: fixed for ever.
        flag: the option of `scorekit pack` that accepts it.
        title: what it is about.
        text: what is accepted.
    """

    name: ClauseName
    flag: str
    title: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


CLAUSES: Final[tuple[Clause, ...]] = (
    Clause(
        "public_data",
        "--accept-public-data",
        "The energy figures become public",
        "I agree that the energy figures of this submission, the name given for the model, its size class and the "
        "conditions of the measurement are published and may be used by anybody. Of a confidential submission nothing "
        "else about the model is published.",
    ),
    Clause(
        "integrity",
        "--accept-integrity",
        "The logs are true",
        "I state that the logs come from the measurement that they tell of, made by the procedure that the protocol "
        "lays down, that they are accurate and complete, and that nobody has altered them.",
    ),
    Clause(
        "representation",
        "--accept-representation",
        "The model is the one that users get",
        "I state that the model that was measured is the version that is in production under the given name, with the "
        "same weights, precision and quantisation.",
    ),
)


def require(accepted: Collection[str]) -> None:
    """Whether every clause is accepted.

    Args:
        accepted: names of those that are.

    Raises:
        UsageError: one is not.
    """
    missing = [clause for clause in CLAUSES if clause.name not in accepted]
    if missing:
        raise UsageError(
            f"not accepted: {'; '.join(clause.title for clause in missing)}",
            mend=f"read the texts (docs/submissions.md), then add {' '.join(clause.flag for clause in missing)}",
        )


def attestation(accepted: frozenset[str]) -> Attestation:
    """What a submitter accepted of the current texts."""
    return Attestation(
        version=VERSION,
        clauses=tuple(
            AcceptedClause(name=clause.name, accepted=clause.name in accepted, text_sha256=clause.sha256)
            for clause in CLAUSES
        ),
    )


def missing(found: Attestation) -> tuple[Clause, ...]:
    """The clauses that were not accepted in words that are known."""
    texts = {(clause.name, clause.text_sha256) for clause in found.clauses if clause.accepted}
    known = found.version == VERSION
    return tuple(clause for clause in CLAUSES if not known or (clause.name, clause.sha256) not in texts)
