"""What `scorekit portal` does, behind the command line. Imported when it runs, never for --help."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from scorekit.errors import EXIT_DONE, EXIT_FAILED, UsageError
from scorekit.layout import Column, layout_for, render
from scorekit.messages import counted, say
from scorekit.portal import opened
from scorekit.portal.backup import backup
from scorekit.portal.ledger import accounts, people
from scorekit.portal.opened import Portal
from scorekit.portal.restore import restore as bring
from scorekit.portal.settings import DATABASE, Settings, settings
from scorekit.portal.storage import audit
from scorekit.records import PortalCheck


def serve(options: argparse.Namespace) -> int:
    """Serve a portal until it is asked to stop."""
    from scorekit.portal.web.serving import serve as serve_web

    serve_web(_settings(options), options.host, options.port, background=not options.no_background)
    return EXIT_DONE


def migrate(options: argparse.Namespace) -> int:
    """Bring the database to this program's version."""
    before, now = opened.migrate(_settings(options))
    if before is None:
        # A mistyped folder or a database that was not named is seen here, not when its portal turns out to be empty.
        say(f"made a new portal in {options.data.absolute()}: it is empty, and {_database()}")
    say(f"the database is of version {now}" + ("" if before == now else f" now; it was {before or 'empty'} before"))
    return EXIT_DONE


def make_token(options: argparse.Namespace) -> int:
    """Make a token, and print its secret, which nobody can tell afterwards."""
    if options.days < 1:
        raise UsageError(f"--days {options.days}: expected 1 or more", mend="e.g. --days 90")
    if options.account is not None and options.role is not None:
        raise UsageError("an account that is there keeps its role", mend="leave out --role, or --account")
    with _portal(options) as portal:
        account = options.account or people.make_account(portal.storage, options.name, options.role or "submitter")
        made = people.make_token(portal.storage, account, options.label, timedelta(days=options.days), options.scopes)
    if options.json:
        _print_json({"token": made.secret, "id": made.id, "account": account, "expires_at": _time(made.expires_at)})
    else:
        say(
            f"token {made.id} of account {account} is made, and holds until {_time(made.expires_at)}. "
            "Its secret is printed this once, on standard output"
        )
        print(made.secret)
    return EXIT_DONE


def list_tokens(options: argparse.Namespace) -> int:
    """List all tokens, without their secrets."""
    with _portal(options) as portal:
        now = portal.storage.now()
        rows = [
            {
                "id": token.id,
                "state": "revoked" if token.revoked_at else "ended" if token.expires_at <= now else "holds",
                "name": token.name,
                "role": token.role,
                "scopes": " ".join(token.scopes),
                "label": token.label,
                "expires_at": _time(token.expires_at),
                "account": token.account_id,
            }
            for token in accounts.tokens_listed(portal.storage)
        ]
    return _print_rows(rows, ("name", "label"), as_json=options.json)


def revoke_token(options: argparse.Namespace) -> int:
    """End a token, and the sessions that came of it."""
    with _portal(options) as portal:
        people.revoke_token(portal.storage, options.token)
    say(f"token {options.token} does not hold any more")
    return EXIT_DONE


def list_accounts(options: argparse.Namespace) -> int:
    """List all accounts."""
    with _portal(options) as portal:
        rows = [
            {
                "id": account.id,
                "state": "closed" if account.closed_at else "open",
                "name": account.name,
                "role": account.role,
                "login": "Hugging Face" if account.from_hugging_face else "token",
                "created_at": _time(account.created_at),
            }
            for account in accounts.listed(portal.storage)
        ]
    return _print_rows(rows, ("name",), as_json=options.json)


def close_account(options: argparse.Namespace) -> int:
    """Let nobody in by an account any more."""
    with _portal(options) as portal:
        accounts.close(portal.storage, options.account)
    say(f"account {options.account} is closed")
    return EXIT_DONE


def back_up(options: argparse.Namespace) -> int:
    """Copy everything into a new folder."""
    with _portal(options) as portal:
        made = backup(portal, options.to)
    size = sum(entry.size_bytes for entry in made.files.values())
    say(f"wrote {counted(len(made.files), 'file')}, {size:,} bytes, to {options.to}")
    if not made.audit_entries:
        say(f"warning: this portal is empty, and so is the backup; {_database()}")
    print(f"{made.audit_entries} {made.audit_sha256}")
    return EXIT_DONE


def restore(options: argparse.Namespace) -> int:
    """Bring a backup into an empty portal."""
    made = bring(_settings(options), options.source)
    say(f"restored {counted(len(made.files), 'file')}, of {made.created_utc}; unfinished uploads and logins begin anew")
    return EXIT_DONE


