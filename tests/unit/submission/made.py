"""Runs to hand in, and submissions that somebody has been at."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from scorekit import bundle, submission
from scorekit.editions import FEBRUARY_2025
from scorekit.measuring.meters import PowerSample
from scorekit.measuring.power_log import write_power
from scorekit.records import Environment, Submitter, Terms, Verdict, Window
from scorekit.submission import archive, zip_form
from scorekit.submission.pack import MANIFEST, SIGNATURE, seal
from scorekit.units import wh_to_kwh
from scorekit.validity import DeviceTrace, Evidence
from tests.bundles import write_unsealed

NOW = datetime.datetime(2025, 6, 2, 12, 0, tzinfo=datetime.UTC)
ALL_CLAUSES = frozenset({"public_data", "integrity", "representation"})
ADA = Submitter(name="Ada Lovelace", organisation="Analytical Engines", contact="ada@example.org")
Files = dict[str, bytes]


def thinned(evidence: Evidence, step: int = 5) -> Evidence:
    """The evidence with fewer samples of power: tests of other things are quicker then."""
    assert evidence.trace is not None
    assert evidence.trace.period_s is not None
    devices = {
        name: DeviceTrace(**{column.name: getattr(trace, column.name)[::step] for column in fields(DeviceTrace)})
        for name, trace in evidence.trace
    }
    trace = replace(evidence.trace, devices=devices, period_s=step * evidence.trace.period_s)
    return replace(evidence, trace=trace, star_probability=None)


def write_run(folder: Path, evidence: Evidence) -> Path:
    """The whole run folder of made-up evidence, with the files of optimum-benchmark and CodeCarbon beside it."""
    write_unsealed(folder, evidence.environment, evidence.windows)
    if evidence.states is not None:
        lines = "".join(state.model_dump_json() + "\n" for state in evidence.states)
        (folder / bundle.GPU_STATES).write_text(lines, encoding="utf-8")
    if evidence.trace is not None:
        samples = [
            PowerSample(
                t_s, name, trace.power_w[at],
                *(int(getattr(trace, column)[at]) for column in PowerSample._fields[3:]),
            )
            for name, trace in evidence.trace
            for at, t_s in enumerate(trace.t_s)
        ]  # fmt: skip
        cost = {"sampler_cpu_s": evidence.trace.sampler_cpu_s, "sampler_wall_s": evidence.trace.sampler_wall_s}
        write_power(samples, folder, period_s=evidence.trace.period_s, **cost)
    _write_codecarbon(folder, evidence.windows)
    report = _report(evidence.windows, evidence.environment)
    (folder / bundle.REPORT).write_text(json.dumps(report), encoding="utf-8")
    config = {"backend": {"model": "/home/ada/secret-models/x", "hub_kwargs": {"token": "hf_canary"}}}
    (folder / bundle.CONFIG).write_text(json.dumps(config), encoding="utf-8")
    (folder / bundle.LOG).write_text("loaded /home/ada/secret-models/x on host canary-host\n", encoding="utf-8")
    bundle.seal(folder)
    return folder


def request(**changes: Any) -> submission.Request:
    """A request of an open submission that leaves nothing to be asked."""
    facts: dict[str, Any] = {"submitter": ADA, "accepted": ALL_CLAUSES, "edition": "2025-02", "created": NOW}
    return submission.Request(**facts | changes)


def terms(**changes: Any) -> Terms:
    """The terms of an hour after packing."""
    facts: dict[str, Any] = {"edition": FEBRUARY_2025, "now_utc": (NOW + datetime.timedelta(hours=1)).isoformat()}
    return Terms(**facts | changes)


def judge(content: bytes, **changes: Any) -> Verdict:
    """The verdict in this process."""
    return submission.verify_bytes(content, terms(**changes))


def codes(verdict: Verdict, weight: str = "refuse") -> set[str]:
    """Codes of the reasons of one weight."""
    return {reason.code for reason in verdict.reasons if reason.weight == weight}


def files_of(content: bytes) -> Files:
    """The files of a submission."""
    return archive.read(content, submission.Limits())


def changed(content: bytes, change: Callable[[Files], object], *, sealed: bool) -> bytes:
    """A submission of which the files were changed; sealed: its manifest and sums were made to fit."""
    files = files_of(content)
    change(files)
    if not sealed:
        return zip_form.write(files)
    for name in [name for name in files if name.endswith("/score.json")]:
        _mend_sums(files, name)
    return seal({name: data for name, data in files.items() if name not in (MANIFEST, SIGNATURE)})


def edit_json(name: str, edit: Callable[[dict[str, Any]], object]) -> Callable[[Files], None]:
    """A change of one JSON file."""

    def change(files: Files) -> None:
        document = json.loads(files[name])
        edit(document)
        files[name] = json.dumps(document).encode()

    return change


def edit_lines(name: str, edit: Callable[[list[dict[str, Any]]], object]) -> Callable[[Files], None]:
    """A change of one file of JSON lines."""

    def change(files: Files) -> None:
        lines = [json.loads(line) for line in files[name].splitlines()]
        edit(lines)
        files[name] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    return change


def raw_zip(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip of the form, of entries that packing would not make."""
    packed = [zip_form._deflated(name, content) for name, content in entries]
    return b"".join(bytes(part) for part in zip_form.parts(packed))


