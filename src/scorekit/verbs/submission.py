"""What `scorekit pack`, `scorekit verify` and `scorekit submit` do, behind the command line."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from pathlib import Path
from typing import Final

from scorekit import atomic, editions, submission
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, UsageError
from scorekit.layout import layout_for
from scorekit.messages import say, say_line
from scorekit.records import Result, Submitter
from scorekit.submission import clauses, terms
from scorekit.tables.submission import packed_text, verdict_text

_ELSEWHERE: Final = "-o FILE"


def pack(options: argparse.Namespace) -> int:
    """Pack runs into a submission, and tell what is in it.

    Returns:
        0; errors end it otherwise.
    """
    edition = editions.find(options.edition or editions.LATEST)
    asks = sys.stdin.isatty()
    who = options.name or (_ask("Your name, or that of your team: ") if asks else None)
    if not who:
        raise UsageError("nobody is named who hands it in", mend="add --name NAME")
    request = submission.Request(
        submitter=Submitter(name=who, organisation=options.organisation or None, contact=options.contact or None),
        accepted=_accepted(options, asks=asks),
        edition=edition.name,
        created=_date(options.date),
        form="confidential" if options.confidential else "open",
        model_name=options.model_name,
        allow_invalid=options.allow_invalid,
        key=options.sign,
    )
    packed = submission.pack(options.runs, request)
    new = _keep(options.output, packed.content)
    say(f"{'wrote' if new else 'is there already, the same:'} {options.output} ({len(packed.content):,} bytes)")
    if options.json:
        print(packed.submission.model_dump_json(indent=2))
    else:
        print(packed_text(packed.left_out, packed.told, packed.public, layout_for(sys.stdout)))
    return EXIT_DONE


def verify(options: argparse.Namespace) -> int:
    """Give the verdict on a submission.

    Returns:
        0 for accepted, 3 for needs review and refused, 1 for what cannot be read as a submission.
    """
    edition = editions.find(options.edition or editions.LATEST, options.editions)
    results = _results(options.results)
    judged_by = submission.terms_for(
        edition,
        results=[terms.known(result) for result in results],
        earlier=() if options.earlier is None else tuple(terms.earlier_in(options.earlier)),
        allowed_signers=options.allowed_signers,
        public_key=options.key,
    )
    reader = submission.verify_file if options.no_sandbox else submission.verify_confined
    found = reader(options.submission, judged_by)
    if options.json:
        print(found.model_dump_json(indent=2))
    else:
        print(verdict_text(found, layout_for(sys.stdout)))
    if found.verdict == "accepted":
        return EXIT_DONE
    return EXIT_INVALID if found.readable else EXIT_FAILED


def submit(options: argparse.Namespace) -> int:
    """Hand in a submission at a portal, and tell what becomes of it.

    Returns:
        0 when it is handed in; with --wait as `verify`. Errors end it otherwise.
    """
    from scorekit.portal import calls, client
    from scorekit.portal.progress import Shown

    token = calls.token_in(os.environ)
    accepted = _accepted(options, asks=sys.stdin.isatty())
    with Shown(options.submission.name) as shown:
        try:
            handed = client.submit(
                options.submission,
                options.portal,
                token,
                accepted,
                check=not options.no_check,
                wait_s=options.wait_at_most if options.wait else None,
                insecure=options.insecure,
                progress=shown.progress,
                tell=shown.tell,
            )
        except KeyboardInterrupt:
            shown.tell("what has come is kept; start the same command again to go on")
            raise
    known = "was handed in before" if handed.was_known else "is handed in"
    say(f"{options.submission.name} {known}: {handed.page}")
    verdict = handed.verdict if options.wait else None
    if options.json:
        print(json.dumps(handed.answer, indent=2))
    elif verdict is not None:
        print(verdict_text(verdict, layout_for(sys.stdout)))
    else:
        print(layout_for(sys.stdout).text(f"Submission {handed.id}: {handed.state}"))
    if verdict is None or verdict.verdict == "accepted":
        return EXIT_DONE
    return EXIT_INVALID if verdict.readable else EXIT_FAILED


def _keep(path: Path, content: bytes) -> bool:
    """Write a submission where nothing else stands: what was there may be the only copy of what was handed in.

    Returns:
        False where the same bytes are there already.
    """
    if os.path.lexists(path):
        created = False
    else:
        try:
            created = atomic.create_bytes(path, content, elsewhere=_ELSEWHERE)
        except atomic.NoLinksError:
            atomic.write_bytes(path, content, elsewhere=_ELSEWHERE)
            created = True
    if created:
        return True
    try:
        same = path.stat().st_size == len(content) and path.read_bytes() == content
    except OSError:
        same = False
    if not same:
        raise UsageError(
            f"{path} is there already, with other content", mend="name a file that is not there yet: -o FILE"
        )
    return False


def _results(folder: Path | None) -> list[Result]:
    if folder is None:
        return []
    from scorekit import store

    return list(store.open(folder, report=say_line).results())


def _accepted(options: argparse.Namespace, *, asks: bool) -> frozenset[str]:
    accepted = set(options.accepted)
    for clause in clauses.CLAUSES if asks else ():
        if clause.name not in accepted:
            say(layout_for(sys.stderr).note(f"{clause.title}. {clause.text}"))
            if _ask("Do you accept this? Type yes or no: ").lower() == "yes":
                accepted.add(clause.name)
    return frozenset(accepted)


def _date(text: str | None) -> datetime.datetime:
    if text is None:
        return datetime.datetime.now(datetime.UTC)
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageError(f"--date {text} is no time with a UTC offset", mend="e.g. --date 2026-01-31T12:00:00+00:00")
    return found


def _ask(question: str) -> str:
    say(question, end="")
    return sys.stdin.readline().strip()