def show_audit(options: argparse.Namespace) -> int:
    """Print the audit log, or tell whether its chain holds.

    Returns:
        1 where the chain is broken.
    """
    if options.limit < 0:
        raise UsageError(f"--limit {options.limit}: expected 0 (all) or more", mend="leave --limit out")
    with _portal(options) as portal, portal.storage.database.read() as connection:
        if options.check:
            broken, end = audit.first_break(connection), audit.head_of(connection)
            if options.json:
                _print_json(
                    {"whole": broken is None, "broken": broken, "entries": end and end[0], "sha256": end and end[1]}
                )
            else:
                print(f"broken: {broken}" if broken or end is None else f"whole: {end[0]} entries, sha256 {end[1]}")
            return EXIT_DONE if broken is None else EXIT_FAILED
        found = list(islice(audit.newest(connection, options.subject), options.limit or None))
    rows = [
        {
            "number": entry.number,
            "at": _time(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "details": json.loads(entry.details) if options.json else entry.details,
        }
        for entry in reversed(found)
    ]
    return _print_rows(rows, ("actor", "subject", "details"), as_json=options.json)


def check(options: argparse.Namespace) -> int:
    """Look at all that the portal keeps.

    Returns:
        1 where something does not fit.
    """
    # The store loads pyarrow, which the other commands do without.
    from scorekit.portal.consistency import check as check_all

    with _portal(options) as portal:
        found = check_all(portal)
    if options.json:
        print(found.model_dump_json(indent=2))
    else:
        print(_check_text(found))
    return EXIT_DONE if found.whole else EXIT_FAILED


def withhold(options: argparse.Namespace) -> int:
    """Replace results that tell more than may be public."""
    # As for `check`.
    from scorekit.portal.withholding import withhold as replace

    with _portal(options) as portal:
        done = replace(portal)
    if not done:
        say("no result tells more than may be public: nothing was changed")
        return EXIT_DONE
    say(
        f"{counted(done, 'result')} of confidential submissions told more than may be public, and "
        f"{'was' if done == 1 else 'were'} replaced; the portal's server builds the site again. Backups, and copies "
        "that others took, still have the old form"
    )
    return EXIT_DONE


def _check_text(found: PortalCheck) -> str:
    layout = layout_for(sys.stdout)
    # Kinds are named in the plural in the record.
    looked_at = ", ".join(counted(number, _singular(kind), kind) for kind, number in found.looked_at.items())
    lines = []
    if found.findings:
        columns = (Column("weight"), Column("code"), Column("subject", flexible=True), Column("found", flexible=True))
        rows = [
            (finding.weight, finding.code, layout.text(finding.subject), layout.text(finding.message))
            for finding in found.findings
        ]
        lines += [render(columns, rows, layout), ""]
    faults = sum(finding.weight == "fault" for finding in found.findings)
    lines.append(f"{'whole' if found.whole else counted(faults, 'fault')}: {looked_at}")
    lines.append(f"the audit log ends in {found.audit_sha256 or 'nothing'}")
    return "\n".join(lines)


def _singular(kind: str) -> str:
    return kind.removesuffix("ies") + "y" if kind.endswith("ies") else kind.removesuffix("s")


def _database() -> str:
    """Which database is meant, for whoever meant another; without its address, which may hold a password."""
    if os.environ.get(DATABASE):
        return f"its database is the one that {DATABASE} names"
    return f"its database is the file in --data, for {DATABASE} is not set"


def _settings(options: argparse.Namespace) -> Settings:
    facts: dict[str, Any] = {}
    url = getattr(options, "public_url", None)
    if hasattr(options, "host"):
        shown = f"[{options.host}]" if ":" in options.host else options.host
        url = url or f"http://{shown}:{options.port}/"
        if options.requests_a_minute < 1:
            raise UsageError("--requests-a-minute: expected 1 or more", mend="leave it out")
        if options.account_mib_a_day < 1:
            raise UsageError("--account-mib-a-day: expected 1 or more", mend="leave it out")
        if options.jobs_an_account < 1:
            raise UsageError("--jobs-an-account: expected 1 or more", mend="leave it out")
        facts = {
            "edition": options.edition,
            "allowed_signers": options.allowed_signers,
            "requests_a_minute": options.requests_a_minute,
            "account_bytes_a_day": options.account_mib_a_day * 1024**2,
            "jobs_an_account": options.jobs_an_account,
            "trusted_proxies": tuple(options.trusted_proxy),
        }
    return settings(options.data, public_url=url or "http://localhost/", blobs_url=options.blobs, **facts)


def _portal(options: argparse.Namespace) -> Portal:
    return Portal.open(_settings(options))


def _print_rows(rows: Sequence[dict[str, Any]], flexible: Sequence[str], *, as_json: bool) -> int:
    if as_json:
        _print_json(rows)
    elif rows:
        layout = layout_for(sys.stdout)
        columns = [Column(name.replace("_", " "), flexible=name in flexible) for name in rows[0]]
        print(render(columns, [[layout.text(str(value)) for value in row.values()] for row in rows], layout))
    else:
        say("there are none")
    return EXIT_DONE


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _print_json(content: Any) -> None:
    print(json.dumps(content, indent=2))
