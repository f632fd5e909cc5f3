"""`scorekit.impact`, and what `scorekit impact` does before it prints: an energy and a zone in, impacts out."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Final, Literal, TypeAlias, get_args

from scorekit import impacts
from scorekit.api.kinds import number_of, text_of
from scorekit.api.measurement import Measured
from scorekit.api.shown import Shown
from scorekit.api.wording import told_in_python
from scorekit.errors import InvalidRunError, UsageError
from scorekit.impacts import Footprint, Term
from scorekit.layout import Layout
from scorekit.records import Result, Score
from scorekit.tables.impact import footprint_table

Part: TypeAlias = Literal["cpu", "ram", "network", "storage"]
_PARTS: Final = get_args(Part)


class Impacts(Shown, Footprint):
    """Impacts of an energy in a zone, with their table."""

    def __str__(self) -> str:
        return footprint_table(self, Layout())


def impact(
    energy: float | Result | Score | Measured,
    *,
    zone: str,
    queries: float | None = None,
    mix: str | None = None,
    pue: float | None = None,
    site_water_l_per_kwh: float | None = None,
    added_wh: Mapping[Part, float] | None = None,
) -> Impacts:
    """What an energy means in a zone.

    Args:
        energy: in Wh; or a result, score or measurement, whose 95 % interval then makes the figures ranges.
        zone: a country's name or ISO alpha-3 code; WOR is the world.
        queries: of a result: so many queries like those measured; one repeat's where None.
        mix: edition of electricity mixes; that of the installed ecologits where None.
        pue: the data centre's energy over its computers'; its overhead is not counted where None.
        site_water_l_per_kwh: water that cools the data centre, by the energy of its computers.
        added_wh: energies of other parts to add, in Wh.

    Raises:
        UsageError: there is no such zone or mix, or an energy, PUE or number is none that could be.
        MissingExtraError: the edition needs a package that is not installed.
        InvalidRunError: the result failed its checks, or has no energy.
    """
    with told_in_python():
        return worked_out(
            energy,
            zone=text_of("zone", zone, mend='zone="FRA"; WOR is the world'),
            queries=_number("queries", queries, "queries=1000"),
            mix=None if mix is None else text_of("mix", mix, mend='mix="ai-energy-score"'),
            pue=_number("pue", pue, "pue=1.2"),
            site_water_l_per_kwh=_number("site_water_l_per_kwh", site_water_l_per_kwh, "site_water_l_per_kwh=1.8"),
            added_wh=_added(added_wh),
        )


def worked_out(
    energy: float | Result | Score | Measured,
    *,
    zone: str,
    queries: float | None = None,
    mix: str | None = None,
    pue: float | None = None,
    site_water_l_per_kwh: float | None = None,
    added_wh: Mapping[Part, float] | None = None,
) -> Impacts:
    """What the command works out: arguments as for `impact`, of the right kinds; errors in the words of the command."""
    chosen = impacts.find_mix(mix or impacts.CURRENT)
    return Impacts.model_validate(
        impacts.footprint(
            [*_terms(energy, queries), *(impacts.term(part, wh, "given") for part, wh in (added_wh or {}).items())],
            impacts.find_zone(chosen, zone),
            chosen,
            pue=None if pue is None else impacts.exact_pue(pue),
            site_water_l_per_kwh=(
                None if site_water_l_per_kwh is None else impacts.exact_site_water(site_water_l_per_kwh)
            ),
        ).model_dump()
    )


def _terms(energy: float | Result | Score | Measured, queries: float | None) -> tuple[Term, ...]:
    if isinstance(energy, Measured):
        try:
            return impacts.terms_of(energy.result, queries)
        except InvalidRunError as error:
            raise InvalidRunError(error.message, mend="print the measurement, whose checks say why") from error
    if isinstance(energy, Result | Score):
        return impacts.terms_of(energy, queries)
    if queries is not None:
        raise UsageError("queries are those of a result, and an energy is given", mend="leave queries out")
    example = 'e.g. scorekit.impact(35, zone="FRA")'
    if isinstance(energy, bool) or not isinstance(energy, Real):
        raise UsageError(
            f"expected an energy in Wh, a result, a score or a measurement, found a {type(energy).__name__}",
            mend=example,
        )
    return (impacts.term("given", number_of("energy", energy, mend=example), "given"),)


def _number(what: str, value: object, mend: str) -> float | None:
    return None if value is None else number_of(what, value, mend=mend)


def _added(added_wh: object) -> dict[Part, float]:
    """Energies of other parts, each with the name of one."""
    mend = f'added_wh={{"cpu": 5}}; parts are {", ".join(_PARTS)}'
    if added_wh is None:
        return {}
    if not isinstance(added_wh, Mapping):
        raise UsageError(f"added_wh={added_wh!r:.60} does not tell parts with their energies in Wh", mend=mend)
    strange = [part for part in added_wh if part not in _PARTS]
    if strange:
        raise UsageError(f"added_wh has {strange[0]!r:.60}, which is no part that can be added", mend=mend)
    return {part: number_of(f"added_wh of {part}", wh, mend=mend) for part, wh in added_wh.items()}
