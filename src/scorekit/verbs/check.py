"""What `scorekit check` does: makes every check of runs, writes and prints what they found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scorekit import bundle, logs
from scorekit.errors import EXIT_DONE, EXIT_INVALID, ScorekitError
from scorekit.messages import say
from scorekit.records import Validity
from scorekit.tables.checks import check_tables
from scorekit.verbs import output


def check(paths: Sequence[Path], *, as_json: bool) -> int:
    """Make every check of the runs given, or found below a folder; print and write them.

    Returns:
        0, the exit code of the first run that could not be read, or 3 when a check failed.
    """
    validities: list[Validity] = []
    code = EXIT_DONE
    for run in _once(run for path in paths for run in _runs(path)):
        try:
            validity = logs.read_validity(run)
            logs.write_validity(run, validity)
        except ScorekitError as error:
            say(f"error: {error}")
            code = code or error.exit_code
            continue
        validities.append(validity)
        say(f"wrote {run / bundle.VALIDITY}")
    if as_json or validities:
        output.show(validities, lambda layout: check_tables(validities, layout), as_json=as_json)
    return code or (EXIT_DONE if all(validity.valid for validity in validities) else EXIT_INVALID)


def _runs(path: Path) -> list[Path]:
    # Where nothing is found, the path stands for itself, so that reading it says what was expected.
    return logs.find_runs(path) or [path]


def _once(paths: Iterator[Path]) -> list[Path]:
    """Each path once, by whatever way it was named."""
    return list({path.resolve(): path for path in paths}.values())
