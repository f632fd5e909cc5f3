"""All that a web page needs to do what the calculator does, as one mapping that can be written as JSON.

A page works everything out itself: `formula.work` at both ends of a model's size, the provider's PUE, and the factors
of a zone. docs/impact.md tells the steps; tests/golden/impact/vectors.json holds results to check a page's code by.
"""

from __future__ import annotations

from typing import Any, Final

from scorekit.impacts.ecologits_check import require_same
from scorekit.impacts.formula import work_between
from scorekit.impacts.methods import STUDY_METHOD, Method, find_method, find_mix
from scorekit.impacts.mix_tables import AI_ENERGY_SCORE_MIX, STUDY_MIX
from scorekit.impacts.mixes import KINDS, WORLD, Mix
from scorekit.impacts.models import SizedModel
from scorekit.impacts.texts import TEXTS

PAGE_SCHEMA: Final = "scorekit.impact-page/1"
_PROBE_TOKENS: Final = 400.0


def page_data() -> dict[str, Any]:
    """Kinds of impact, texts, electricity mixes and methods with their models, each with unit, source and version.

    A factor is null where a zone has no data of its own, with the reason in `why_none`. Every result that a page can
    work out for the installed edition of EcoLogits was compared with the package's own.

    Raises:
        MissingExtraError: the package ecologits or pycountry is not installed.
        InputError: the installed ecologits is not what scorekit knows.
    """
    # The installed edition first; without it there is no page.
    methods = [find_method(), STUDY_METHOD]
    mixes = [find_mix(), STUDY_MIX, AI_ENERGY_SCORE_MIX]
    return {
        "schema_version": PAGE_SCHEMA,
        "world": WORLD,
        "impacts": [{"name": kind.name, "title": kind.title, "unit": kind.unit} for kind in KINDS],
        "texts": [text.model_dump() for text in TEXTS.values()],
        "mixes": [_mix(mix) for mix in mixes],
        "methods": [_method(method) for method in methods],
    }


def _mix(mix: Mix) -> dict[str, Any]:
    told = mix.model_dump(mode="json", exclude={"zones", "spellings"})
    return told | {"zones": [zone.model_dump(mode="json") for zone in mix.zones]}


def _method(method: Method) -> dict[str, Any]:
    if method.of_package:
        for model in method.models:
            _compare(method, model)
    told = method.model_dump(mode="json", exclude={"models"})
    return told | {"models": [_model(model) for model in method.models]}


def _model(model: SizedModel) -> dict[str, Any]:
    return model.model_dump(mode="json") | {"origin": model.origin}


def _compare(method: Method, model: SizedModel) -> None:
    provider = method.provider(model.provider)
    low, high = work_between(
        method.coefficients,
        active_billion=model.active_billion,
        total_billion=model.total_billion,
        tokens=_PROBE_TOKENS,
        speed=model.speed,
    )
    require_same(model, _PROBE_TOKENS, low, high, provider.pue, provider.site_water_l_per_kwh)
