"""Editions: frozen cohorts with the thresholds that stars are given by.

One added outlier moves a cohort's range and with it the stars of every model in it, so a range is frozen together with
the edition it was published in, and a star always names its edition.
"""

from scorekit.editions.builtin import EDITIONS, FEBRUARY_2025, LATEST
from scorekit.editions.cohort_scales import (
    Cohort,
    cohort_name,
    cohorts_of,
    in_order,
    is_classed,
    make_thresholds,
    scale_of,
    scales_of,
    thresholds_for,
    with_thresholds,
)
from scorekit.editions.differences import Difference, compare
from scorekit.editions.files import (
    FOLDER,
    LOCAL,
    Listed,
    content_sha256,
    find,
    freeze,
    listed,
    load,
    read_draft,
    usable,
    write_draft,
)
from scorekit.editions.sensitivity import Sensitivity, sensitivity
from scorekit.records import Edition, Member, Thresholds

__all__ = [
    "EDITIONS",
    "FEBRUARY_2025",
    "FOLDER",
    "LATEST",
    "LOCAL",
    "Cohort",
    "Difference",
    "Edition",
    "Listed",
    "Member",
    "Sensitivity",
    "Thresholds",
    "cohort_name",
    "cohorts_of",
    "compare",
    "content_sha256",
    "find",
    "freeze",
    "in_order",
    "is_classed",
    "listed",
    "load",
    "make_thresholds",
    "read_draft",
    "scale_of",
    "scales_of",
    "sensitivity",
    "thresholds_for",
    "usable",
    "with_thresholds",
    "write_draft",
]
