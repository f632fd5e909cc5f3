"""`scorekit portal`: serve a portal, and look after it from its machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_ROLES = ("submitter", "operator", "worker")
_SCOPES = ("submit", "operate", "work")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands of the command."""
    parser.epilog = (
        "The database is a file in --data, or the one that SCOREKIT_PORTAL_DATABASE names (postgresql://...). Logins "
        "at Hugging Face are offered where OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET are set. docs/portal.md tells more."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _command(commands, "migrate", "bring the database to the version of this program", "migrate")
    _add_tokens(commands)
    accounts = _group(commands, "account", "list accounts, and close them")
    _command(accounts, "list", "list all accounts", "list_accounts", as_json=True)
    closed = _command(
        accounts, "close", "let nobody in by an account any more; what it handed in stays", "close_account"
    )
    closed.add_argument("account", metavar="ACCOUNT", help="its id")
    copied = _command(commands, "backup", "copy everything into a new folder, while the portal runs", "back_up")
    copied.add_argument("--to", metavar="DIR", type=Path, required=True, help="a folder that is not there yet")
    brought = _command(
        commands, "restore", "bring a backup into an empty portal, of either kind of database", "restore"
    )
    brought.add_argument("--from", dest="source", metavar="DIR", type=Path, required=True, help="folder of the backup")
    told = _command(commands, "audit", "print the audit log, the newest lines last", "show_audit", as_json=True)
    told.add_argument("--check", action="store_true", help="only tell whether its chain holds, and where it ends")
    told.add_argument("--subject", metavar="ID", help="only lines about this")
    told.add_argument(
        "--limit", metavar="N", type=int, default=100, help="so many of the newest; 0 for all (default: 100)"
    )
    _command(
        commands, "check", "look at all rows, files, results and the audit log, and tell what does not fit", "check",
        as_json=True,
    )  # fmt: skip
    _command(
        commands, "withhold",
        "replace results of confidential submissions that an older version published with more than may be public",
        "withhold",
    )  # fmt: skip


def _add_serve(commands: Any) -> None:
    serve = _command(commands, "serve", "serve the portal until Ctrl-C; behind a proxy that speaks https", "serve")
    serve.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="to listen at (default: 127.0.0.1)")
    serve.add_argument("--port", metavar="N", type=int, default=8080, help="0 for any that is free (default: 8080)")
    serve.add_argument("--public-url", metavar="URL", help="where people reach it (default: the address it listens at)")
    serve.add_argument("--edition", metavar="NAME", help="to judge by until one is published (default: the newest)")
    serve.add_argument(
        "--allowed-signers", metavar="FILE", type=Path, help="whose signatures hold, as ssh-keygen reads it"
    )
    serve.add_argument(
        "--requests-a-minute", metavar="N", type=int, default=600, help="of one address, at most (default: 600)"
    )
    serve.add_argument(
        "--account-mib-a-day", metavar="N", type=int, default=4096,
        help="that one account may hand in, at most (default: 4096)",
    )  # fmt: skip
    serve.add_argument(
        "--jobs-an-account", metavar="N", type=int, default=8,
        help="that the workers of one account may hold at once (default: 8)",
    )  # fmt: skip
    serve.add_argument(
        "--trusted-proxy", metavar="NETWORK", action="append", default=[],
        help="take the address of a visitor from this proxy; may be given again",
    )  # fmt: skip
    serve.add_argument(
        "--no-background", action="store_true", help="check and publish nothing here: another process does"
    )


def _add_tokens(commands: Any) -> None:
    tokens = _group(commands, "token", "make, list and revoke tokens")
    summary = "make a token, for a new account or one that is there, and print it once"
    made = _command(tokens, "make", summary, "make_token", as_json=True)
    whose = made.add_mutually_exclusive_group(required=True)
    whose.add_argument("--name", metavar="NAME", help="of a new account, as operators see it")
    whose.add_argument("--account", metavar="ACCOUNT", help="id of an account that is there")
    made.add_argument("--role", choices=_ROLES, help="of a new account (default: submitter)")
    made.add_argument("--days", metavar="N", type=int, default=90, help="that it lasts, at most 366 (default: 90)")
    made.add_argument(
        "--scopes", metavar="SCOPE", nargs="+", choices=_SCOPES,
        help="less than the role may do: submit, operate, work",
    )  # fmt: skip
    made.add_argument("--label", metavar="TEXT", default="", help="to know it by")
    _command(tokens, "list", "list all tokens, without their secrets", "list_tokens", as_json=True)
    ended = _command(tokens, "revoke", "end a token, and every session that came of it", "revoke_token")
    ended.add_argument("token", metavar="TOKEN", help="its id, not its secret")


def _group(commands: Any, name: str, summary: str) -> Any:
    group = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    return group.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _command(commands: Any, name: str, summary: str, verb: str, *, as_json: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="folder of everything that it keeps")
    parser.add_argument("--blobs", metavar="URL", help="where files are kept, as fsspec has it (default: DIR/blobs)")
    if as_json:
        parser.add_argument("--json", action="store_true", help="print JSON in place of a table")

    def run(options: argparse.Namespace) -> int:
        from scorekit.verbs import portal

        code: int = getattr(portal, verb)(options)
        return code

    parser.set_defaults(action=run)
    return parser
