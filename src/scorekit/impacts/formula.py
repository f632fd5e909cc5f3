"""The formula of EcoLogits' method: energy of an answer from the size of a model and the number of tokens, pure.

One formula with two sets of coefficients is both editions: the GPU's energy and the time of a token are linear in the
active parameters, the number of GPUs follows from the total parameters, and the rest of the server takes a constant
power for that time. Source: EcoLogits, methodology of LLM inference, and the package's module `ecologits.impacts.llm`.
"""

from __future__ import annotations

import math

from pydantic import Field

from scorekit.impacts.ranges import Range
from scorekit.records import Record
from scorekit.records.base import Finite
from scorekit.units import SECONDS_PER_HOUR


class Making(Record):
    """Impacts of making one device."""

    gwp: Finite = Field(description="kgCO2eq.")
    pe: Finite = Field(description="MJ.")
    adpe: Finite = Field(description="kgSbeq.")


class Coefficients(Record):
    """The coefficients of one edition of the method."""

    gpu_wh_per_token_and_billion: Finite = Field(description="Of one GPU, for each billion active parameters.")
    gpu_wh_per_token: Finite = Field(description="Of one GPU, whatever the size.")
    latency_s_per_token_and_billion: Finite = Field(description="For each billion active parameters.")
    latency_s_per_token: Finite
    memory_overhead: Finite = Field(description="Memory of a loaded model over that of its parameters alone.")
    bits_per_parameter: int
    gpu_memory_gb: Finite
    gpu_count_is_power_of_two: bool
    gpus_per_server: int
    server_power_w: Finite = Field(description="Of a server without its GPUs.")
    requests_at_once: int = Field(description="Requests that a server answers together and that share its energy.")
    hardware_lifetime_s: Finite
    gpu_making: Making
    server_making: Making = Field(description="Of a server without its GPUs.")


class Work(Record):
    """What one answer takes, before the data centre's overhead."""

    gpu_count: int
    latency_s: Finite
    gpu_wh: Finite = Field(description="Of all GPUs.")
    server_wh: Finite = Field(description="Of the server without its GPUs: CPU, RAM, network cards and disks.")
    making: Making = Field(description="The answer's share in the making of GPUs and server.")


class Speed(Record):
    """Measured speed of a deployment, where it is known."""

    tokens_per_s: Finite | None = Field(default=None, gt=0)
    first_token_s: Finite | None = Field(default=None, ge=0)


def work(
    coefficients: Coefficients, *, active_billion: float, total_billion: float, tokens: float, speed: Speed
) -> Work:
    """What one answer takes.

    Args:
        coefficients: of an edition of the method.
        active_billion: parameters that work on a token, in billions.
        total_billion: parameters that must be in memory, in billions.
        tokens: tokens that are generated.
        speed: the deployment's speed in place of the formula's, where it is known.
    """
    c = coefficients
    needed_gb = c.memory_overhead * total_billion * c.bits_per_parameter / 8
    gpus = math.ceil(needed_gb / c.gpu_memory_gb)
    if c.gpu_count_is_power_of_two:
        gpus = 1 << (gpus - 1).bit_length()
    one_gpu_wh = tokens * (c.gpu_wh_per_token_and_billion * active_billion + c.gpu_wh_per_token)
    token_s = c.latency_s_per_token_and_billion * active_billion + c.latency_s_per_token
    if speed.tokens_per_s is not None:
        token_s = 1 / speed.tokens_per_s
    latency_s = tokens * token_s + (speed.first_token_s or 0)
    servers = gpus / c.gpus_per_server
    server_wh = latency_s / SECONDS_PER_HOUR * c.server_power_w * servers / c.requests_at_once
    share = latency_s / (c.hardware_lifetime_s * c.requests_at_once)
    return Work(
        gpu_count=gpus,
        latency_s=latency_s,
        gpu_wh=gpus * one_gpu_wh,
        server_wh=server_wh,
        making=Making(
            gwp=share * (servers * c.server_making.gwp + gpus * c.gpu_making.gwp),
            pe=share * (servers * c.server_making.pe + gpus * c.gpu_making.pe),
            adpe=share * (servers * c.server_making.adpe + gpus * c.gpu_making.adpe),
        ),
    )


def work_between(
    coefficients: Coefficients, *, active_billion: Range, total_billion: Range, tokens: float, speed: Speed
) -> tuple[Work, Work]:
    """The same for the low and for the high end of what is known of a model."""
    low, high = (
        work(coefficients, active_billion=active, total_billion=total, tokens=tokens, speed=speed)
        for active, total in (
            (active_billion.low, total_billion.low),
            (active_billion.high, total_billion.high),
        )
    )
    return low, high
