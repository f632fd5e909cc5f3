"""Reader of tally logs, which a made-up tool writes: JSON with the energy of a run's GPUs in joules."""

from collections.abc import Iterator

from scorekit import __version__
from scorekit.logs import Reader
from scorekit.logs.fields import Field
from scorekit.logs.foreign.results import Energies, Facts, foreign_result, task_named
from scorekit.logs.places import Place
from scorekit.records import Result, Source
from scorekit.units import joules_to_wh, wh_to_kwh

FORMAT = "gpu-tally/1"


def recognises(place: Place) -> bool:
    """Whether the file begins as a tally log does; what follows may be broken, and `read` says where."""
    return place.head.startswith(b'{"tally":')


def read(place: Place) -> Iterator[Result]:
    """The result of the run. What the log does not tell stays None, and what is wrong with a field is told by Field."""
    content, sha256 = place.read_json()
    log = Field(content, place.label)
    energy_j, queries = log["gpu_joules"].number(), log["queries"].integer()
    if queries is not None and queries < 1:
        log["queries"].refuse("a number of queries")
    facts = Facts(
        model=log["model"].text(),
        task=task_named(log["task"].text()),
        hardware=log["gpu"].text(),
        gpu_count=log["gpus"].integer(),
        domain="gpu",
        origin="measured",
        meter="tally",
        queries=queries,
        queries_from="counted",
    )
    source = Source(
        name=place.label,
        format=FORMAT,
        files={place.path.name: sha256},
        tool="tally",
        measured_utc=log["ended_utc"].text(),
        scorekit_version=__version__,
    )
    energies = Energies(published_kwh=None if energy_j is None else wh_to_kwh(joules_to_wh(energy_j)), runs=1)
    yield foreign_result(source, facts, energies)


READER = Reader(FORMAT, "a tally log (JSON that begins with tally)", recognises, read)
