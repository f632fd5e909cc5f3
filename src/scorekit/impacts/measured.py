"""The method `measured`: the energy of a measured result, taken to an answer's length or to a number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from scorekit.cohorts import why_invalid
from scorekit.errors import InvalidRunError, UsageError
from scorekit.impacts.calculator import Calculation
from scorekit.impacts.footprint import footprint
from scorekit.impacts.methods import MEASURED
from scorekit.impacts.mixes import Mix, Zone
from scorekit.impacts.ranges import Range, positive
from scorekit.impacts.terms import Origin, Term, TermName, exact_pue, term
from scorekit.records import Result, Score
from scorekit.units import kwh_to_wh

_AGAIN: Final = "measure again"
_NONE: Final = "the result has no energy that can be used"


class _Share(NamedTuple):
    """Energy of one term for all queries of a result."""

    name: TermName
    energy_kwh: float | None
    origin: Origin
    scored: bool


def of_tokens(
    result: Score | Result, tokens: float, zone: Zone, mix: Mix, *, pue: float | None = None, text: str | None = None
) -> Calculation:
    """What an answer of a length takes, by the energy of the output tokens that were made.

    Args:
        result: a measured result that counted its output tokens.
        tokens: output tokens of the answer.
        zone: where the electricity comes from.
        mix: the edition of electricity mixes that the zone is of.
        pue: of the data centre; None does not count its overhead.
        text: name of the kind of text that the tokens are of.

    Raises:
        UsageError: the tokens of the result are not known, or the amount is not positive.
        InvalidRunError: the result failed its checks, or has no energy.
    """
    positive("the text's length", tokens, "tokens")
    if result.output_tokens is None or not result.output_tokens > 0:
        raise UsageError(
            "the result does not tell how many tokens were made, so it has no energy by tokens",
            mend="ask for a number of queries: --queries 1000",
        )
    made = _calculation(result, tokens / result.output_tokens, zone, mix, pue)
    note = "the energy by output tokens holds what reading the prompts took; longer answers to like prompts take less"
    return made.model_copy(
        update={"basis": "output tokens", "amount": tokens, "text": text, "notes": (*made.notes, note)}
    )


def of_queries(
    result: Score | Result, queries: float, zone: Zone, mix: Mix, *, pue: float | None = None
) -> Calculation:
    """What a number of queries takes that are like those measured.

    Args:
        result: a measured result.
        queries: how many.
        zone: where the electricity comes from.
        mix: the edition of electricity mixes that the zone is of.
        pue: of the data centre; None does not count its overhead.

    Raises:
        UsageError: the number of queries, asked for or measured, is not positive or not known.
        InvalidRunError: the result failed its checks, or has no energy.
    """
    made = _calculation(result, _share_of(result, queries), zone, mix, pue)
    return made.model_copy(update={"basis": "queries", "amount": queries})


def terms_of(result: Score | Result, queries: float | None = None) -> tuple[Term, ...]:
    """The energy of a number of queries that are like those measured, by its terms.

    Args:
        result: a measured result.
        queries: how many; those of one repeat where None.

    Raises:
        UsageError: the number of queries, asked for or measured, is not positive or not known.
        InvalidRunError: the result failed its checks, or has no energy.
    """
    return _scaled(result, 1.0 if queries is None else _share_of(result, queries))


def _scaled(result: Score | Result, scale: float) -> tuple[Term, ...]:
    _require_sound(result)
    terms = tuple(_terms(result, scale))
    if not terms:
        raise InvalidRunError(_NONE, mend=_AGAIN)
    return terms


def _share_of(result: Score | Result, queries: float) -> float:
    """Queries as a part of those of one repeat."""
    positive("the number of queries", queries, "queries")
    if result.queries is None or not result.queries > 0:
        refused = result.refused if isinstance(result, Result) and result.energy_kwh is not None else None
        raise UsageError(refused or "the result does not tell how many queries were answered", mend=_AGAIN)
    return queries / result.queries


def _calculation(result: Score | Result, scale: float, zone: Zone, mix: Mix, pue: float | None) -> Calculation:
    terms = _scaled(result, scale)
    origin = _origin(terms)
    told = ", ".join(f"{each.name} {each.origin}" for each in terms)
    notes = [f"on {result.hardware or 'unknown hardware'}, task {result.task or 'unknown'}"]
    if _half_width(result) is not None:
        notes.append("the range is the run's 95 % interval")
    return Calculation(
        model=result.model or "unknown",
        method=MEASURED,
        method_source=_source(result),
        origin=origin,
        origin_because=f"in the run, {told}",
        basis="queries",
        amount=scale,
        footprint=footprint(terms, zone, mix, pue=None if pue is None else exact_pue(pue)),
        notes=tuple(notes),
    )


def _require_sound(result: Score | Result) -> None:
    if result.valid is False:
        message, mend = why_invalid(result)
        raise InvalidRunError(message, mend=mend)
    if isinstance(result, Result) and result.energy_kwh is None:
        raise InvalidRunError(result.refused or _NONE, mend=_AGAIN)


def _terms(result: Score | Result, scale: float) -> Iterator[Term]:
    half = _half_width(result)
    for share in _shares(result):
        # What was not measured, or too little to tell, is not counted.
        if share.energy_kwh is None or not share.energy_kwh > 0:
            continue
        energy = Range.exactly(kwh_to_wh(share.energy_kwh) * scale)
        if share.scored and half is not None:
            # No energy is below 0, however wide the interval: few repeats that differ make it wider than the energy.
            energy = Range(low=energy.low * max(0.0, 1 - half), high=energy.high * (1 + half))
        yield term(share.name, energy, share.origin)


def _shares(result: Score | Result) -> tuple[_Share, ...]:
    score = result if isinstance(result, Score) else result.score
    on_gpu = score is not None and score.domain == "gpu"
    # Of a model that was handed in confidentially the whole alone may be told.
    if score is None or (not on_gpu and score.cpu_kwh is None and score.ram_kwh is None):
        return (_Share(result.domain or "given", result.energy_kwh, result.origin, True),)
    return (
        _Share("gpu", score.gpu_kwh, score.origin if on_gpu else "unknown", on_gpu),
        _Share("cpu", score.cpu_kwh, score.cpu_origin or "unknown", not on_gpu),
        _Share("ram", score.ram_kwh, score.ram_origin or "unknown", not on_gpu),
    )


def _half_width(result: Score | Result) -> float | None:
    """Half of the 95 % interval as a share of the energy, 1 and more where that is as wide; None where not known."""
    percent = None if result.uncertainty is None else result.uncertainty.combined_95_percent
    return None if percent is None else percent / 100


def _origin(terms: tuple[Term, ...]) -> Origin:
    origins = {each.origin for each in terms}
    return origins.pop() if len(origins) == 1 else "mixed"


def _source(result: Score | Result) -> str:
    if isinstance(result, Score):
        return f"run {result.provenance.run}, {result.provenance.log_format}, by {result.meter}"
    return f"{result.source.name}, {result.source.format}"