def _mend_sums(files: Files, score: str) -> None:
    folder = score.rpartition("/")[0]
    document = json.loads(files[score])
    document["provenance"]["files"] = {
        name: hashlib.sha256(data).hexdigest()
        for name, data in sorted(files.items())
        if name.startswith(f"{folder}/") and name != score
    }
    files[score] = json.dumps(document).encode()


def _write_codecarbon(folder: Path, windows: Iterable[Window]) -> None:
    for window in windows:
        found = [reading for reading in window.readings if reading.meter == "codecarbon"]
        if not found:
            continue
        name = "preprocess_dataset" if window.phase == "preprocess" else window.phase
        energy = {
            f"{part}_energy": sum(wh_to_kwh(r.energy_wh or 0.0) for r in found if r.component == part)
            for part in ("cpu", "gpu", "ram")
        }
        facts = {"run_id": "canary-run-id", "os": "canary-os", "latitude": 1.5, "codecarbon_version": "3.3.2"}
        repeat = f"_repeat{window.repeat}" if window.repeat else ""
        path = folder / f"{name}{repeat}{bundle.CODECARBON_SUFFIX}"
        path.write_text(json.dumps({**facts, "duration": window.duration_s, **energy}), encoding="utf-8")


def _report(windows: Iterable[Window], environment: Environment) -> dict[str, Any]:
    phases: dict[str, list[Window]] = {}
    for window in windows:
        if not window.phase.startswith("idle"):
            phases.setdefault(window.phase, []).append(window)
    report: dict[str, Any] = {}
    for phase, found in phases.items():
        energy = {part: _mean_kwh(found, part, environment.run.meters) for part in ("cpu", "ram", "gpu")}
        total = {"unit": "kWh", "total": sum(energy.values())}
        lengths = [window.duration_s / (window.passes or 1) for window in found]
        latency = {"unit": "s", "values": lengths, "mean": sum(lengths) / len(lengths)}
        name = "preprocess_dataset" if phase == "preprocess" else phase
        report[name] = {"memory": None, "energy": {**energy, **total}, "latency": latency}
    return report


def _mean_kwh(windows: list[Window], part: str, meters: tuple[str, ...]) -> float:
    sums = []
    for window in windows:
        found = [reading for reading in window.readings if reading.component == part]
        meter = next((name for name in meters if any(reading.meter == name for reading in found)), None)
        sums.append(sum(r.energy_wh or 0.0 for r in found if r.meter == meter) / (window.passes or 1))
    return wh_to_kwh(sum(sums) / len(sums))
