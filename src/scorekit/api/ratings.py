"""`scorekit.rate`, and what `scorekit rate` does before it prints: scores and results in, stars out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from scorekit import editions, explain, logs, rating, store
from scorekit.api.kinds import PathLike, path_of, text_of
from scorekit.api.measurement import Measured
from scorekit.api.shown import Shown
from scorekit.api.wording import in_python, told_in_python
from scorekit.cohorts import Rateable
from scorekit.editions import Edition
from scorekit.errors import LogError, UsageError
from scorekit.layout import Layout
from scorekit.messages import say, say_line
from scorekit.rating import Rating
from scorekit.records import Result, Score
from scorekit.tables.scores import rating_table

Given: TypeAlias = PathLike | Result | Score | Measured
_GIVEN: Final = "results, scores, measurements or paths"


class Ratings(Shown, list[Rating]):
    """Ratings as a list, with their table."""

    edition: Edition | None = None

    def __str__(self) -> str:
        return rating_table(self, Layout(), self.edition)


def rate(
    given: Given | Iterable[Given],
    *,
    edition: str | None = None,
    rule: str | None = None,
    folder: PathLike = editions.FOLDER,
    explained: bool = False,
) -> Ratings:
    """Rate scores, each in an edition when it is comparable, else among those given.

    Args:
        given: results, scores and measurements, and paths of runs, score.json files, results stores, logs of other
            tools, or folders with such below them. One that is named and cannot be read is an error, for a cohort
            without it would give other stars; what lies below a folder and cannot be scored is left out with a
            warning.
        edition: name of the edition; the newest built-in one where None, and `local` for none.
        rule: name of the rule; the edition's own where None.
        folder: where editions lie beside the built-in ones.
        explained: say of each star why it is given, and what energy would change it.

    Returns:
        One rating for each score, those of paths last.

    Raises:
        UsageError: nothing is given, or there is no such edition or rule.
        LogError: nothing of it could be scored.
        ScorekitError: something that is named cannot be read.
    """
    edition = None if edition is None else text_of("edition", edition, mend='edition="local"')
    rule = None if rule is None else text_of("rule", rule, mend='rule="equal_width"')
    path = path_of(folder, expected="a folder of editions", mend='folder="editions"')
    with told_in_python():
        ratings = rated(given, edition=edition, rule=rule, folder=path, explained=explained)
    ratings[:] = [
        each if each.refused is None else each.model_copy(update={"refused": in_python(each.refused)})
        for each in ratings
    ]
    return ratings


def rated(
    given: Given | Iterable[Given],
    *,
    edition: str | None = None,
    rule: str | None = None,
    folder: Path = editions.FOLDER,
    explained: bool = False,
) -> Ratings:
    """What the command gives: arguments as for `rate`, of the right kinds; all in the words of the command."""
    single = isinstance(given, (str, Path, Result, Score, Measured)) or not isinstance(given, Iterable)
    every: list[Given] = [given] if single else list(given)  # type: ignore[list-item,arg-type]
    if not every:
        raise UsageError("there is nothing to rate", mend='e.g. scorekit.rate(["runs"]), or results in a list')
    scores: list[Rateable] = []
    paths: list[Path] = []
    for each in every:
        if isinstance(each, Measured):
            scores.append(each.result)
        elif isinstance(each, Result | Score):
            scores.append(each)
        else:
            paths.append(path_of(each, expected=_GIVEN, mend='e.g. scorekit.rate("runs"), or several in one list'))
    chosen = None if edition == rating.LOCAL else editions.find(edition or editions.LATEST, folder)
    # The run in place of the file, so that a run which was named both ways counts once.
    scores += _scores([logs.run_beside(path) or path for path in paths])
    if not scores:
        raise LogError("none of the runs could be scored", mend="see the warnings above")
    ratings = Ratings(rating.rate_scores(scores, chosen, rule))
    if explained:
        ratings[:] = [explain.explained(found) for found in ratings]
    ratings.edition = chosen
    return ratings


def _scores(paths: Sequence[Path]) -> Iterator[Rateable]:
    stores = [path for path in paths if store.is_store(path)]
    for found in logs.read_scores(path for path in paths if path not in stores):
        if not isinstance(found, logs.Refusal):
            yield found
        elif found.named:
            raise found.error
        else:
            say(f"warning: left out: {found.error}")
    # Each once, by whatever way it was named.
    for folder in {path.resolve(): path for path in stores}.values():
        yield from store.open(folder, report=say_line).results()
