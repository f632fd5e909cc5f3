"""Reports keep to Boavizta's data model, field by field.

What its schemas ask for stands here as facts: the names of the fields, what they hold, and which must be there.
Sources: https://github.com/Boavizta/BoAmps, version 1.1.0 of the data model, `report_schema.json` (commit 01f4c8e),
`algorithm_schema.json` (5546e7f), `dataset_schema.json` (4080193) and `hardware_schema.json` (20c9a98). Its
`measure_schema.json` could not be had. That of the repository's earlier home (Boavizta/ai-power-measures-sharing,
commit edfaf67) has two fields more, `unit` and `serverSideInference`; the changelog says that they are gone, and that
the unit is kWh.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from scorekit.publish.site import boamps
from scorekit.records import Result
from tests.sites import results

TEXT, NUMBER, WHOLE = (str,), (int, float), (int,)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@dataclass(frozen=True)
class Part:
    """An object of the data model.

    Attributes:
        required: fields that must be there.
        fields: of each known field what it holds: types, allowed texts, a pattern, another part, or a list of one.
    """

    required: frozenset[str]
    fields: dict[str, Any] = field(default_factory=dict)


def part(required: str, **fields: Any) -> Part:
    return Part(frozenset(required.split()), fields)


MEASURE = part(
    "measurementMethod powerConsumption",
    measurementMethod=TEXT, manufacturer=TEXT, version=TEXT, cpuTrackingMode=TEXT, gpuTrackingMode=TEXT,
    averageUtilizationCpu=NUMBER, averageUtilizationGpu=NUMBER, powerCalibrationMeasurement=NUMBER,
    durationCalibrationMeasurement=NUMBER, powerConsumption=NUMBER, measurementDuration=NUMBER,
    measurementDateTime=MOMENT,
)  # fmt: skip
ALGORITHM = part(
    "",
    trainingType=TEXT, algorithmType=TEXT, algorithmName=TEXT, algorithmUri=TEXT, foundationModelName=TEXT,
    foundationModelUri=TEXT, parametersNumber=NUMBER, framework=TEXT, frameworkVersion=TEXT, classPath=TEXT,
    layersNumber=NUMBER, epochsNumber=NUMBER, optimizer=TEXT, quantization=TEXT,
)  # fmt: skip
DATASET = part(
    "dataUsage dataType",
    dataUsage={"input", "output"},
    dataType={"tabular", "audio", "boolean", "image", "video", "object", "text", "token", "word", "other"},
    dataSize=NUMBER, dataQuantity=NUMBER, shape=TEXT, source={"public", "private", "other"}, sourceUri=TEXT, owner=TEXT,
)  # fmt: skip
HARDWARE = part(
    "componentType nbComponent",
    componentName=TEXT, componentType=TEXT, nbComponent=WHOLE, memorySize=WHOLE, manufacturer=TEXT, family=TEXT,
    series=TEXT, share=NUMBER,
)  # fmt: skip
REPORT = part(
    "task measures infrastructure",
    header=part(
        "reportDatetime",
        licensing=TEXT, formatVersion=TEXT, formatVersionSpecificationUri=TEXT, reportId=TEXT, reportDatetime=MOMENT,
        reportStatus={"draft", "final", "corrective", "other"},
    ),
    task=part(
        "taskStage taskFamily algorithms dataset",
        taskStage=TEXT, taskFamily=TEXT, nbRequest=NUMBER, algorithms=[ALGORITHM], dataset=[DATASET],
        measuredAccuracy=NUMBER, estimatedAccuracy=TEXT, taskDescription=TEXT,
    ),
    measures=[MEASURE],
    infrastructure=part(
        "infraType components",
        infraType={"publicCloud", "privateCloud", "onPremise", "other"},
        cloudProvider=TEXT, cloudInstance=TEXT, cloudService=TEXT, components=[HARDWARE],
    ),
    quality={"high", "medium", "low"},
)  # fmt: skip


def faults(value: Any, expected: Any, where: str = "report") -> list[str]:
    """What of a value is not as the data model has it."""
    if isinstance(expected, Part):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        found = [f"{where} lacks {name}" for name in sorted(expected.required - set(value))]
        found += [f"{where} has {name}" for name in sorted(set(value) - set(expected.fields))]
        known = set(value) & set(expected.fields)
        return found + [
            one for name in sorted(known) for one in faults(value[name], expected.fields[name], f"{where}.{name}")
        ]
    if isinstance(expected, list):
        if not isinstance(value, list) or not value:
            return [f"{where} is no list of one or more"]
        return [one for number, item in enumerate(value) for one in faults(item, expected[0], f"{where}[{number}]")]
    if isinstance(expected, set):
        return [] if value in expected else [f"{where} is {value!r}"]
    if isinstance(expected, re.Pattern):
        return [] if isinstance(value, str) and expected.fullmatch(value) else [f"{where} is {value!r}"]
    return [] if isinstance(value, expected) and not isinstance(value, bool) else [f"{where} is {value!r}"]


def report(**changes: Any) -> dict[str, Any]:
    made = boamps.reports([(known(**changes), "a" * 64)])
    assert made is not None
    assert made.made == 1
    return dict(json.loads(made.lines))


def known(**changes: Any) -> Result:
    """A result that tells enough for a report."""
    return results()[0].model_copy(update={"gpu_count": 1} | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dtype": "bfloat16", "parameters": 7_000_000_000, "duration_s": 12.5},
        {"dtype": None, "parameters": None, "duration_s": None, "meter": None, "hardware": None},
        {"cohort": "asr", "task": "automatic_speech_recognition"},
        {"cohort": "image_captioning", "task": "image_to_text", "gpu_count": 8},
        {"source": known().source.model_copy(update={"measured_utc": None})},
        {"source": known().source.model_copy(update={"measured_utc": "2025-06-01"})},
        {"source": known().source.model_copy(update={"measured_utc": "2025-06-01T12:00:00.123456+00:00"})},
    ],
    ids=["whole", "more", "less", "audio", "image", "no time", "a day only", "fractions"],
)
def test_a_report_keeps_to_the_data_model(changes: dict[str, Any]) -> None:
    assert faults(report(**changes), REPORT) == []


def test_amounts_are_in_the_units_of_the_data_model() -> None:
    told = report(parameters=7_000_000_000, duration_s=12.5)
    # kWh, seconds, and billions of parameters.
    assert told["measures"][0]["powerConsumption"] == known().energy_kwh
    assert told["measures"][0]["measurementDuration"] == 12.5
    assert told["task"]["algorithms"][0]["parametersNumber"] == 7


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("2025-06-01T12:00:00.5+00:00", "2025-06-01 12:00:00"),
        ("2025-06-01T14:00:00+02:00", "2025-06-01 12:00:00"),
        ("2025-06-01T12:00:00", "2025-06-01 12:00:00"),
    ],
)
def test_times_are_written_in_utc(told: str, written: str) -> None:
    made = report(source=known().source.model_copy(update={"measured_utc": told}))
    assert made["header"]["reportDatetime"] == made["measures"][0]["measurementDateTime"] == written


def test_what_breaks_the_data_model_is_found() -> None:
    broken = report()
    del broken["task"]["taskStage"]
    broken["measures"] = []
    broken["header"]["reportDatetime"] = "2025-06-01"
    broken["infrastructure"]["infraType"] = "cloud"
    broken["infrastructure"]["components"][0]["nbComponent"] = 1.5
    broken["surprise"] = 1
    assert faults(broken, REPORT) == [
        "report has surprise",
        "report.header.reportDatetime is '2025-06-01'",
        "report.infrastructure.components[0].nbComponent is 1.5",
        "report.infrastructure.infraType is 'cloud'",
        "report.measures is no list of one or more",
        "report.task lacks taskStage",
    ]
