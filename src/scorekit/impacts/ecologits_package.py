"""The one edge to the package ecologits: its version, electricity mixes, models and coefficients.

The data files are read as JSON, and only the modules that hold the method are imported: no tracer of a client library.
Another release may keep things elsewhere, which is refused here, or reckon in another way, which `ecologits_check`
finds out.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from scorekit.errors import InputError, MissingExtraError, install_line
from scorekit.impacts.countries import names_of
from scorekit.impacts.formula import Coefficients, Making, Speed
from scorekit.impacts.mixes import WORLD, ImpactName, Mix, Zone
from scorekit.impacts.models import SizedModel
from scorekit.impacts.ranges import Range
from scorekit.records import first_complaint
from scorekit.units import kwh_to_wh

PACKAGE: Final = "ecologits"
EXTRA: Final = "impact"

_FIELDS: Final[dict[ImpactName, str]] = {"gwp": "gwp", "pe": "pe", "adpe": "adpe", "water": "wue"}
"""What the package calls each factor."""
_WORLD_CAUTION: Final = (
    "since ecologits 0.9 the world's ADPe (1.349e-08 kgSbeq/kWh, before 7.377e-08) and PE (2.5871 MJ/kWh, before "
    "9.988) lie below those of most countries, and look wrong"
)
_OLD_WORLD_ADPE: Final = 7.377e-8


class Package(NamedTuple):
    """What the installed package holds.

    Attributes:
        version: its version.
        coefficients: of its method.
        providers: name, PUE, water in L per kWh of the computers, and zone of the data centre.
        models: every model, those under another name included.
    """

    version: str
    coefficients: Coefficients
    providers: tuple[tuple[str, Range, Range, str], ...]
    models: tuple[SizedModel, ...]


def version() -> str | None:
    """Version of the installed package; None where there is none."""
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def load_mix() -> Mix:
    """The zones of the package, with the cells that were filled in with the world's figures left empty.

    Raises:
        MissingExtraError: the package is not installed.
        InputError: its table is not what is expected.
    """
    installed = _require()
    rows = _rows(_read("electricity_mixes.json"), "electricity_mixes", "electricity_mixes.json")
    names, spellings = names_of(str(row.get("name")) for row in rows)
    zones = tuple(_zone(row, names) for row in rows)
    if not any(zone.code == WORLD for zone in zones):
        raise _unexpected("electricity_mixes.json", f"no zone {WORLD}, expected the world's")
    return Mix(
        name=f"{PACKAGE}-{installed}",
        title=f"EcoLogits {installed}",
        source=f"ecologits {installed}, data/electricity_mixes.json: GWP of Our World in Data, ADPe and primary energy "
        "of ADEME Base IMPACTS, water of the World Resources Institute",
        version=installed,
        zones=zones,
        spellings=spellings,
    )


@cache
def load() -> Package:
    """Models, providers and coefficients of the package.

    Raises:
        MissingExtraError: the package is not installed.
        InputError: it does not hold what is expected.
    """
    installed = _require()
    try:
        from ecologits.tracers.utils import PROVIDER_CONFIG_MAP

        providers = tuple(
            (
                name,
                range_of(config.datacenter_pue),
                range_of(config.datacenter_wue),
                config.datacenter_location,
            )
            for name, config in PROVIDER_CONFIG_MAP.items()
        )
        coefficients = _coefficients()
    except (ImportError, AttributeError) as error:
        raise _unexpected("the modules of its method", str(error)) from error
    known = {name for name, *_ in providers}
    models = tuple(model for model in _models(_read("models.json")) if model.provider in known)
    return Package(installed, coefficients, providers, models)


def _require() -> str:
    installed = version()
    if installed is None:
        raise MissingExtraError(PACKAGE, EXTRA)
    return installed


def _read(name: str) -> Mapping[str, Any]:
    try:
        found = json.loads((resources.files(PACKAGE) / "data" / name).read_text(encoding="utf-8"))
    except ModuleNotFoundError as error:
        raise MissingExtraError(PACKAGE, EXTRA) from error
    except (OSError, ValueError) as error:
        raise _unexpected(name, f"it cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise _unexpected(name, "it is no JSON object")
    return found


def _rows(data: Mapping[str, Any], key: str, name: str) -> list[Mapping[str, Any]]:
    rows = data.get(key)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise _unexpected(name, f"'{key}' is no list of objects with anything in it")
    return rows


def _zone(row: Mapping[str, Any], names: Mapping[str, str]) -> Zone:
    code = str(row.get("name"))
    warnings = set(row.get("warnings") or ())
    factors: dict[ImpactName, float | None] = {}
    why: dict[ImpactName, str] = {}
    for impact, field in _FIELDS.items():
        value = row.get(field)
        factors[impact] = None
        if f"electricity-mix-{field}-world" in warnings:
            why[impact] = "no data of the zone's own: the package fills in the world's"
        elif value is None:
            why[impact] = "the package has no figure"
        elif value == 0:
            # Every way to make electricity warms the world and takes water.
            why[impact] = "the package holds 0, which is no figure of a whole country's electricity"
        else:
            factors[impact] = value
    suspect = code == WORLD and (factors["adpe"] or math.inf) < _OLD_WORLD_ADPE / 2
    try:
        return Zone(code=code, name=names[code], **factors, why_none=why, caution=_WORLD_CAUTION if suspect else None)
    except ValidationError as error:
        raise _unexpected("electricity_mixes.json", f"zone {code}: {first_complaint(error)}") from error


def _models(data: Mapping[str, Any]) -> tuple[SizedModel, ...]:
    found = {}
    for row in _rows(data, "models", "models.json"):
        try:
            model = _model(row)
        except (KeyError, TypeError, ValueError) as error:
            raise _unexpected("models.json", f"model {row.get('name')}: {error}") from error
        found[model.provider, model.name] = model
    for alias in _rows(data, "aliases", "models.json") if data.get("aliases") else ():
        target = found.get((str(alias.get("provider")), str(alias.get("alias"))))
        if target is not None and alias.get("name"):
            name = str(alias["name"])
            found[target.provider, name] = target.model_copy(update={"name": name, "alias_of": target.name})
    return tuple(sorted(found.values(), key=lambda model: (model.provider, model.name)))


def _model(row: Mapping[str, Any]) -> SizedModel:
    size = row["architecture"]["parameters"]
    mixture = isinstance(size, dict) and "active" in size
    deployment = row.get("deployment") or {}
    return SizedModel(
        provider=row["provider"],
        name=row["name"],
        architecture=row["architecture"]["type"],
        active_billion=range_of(size["active"] if mixture else size),
        total_billion=range_of(size["total"] if mixture else size),
        speed=Speed(tokens_per_s=deployment.get("tps"), first_token_s=deployment.get("ttft")),
        warnings=tuple(row.get("warnings") or ()),
        sources=tuple(row.get("sources") or ()),
    )


def _coefficients() -> Coefficients:
    from ecologits.impacts import llm

    batch = llm.BATCH_SIZE
    # The regressions are of Wh and s by billions of parameters at a given number of requests at once.
    return Coefficients(
        gpu_wh_per_token_and_billion=llm.GPU_ENERGY_ALPHA * math.exp(llm.GPU_ENERGY_BETA * batch),
        gpu_wh_per_token=llm.GPU_ENERGY_GAMMA,
        latency_s_per_token_and_billion=llm.LATENCY_ALPHA,
        latency_s_per_token=llm.LATENCY_BETA * batch + llm.LATENCY_GAMMA,
        # Stands in the function that works out the memory, under no name.
        memory_overhead=1.2,
        bits_per_parameter=llm.MODEL_QUANTIZATION_BITS,
        gpu_memory_gb=llm.GPU_MEMORY,
        gpu_count_is_power_of_two=True,
        gpus_per_server=llm.SERVER_GPUS,
        server_power_w=kwh_to_wh(llm.SERVER_POWER),
        requests_at_once=batch,
        hardware_lifetime_s=llm.HARDWARE_LIFESPAN,
        gpu_making=Making(
            gwp=llm.GPU_EMBODIED_IMPACT_GWP, pe=llm.GPU_EMBODIED_IMPACT_PE, adpe=llm.GPU_EMBODIED_IMPACT_ADPE
        ),
        server_making=Making(
            gwp=llm.SERVER_EMBODIED_IMPACT_GWP, pe=llm.SERVER_EMBODIED_IMPACT_PE, adpe=llm.SERVER_EMBODIED_IMPACT_ADPE
        ),
    )


def range_of(value: Any) -> Range:
    """A range from a number, or from what the package writes or holds in place of one."""
    if isinstance(value, dict):
        return Range(low=value["min"], high=value["max"])
    if hasattr(value, "min"):
        return Range(low=value.min, high=value.max)
    return Range.exactly(value)


def _unexpected(what: str, problem: str) -> InputError:
    return InputError(
        f"{what} of ecologits {version()} is not what scorekit reads: {problem}",
        mend=f"install the release that scorekit was made for; {install_line('impact')} --force-reinstall",
    )
