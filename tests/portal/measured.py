"""Measurements to hand in at a portal, and what it takes to bring them through it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from scorekit import store, submission
from scorekit.logs import read_score, write_score
from scorekit.portal import checking
from scorekit.portal.checking import check_one
from scorekit.portal.ledger import decisions, submissions, uploads
from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.records import Result, Terms, Verdict
from scorekit.submission.clauses import CLAUSES
from scorekit.validity import Evidence
from tests.evidence import change_energy, change_facts, change_gpu, good_evidence
from tests.unit.submission.made import request, thinned, write_run

CLAUSE_SUMS = {clause.name: clause.sha256 for clause in CLAUSES}


def official_run(folder: Path, model: str = "example/model-1b", factor: float = 1.0, gpu: str | None = None) -> Path:
    """A run of the protocol with nothing to object to, and its score.

    Args:
        folder: where.
        model: its name on the Hub.
        factor: by which it took more power than others, between 0.7 and 1.5; no other run has the same.
        gpu: name of another than the protocol's GPU: the score is not comparable then.
    """
    changed = change_facts(model={"name": model})(scaled(thinned(good_evidence()), factor))
    if gpu is not None:
        changed = change_gpu(name=gpu)(changed)
    run = write_run(folder, changed)
    write_score(run, read_score(run))
    return run


def scaled(evidence: Evidence, factor: float) -> Evidence:
    """The evidence of a run that took so many times the power, all the time."""
    changed = change_energy(lambda window: True, factor)(evidence)
    assert changed.trace is not None
    devices = {
        name: dataclasses.replace(
            trace,
            power_w=[power_w * factor for power_w in trace.power_w],
            counter_mj=[math.floor(counter_mj * factor) for counter_mj in trace.counter_mj],
        )
        for name, trace in changed.trace
    }
    return dataclasses.replace(changed, trace=dataclasses.replace(changed.trace, devices=devices))


@lru_cache(maxsize=16)
def packed(model: str = "example/model-1b", factor: float = 1.0, gpu: str | None = None) -> bytes:
    """The submission of such a run."""
    with tempfile.TemporaryDirectory() as folder:
        return submission.pack([official_run(Path(folder) / "run", model, factor, gpu)], request()).content


def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have submissions read in this process: what is under test is what becomes of the verdict, and this is quicker."""

    def verify(path: Path, terms: Terms, confinement: submission.Confinement) -> Verdict:
        return submission.verify_file(path, terms, confinement.limits)

    monkeypatch.setattr(checking.submission, "verify_confined", verify)


def hand_in(portal: Portal, actor: Actor, content: bytes, job: tuple[str, str] | None = None) -> Submission:
    """Have the portal take a file in."""
    part = uploads.part_of(portal.settings.parts, new_id())
    part.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return submissions.receive(portal.storage, part, actor, sha256, len(content), CLAUSE_SUMS, job=job)


def accept(portal: Portal, operator: Actor, submitter: Actor, content: bytes) -> Submission:
    """Have the portal take a file in, check it, and an operator accept it."""
    taken = hand_in(portal, submitter, content)
    assert check_one(portal)
    decisions.decide_submission(portal.storage, operator, taken.id, "accept", "The evidence holds.")
    return submissions.find(portal.storage, operator, taken.id)


def results_of(portal: Portal) -> list[Result]:
    """What lies in the results folder."""
    return list(store.open(portal.settings.results).results())


def failing(error: BaseException) -> Callable[..., None]:
    """Something that fails, whatever it is asked."""

    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
