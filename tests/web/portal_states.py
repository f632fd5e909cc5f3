"""Submissions and requests in every state, with names as strangers give them, for looking at each page."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scorekit import editions, submission
from scorekit.portal import publishing
from scorekit.portal.ledger import checks, decisions, jobs, people, requests, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.records import Neighbour, RunPrint, Submitter, Verdict, VerdictReason, Weight
from scorekit.submission import CLAUSES
from tests.golden.submissions import make
from tests.sites import HOSTILE

ACCEPTED: dict[str, str] = {clause.name: clause.sha256 for clause in CLAUSES}
LONG = "W" * 200
GOLDEN = Path(make.__file__).parent / "open.zip"


@dataclass(frozen=True)
class States:
    """Ids of what stands in each state, and who may look at it."""

    submitter: Actor
    operator: Actor
    submissions: dict[str, str]
    requests: dict[str, str]


@cache
def golden_verdict() -> Verdict:
    """The verdict on the golden submission."""
    return submission.verify_bytes(GOLDEN.read_bytes(), submission.terms_for(editions.find(editions.LATEST)))


def verdict(number: int, *reasons: VerdictReason, model: str = "example/model", who: str = "Ada Lovelace") -> Verdict:
    """A verdict on a run of its own, of a model and from a person of these names."""
    found = golden_verdict()
    run = found.runs[0]
    assert run.score is not None
    assert run.evidence is not None
    assert found.submission is not None
    evidence = RunPrint(
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        energies_wh=run.evidence.energies_wh,
        durations_s=run.evidence.durations_s,
    )
    near = tuple(
        Neighbour(model=name, wh_per_1000_queries=energy, parameters=size, source="results")
        for name, energy, size in (
            (HOSTILE[0], 4.2, 7_000_000_000),
            (LONG, 9.9, 9_000_000_000),
            (HOSTILE[2], 31.0, None),
        )
    )
    made = run.model_copy(
        update={"score": run.score.model_copy(update={"model": model}), "evidence": evidence, "neighbours": near}
    )
    claimed = found.submission.model_copy(
        update={
            "submitter": Submitter(name=who, organisation=HOSTILE[2], contact=HOSTILE[0]),
            "runs": (found.submission.runs[0].model_copy(update={"model": model}),),
        }
    )
    weights = {reason.weight for reason in reasons}
    judged = "refused" if "refuse" in weights else "needs review" if "review" in weights else "accepted"
    return Verdict.model_validate(
        found.model_copy(
            update={"verdict": judged, "reasons": reasons, "runs": (made,), "submission": claimed}
        ).model_dump()
    )


def reason(weight: Weight, code: str, message: str) -> VerdictReason:
    """A reason that names a hostile file and a mend."""
    return VerdictReason(
        code=code, weight=weight, message=message, file=f"runs/1/{HOSTILE[4]}", mend="pack it anew with `scorekit pack`"
    )


def hand_in(portal: Portal, actor: Actor, number: int) -> str:
    """A submission of content that is like no other."""
    content = f"submission {number}".encode()
    part = portal.settings.parts / f"{people.new_id()}.part"
    part.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return submissions.receive(portal.storage, part, actor, sha256, len(content), ACCEPTED).id


def judge(portal: Portal, made: Verdict) -> None:
    """Give the oldest submission that is not checked its verdict."""
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    checks.finish_check(portal.storage, lease, made)


def fill(portal: Portal, submitter: Actor, operator: Actor, worker: Actor) -> States:
    """Bring about every state, and build the site."""
    found: dict[str, str] = {}

    def handed_in(state: str, made: Verdict) -> str:
        found[state] = hand_in(portal, submitter, len(found))
        judge(portal, made)
        return found[state]

    handed_in("published", verdict(1, model="example/published"))
    decisions.decide_submission(
        portal.storage, operator, found["published"], "accept", "It agrees with its neighbours."
    )
    publishing.publish_pending(portal)
    publishing.build_site(portal)
    handed_in("refused", verdict(2, *_REASONS, model=HOSTILE[0], who=LONG))
    handed_in("waiting", verdict(3, *_REASONS[2:], model=HOSTILE[4], who=HOSTILE[1]))
    handed_in("sound", verdict(4, model=HOSTILE[3], who=HOSTILE[5]))
    handed_in("declined", verdict(5, model=HOSTILE[2]))
    decisions.decide_submission(portal.storage, operator, found["declined"], "refuse", f"{HOSTILE[0]} is {LONG}")
    handed_in("accepted", verdict(6, model=HOSTILE[1]))
    decisions.decide_submission(portal.storage, operator, found["accepted"], "accept", "Sound.\nTwo lines.")
    found["checking"] = hand_in(portal, submitter, len(found))
    assert checks.take_to_check(portal.storage) is not None
    found["received"] = hand_in(portal, submitter, len(found))
    return States(submitter, operator, found, _requests(portal, submitter, operator, worker))


_REASONS = (
    reason("refuse", "changed_file", "it is not what the manifest says: it was changed after packing"),
    reason("refuse", "score", f"the score is 7.6 Wh, and the windows give 9.1 Wh {HOSTILE[1]}"),
    reason("review", "implausible", "7.6 Wh per 1,000 queries is more than 2 times outside the range of the edition"),
    reason("note", "check_warned", f"the GPU was warm {LONG}"),
)


def _requests(portal: Portal, submitter: Actor, operator: Actor, worker: Actor) -> dict[str, str]:
    storage = portal.storage
    asked = {
        state: requests.ask(storage, submitter, f"example/{state}", "automatic_speech_recognition", note=HOSTILE[0]).id
        for state in ("failed", "leased", "queued", "declined", "waiting")
    }
    for state in ("failed", "leased", "queued"):
        decisions.decide_request(storage, operator, asked[state], "accept", "It is often asked for.")
    decisions.decide_request(storage, operator, asked["declined"], "refuse", f"Too large {LONG}")
    failing = jobs.take(storage, worker, LONG)
    assert failing is not None
    jobs.give_back(storage, worker, failing.id, failing.lease, f"Traceback {HOSTILE[1]}\nout of memory", again=False)
    assert jobs.take(storage, worker, HOSTILE[2]) is not None
    return asked
