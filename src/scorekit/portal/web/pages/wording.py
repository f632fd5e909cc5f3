"""States, verdicts and weights in words: the same on every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scorekit import tasks
from scorekit.publish.site.content import TITLES
from scorekit.records import Verdict, VerdictReason

Tone = Literal["calm", "good", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Word:
    """A state as people read it.

    Attributes:
        short: in a table.
        meaning: in a sentence.
        tone: how it is coloured; never the only thing that tells it.
        next: what happens next; empty where nothing does.
    """

    short: str
    meaning: str
    tone: Tone = "calm"
    next: str = ""

    @property
    def title(self) -> str:
        """The short form, with a capital."""
        return f"{self.short[:1].upper()}{self.short[1:]}"

    @property
    def of_many(self) -> str:
        """The short form behind a number, e.g. 2 waiting for an operator."""
        return self.short.replace("waits for", "waiting for")

    @property
    def sign(self) -> str:
        """A sign beside the word, so that no colour is needed."""
        return {"calm": "\N{BLACK CIRCLE}", "good": "\N{CHECK MARK}", "warn": "!", "bad": "\N{MULTIPLICATION X}"}[
            self.tone
        ]


SUBMISSION: Final[dict[str, Word]] = {
    "received": Word(
        "received",
        "The file is stored, and waits for its turn to be checked.",
        next="The portal checks it by itself, most often within a minute. You need not stay on this page.",
    ),
    "checking": Word(
        "being checked",
        "The checks are running.",
        next="The verdict will stand here, most often within a minute. You need not stay on this page.",
    ),
    "refused": Word(
        "refused by the checks",
        "The checks found what makes it no valid submission. Each reason stands below, with what mends it.",
        "bad",
        "Mend what is named, pack the run again with `scorekit pack`, and hand in the new file.",
    ),
    "waiting": Word(
        "waits for an operator",
        "The checks are done. An operator looks at the evidence and decides.",
        next="An operator accepts or refuses it, and gives a reason. It will stand here.",
    ),
    "accepted": Word(
        "accepted",
        "An operator has accepted it.",
        "good",
        "The result is put on the site by itself, most often within a few minutes.",
    ),
    "published": Word("published", "An operator has accepted it, and the result is public.", "good"),
    "declined": Word(
        "refused by an operator",
        "An operator has refused it, for the reason below.",
        "bad",
        "If the reason can be mended, measure or pack again and hand in the new file.",
    ),
}
"""States of submissions; `published` is an accepted one of which every result is public."""

REQUEST: Final[dict[str, Word]] = {
    "waiting": Word(
        "waits for an operator",
        "An operator decides whether it is measured.",
        next="An operator accepts or refuses the request, and gives a reason.",
    ),
    "declined": Word("refused", "An operator has refused the request, for the reason below.", "bad"),
    "queued": Word(
        "accepted, to be measured",
        "A worker measures the model as soon as one is free.",
        next="What the worker measures is handed in and checked like any other submission.",
    ),
    "measured": Word(
        "measured",
        "The model was measured, and the measurement was handed in as a submission.",
        "good",
        "The submission is checked, and an operator decides whether it is published.",
    ),
    "failed": Word("not measured", "The measurement was tried, and failed.", "bad", "It may be asked for again."),
}

JOB: Final[dict[str, Word]] = {
    "queued": Word("waits for a worker", "It is measured as soon as a worker is free."),
    "leased": Word("being measured", "A worker has it."),
    "done": Word("done", "It was measured.", "good"),
    "failed": Word("failed", "It could not be measured.", "bad"),
}

SITE: Final[dict[str, Word]] = {
    "wanted": Word("to be built", "The site is built again as soon as possible."),
    "built": Word("built", "The site shows all that was accepted.", "good"),
    "failed": Word("failed", "The site could not be built; the one before it stands.", "bad"),
}

VERDICT: Final[dict[str, Word]] = {
    "accepted": Word("sound", "The checks found nothing against it.", "good"),
    "needs review": Word("needs review", "The checks found what a person should look at.", "warn"),
    "refused": Word("refused", "The checks refuse it.", "bad"),
}
"""Verdicts of the checks. `sound` and not `accepted`: that is an operator's word."""

SIGNED: Final[dict[str, Word]] = {
    "unsigned": Word("not signed", "It bears no signature."),
    "allowed": Word("signed", "The signature holds, by a key that is allowed here.", "good"),
    "unknown_key": Word("signed by an unknown key", "The signature holds, and nobody vouched for the key.", "warn"),
    "wrong": Word("wrong signature", "The signature does not hold.", "bad"),
    "unchecked": Word("signature not checked", "It is signed, and there is no ssh-keygen here to check it.", "warn"),
}

_WEIGHTS: Final[dict[str, str]] = {
    "refuse": "What refuses it",
    "review": "For an operator to look at",
    "note": "For information",
}


_NOT_COMPARABLE: Final = "not comparable with official scores"
"""How messages begin that are told as one list."""


@dataclass(frozen=True, slots=True)
class Together:
    """Reasons of one file that begin alike; the title is what they begin with."""

    title: str
    file: str | None
    reasons: tuple[VerdictReason, ...]


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Reasons of one weight."""

    weight: str
    title: str
    reasons: tuple[VerdictReason, ...]

    @property
    def together(self) -> Sequence[Together]:
        """Those that are told in lists, one for each file."""
        alike = [one for one in self.reasons if _is_alike(one)]
        title = f"{_NOT_COMPARABLE[0].upper()}{_NOT_COMPARABLE[1:]}"
        return [
            Together(title, file, tuple(one for one in alike if one.file == file))
            for file in dict.fromkeys(one.file for one in alike)
        ]

    @property
    def apart(self) -> Sequence[VerdictReason]:
        """All others."""
        return [one for one in self.reasons if not _is_alike(one)]


def _is_alike(reason: VerdictReason) -> bool:
    return reason.mend is None and reason.message.startswith(f"{_NOT_COMPARABLE}: ")


def by_weight(verdict: Verdict) -> Sequence[ReasonGroup]:
    """Every reason of a verdict, the gravest first."""
    found = (
        (weight, title, tuple(one for one in verdict.reasons if one.weight == weight))
        for weight, title in _WEIGHTS.items()
    )
    return [ReasonGroup(*group) for group in found if group[2]]


def task_title(task: str) -> str:
    """A task for people, e.g. `Speech recognition (automatic_speech_recognition)`; as it is where nobody knows it."""
    found = tasks.TASKS.get(task)
    if found is None:
        return task
    title = TITLES.get(found.cohort, found.cohort)
    return title if title.lower().replace(" ", "_") == task else f"{title} ({task})"


def of_submission(state: str, *, public: bool) -> Word:
    """The state of a submission.

    Args:
        state: as the ledger has it.
        public: whether every result of it is public.
    """
    return SUBMISSION["published" if public and state == "accepted" else state]
