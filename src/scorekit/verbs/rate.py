"""What `scorekit rate` does: scores of runs, of files, of the results store and of other tools' logs in, stars out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scorekit import editions, explain, logs, rating, store
from scorekit.cohorts import Rateable
from scorekit.errors import EXIT_DONE, EXIT_FAILED, LogError
from scorekit.layout import layout_for
from scorekit.messages import say
from scorekit.tables.scores import rating_table


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
    # The run in place of the file, so that a run which was named both ways counts once.
    paths = [logs.run_beside(path) or path for path in paths]
    chosen = None if edition == rating.LOCAL else editions.find(edition or editions.LATEST, folder)
    scores = list(_scores(paths))
    if not scores:
        raise LogError("none of the runs could be scored", mend="see the warnings above")
    ratings = rating.rate_scores(scores, chosen, rule)
    if explained:
        ratings = [explain.explained(found) for found in ratings]
    if as_json:
        print(json.dumps([found.model_dump(mode="json") for found in ratings], indent=2))
    else:
        print(rating_table(ratings, layout_for(sys.stdout), chosen))
    return EXIT_DONE if any(found.stars is not None for found in ratings) else EXIT_FAILED


def _scores(paths: Sequence[Path]) -> Iterator[Rateable]:
    stores = [path for path in paths if (path / store.STORE).is_file()]
    for found in logs.read_scores(path for path in paths if path not in stores):
        if not isinstance(found, logs.Refusal):
            yield found
        elif found.named:
            raise found.error
        else:
            say(f"warning: left out: {found.error}")
    # Each once, by whatever way it was named.
    for folder in {path.resolve(): path for path in stores}.values():
        yield from store.open(folder, report=say).results()
