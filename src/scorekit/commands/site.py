"""`scorekit site`: results and an edition as a site of plain files, and a look at it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from scorekit.commands import edition_choice
from scorekit.errors import EXIT_DONE
from scorekit.messages import say, say_line

_PORT: Final = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands within the command, each with its arguments."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    build = commands.add_parser("build", help="write the site, in the place of an older one")
    build.add_argument(
        "--results",
        metavar="DIR",
        type=Path,
        help="the results folder (default: results, where there is one)",
    )
    edition_choice.add_edition(build, "the edition that stars are given in")
    build.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder of the site")
    build.add_argument("--title", metavar="TEXT", help="title of the site")
    build.add_argument("--base-url", metavar="URL", help="where the site will stand; labels then link to it")
    build.add_argument(
        "--portal-url", metavar="URL", help="where measurements are handed in; every page then links to it"
    )
    build.set_defaults(action=_build)

    serve = commands.add_parser("serve", help="show a site to a browser on this machine")
    serve.add_argument("folder", metavar="DIR", type=Path, help="folder of the site")
    serve.add_argument(
        "--port", metavar="N", type=int, default=_PORT, help="port; 0 for any that is free (default: %(default)s)"
    )
    serve.set_defaults(action=_serve)


def _build(options: argparse.Namespace) -> int:
    from scorekit.publish import charts
    from scorekit.publish.site import build as building
    from scorekit.publish.site import source

    building.check_target(options.out)
    chosen = edition_choice.chosen_edition(options)
    site = source.read(options.results, chosen, options.editions, title=options.title, report=say_line)
    built = building.build(site, options.out, base_url=options.base_url, portal_url=options.portal_url)
    print(built.folder / "index.html")
    say(
        f"wrote {built.pages:,} pages and {built.files - built.pages:,} other files, {built.size_bytes / 1e6:,.1f} MB; "
        f"open {built.folder / 'index.html'} in a browser, or: scorekit site serve {built.folder}"
    )
    undrawn = charts.undrawn()
    if undrawn is not None:
        say(undrawn)
    if not site.entries:
        say(f"it shows no result: {options.results} holds none; scorekit results add RUN... puts some there")
    return EXIT_DONE


def _serve(options: argparse.Namespace) -> int:
    from scorekit.publish.site.serve import serve

    serve(options.folder, options.port, say)
    return EXIT_DONE
