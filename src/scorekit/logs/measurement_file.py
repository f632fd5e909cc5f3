"""Reader of measurements of any code, as `scorekit.measure` saves them; and the `Result` of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from scorekit.errors import LogError
from scorekit.logs.places import Place
from scorekit.records import (
    MEASUREMENT_SCHEMA,
    Fault,
    Figure,
    Measurement,
    PhaseEnergy,
    Reason,
    Result,
    Source,
    first_complaint,
)
from scorekit.units import wh_to_kwh

FORMAT: Final = "scorekit-measurement/1"
DESCRIPTION: Final = "a measurement that scorekit.measure saved"

NO_PROTOCOL: Final = Reason(
    code="own_code", message="code of its user's own was measured, by no protocol that others share"
)
_PHASE: Final = "call"


def recognises(place: Place) -> bool:
    """Whether it is JSON with the name of the schema."""
    head = place.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and b'"scorekit.measurement/' in head


def read(place: Place) -> Iterator[Result]:
    """The result of the measurement.

    Raises:
        LogError: it is no measurement of this version.
    """
    measurement, sha256 = read_measurement(place)
    yield result_of_measurement(measurement, place.label, {place.label.rsplit("/", 1)[-1]: sha256})


def read_measurement(place: Place) -> tuple[Measurement, str]:
    """The measurement in a file, and the file's sha256.

    Raises:
        LogError: it is no measurement of this version.
    """
    content, sha256 = place.read_json()
    try:
        return Measurement.model_validate(content), sha256
    except ValidationError as error:
        raise LogError(
            f"{place.label} is no measurement of this version ({MEASUREMENT_SCHEMA}): {first_complaint(error)}",
            mend="get the file again, or read it with the version of scorekit that wrote it",
        ) from error


def result_of_measurement(measurement: Measurement, name: str, files: dict[str, str] | None = None) -> Result:
    """A measurement as the record that logs of every format become: never official, never comparable.

    Args:
        measurement: of any code.
        name: where it lies; its own name where it lies nowhere.
        files: sha256 of the file that it was read from.
    """
    energy_wh, samples = measurement.energy_wh, measurement.samples
    energy_kwh = None if energy_wh is None else wh_to_kwh(energy_wh)
    figure = Figure(
        energy_kwh=energy_kwh, wh_per_1000_queries=measurement.wh_per_1000_samples, runs=len(measurement.windows)
    )
    failed = [check for check in measurement.checks if check.passed is False and check.severity == "fail"]
    told = {
        "model": measurement.name,
        "task": measurement.task,
        "hardware": measurement.hardware,
        "queries": samples,
        "domain": measurement.domain,
    }
    counted = dict.fromkeys(device.meter for device in measurement.devices if device.counted)
    return Result(
        model=measurement.name,
        task=measurement.task,
        cohort=measurement.task,
        hardware=measurement.hardware,
        gpu_count=measurement.gpu_count,
        domain=measurement.domain,
        origin=measurement.origin,
        meter="+".join(counted) or None,
        queries=samples,
        queries_from=None if samples is None else "summary",
        published=figure,
        energy_kwh=energy_kwh,
        wh_per_1000_queries=measurement.wh_per_1000_samples,
        duration_s=measurement.duration_s,
        uncertainty=measurement.uncertainty,
        phases=(
            PhaseEnergy(
                phase=_PHASE,
                counted=True,
                energy_kwh=energy_kwh,
                energy_kwh_by_repeat=tuple(
                    None if window.energy_wh is None else wh_to_kwh(window.energy_wh) for window in measurement.windows
                ),
                duration_s=measurement.duration_s,
            ),
        ),
        faults=tuple(Fault(code="invalid_run", message=check.message, spoils=energy_wh is None) for check in failed),
        unknown=tuple(fact for fact, value in told.items() if value is None),
        refused=measurement.refused or _refusal(samples),
        valid=measurement.valid,
        invalid_because=tuple(Reason(code=check.name, message=check.message) for check in failed),
        comparable=False,
        not_comparable_because=(NO_PROTOCOL,),
        source=Source(
            name=name,
            format=FORMAT,
            files=files or {},
            tool=f"scorekit {measurement.scorekit_version}",
            measured_utc=measurement.created_utc,
            scorekit_version=measurement.scorekit_version,
        ),
    )


def _refusal(samples: int | None) -> str | None:
    if samples is not None:
        return None
    return "nobody told how many samples were made, so the energy of 1,000 is not known; scorekit.measure(samples=...)"
