"""What `scorekit worker` does, behind the command line."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from scorekit import editions, submission
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_TERMINATED
from scorekit.messages import say
from scorekit.portal.assignments import WorkFolder
from scorekit.portal.calls import WORKER, token_in
from scorekit.portal.jobs_source import PortalSource
from scorekit.portal.measuring import Bench
from scorekit.portal.stopping import Stop
from scorekit.portal.worker import Worker
from scorekit.records import Submitter

_SIGNALS = {signal.SIGTERM: EXIT_TERMINATED, signal.SIGINT: EXIT_INTERRUPTED}


def work(options: argparse.Namespace) -> int:
    """Take jobs of a portal, measure them and hand in what came of it, until it is stopped.

    Returns:
        0; 1 where a job was not handed in; 143 or 130 after a signal.
    """
    token = token_in(os.environ, WORKER)
    asked = _request(options)
    stop = Stop()
    folder = WorkFolder(options.runs)
    with (
        _told_by_signals(stop),
        PortalSource(options.portal, token, options.label, stop, insecure=options.insecure) as source,
        folder.held(
            lambda: say(f"another worker has {folder.root}, or what it started has not ended; waiting")
        ) as lock,
    ):
        bench = Bench(options.device, tuple(options.hydra), lock)
        worker = Worker(source, folder, bench, lambda run: _pack(run, asked), stop=stop, how=bench.how)
        well = worker.run(once=options.once)
    for number, code in _SIGNALS.items():
        if stop.why == number.name:
            return code
    return EXIT_DONE if well else EXIT_FAILED


def _request(options: argparse.Namespace) -> submission.Request:
    """How every run is packed; refused before anything is measured where it could not be."""
    asked = submission.Request(
        submitter=Submitter(
            name=options.name, organisation=options.organisation or None, contact=options.contact or None
        ),
        accepted=frozenset(options.accepted),
        edition=editions.LATEST,
        created=datetime.datetime.now(datetime.UTC),
        key=options.sign,
    )
    submission.check_request(asked)
    return asked


def _pack(run: Path, asked: submission.Request) -> bytes:
    return submission.pack([run], replace(asked, created=datetime.datetime.now(datetime.UTC))).content


@contextlib.contextmanager
def _told_by_signals(stop: Stop) -> Iterator[None]:
    def ask(number: int, _frame: Any) -> None:
        stop.ask(signal.Signals(number).name)

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
