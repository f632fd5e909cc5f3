"""An edition with all its members, and scores that it rates."""

from __future__ import annotations

from pathlib import Path

from scorekit.editions import Edition, Member
from scorekit.records import Score
from tests.bundles import official_score
from tests.edition_members import frozen


def full_edition(folder: Path, rule: str | None = None) -> Edition:
    own = [Member(cohort="asr", model=name, wh_per_1000_queries=float(2**at)) for at, name in enumerate("abcdef")]
    return frozen(own, folder, rule=rule)


def asr_score(energy_wh: float, **changes: object) -> Score:
    facts = {"task": "automatic_speech_recognition", "cohort": "asr", "model_class": None}
    return official_score("probe", energy_wh, **facts | changes)
