"""What `scorekit parse` does: logs of any format in, results out, one after the other and however many."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from scorekit import bundle, logs, messages
from scorekit.errors import EXIT_DONE, EXIT_INVALID, LogError, ScorekitError, UsageError
from scorekit.logs import Examined, Refusal
from scorekit.sinks import Form, open_sink

_SUFFIXES: Final[dict[str, Form]] = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_MOST_TOLD: Final = 20
"""So many runs are named one by one where their scores were written; of the others the number is told."""
_EVERY_S: Final = 0.2
_MOST_LABEL: Final = 60


def parse(
    paths: Sequence[Path],
    *,
    form: Form | None = None,
    output: Path | None = None,
    allow_invalid: bool = False,
    read_only: bool = False,
) -> int:
    """Read every log given, or found below a folder or in an archive.

    Runs of our own also get their checks and their score written beside them. A log that cannot be read is told on
    stderr and keeps no other from being read.

    Args:
        paths: logs, folders with logs below them, and archives of either.
        form: how the results are written; by the name of `output`, or a table, where None.
        output: file to write to; stdout where None.
        allow_invalid: score runs of our own with failed checks too; their results say so.
        read_only: write nothing into run folders.

    Returns:
        0, the exit code of the first log that could not be read, or 3 where energies of a log cannot be used.

    Raises:
        UsageError: the form needs a file, or the name of the file tells none.
        BundleError: the output cannot be written.
    """
    told = _Told(read_only)
    form = form or _form_of(output)
    if output is not None:
        _check_output(output, paths)
    code = spoilt = EXIT_DONE
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(open_sink(form, output))
        found_logs = logs.read_logs(paths, allow_invalid=allow_invalid, seen=told.seen)
        for found in stack.enter_context(_progress(found_logs)):
            if isinstance(found, Refusal):
                code = code or found.error.exit_code
                messages.say(f"error: {found.error}")
                continue
            if found.energy_kwh is None:
                spoilt = EXIT_INVALID
            try:
                sink.add(found)
            except LogError as error:
                code = code or error.exit_code
                messages.say(f"error: {error}")
    told.rest()
    if output is not None:
        messages.say(f"wrote {messages.counted(sink.count, 'result')} to {output}")
    return code or spoilt


class _Told:
    """Writes the checks and the score of each run of our own, and tells of it."""

    def __init__(self, read_only: bool) -> None:
        self._read_only = read_only
        self._count = 0

    def seen(self, run: Path, examined: Examined) -> None:
        """Write what was worked out of a run.

        Raises:
            ScorekitError: it cannot be written.
        """
        if self._read_only:
            return
        try:
            logs.write_validity(run, examined.validity)
            if examined.score is None:
                # A score of before these checks must not lie beside their verdict.
                logs.withdraw_score(run)
                return
            logs.write_score(run, examined.score)
        except ScorekitError as error:
            raise type(error)(error.message, mend=f"{error.mend}; or scorekit parse --read-only") from error
        self._count += 1
        if self._count <= _MOST_TOLD:
            messages.say(f"wrote {run / bundle.SCORE}, {bundle.GPU_WH}, {bundle.GPU_SUMMARY}")

    def rest(self) -> None:
        """Tell of the runs that were not named."""
        if self._count > _MOST_TOLD:
            messages.say(f"wrote the scores of {self._count - _MOST_TOLD:,} more runs")


def _form_of(output: Path | None) -> Form:
    if output is None:
        return "table"
    form = _SUFFIXES.get(output.suffix.lower())
    if form is None:
        raise UsageError(
            f"the name {output.name} does not tell how to write the results",
            mend=f"end it with {', '.join(_SUFFIXES)}, or give --format",
        )
    return form


def _check_output(output: Path, paths: Sequence[Path]) -> None:
    """Make sure that no log is written over: raw evidence is never to be had again.

    Raises:
        UsageError: the output is a log, or lies in a run.
    """
    target = output.resolve()
    is_run = target.parent.is_dir() and bundle.is_run({entry.name for entry in target.parent.iterdir()})
    if target in {path.resolve() for path in paths} or is_run or (target.is_file() and logs.is_log(target)):
        raise UsageError(
            f"{output} is a log, or lies in a run: results are never written over those",
            mend="choose another file with -o",
        )


@contextlib.contextmanager
def _progress(found_logs: Iterator[logs.Found]) -> Iterator[Iterator[logs.Found]]:
    """The same, with a line on a terminal that tells how far it is; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield found_logs
        return
    from rich.console import Console
    from rich.status import Status

    with Status("reading logs ...", console=Console(stderr=True)) as status:

        def counted() -> Iterator[logs.Found]:
            refused = 0
            next_s = 0.0
            for count, found in enumerate(found_logs, start=1):
                refused += isinstance(found, Refusal)
                now_s = time.monotonic()
                if now_s >= next_s:
                    next_s = now_s + _EVERY_S
                    label = found.label if isinstance(found, Refusal) else found.source.name
                    # rich's own marks begin with a bracket.
                    shown = messages.printable(label).replace("[", "(")[-_MOST_LABEL:]
                    status.update(f"{count:,} logs read, {refused:,} refused: {shown}")
                yield found

        yield counted()
