"""The installed ecologits: what is read of it, that our formula is its own, and what is said where it is not."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from scorekit import impacts
from scorekit.errors import InputError, MissingExtraError, UsageError, install_line
from scorekit.impacts import Range, ecologits_check, ecologits_package, methods
from scorekit.impacts.formula import Speed, work
from scorekit.impacts.models import SizedModel


@pytest.fixture
def _fresh() -> Iterator[None]:
    ecologits_package.load.cache_clear()
    ecologits_package.load_mix.cache_clear()
    yield
    ecologits_package.load.cache_clear()
    ecologits_package.load_mix.cache_clear()


# zones


def test_zones_without_own_data_have_no_value() -> None:
    mix = impacts.find_mix()
    assert len(mix.zones) == 215
    own = Counter(tuple(sorted(zone.why_none)) for zone in mix.zones)
    assert own[()] == 50
    assert own["water",] == 88
    # The Central African Republic's GWP is 0 in the table, which is no figure.
    assert own["adpe", "pe", "water"] == 76
    assert own["adpe", "gwp", "pe", "water"] == 1
    for zone in mix.zones:
        for kind in impacts.KINDS:
            assert (zone.factor(kind.name) is None) == (kind.name in zone.why_none)


def test_the_worlds_factor_is_never_the_zones() -> None:
    mix = impacts.find_mix()
    found = impacts.footprint([impacts.term("gpu", 1000, "measured")], impacts.find_zone(mix, "Aruba"), mix)
    assert found.figure("gwp").value == Range.exactly(0.55)
    for name, world in (("pe", 2.5871), ("adpe", 1.349e-8), ("water", 3.908)):
        figure = found.figure(name)  # type: ignore[arg-type]
        assert (figure.value, figure.factor_per_kwh, figure.own_data) == (None, None, False)
        assert figure.with_world_factor == Range.exactly(world)
        assert "fills in the world's" in (figure.why_none or "")
    # What is wrong with the world's is told with each figure that comes of it, and no other.
    assert [figure.name for figure in found.figures if figure.caution] == ["pe", "adpe"]
    assert "look wrong" in (found.figure("adpe").caution or "")
    france = impacts.footprint([impacts.term("gpu", 1000, "measured")], impacts.find_zone(mix, "FRA"), mix)
    assert not any(figure.caution for figure in france.figures)
    world = impacts.footprint([impacts.term("gpu", 1000, "measured")], impacts.find_zone(mix, "WOR"), mix)
    assert [figure.own_data for figure in world.figures] == [True] * 4
    assert [figure.name for figure in world.figures if figure.caution] == ["pe", "adpe"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("FRA", "FRA"), ("fra", "FRA"), (" france ", "FRA"), ("FR", "FRA"), ("Taiwan", "TWN"), ("South Korea", "KOR"),
        ("Korea, Republic of", "KOR"), ("côte d'ivoire", "CIV"), ("World", "WOR"), ("european economic area", "EEE"),
    ],
)  # fmt: skip
def test_zones_are_found_by_code_and_name(name: str, code: str) -> None:
    assert impacts.find_zone(impacts.find_mix(), name).code == code


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("Frence", "did you mean 'France'?"),
        ("Germny", "did you mean 'Germany'?"),
        ("", "--list-zones"),
        ("☃", "list-zones"),
    ],
)
def test_an_unknown_zone_is_answered_with_the_nearest(name: str, mend: str) -> None:
    with pytest.raises(UsageError, match="there is no zone") as caught:
        impacts.find_zone(impacts.find_mix(), name)
    assert mend in (caught.value.mend or "")


# method


def test_every_model_gets_the_packages_own_result() -> None:
    from ecologits.tracers.utils import llm_impacts

    method, mix = impacts.find_method(), impacts.find_mix()
    zone = impacts.find_zone(mix, "DEU")
    assert len(method.models) > 300
    for number, model in enumerate(method.models):
        tokens = (1, 50, 400, 5000)[number % 4]
        ours = impacts.calculate(model, method, tokens, zone, mix)
        theirs = llm_impacts(model.provider, model.name, tokens, float("inf"), "DEU")
        assert not theirs.has_errors
        assert _kwh(ours) == pytest.approx(_ends(theirs.energy.value), rel=1e-12)
        making = {each.name: each.value for each in ours.making}
        for figure in ours.footprint.figures:
            usage = "wcf" if figure.name == "water" else figure.name
            assert figure.value is not None
            assert _pair(figure.value) == pytest.approx(_ends(getattr(theirs.usage, usage).value), rel=1e-12)
            if figure.name in making:
                total = figure.value.plus(making[figure.name])
                assert _pair(total) == pytest.approx(_ends(getattr(theirs, figure.name).value), rel=1e-12)


def test_gpt_4o_takes_0_58_to_0_96_wh() -> None:
    method, mix = impacts.find_method(), impacts.find_mix()
    found = impacts.calculate(
        impacts.find_model(method.models, "openai/GPT-4o", method.name), method, 400, impacts.find_zone(mix, "USA"), mix
    )
    energy = found.footprint.energy_wh
    assert (f"{energy.low:.2f}", f"{energy.high:.2f}") == ("0.58", "0.96")
    assert found.origin == "estimated"
    assert "guess" in found.origin_because


def test_a_published_size_is_modelled_not_estimated() -> None:
    # EcoLogits' post of November 2025: Mistral Small 3.2 (24 billion), 400 tokens, GPU alone: 0.022 Wh.
    method, mix = impacts.find_method(), impacts.find_mix()
    size = Range.exactly(24)
    model = SizedModel(
        provider="mistralai", name="mistral-small-3.2", architecture="dense", active_billion=size, total_billion=size
    )
    found = impacts.calculate(model, method, 400, impacts.find_zone(mix, "FRA"), mix)
    (gpu,) = [each for each in found.footprint.terms if each.name == "gpu"]
    assert f"{gpu.energy_wh.low:.3f}" == "0.022"
    assert (found.origin, gpu.origin) == ("modelled", "modelled")


def test_gpus_come_in_powers_of_two() -> None:
    coefficients = impacts.find_method().coefficients
    found = [
        work(coefficients, active_billion=1, total_billion=total, tokens=1, speed=Speed()).gpu_count
        for total in (0.1, 33, 34, 67, 100, 134, 440)
    ]
    assert found == [1, 1, 2, 4, 4, 8, 16]


def test_a_release_that_reckons_in_another_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    method, mix = impacts.find_method(), impacts.find_mix()
    model = impacts.find_model(method.models, "gpt-4o", method.name)
    own = ecologits_check.own_result

    def other(*arguments: Any) -> ecologits_check.OwnResult:
        found = own(*arguments)
        return found._replace(water_l=found.water_l.times(1 + 1e-6))

    monkeypatch.setattr(ecologits_check, "own_result", other)
    with pytest.raises(InputError, match=r"in another way than scorekit knows \(water_l"):
        impacts.calculate(model, method, 400, impacts.find_zone(mix, "FRA"), mix)
    with pytest.raises(InputError, match="in another way"):
        impacts.page_data()


def test_unknown_models_are_answered_with_the_nearest() -> None:
    method = impacts.find_method()
    with pytest.raises(UsageError, match="there is no model 'claude-opus-45'") as caught:
        impacts.find_model(method.models, "claude-opus-45", method.name)
    assert caught.value.mend == "did you mean 'claude-opus-4-5'?"
    twice = (method.models[0], method.models[0].model_copy(update={"provider": "another"}))
    with pytest.raises(UsageError, match="several providers") as caught:
        impacts.find_model(twice, twice[0].name, method.name)
    assert f"another/{twice[0].name}" in (caught.value.mend or "")


# the package is not there, or not what it should be


@pytest.mark.usefixtures("_fresh")
def test_without_the_package_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecologits_package, "version", lambda: None)
    for ask in (methods.find_method, methods.find_mix, impacts.page_data, ecologits_package.load):
        with pytest.raises(MissingExtraError) as caught:
            ask()
        assert caught.value.mend == install_line("impact")
    # What stands in scorekit itself needs no package.
    assert methods.method_names() == ("ecologits-0.8", "measured")
    assert methods.mix_names() == ("ecologits-0.8", "ai-energy-score")
    assert methods.find_mix("ecologits-0.8").zone("FRA") is not None
    assert methods.find_method("ecologits-0.8").models


@pytest.mark.usefixtures("_fresh")
def test_without_pycountry_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycountry", None)
    with pytest.raises(MissingExtraError) as caught:
        impacts.find_mix()
    assert caught.value.mend == install_line("impact")


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "'electricity_mixes' is no list of objects with anything in it"),
        ({"electricity_mixes": []}, "with anything in it"),
        ({"electricity_mixes": [1]}, "no list of objects"),
        ({"electricity_mixes": [{"name": "FRA", "gwp": 1, "pe": 1, "adpe": 1, "wue": 1}]}, "no zone WOR"),
        ({"electricity_mixes": [{"name": "WOR", "gwp": -1, "pe": 1, "adpe": 1, "wue": 1}]}, "zone WOR: gwp"),
        ({"electricity_mixes": [{"name": "WOR", "gwp": "x", "pe": 1, "adpe": 1, "wue": 1}]}, "zone WOR: gwp"),
        ({"electricity_mixes": [{"name": "WOR", "gwp": float("nan"), "pe": 1, "adpe": 1, "wue": 1}]}, "zone WOR: gwp"),
    ],
)
def test_a_table_that_is_not_as_expected_is_refused(
    data: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ecologits_package, "_read", lambda name: data)
    with pytest.raises(InputError, match=message) as caught:
        impacts.find_mix()
    assert install_line("impact") in (caught.value.mend or "")


@pytest.mark.usefixtures("_fresh")
def test_a_model_that_is_not_as_expected_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"provider": "openai", "name": "m", "architecture": {"type": "dense", "parameters": {"min": 3, "max": 1}}}
    monkeypatch.setattr(ecologits_package, "_read", lambda name: {"models": [row]})
    with pytest.raises(InputError, match="model m: "):
        impacts.find_method()


@pytest.mark.parametrize("name", ["ecologits-0.10.0", "ecologits-", "other"])
def test_other_editions_are_not_taken_for_the_installed_one(name: str) -> None:
    for find in (impacts.find_method, impacts.find_mix):
        with pytest.raises(UsageError, match=f"ecologits-{ecologits_package.version()}"):
            find(name)


def test_reading_the_package_loads_no_client_library() -> None:
    code = (
        "import sys\nfrom scorekit import impacts\nimpacts.page_data()\n"
        "clients = {'openai', 'anthropic', 'mistralai', 'cohere', 'litellm', 'huggingface_hub', 'torch'}\n"
        "tracers = {name for name in sys.modules if name.endswith('_tracer')}\n"
        "sys.exit(', '.join(sorted(clients & set(sys.modules) | tracers)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def _kwh(found: impacts.Calculation) -> tuple[float, float]:
    energy = found.footprint.energy_wh
    return energy.low / 1000, energy.high / 1000


def _pair(value: Range) -> tuple[float, float]:
    return value.low, value.high


def _ends(value: Any) -> tuple[float, float]:
    return (value.min, value.max) if hasattr(value, "min") else (value, value)
