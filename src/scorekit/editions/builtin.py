"""The editions that come with scorekit: thresholds only."""

from __future__ import annotations

from typing import Final

from scorekit.records import Edition, Thresholds
from scorekit.scales import EQUAL_WIDTH

# To the last published digit: with fewer, the models at either end of a cohort would stand outside their own
# range.
FEBRUARY_2025: Final = Edition(
    name="2025-02",
    date="2025-02",
    rule=EQUAL_WIDTH,
    hardware="NVIDIA H100 80GB",
    source="AI Energy Score leaderboard of February 2025: smallest and largest energy of each cohort",
    thresholds=tuple(
        Thresholds(cohort=cohort, model_class=size, n=n, min_wh_per_1000=smallest, max_wh_per_1000=largest)
        for cohort, size, n, smallest, largest in (
            ("asr", None, 13, 0.619699, 86.679066),
            ("image_captioning", None, 10, 45.74709, 179.930966),
            ("image_classification", None, 23, 0.299115, 2.641366),
            ("image_generation", None, 12, 186.811914, 1639.845472),
            ("object_detection", None, 7, 1.004166, 7.980927),
            ("question_answering", None, 18, 0.0554, 178.130109),
            ("sentence_similarity", None, 19, 0.106329, 5.220944),
            ("summarization", None, 11, 0.784852, 34.807171),
            ("text_classification", None, 13, 0.216022, 27.787079),
            ("text_generation", "A", 32, 1.313333, 28.741175),
            ("text_generation", "B", 3, 54.556478, 615.390413),
            ("text_generation", "C", 5, 1648.505252, 3426.381777),
        )
    ),
)
"""The first published edition. It has no reasoning cohort."""

EDITIONS: Final[dict[str, Edition]] = {FEBRUARY_2025.name: FEBRUARY_2025}
LATEST: Final = FEBRUARY_2025.name
