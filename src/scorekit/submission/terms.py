"""By what a submission is judged: gathered by the one who judges, before anything of a stranger is read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit.errors import InputError, LogError
from scorekit.records import Earlier, Edition, Neighbour, Result, Score, Terms
from scorekit.submission import archive, evidence_files, prints
from scorekit.submission.archive import Limits

_MOST_KEY_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Known:
    """All that a verdict needs of one published result: far less than the result itself.

    Attributes:
        measurement: by which it is known again; None where it has no repeats.
        neighbour: None where it is not comparable.
    """

    measurement: Earlier | None
    neighbour: Neighbour | None


def known(result: Result) -> Known:
    """What a verdict needs of a result."""
    return Known(next(prints.of_results([result]), None), _neighbour(result))


def terms_for(
    edition: Edition,
    *,
    results: Iterable[Known] = (),
    earlier: Sequence[Earlier] = (),
    allowed_signers: Path | None = None,
    public_key: Path | None = None,
    now: datetime.datetime | None = None,
) -> Terms:
    """The terms of a verdict.

    Args:
        edition: by which energies are judged.
        results: what is known of the published ones, for neighbours and to know a measurement again.
        earlier: measurements that were handed in before.
        allowed_signers: file of allowed signers, as ssh-keygen(1) has it.
        public_key: file with one public key, in place of such a file.
        now: the time; that of this machine where None.

    Raises:
        InputError: a file of keys cannot be read.
    """
    known_ones = list(results)
    time = now or datetime.datetime.now(datetime.UTC)
    return Terms(
        edition=edition,
        now_utc=time.astimezone(datetime.UTC).isoformat(timespec="seconds"),
        earlier=(*(one.measurement for one in known_ones if one.measurement is not None), *earlier),
        results=tuple(one.neighbour for one in known_ones if one.neighbour is not None),
        allowed_signers=None if allowed_signers is None else _text(allowed_signers),
        public_key=None if public_key is None else _text(public_key),
    )


def earlier_in(folder: Path) -> Iterator[Earlier]:
    """The measurements of submissions in a folder, by the scores that they were accepted with.

    Raises:
        InputError: the folder cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", mend="give the folder with the zips of earlier submissions")
    for path in sorted(folder.glob("*.zip")):
        yield from _of_file(path)


def _of_file(path: Path) -> Iterator[Earlier]:
    try:
        files = archive.read(archive.bytes_of(path, Limits()), Limits())
        for name in sorted(files):
            if name.endswith(f"/{evidence_files.SCORE}"):
                score = evidence_files.parse(name, files[name], Score)
                evidence = prints.print_of(score)
                if evidence is not None:
                    yield Earlier(name=path.name, model=score.model, evidence=evidence)
    except LogError as error:
        raise InputError(f"{path} is no submission: {error.message}", mend="move it out of the folder") from error


def _neighbour(result: Result) -> Neighbour | None:
    if not result.comparable or result.wh_per_1000_queries is None or not result.model:
        return None
    return Neighbour(
        model=result.model,
        wh_per_1000_queries=result.wh_per_1000_queries,
        parameters=result.parameters,
        source="results",
        cohort=result.cohort,
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_KEY_BYTES:
            raise InputError(f"{path} is no file of keys: it is too large", mend="give a public key")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as keys: {error}", mend="give a file of public keys") from error
    if "PRIVATE KEY" in text:
        raise InputError(f"{path} is a private key", mend=f"give its public half: {path}.pub")
    return text
