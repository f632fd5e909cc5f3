"""Impacts as text tables: every figure with its unit, what it is worked out from, and what was not counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scorekit.impacts import Calculation, Footprint, ImpactFigure, MakingFigure, Method, Mix, Range, Text
from scorekit.impacts.mixes import KINDS
from scorekit.impacts.terms import sum_of
from scorekit.layout import Column, Layout, joined, render, significant
from scorekit.units import kg_to_g, kg_to_ug

_SHOWN: Final = {"gwp": "g CO2eq", "pe": "MJ", "adpe": "ug Sbeq", "water": "L"}
"""Units that one answer's impacts are shown in."""
_ORIGINS: Final = (
    "measured: by a sensor. modelled: by a formula from known inputs. estimated: where inputs are guesses. "
    "given: by you. Impacts are modelled: an energy times the zone's average factor."
)
_OWN: Final = "zone's own"
_NOT_COUNTED: Final = "not counted"


def footprint_table(found: Footprint, layout: Layout) -> str:
    """The impacts of an energy, with the terms that it is made of."""
    return joined(
        f"{_energy(found)} Wh in {layout.text(found.zone_name)} ({found.zone})",
        _terms(found, layout),
        _figures(found, (), layout),
        *_notes(found, (), layout),
    )


def calculation_table(found: Calculation, layout: Layout) -> str:
    """What an answer takes and what that means in a zone."""
    text = f" ({found.text})" if found.text else ""
    here = found.footprint
    return joined(
        f"{layout.text(found.model)}, {found.amount:,g} {found.basis}{text}: {_energy(here)} Wh, "
        f"{found.origin}, in {layout.text(here.zone_name)} ({here.zone})",
        _terms(here, layout),
        _figures(here, found.making, layout),
        "\n".join(
            (
                layout.note(f"method {found.method}: {found.method_source}"),
                layout.note(f"{found.origin}: {found.origin_because}"),
                *(layout.note(note) for note in found.notes),
            )
        ),
        *_notes(here, found.making, layout),
    )


def zones_table(mix: Mix, layout: Layout) -> str:
    """The zones of an edition with their factors; a cell without own data is left out."""
    columns = (Column("code"), Column("zone", flexible=True), *(_factor_column(kind.unit) for kind in KINDS))
    rows = [
        (zone.code, layout.text(zone.name), *(_factor(zone.factor(kind.name)) for kind in KINDS)) for zone in mix.zones
    ]
    cautions = [f"{zone.code}: {zone.caution}" for zone in mix.zones if zone.caution]
    return joined(
        render(columns, rows, layout),
        layout.note(f"mix {mix.name}: {mix.source}"),
        layout.note("-: the zone has no data of its own in this edition"),
        *(layout.note(caution) for caution in cautions),
    )


def models_table(method: Method, layout: Layout) -> str:
    """The models of a method with their sizes."""
    columns = (
        Column("provider"), Column("model", flexible=True), Column("active\n(billion)", numeric=True),
        Column("total\n(billion)", numeric=True), Column("size"),
    )  # fmt: skip
    rows = [
        (
            model.provider,
            layout.text(model.name),
            _plain(model.active_billion),
            _plain(model.total_billion),
            "published" if model.origin == "modelled" else "a guess",
        )
        for model in method.models
    ]
    return joined(render(columns, rows, layout), layout.note(f"method {method.name}: {method.source}"))


def texts_table(texts: Sequence[Text], layout: Layout) -> str:
    """Kinds of text with their sizes."""
    columns = (Column("text"), Column("what it is", flexible=True), Column("tokens", numeric=True))
    return render(columns, [(text.name, text.title, f"{text.tokens:,}") for text in texts], layout)


def names_table(kind: str, names: Sequence[tuple[str, str]], layout: Layout) -> str:
    """Editions of methods or mixes, each with its source."""
    return render((Column(kind), Column("source", flexible=True)), [(n, layout.text(s)) for n, s in names], layout)


