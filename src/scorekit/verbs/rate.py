"""What `scorekit rate` does: scores of runs, of files, of the results store and of other tools' logs in, stars out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scorekit import editions
from scorekit.api.ratings import rated
from scorekit.errors import EXIT_DONE, EXIT_FAILED
from scorekit.tables.scores import rating_table
from scorekit.verbs import output


def rate(
    paths: Sequence[Path],
    *,
    edition: str | None,
    as_json: bool,
    rule: str | None = None,
    folder: Path = editions.FOLDER,
    explained: bool = False,
) -> int:
    """Rate every score given, or found below a folder.

    A score that is named and cannot be read ends the command, for a cohort without it would give other stars.
    What lies below a folder and cannot be scored is left out with a warning. A score.json that lies in its run is read
    from the run; one that lies alone gets no official star.

    Args:
        paths: runs, score.json files, results stores, logs of other tools, or folders with such below them.
        edition: name of the edition; the newest built-in one where None, and `local` for none.
        as_json: print the ratings as a JSON array.
        rule: name of the rule; the edition's own where None.
        folder: where editions lie beside the built-in ones.
        explained: say of each star why it is given, and what energy would change it.

    Returns:
        0, or 1 when not one of them could be given a star.
    """
    ratings = rated(paths, edition=edition, rule=rule, folder=folder, explained=explained)
    output.show(ratings, lambda layout: rating_table(ratings, layout, ratings.edition), as_json=as_json)
    return EXIT_DONE if any(found.stars is not None for found in ratings) else EXIT_FAILED
