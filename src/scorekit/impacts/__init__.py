"""Impacts: energy x electricity mix -> greenhouse gases, primary energy, scarce elements and water; the calculator.

Every figure carries its unit, its factor, and the edition and source of both. Pure but for one edge: the package
ecologits, whose data and method are read by `ecologits_package`. A zone without data of its own has no figure.
"""

from scorekit.impacts.calculator import Calculation, MakingFigure, calculate
from scorekit.impacts.footprint import Footprint, ImpactFigure, footprint
from scorekit.impacts.measured import of_queries, of_tokens, terms_of
from scorekit.impacts.methods import (
    CURRENT,
    MEASURED,
    STUDY_METHOD,
    Method,
    find_method,
    find_mix,
    method_names,
    mix_names,
)
from scorekit.impacts.mixes import KINDS, WORLD, Kind, Mix, Zone, find_zone
from scorekit.impacts.models import SizedModel, find_model
from scorekit.impacts.page import PAGE_SCHEMA, page_data
from scorekit.impacts.ranges import Range
from scorekit.impacts.terms import Term, exact_pue, exact_site_water, term
from scorekit.impacts.texts import TEXTS, Text, find_text

__all__ = [
    "CURRENT",
    "KINDS",
    "MEASURED",
    "PAGE_SCHEMA",
    "STUDY_METHOD",
    "TEXTS",
    "WORLD",
    "Calculation",
    "Footprint",
    "ImpactFigure",
    "Kind",
    "MakingFigure",
    "Method",
    "Mix",
    "Range",
    "SizedModel",
    "Term",
    "Text",
    "Zone",
    "calculate",
    "exact_pue",
    "exact_site_water",
    "find_method",
    "find_mix",
    "find_model",
    "find_text",
    "find_zone",
    "footprint",
    "method_names",
    "mix_names",
    "of_queries",
    "of_tokens",
    "page_data",
    "term",
    "terms_of",
]