def _terms(found: Footprint, layout: Layout) -> str:
    """How the energy came about: every term of the formula, counted or not, their sum, the PUE, and what they make."""
    columns = (Column("term"), Column("value", numeric=True), Column("unit"), Column("how it is known"))
    rows: list[tuple[str, str, str, str]]
    rows = [(each.name, _amount(each.energy_wh), "Wh", each.origin) for each in found.terms]
    rows += [(name, "-", "Wh", _NOT_COUNTED) for name in found.not_counted]
    rows.append(("sum", _amount(sum_of(found.terms)), "Wh", ""))
    pue = ("-", "times the sum", _NOT_COUNTED) if found.pue is None else (_plain(found.pue), "times the sum", "")
    rows += [("PUE", *pue), ("energy", _energy(found), "Wh", "")]
    return render(columns, rows, layout)


def _figures(found: Footprint, making: Sequence[MakingFigure], layout: Layout) -> str:
    columns = [
        Column("impact of the electricity", flexible=True), Column("value", numeric=True), Column("unit"),
        Column("factor", numeric=True), Column("per kWh"), Column("factor is"),
    ]  # fmt: skip
    rows = [
        (
            figure.title,
            _value(figure),
            _SHOWN[figure.name],
            _factor(figure.factor_per_kwh),
            figure.unit,
            _OWN if figure.own_data else "not there",
        )
        for figure in found.figures
    ]
    table = render(columns, rows, layout)
    if not making:
        return table
    titles = {kind.name: kind.title for kind in KINDS}
    made = [(titles[each.name], _amount(_shown(each.name, each.value)), _SHOWN[each.name]) for each in making]
    apart = (Column("share in making the hardware", flexible=True), Column("value", numeric=True), Column("unit"))
    return f"{table}\n\n{render(apart, made, layout)}"


def _notes(found: Footprint, making: Sequence[MakingFigure], layout: Layout) -> list[str]:
    notes = [f"mix {found.mix.name}: {found.mix.source}"]
    if found.pue is None:
        notes.append("PUE: not counted, so the data centre's overhead is left out")
    else:
        notes.append(f"PUE {_plain(found.pue)}: the terms times this are the energy")
    if found.not_counted:
        given = " (unless the given energy holds them)" if any(each.name == "given" for each in found.terms) else ""
        notes.append(f"not counted: {', '.join(found.not_counted)}{given}")
    if found.figure("water").value is not None:
        site = found.site_water_l_per_kwh
        told = "not counted" if site is None else f"{_plain(site)} L per kWh of its computers, counted"
        notes.append(f"water of the data centre's cooling: {told}")
    if making:
        notes.append("the hardware's making is not in the impacts of the electricity; EcoLogits' totals are their sums")
    notes.extend(_why_none(figure, found) for figure in found.figures if figure.value is None)
    # One caution may be about several factors.
    notes.extend({f"caution: {figure.caution}": None for figure in found.figures if figure.caution})
    return ["\n".join(layout.note(note) for note in (*notes, _ORIGINS))]


def _why_none(figure: ImpactFigure, found: Footprint) -> str:
    note = f"{figure.title}: {found.zone_name} has no figure ({figure.why_none})"
    if figure.with_world_factor is None:
        return note
    world = _amount(_shown(figure.name, figure.with_world_factor))
    return f"{note}; with the world's factor it would be {world} {_SHOWN[figure.name]}"


def _value(figure: ImpactFigure) -> str:
    if figure.value is not None:
        return _amount(_shown(figure.name, figure.value))
    return "not told" if figure.with_world_factor is None else "no own data"


def _shown(name: str, value: Range) -> Range:
    convert = {"gwp": kg_to_g, "adpe": kg_to_ug}.get(name)
    return value if convert is None else Range(low=convert(value.low), high=convert(value.high))


def _energy(found: Footprint) -> str:
    """The energy; of a method that rounds it, with the digits that it leaves."""
    digits = found.energy_digits
    return _amount(found.energy_wh) if digits is None else f"{found.energy_wh.low:#.{digits}g}".rstrip(".")


def _amount(value: Range) -> str:
    return significant(value.low) if value.is_exact else f"{significant(value.low)} to {significant(value.high)}"


def _plain(value: Range) -> str:
    return f"{value.low:g}" if value.is_exact else f"{value.low:g} to {value.high:g}"


def _factor(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _factor_column(unit: str) -> Column:
    return Column(f"{unit}\nper kWh", numeric=True)
