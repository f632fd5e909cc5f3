"""From the words after the image's name to scorekit's command line, with a look at what the container was given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Final

from scorekit import cli
from scorekit.container import asked, facts, preflight
from scorekit.errors import EXIT_DONE, EXIT_USAGE, InputError, ScorekitError
from scorekit.messages import say, say_error

CONFIGS: Final = Path("/configs")
"""Where configs of one's own are mounted."""

USAGE: Final = """\
usage: docker run --rm --gpus all --shm-size 1g --user "$(id -u):$(id -g)" -v "$PWD/results:/results" \\
           -v "$HOME/.cache/huggingface:/cache" -e HF_TOKEN energy_star --config-name TASK backend.model=ORG/MODEL
       docker run energy_star COMMAND ...

Without a COMMAND of scorekit this is `scorekit bench`; what it writes goes to /results.

  /results   where runs are written: mount it, and own it
  /cache     the Hub's cache (HF_HOME), kept from one container to the next where it is mounted
  /configs   task configs of your own, for --config-name
  HF_TOKEN   or a secret file named hf_token: for gated and private models

  docker run energy_star bench --help   the settings of a measurement
  docker run energy_star doctor         what is on this machine
  docker run energy_star tasks          the tasks, and what the protocol asks of them

Without a GPU, the smoke test:
  {smoke_test}
"""

SECRETS: Final = (
    "HF_TOKEN",
    "OAUTH_CLIENT_ID",
    "OAUTH_CLIENT_SECRET",
    "SCOREKIT_PORTAL_DATABASE",
    "SCOREKIT_PORTAL_SECRET",
    "SCOREKIT_TOKEN",
)
"""Variables that may also come from a file: NAME_FILE holds its path, as with the official images of databases."""

Collect = Callable[[Mapping[str, str], Path], facts.Facts]


def main(
    arguments: Sequence[str],
    environ: MutableMapping[str, str] = os.environ,
    collect: Collect = facts.collect,
    run: Callable[[Sequence[str]], int] = cli.main,
) -> int:
    """Run what the container was asked for.

    Args:
        arguments: the words after the image's name.
        environ: the process's variables; a secret file is added to them.
        collect: looks at what the container was given.
        run: runs scorekit's command line.

    Returns:
        scorekit's exit code (see scorekit.errors).
    """
    usage = USAGE.format(smoke_test=preflight.SMOKE_TEST)
    if not arguments:
        say(usage, end="")
        return EXIT_USAGE
    if list(arguments) in (["--help"], ["-h"], ["help"]):
        print(usage, end="")
        return EXIT_DONE
    if list(arguments) == ["--version"]:
        return run(arguments)
    try:
        _read_secrets(environ)
        wanted = asked.understand(arguments, CONFIGS if CONFIGS.is_dir() else None)
        if wanted.writes:
            _look(wanted, collect(environ, wanted.folder or Path.cwd()))
    except ScorekitError as error:
        say_error(error)
        return error.exit_code
    return run(wanted.words)


def _look(wanted: asked.Asked, found: facts.Facts) -> None:
    refused = next(preflight.refusals(wanted, found), None)
    if refused is not None:
        raise refused
    for note in preflight.notes(wanted, found):
        say(f"note: {note}")


def _read_secrets(environ: MutableMapping[str, str]) -> None:
    for name in SECRETS:
        path = environ.get(f"{name}_FILE")
        if not path:
            continue
        try:
            environ[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = (error.strerror or "no such file").lower() if isinstance(error, OSError) else "it is no text"
            raise InputError(
                f"{name}_FILE={path} cannot be read by user {os.getuid()}: {why}",
                mend=f"mount the secret there, readable to that user, or set {name} itself",
            ) from error
    # huggingface_hub reads its token from a file by itself; one in the environment goes first.
    if facts.SECRET.exists():
        environ.setdefault("HF_TOKEN_PATH", str(facts.SECRET))
