"""What `scorekit edition` does: import, freeze, list, show, diff, sensitivity and export."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from scorekit import atomic, editions
from scorekit.edition_sources import csv_tables, hub, own_results
from scorekit.edition_sources.gathered import Gathered, draft_of
from scorekit.editions import Edition
from scorekit.errors import EXIT_DONE, EXIT_FAILED, BundleError, InputError, RatingError, UsageError
from scorekit.messages import say, say_line
from scorekit.tables.editions import difference_table, edition_list, edition_table, sensitivity_table
from scorekit.tasks import OFFICIAL_GPU
from scorekit.verbs import output

_ELSEWHERE = "another TARGET"


def import_edition(
    sources: Sequence[str],
    *,
    name: str,
    folder: Path,
    date: str | None = None,
    hardware: str | None = None,
    skip_faulty: bool = False,
    as_json: bool = False,
) -> int:
    """Gather members into a draft, in the place of one of the same name.

    Args:
        sources: folders of official CSV files, CSV files, results folders, and space:ORG/NAME or dataset:ORG/NAME.
        name: of the edition.
        folder: where editions lie.
        date: of publication, year and month or the day; today where None.
        hardware: on which it was measured; the protocol's GPU where None.
        skip_faulty: leave out rows that are wrong, and name them in the edition.
        as_json: print the draft as JSON.
    """
    gathered = [_gather(source) for source in sources]
    labels = ", ".join(dict.fromkeys(source.name.partition("/data/")[0] for one in gathered for source in one.sources))
    draft = draft_of(
        gathered,
        name=name,
        date=date or datetime.datetime.now(datetime.UTC).date().isoformat(),
        hardware=hardware or OFFICIAL_GPU,
        source=f"imported from {labels}",
        skip_faulty=skip_faulty,
    )
    draft = draft.model_copy(update={"notes": (*_taken_for_granted(draft, date, hardware), *draft.notes)})
    path = editions.write_draft(draft, folder)
    shown = editions.with_thresholds(draft)
    output.show(shown, lambda layout: edition_table(shown, layout), as_json=as_json)
    say(f"wrote {path}; nothing is final before `scorekit edition freeze {name}`")
    return EXIT_DONE


def freeze(name: str, *, folder: Path, rule: str | None = None, as_json: bool = False) -> int:
    """Make a frozen edition of a draft, for ever."""
    edition, path = editions.freeze(name, folder, rule)
    output.show(edition, lambda layout: edition_table(edition, layout), as_json=as_json)
    say(f"froze {path}, sha256 {edition.content_sha256}")
    return EXIT_DONE


def list_editions(*, folder: Path, as_json: bool = False) -> int:
    """List all editions.

    Returns:
        0, or 1 when the file of one cannot be trusted.
    """
    found = editions.listed(folder)
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "date": None if one.edition is None else one.edition.date,
            "rule": None if one.edition is None else one.edition.rule,
            "cohorts": None if one.edition is None else len(one.edition.thresholds),
            "members": None if one.edition is None else len(one.edition.members),
            "content_sha256": None if one.edition is None else one.edition.content_sha256,
            "refused": None if one.error is None else one.error.message,
        }
        for one in found
    ]
    output.show(rows, lambda layout: edition_list(found, layout), as_json=as_json)
    errors = [one.error for one in found if one.error is not None]
    for error in errors:
        say(f"error: {error}")
    return EXIT_FAILED if errors else EXIT_DONE


def show(name: str, *, folder: Path, with_members: bool = False, as_json: bool = False) -> int:
    """Print an edition, or a draft with the thresholds that freezing would give it."""
    edition = _any(name, folder)
    output.show(
        edition,
        lambda layout: edition_table(edition, layout, with_members=with_members),
        as_json=as_json,
    )
    return EXIT_DONE


def diff(before: str, after: str, *, folder: Path, as_json: bool = False) -> int:
    """Print what changed from one edition to another."""
    found = editions.compare(_any(before, folder), _any(after, folder))
    output.show(found, lambda layout: difference_table(found, layout), as_json=as_json)
    return EXIT_DONE


def sensitivity(name: str, *, folder: Path, as_json: bool = False) -> int:
    """Print which stars would change if each member were removed."""
    found = editions.sensitivity(_any(name, folder))
    output.show(found, lambda layout: sensitivity_table(found, layout), as_json=as_json)
    return EXIT_DONE


def export(name: str, target: Path, *, folder: Path) -> int:
    """Write an edition's members as CSV: one file, or the official files into a folder."""
    edition = _any(name, folder)
    if not edition.members:
        raise RatingError(
            f"edition {name} holds thresholds only: there are no members to write", mend="see scorekit edition import"
        )
    if target.suffix == ".csv":
        files = {target: csv_tables.write_single(edition.members)}
    else:
        files = {target / file: text for file, text in csv_tables.write_official(edition.members).items()}
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BundleError(f"{target} cannot be made: {error.strerror or error}", mend=_ELSEWHERE) from error
    for path, text in files.items():
        atomic.write_bytes(path, text.encode("utf-8"), elsewhere=_ELSEWHERE)
        say(f"wrote {path}")
    return EXIT_DONE


def _taken_for_granted(draft: Edition, date: str | None, hardware: str | None) -> list[str]:
    """What no source tells and nobody named, so that a reader of the edition does not take it for known."""
    notes = []
    if date is None:
        notes.append(f"date was not named: {draft.date} is the day of the import")
    # A comparable result of ours was measured on the protocol's GPU; a table of energies tells none.
    if hardware is None and any(member.result_id is None for member in draft.members):
        notes.append(f"hardware was not named: {draft.hardware} is the protocol's, and no table tells it")
    return notes


def _gather(source: str) -> Gathered:
    if hub.is_hub_name(source):
        return hub.read_hub(source)
    path = Path(source)
    if path.is_file():
        return csv_tables.read_file(path)
    if path.is_dir():
        holds_csv = any(any((path / below).glob("*.csv")) for below in csv_tables.FOLDERS)
        return csv_tables.read_folder(path) if holds_csv else own_results.read_results(path, say_line)
    raise InputError(f"there is no {source}", mend="name a folder or a CSV file; a Space is written space:ORG/NAME")


def _any(name: str, folder: Path) -> Edition:
    """A frozen or built-in edition, or else a draft with the thresholds that freezing would give it."""
    try:
        return editions.find(name, folder)
    except UsageError as error:
        try:
            return editions.with_thresholds(editions.read_draft(name, folder))
        except UsageError:
            raise error from None
