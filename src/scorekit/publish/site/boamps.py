"""Results as BoAmps reports (Boavizta's format for the energy of AI tasks), by the classes that CodeCarbon brings.

The data model is that of https://github.com/Boavizta/BoAmps, 1.1.0; a test holds reports against it field by field.
A report must name the kind of infrastructure and count its components. The kind is never known here and is told as
`other`; results whose number of GPUs or queries is not known are left out, rather than told with a guess.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from scorekit.moments import utc_of
from scorekit.records import Result

_MODULE: Final = "codecarbon.output_methods.boamps"
_FORMAT_VERSION: Final = "0.1"
_CAVEAT: Final = "Energy is that of the GPUs alone, of one repeat. The kind of infrastructure is not known."
_INPUTS: Final = {
    "image_classification": "image",
    "object_detection": "image",
    "image_captioning": "image",
    "asr": "audio",
}
"""Nature of what a task is given, where it is not text."""
_PRECISIONS: Final = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports, as JSON lines; how many, and how many results tell too little for one."""

    lines: bytes
    made: int
    left_out: int


def reports(results: Iterable[tuple[Result, str | None]]) -> Reports | None:
    """Reports of results.

    Args:
        results: each with its id in the store.

    Returns:
        None where CodeCarbon is not installed.
    """
    try:
        boamps = importlib.import_module(_MODULE)
    except ImportError:
        return None
    made: list[bytes] = []
    left_out = 0
    for result, identity in results:
        report = _report(boamps, result, identity)
        if report is None:
            left_out += 1
        else:
            made.append(json.dumps(report.to_dict(), ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n")
    return Reports(b"".join(made), len(made), left_out)


def _report(boamps: Any, result: Result, identity: str | None) -> Any | None:
    if result.energy_kwh is None or result.queries is None or result.cohort is None or result.model is None:
        return None
    if result.domain != "gpu" or not result.gpu_count:
        return None
    measured = _moment(result.source.measured_utc)
    return boamps.BoAmpsReport(
        header=None
        if measured is None
        else boamps.BoAmpsHeader(
            format_version=_FORMAT_VERSION,
            format_version_specification_uri="https://github.com/Boavizta/BoAmps/tree/main/model",
            report_id=identity,
            report_datetime=measured,
        ),
        task=boamps.BoAmpsTask(
            task_stage="inference",
            task_family=result.cohort.replace("_", " "),
            nb_request=result.queries,
            algorithms=[
                boamps.BoAmpsAlgorithm(
                    foundation_model_name=result.model,
                    parameters_number=None if result.parameters is None else result.parameters / 1e9,
                    quantization=_PRECISIONS.get(result.dtype or "", result.dtype),
                )
            ],
            dataset=[
                boamps.BoAmpsDataset(
                    data_usage="input",
                    data_type=_INPUTS.get(result.cohort, "text"),
                    data_quantity=result.queries,
                )
            ],
            task_description=_CAVEAT,
        ),
        measures=[
            boamps.BoAmpsMeasure(
                measurement_method=result.meter or "unknown",
                power_consumption=result.energy_kwh,
                measurement_duration=result.duration_s,
                measurement_date_time=measured,
            )
        ],
        infrastructure=boamps.BoAmpsInfrastructure(
            infra_type="other",
            components=[
                boamps.BoAmpsHardware(
                    component_name=result.hardware, component_type="gpu", nb_component=result.gpu_count
                )
            ],
        ),
    )


def _moment(told: str | None) -> str | None:
    """A time in UTC as the format writes it; None for what is none, and for a day without a time of day."""
    if told is None or len(told) <= len("2025-02-28"):
        return None
    at = utc_of(told)
    return None if at is None else at.isoformat(" ", "seconds")[:19]
