"""An operator in a process of its own; apart from the tests, so that it starts quickly."""

from __future__ import annotations

from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

from scorekit.portal.ledger import decisions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError
from scorekit.portal.opened import Portal
from scorekit.portal.settings import Settings


def decide(settings: Settings, operator: Actor, subjects: list[str], barrier: Barrier, told: Queue[Any]) -> None:
    """Accept one submission after the other, each at the same moment as another process.

    Each answer is the submission, who asked, and the message of the refusal; None for a decision.
    """
    portal = Portal.open(settings)
    for subject in subjects:
        barrier.wait(120)
        try:
            decisions.decide_submission(portal.storage, operator, subject, "accept", "good")
        except TooLateError as error:
            told.put((subject, operator.account_id, error.message))
        else:
            told.put((subject, operator.account_id, None))
    portal.close()
