"""What of an accepted submission becomes public: of an open one all that was worked out, of a confidential one a list.

The list is held to the words of the clause that its submitter accepts (`clauses`, public_data): energy figures, name,
size class, conditions. Times, counts of tokens and powers tell how fast the model is and how it cuts its texts; what
they could be worked out from stays back with them: digits beyond the sixth of an energy, and the hour of a run. A field
that a later version of a record brings is left out until somebody writes it down here. The evidence, whole, stays with
the operators.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from scorekit import tasks
from scorekit.logs.from_score import result_of
from scorekit.moments import utc_of
from scorekit.records import (
    CONFIDENTIAL,
    UNTOLD_DATASET,
    Conditions,
    PhaseScore,
    Reason,
    Result,
    Score,
    Uncertainty,
    UncertaintyTerm,
    Verdict,
)
from scorekit.submission.allow_lists import WITHHELD, Form, only
from scorekit.submission.prints import rounded, rounded_all
from scorekit.units import kwh_to_wh, per_1000

SCORE: Final[dict[str, frozenset[str]]] = {
    "the energy figures of this submission": frozenset(
        {"wh_per_1000_queries", "wh_per_1000_queries_std", "wh_per_1000_output_tokens", "energy_kwh", "gpu_kwh"}
    )
    | {"cpu_kwh", "ram_kwh", "cpu_origin", "ram_origin", "phases", "uncertainty"},
    "the name given for the model": frozenset({"model"}),
    "its size class": frozenset({"model_class"}),
    "the conditions of the measurement": frozenset({"task", "cohort", "hardware", "domain", "origin", "meter"})
    | {"queries", "runs", "conditions", "valid", "invalid_because", "warnings", "comparable"}
    | {"not_comparable_because", "provenance", "schema_version"},
}
"""Fields of a score that become public, by the words of the clause that allow it."""
PHASE: Final = frozenset({"phase", "counted", "energy_wh", "energy_wh_by_repeat"})
CONDITIONS: Final = frozenset(
    {"dataset", "dataset_fingerprint", "batch_size", "new_tokens", "max_new_tokens", "image_steps", "inputs"}
)
PROVENANCE: Final = frozenset({"run", "created_utc", "scorekit_version", "log_format", "protocol"})
"""Without the sums of the files: of a short one, what it holds could be guessed and tried."""
UNCERTAINTY: Final = frozenset(
    {"interval_95_wh_per_1000", "half_width_95_percent", "cov_percent", "trend_percent_per_repeat"}
) | {"trend_significant", "outliers", "terms", "combined_95_percent", "with_board_gain_95_percent"}
TERMS: Final = frozenset({"repeats", "board_gain"})
"""Sources of uncertainty that hang on energies alone. What a tick or a sample leaves open is a share of the window's
length, from which that could be worked out."""
BY_TOKENS: Final = frozenset({"reasoning"})
"""Tasks of which the protocol asks for the energy of 1,000 output tokens. From both figures follows how many an answer
has on average; of other tasks that stays back."""
TOLD_REASONS: Final = frozenset(
    {"hardware", "gpu_count", "domain", "origin", "meter", "samples", "repeats", "batch_size"}
)
"""Why a score is not comparable, where the words tell of conditions that are public."""
_PARTS: Final = ("cpu", "ram")
WORDS_WITHHELD: Final = "the words are not public: the model was handed in confidentially"


def public_result(score: Score, form: Form, name: str) -> Result:
    """What is published of a run that was accepted.

    Args:
        score: as the verdict has it.
        form: of the submission.
        name: where the result comes from.
    """
    return result_of(score if form == "open" else public_score(score), name)


def public_of(submission_id: str, folder: str, verdict: Verdict) -> Result | None:
    """What is published of an accepted run, of its verdict alone; None where that has no score of it."""
    score = next((run.score for run in verdict.runs if run.folder == folder), None)
    # The score says whether it is comparable.
    return None if score is None else public_result(score, form_of(verdict), name=f"{submission_id}/{folder}")


def form_of(verdict: Verdict) -> Form:
    """Of what is published nothing can be taken back: only what says that it is open is taken as such."""
    return "open" if verdict.submission is not None and verdict.submission.form == "open" else "confidential"


def public_score(score: Score) -> Score:
    """What is published of the score of a confidential submission; what is not is None, or empty.

    Its figures have six significant digits. A counter gives whole millijoules, and a pass is repeated until its window
    is long enough: from energies of a pass in full, the number of passes follows, and from that how long one took.
    """
    parts = _measured_parts(score)
    told: dict[str, Any] = {
        f"{part}_kwh": rounded(getattr(score, f"{part}_kwh")) if part in parts else None for part in _PARTS
    }
    energy_kwh = rounded(score.energy_kwh)
    return only(
        score,
        frozenset().union(*SCORE.values()),
        # Energies by repeat stand in the phases; the record of a repeat cannot be without its length.
        repeats=(),
        energy_kwh=energy_kwh,
        gpu_kwh=rounded(score.gpu_kwh),
        # Of the rounded energy: one in full would tell that of the whole.
        wh_per_1000_queries=per_1000(kwh_to_wh(energy_kwh), score.queries),
        wh_per_1000_queries_std=rounded(score.wh_per_1000_queries_std),
        wh_per_1000_output_tokens=rounded(score.wh_per_1000_output_tokens) if score.task in BY_TOKENS else None,
        **told,
        phases=tuple(_phase(phase) for phase in score.phases),
        conditions=None if score.conditions is None else _conditions(score.conditions, score.task),
        uncertainty=None if score.uncertainty is None else _uncertainty(score.uncertainty),
        invalid_because=_codes(score.invalid_because),
        warnings=_codes(score.warnings),
        not_comparable_because=_codes(score.not_comparable_because, TOLD_REASONS),
        provenance=only(
            score.provenance,
            PROVENANCE,
            created_utc=_day(score.provenance.created_utc),
            log_format=f"{score.provenance.log_format}{CONFIDENTIAL}",
            files={},
        ),
    )


def _measured_parts(score: Score) -> frozenset[str]:
    """CPU and RAM where sensors were read for them: a modelled energy is a constant power times the time."""
    measured = frozenset(part for part in _PARTS if getattr(score, f"{part}_origin") == "measured")
    # Of the figure itself both parts are told, or neither: it is their sum.
    return measured if score.domain == "gpu" or len(measured) == len(_PARTS) else frozenset()


def _phase(found: PhaseScore) -> PhaseScore:
    untold = (None,) * len(found.energy_wh_by_repeat)
    return only(
        found,
        PHASE,
        energy_wh=rounded(found.energy_wh),
        energy_wh_by_repeat=rounded_all(found.energy_wh_by_repeat),
        duration_s_by_repeat=untold,
        output_tokens_by_repeat=untold,
    )


def _conditions(found: Conditions, task: str | None) -> Conditions:
    known = tasks.known(task)
    official = known is not None and found.dataset in tasks.official_dataset_ids(known)
    # Of a data set of few samples, what they say could be guessed and tried.
    return only(found, CONDITIONS) if official else only(found, CONDITIONS, dataset_fingerprint=UNTOLD_DATASET)


def _day(created_utc: str) -> str:
    """The day alone: runs of a submission are measured one after the other, and begin as far apart as one takes."""
    at = utc_of(created_utc)
    if at is None:
        return WITHHELD
    return at.replace(hour=0, minute=0, second=0, microsecond=0).isoformat(timespec="seconds")


def _uncertainty(found: Uncertainty) -> Uncertainty:
    terms = tuple(_term(term) for term in found.terms if term.name in TERMS)
    interval = found.interval_95_wh_per_1000
    combined = None if found.combined_95_percent is None else float(math.ceil(found.combined_95_percent))
    gain = next((term.half_width_95_percent for term in terms if term.name == "board_gain"), None)
    return only(
        found,
        UNCERTAINTY,
        terms=terms,
        interval_95_wh_per_1000=None if interval is None else (rounded(interval[0]), rounded(interval[1])),
        half_width_95_percent=rounded(found.half_width_95_percent),
        cov_percent=rounded(found.cov_percent),
        trend_percent_per_repeat=rounded(found.trend_percent_per_repeat),
        # Rounded up to a whole percent: less the repeats', a sharper one would give what the meter's terms are.
        combined_95_percent=combined,
        with_board_gain_95_percent=None if combined is None or gain is None else math.hypot(combined, gain),
    )


def _term(found: UncertaintyTerm) -> UncertaintyTerm:
    figures = {name: rounded(getattr(found, name)) for name in ("standard_percent", "half_width_95_percent")}
    return found.model_copy(update=figures)


def _codes(reasons: Iterable[Reason], told: frozenset[str] = frozenset()) -> tuple[Reason, ...]:
    """Reasons without their words, which may tell times, tokens and settings; but for those that are told."""
    return tuple(
        reason if reason.code in told else Reason(code=reason.code, message=WORDS_WITHHELD) for reason in reasons
    )
