"""Editions of the methods that tell the energy of an answer, each with its source; the registry of them."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from scorekit.errors import MissingExtraError, UsageError
from scorekit.impacts import ecologits_package
from scorekit.impacts.choices import unknown
from scorekit.impacts.formula import Coefficients, Making
from scorekit.impacts.mix_tables import AI_ENERGY_SCORE_MIX, STUDY_MIX
from scorekit.impacts.mixes import Mix
from scorekit.impacts.models import NOT_RELEASED, SizedModel
from scorekit.impacts.ranges import Range
from scorekit.records import Record
from scorekit.records.base import Count

MEASURED: Final = "measured"
CURRENT: Final = "ecologits"
"""Stands for the installed edition, of methods and of mixes."""


class Provider(Record):
    """Who runs a model, and in what data centre."""

    name: str
    pue: Range = Field(description="Energy of the data centre over that of its computers.")
    site_water_l_per_kwh: Range | None = Field(description="Water that cools it, by the computers' energy.")
    zone: str | None = Field(description="Where the method takes the data centre to be.")


class Method(Record):
    """An edition of a method that models the energy of an answer."""

    name: str
    title: str
    source: str
    version: str
    mix: str = Field(description="The edition of electricity mixes that belongs to it.")
    coefficients: Coefficients
    providers: tuple[Provider, ...]
    models: tuple[SizedModel, ...]
    of_package: bool = Field(description="Whether the installed package ecologits can be asked for its own result.")
    energy_digits: Count | None = Field(
        default=None, description="Significant digits that the energy is rounded to before impacts are worked out."
    )

    def provider(self, name: str) -> Provider:
        """The provider of a name, which every model's is."""
        return next(provider for provider in self.providers if provider.name == name)


_GUESSED: Final = (NOT_RELEASED,)

STUDY_METHOD: Final = Method(
    name="ecologits-0.8",
    title="EcoLogits 0.8, as in the French study",
    source="ecologits 0.8.2, impacts/llm.py; sizes of the models as in the French study's table",
    version="0.8.2",
    mix=STUDY_MIX.name,
    coefficients=Coefficients(
        # 8.91e-8 and 1.43e-6 kWh.
        gpu_wh_per_token_and_billion=8.91e-5,
        gpu_wh_per_token=1.43e-3,
        latency_s_per_token_and_billion=8.02e-4,
        latency_s_per_token=2.23e-2,
        memory_overhead=1.2,
        bits_per_parameter=4,
        gpu_memory_gb=80,
        gpu_count_is_power_of_two=False,
        gpus_per_server=8,
        server_power_w=1000,
        requests_at_once=1,
        hardware_lifetime_s=5 * 365 * 24 * 60 * 60,
        gpu_making=Making(gwp=143, pe=1828, adpe=5.1e-3),
        server_making=Making(gwp=3000, pe=38000, adpe=0.24),
    ),
    providers=(Provider(name="openai", pue=Range.exactly(1.2), site_water_l_per_kwh=None, zone=None),),
    models=tuple(
        SizedModel(
            provider="openai",
            name=name,
            architecture="dense" if active == total else "moe",
            active_billion=Range.exactly(active),
            total_billion=Range.exactly(total),
            warnings=_GUESSED,
        )
        for name, active, total in (
            ("gpt-3.5", 45, 45),
            ("gpt-4", 550, 1760),
            ("gpt-4-turbo", 275, 880),
            ("gpt-4o", 137, 440),
            ("gpt-4o-mini", 18, 18),
        )
    ),
    of_package=False,
    # The study's table has three digits, and its impacts are worked out from what stands in it.
    energy_digits=3,
)


def method_names() -> tuple[str, ...]:
    """Every method there is here."""
    version = ecologits_package.version()
    installed = () if version is None else (f"{CURRENT}-{version}",)
    return (*installed, STUDY_METHOD.name, MEASURED)


def find_method(name: str = CURRENT) -> Method:
    """A method that models, by its name; `ecologits` is the installed edition.

    Raises:
        UsageError: there is none of that name.
        MissingExtraError: it needs the package ecologits, which is not installed.
    """
    if name == STUDY_METHOD.name:
        return STUDY_METHOD
    if name == MEASURED:
        raise UsageError(
            "the method 'measured' takes a result, not the size of a model", mend="give one with --result RUN"
        )
    _installed(name, "method", method_names(), option="scorekit calculate --list-methods")
    return ecologits_method()


def ecologits_method() -> Method:
    """The method of the installed package, with its models and providers.

    Raises:
        MissingExtraError: the package is not installed.
        InputError: it does not hold what scorekit knows to read.
    """
    package = ecologits_package.load()
    edition = f"{CURRENT}-{package.version}"
    return Method(
        name=edition,
        title=f"EcoLogits {package.version}",
        source=f"ecologits {package.version}, impacts/llm.py, data/models.json and its providers' data centres",
        version=package.version,
        mix=edition,
        coefficients=package.coefficients,
        providers=tuple(
            Provider(name=name, pue=pue, site_water_l_per_kwh=water, zone=zone)
            for name, pue, water, zone in package.providers
        ),
        models=package.models,
        of_package=True,
    )


def mix_names() -> tuple[str, ...]:
    """Every edition of electricity mixes there is here."""
    version = ecologits_package.version()
    installed = () if version is None else (f"{CURRENT}-{version}",)
    return (*installed, STUDY_MIX.name, AI_ENERGY_SCORE_MIX.name)


def find_mix(name: str = CURRENT) -> Mix:
    """An edition of electricity mixes by its name; `ecologits` is the installed one.

    Raises:
        UsageError: there is none of that name.
        MissingExtraError: it needs the package ecologits, which is not installed.
    """
    for mix in (STUDY_MIX, AI_ENERGY_SCORE_MIX):
        if name == mix.name:
            return mix
    _installed(name, "mix", mix_names(), option="scorekit impact --list-mixes")
    return ecologits_package.load_mix()


def _installed(name: str, kind: str, valid: tuple[str, ...], *, option: str) -> None:
    """Whether a name is that of the installed edition; an error where it is not."""
    version = ecologits_package.version()
    prefix = f"{CURRENT}-"
    if name == CURRENT or name.startswith(prefix):
        if version is None:
            raise MissingExtraError(CURRENT, "impact")
        if name in (CURRENT, f"{prefix}{version}"):
            return
        raise UsageError(
            f"there is no {kind} '{name}' here: ecologits {version} is installed; valid: {', '.join(valid)}",
            mend=f"use {prefix}{version}, or another {kind} of those above",
        )
    raise unknown(kind, name, valid, option=option)
