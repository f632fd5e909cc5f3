"""Build the documentation's site: `python -m scripts.docs_site [--without-screenshots] [--out FOLDER]`, from the root.

Codes: 0 the site is there and sound, 1 something is wrong with a page or its making, 2 something is missing here.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from scripts.docs_site import checks, file_search, gathering, screenshots

ROOT: Final = Path(__file__).parents[2]
BUILD: Final = ROOT / "build" / "docs"
"""`source` in it is what the generator gets, `site` what it makes."""
MADE: Final = ("source", "site")


def main(argv: list[str] | None = None) -> int:
    """Build, check, and serve where that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m scripts.docs_site", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--without-screenshots", action="store_true", help="leave out the pictures that need Chromium, and say which"
    )
    parser.add_argument("--serve", metavar="PORT", type=int, help="then show it at http://127.0.0.1:PORT/ until Ctrl-C")
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=BUILD, help="in place of build/docs")
    options = parser.parse_args(argv)
    if (name := stranger(options.out)) is not None:
        parser.error(f"{options.out} would be written anew, and holds {name}, which is of no build; name a new folder")
    try:
        site = build(options.out.resolve(), with_screenshots=not options.without_screenshots)
    except screenshots.NoBrowserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (gathering.SourceError, checks.BuildError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(list(site.rglob('*.html')))} pages: open {(site / 'index.html').as_uri()}")
    if options.serve is not None:
        _serve(site, options.serve)
    return 0


def stranger(out: Path) -> str | None:
    """The name of something in a folder that no build has made; None where there is nothing else."""
    names = sorted(path.name for path in out.iterdir()) if out.is_dir() else []
    return next((name for name in names if name not in MADE), None)


def build(out: Path, *, with_screenshots: bool = True) -> Path:
    """The folder of the site, made anew.

    Args:
        out: where both folders are made; an absolute path.
        with_screenshots: whether pictures that need Chromium are made.

    Raises:
        NoBrowserError: there is no Chromium, or none that starts.
        SourceError: a page asks for what is not there.
        BuildError: the generator refuses a page, or the HTML that it made is not sound.
    """
    source, site = (out / name for name in MADE)
    for folder in (source, site):
        shutil.rmtree(folder, ignore_errors=True)
    gathering.gather(ROOT, source, with_screenshots=with_screenshots)
    # The theme's advice on generators is for people who choose one, at the choice.
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "true", "DOCS_SOURCE": str(source)}
    # Not --quiet: it would keep warnings from counting, too.
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        told = [line for line in done.stdout.splitlines() if not line.startswith("INFO")]
        raise checks.BuildError("\n  ".join(["mkdocs refuses the pages:", *told]))
    file_search.enable(site)
    faults = list(checks.faults(site))
    if faults:
        raise checks.BuildError("\n  ".join(["the site is not sound:", *faults]))
    return site


def _serve(site: Path, port: int) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{port}/ until Ctrl-C")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    sys.exit(main())
