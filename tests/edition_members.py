"""Members of editions for tests: by hand, of files, and as Hypothesis strategies; drafts and editions of them."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from scorekit import editions, tasks
from scorekit.edition_sources import csv_tables
from scorekit.edition_sources.gathered import Gathered, draft_of
from scorekit.editions import Edition, Member

REFERENCE = Path(__file__).parents[2] / "shared" / "reference" / "edition-2025-02.csv"
"""The full edition of February 2025; not part of the repository."""

needs_reference = pytest.mark.skipif(not REFERENCE.is_file(), reason="not applicable: reference data not present")
"""Of tests that hold the real edition; its data may be used and not be passed on."""

OFFICIAL = "model,total_gpu_energy,energy_score\n"
"""The header of a file of the leaderboard."""

on_disk = settings(deadline=None, max_examples=25)
"""For what writes files, which takes as long as the disk does."""

COHORTS = tuple(sorted({task.cohort for task in tasks.TASKS.values()}))
_NAMES = st.text(string.ascii_letters + string.digits + "-_./,\"' é", min_size=1, max_size=20).map(str.strip)
_NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?")
names = _NAMES.filter(lambda name: name and not _NUMBER.fullmatch(name))
"""No numbers: where a table has one as a name, its columns are shifted."""
energies_wh = st.floats(min_value=1e-9, max_value=1e9, allow_nan=False, allow_infinity=False)


@st.composite
def members(draw: st.DrawFn) -> Member:
    """A member of any cohort."""
    cohort = draw(st.sampled_from(COHORTS))
    return Member(
        cohort=cohort,
        model_class=draw(st.sampled_from("ABC")) if cohort in tasks.CLASSED_COHORTS else None,
        model=draw(names),
        wh_per_1000_queries=draw(energies_wh),
        stars=draw(st.none() | st.integers(1, 5)),
    )


def member_lists(least: int = 1) -> st.SearchStrategy[list[Member]]:
    """Members without exact duplicates, as an edition holds them."""
    return st.lists(members(), min_size=least, max_size=12, unique=True)


def asr(**energies: float) -> list[Member]:
    """Members of one cohort by model and energy in Wh."""
    return [Member(cohort="asr", model=model, wh_per_1000_queries=energy) for model, energy in energies.items()]


def read_csv(folder: Path, text: str | bytes, name: str = "asr.csv") -> Gathered:
    """What is gathered from a file with such content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return csv_tables.read_file(path)


def members_of(gathered: Gathered) -> list[Member]:
    """The members, without where each of them stands."""
    return [member for member, _ in gathered.members]


def drafted(*gathered: Gathered, name: str = "trial", skip_faulty: bool = False) -> Edition:
    """A draft of what was gathered."""
    return draft_of(
        gathered, name=name, date="2025-02", hardware="NVIDIA H100 80GB", source="made up", skip_faulty=skip_faulty
    )


def draft(found: list[Member], name: str = "trial", **changes: object) -> Edition:
    """A draft of members."""
    gathered = Gathered(members=tuple((member, "here") for member in found), sources=())
    return drafted(gathered, name=name).model_copy(update=changes)


def frozen(found: list[Member], folder: Path, name: str = "trial", rule: str | None = None) -> Edition:
    """A frozen edition of members."""
    editions.write_draft(draft(found, name), folder)
    return editions.freeze(name, folder, rule)[0]
