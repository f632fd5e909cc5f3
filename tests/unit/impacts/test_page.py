"""What a page gets is enough to come to every vector, by a reckoning that shares no code with the calculator."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from scorekit import impacts
from tests.golden.impact import make

PAGE: dict[str, Any] = json.loads(json.dumps(impacts.page_data(), allow_nan=False))
VECTORS: dict[str, Any] = json.loads(make.PATH.read_text(encoding="utf-8"))
REL = 1e-9


def test_the_vectors_are_what_the_calculator_gives() -> None:
    _same(VECTORS, json.loads(json.dumps(make.vectors())), "vectors")


@pytest.mark.parametrize("vector", VECTORS["calculations"], ids=lambda v: f"{v['method']}-{v['model']}-{v['tokens']}")
def test_a_page_can_calculate(vector: dict[str, Any]) -> None:
    method = _named(PAGE["methods"], vector["method"])
    (model,) = [
        each for each in method["models"] if (each["provider"], each["name"]) == (vector["provider"], vector["model"])
    ]
    provider = _named(method["providers"], vector["provider"])
    zone = _zone(vector["mix"], vector["zone"])
    found = [_answer(method, model, provider, zone, vector["tokens"], end) for end in ("low", "high")]
    assert model["origin"] == vector["origin"]
    for key in ("terms_wh", "impacts", "making"):
        for name, expected in vector[key].items():
            got = [each[key][name] for each in found]
            assert (None if None in got else got) == (
                expected if expected is None else pytest.approx(expected, rel=REL)
            )
    assert [each["energy_wh"] for each in found] == pytest.approx(vector["energy_wh"], rel=REL)


@pytest.mark.parametrize("vector", VECTORS["footprints"], ids=lambda v: f"{v['mix']}-{v['zone']}")
def test_a_page_can_tell_own_data_from_the_worlds(vector: dict[str, Any]) -> None:
    zone, world = _zone(vector["mix"], vector["zone"]), _zone(vector["mix"], PAGE["world"])
    for name, expected in vector["impacts"].items():
        assert (zone[name] is None) == (expected is None) == (name in zone["why_none"])
        if expected is not None:
            assert [vector["energy_wh"] / 1000 * zone[name]] * 2 == pytest.approx(expected, rel=REL)
        elif vector["with_world_factor"][name] is not None:
            worlds = vector["energy_wh"] / 1000 * world[name]
            assert [worlds] * 2 == pytest.approx(vector["with_world_factor"][name], rel=REL)


def test_every_name_is_there_and_each_part_tells_its_source() -> None:
    assert PAGE["schema_version"] == impacts.PAGE_SCHEMA
    assert [text["name"] for text in PAGE["texts"]] == list(impacts.TEXTS)
    assert [kind["unit"] for kind in PAGE["impacts"]] == ["kgCO2eq", "MJ", "kgSbeq", "L"]
    assert [mix["name"] for mix in PAGE["mixes"]] == list(impacts.mix_names())
    assert [method["name"] for method in PAGE["methods"]] == [
        n for n in impacts.method_names() if n != impacts.MEASURED
    ]
    for part in (*PAGE["mixes"], *PAGE["methods"]):
        assert part["source"]
        assert part["version"]
    names = [zone["name"] for zone in PAGE["mixes"][0]["zones"]]
    assert len(set(names)) == len(names) == 215
    for method in PAGE["methods"]:
        providers = {provider["name"] for provider in method["providers"]}
        assert {model["provider"] for model in method["models"]} <= providers
        assert method["mix"] in {mix["name"] for mix in PAGE["mixes"]}


def _answer(
    method: dict[str, Any], model: dict[str, Any], provider: dict[str, Any], zone: dict[str, Any], tokens: int, end: str
) -> dict[str, Any]:
    """docs/impact.md, step by step, as a page would do it."""
    c = method["coefficients"]
    active, total, pue = model["active_billion"][end], model["total_billion"][end], provider["pue"][end]
    gpus = math.ceil(c["memory_overhead"] * total * c["bits_per_parameter"] / 8 / c["gpu_memory_gb"])
    if c["gpu_count_is_power_of_two"]:
        gpus = 2 ** math.ceil(math.log2(gpus))
    gpu_wh = gpus * tokens * (c["gpu_wh_per_token_and_billion"] * active + c["gpu_wh_per_token"])
    per_s = model["speed"]["tokens_per_s"]
    token_s = 1 / per_s if per_s else c["latency_s_per_token_and_billion"] * active + c["latency_s_per_token"]
    latency_s = tokens * token_s + (model["speed"]["first_token_s"] or 0)
    servers = gpus / c["gpus_per_server"]
    server_wh = latency_s / 3600 * c["server_power_w"] * servers / c["requests_at_once"]
    energy_wh = (gpu_wh + server_wh) * pue
    if method["energy_digits"] is not None:
        energy_wh = float(f"{energy_wh:.{method['energy_digits'] - 1}e}")
    site = provider["site_water_l_per_kwh"]
    values = {
        kind["name"]: None if zone[kind["name"]] is None else energy_wh / 1000 * zone[kind["name"]]
        for kind in PAGE["impacts"]
    }
    if site is not None and values["water"] is not None:
        values["water"] += (gpu_wh + server_wh) / 1000 * site[end]
    share = latency_s / (c["hardware_lifetime_s"] * c["requests_at_once"])
    making = {
        name: share * (servers * c["server_making"][name] + gpus * c["gpu_making"][name]) for name in c["gpu_making"]
    }
    return {
        "terms_wh": {"gpu": gpu_wh, "server": server_wh},
        "energy_wh": energy_wh,
        "impacts": values,
        "making": making,
    }


def _named(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (row,) = [row for row in rows if row["name"] == name]
    return row


def _zone(mix: str, code: str) -> dict[str, Any]:
    (zone,) = [zone for zone in _named(PAGE["mixes"], mix)["zones"] if zone["code"] == code]
    return zone


def _same(stored: Any, made: Any, where: str) -> None:
    if isinstance(stored, dict):
        assert list(stored) == list(made), where
        for key in stored:
            _same(stored[key], made[key], f"{where}.{key}")
    elif isinstance(stored, list):
        assert len(stored) == len(made), where
        for number, (left, right) in enumerate(zip(stored, made, strict=True)):
            _same(left, right, f"{where}[{number}]")
    elif isinstance(stored, float):
        # Another machine's exp() may differ in its last digit.
        assert made == pytest.approx(stored, rel=1e-12), f"{where}; write it again: python -m tests.golden.impact.make"
    else:
        assert stored == made, where
