"""Whatever a stranger's log of optimum-benchmark holds ends in a result or in an error that names file and field."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from scorekit.errors import LogError
from scorekit.logs.foreign import optimum_benchmark, optimum_benchmark_v0
from scorekit.logs.places import Place
from tests.log_writers import optimum_benchmark as writer
from tests.log_writers import optimum_benchmark_v0 as writer_v0
from tests.unit.logs.mutations import mutations
from tests.unit.logs.written import read_folder, recognised

REPORT = "benchmark_report.json"
BOTH = pytest.mark.parametrize(
    ("reader", "files", "config"),
    [
        (optimum_benchmark_v0, writer_v0.example(), "experiment_config.json"),
        (
            optimum_benchmark,
            {k: v for k, v in writer.example().items() if k != "benchmark.json"},
            "benchmark_config.json",
        ),
    ],
    ids=["v0", "0.6"],
)


@BOTH
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\0" * 50, "is not JSON"),
        (b"null", "expected a report"),
        (b"[]", "expected a mapping"),
        (b"3", "expected a mapping"),
        (b'"text"', "expected a mapping"),
        (b"{}", "a phase in which the model answers"),
        (b'{"preprocess": {"energy": null}}', "a phase in which the model answers"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b'{"prefill": "\xe9"}', "is not JSON"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "is not JSON"),
        (b'{"config": {}, "report": []}', "report: expected a mapping"),
        (b'{"forward": {"energy": {"unit": "kWh"}}, "call": {"energy": {"unit": "kWh"}}}', "forward and call"),
    ],
)
def test_what_is_no_report_is_refused(
    reader: Any, files: dict[str, bytes], config: str, content: bytes, told: str
) -> None:
    with pytest.raises(LogError) as caught:
        read_folder(reader, {**files, REPORT: content})
    assert f"log/{REPORT}" in caught.value.message
    assert told in caught.value.message
    assert caught.value.mend


@BOTH
def test_a_report_that_is_cut_off_is_claimed_and_refused(reader: Any, files: dict[str, bytes], config: str) -> None:
    for share in (0.2, 0.5, 0.9, 0.999):
        cut = {**files, REPORT: files[REPORT][: int(share * len(files[REPORT]))]}
        assert recognised(reader, cut)
        with pytest.raises(LogError, match=f"log/{REPORT} is not JSON"):
            read_folder(reader, cut)


@BOTH
@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("decode", [], "decode: expected a phase"),
        ("decode", 3, "decode: expected a phase"),
        ("decode.energy", 3.0, "decode.energy: expected an energy"),
        ("decode.energy", [{"unit": "kWh"}], "decode.energy: expected an energy"),
        ("decode.energy.gpu", "0.002", "decode.energy.gpu: expected a number, found '0.002'"),
        ("decode.energy.gpu", [0.002], "decode.energy.gpu: expected a number"),
        ("decode.energy.gpu", True, "decode.energy.gpu: expected a number"),
        ("decode.energy.unit", 3, "decode.energy.unit: expected text"),
        ("decode.measures", {}, "decode.measures: expected a list"),
        ("decode.measures", "text", "decode.measures: expected a list"),
        ("decode.measures", [0.002], "decode.measures[0]: expected an energy"),
        ("decode.measures", [{"unit": "kWh", "gpu": "a"}], "decode.measures[0].gpu: expected a number"),
        ("decode.efficiency", 3, "decode.efficiency: expected a mapping"),
        ("decode.efficiency.value", "many", "decode.efficiency.value: expected a number"),
        ("decode.latency", [], "decode.latency: expected a mapping"),
    ],
)
def test_values_of_the_wrong_kind_are_named(
    reader: Any, files: dict[str, bytes], config: str, place: str, value: Any, told: str
) -> None:
    report = json.loads(files[REPORT])
    report["decode"]["efficiency"] = {"unit": "tokens/kWh", "value": 1.0}
    holder = report
    *keys, last = place.split(".")
    for key in keys:
        holder = holder[key]
    holder[last] = value
    with pytest.raises(LogError) as caught:
        read_folder(reader, {**files, REPORT: json.dumps(report).encode()})
    assert caught.value.message.startswith(f"log/{REPORT}: {told}")


@BOTH
@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("backend", [], "backend: expected a mapping"),
        ("backend.model", 3, "backend.model: expected text"),
        ("backend.device_ids", 1.5, "backend.device_ids: expected a whole number"),
        ("backend.device_ids", ["a"], "backend.device_ids[0]: expected a whole number"),
        ("environment", "H100", "environment: expected a mapping"),
        ("environment.gpu", {"name": "H100"}, "environment.gpu: expected a list"),
        ("environment.gpu", [3], "environment.gpu[0]: expected text"),
        ("samples.num_samples", "1000", "num_samples: expected a whole number"),
        ("samples.num_samples", 0, "num_samples: expected a number of samples"),
        ("samples.num_samples", 10**300, "num_samples: expected a number of samples"),
        ("samples.num_samples", 1.5, "num_samples: expected a whole number"),
        ("samples.generate_kwargs", [10], "generate_kwargs: expected a mapping"),
        ("samples.input_shapes", None, None),
    ],
)
def test_values_of_the_wrong_kind_in_a_config_are_named(
    reader: Any, files: dict[str, bytes], config: str, place: str, value: Any, told: str | None
) -> None:
    content = json.loads(files[config])
    section = "benchmark" if "benchmark" in content else "scenario"
    *keys, last = place.replace("samples", section, 1).split(".")
    holder = content
    for key in keys:
        holder = holder[key]
    holder[last] = value
    changed = {**files, config: json.dumps(content).encode()}
    if told is None:
        assert read_folder(reader, changed).conditions is None
        return
    with pytest.raises(LogError) as caught:
        read_folder(reader, changed)
    assert caught.value.message.startswith(f"log/{config}: ")
    assert told in caught.value.message


@BOTH
@pytest.mark.parametrize("kwh", ["1e308", "9" * 400, "1e-320", "-1e308"])
def test_energies_that_no_run_can_have_spent_are_no_crash(
    reader: Any, files: dict[str, bytes], config: str, kwh: str
) -> None:
    report = json.loads(files[REPORT])
    for phase in report.values():
        for energy in (phase["energy"], *(phase.get("measures") or ())):
            if energy is not None:
                energy.update(dict.fromkeys(("cpu", "ram", "gpu", "total"), "KWH"))
    text = json.dumps(report).replace('"KWH"', kwh)
    result = read_folder(reader, {**files, REPORT: text.encode()})
    assert result.energy_kwh is None or 0 < result.energy_kwh < math.inf


@BOTH
def test_a_file_that_cannot_be_read_is_told(reader: Any, files: dict[str, bytes], config: str, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    place = Place.of_folder(tmp_path, "log")
    (tmp_path / REPORT).unlink()
    with pytest.raises(LogError, match=f"log/{REPORT} cannot be read"):
        list(reader.read(place))


@BOTH
def test_mutated_logs_are_read_or_refused(reader: Any, files: dict[str, bytes], config: str) -> None:
    names = sorted(files)
    read = unnamed = 0
    for seed in range(150):
        name = names[seed % len(names)]
        try:
            result = read_folder(reader, {**files, name: mutations(seed, files[name], "json")})
        except LogError as error:
            unnamed += ".json" not in error.message
            continue
        read += 1
        assert (result.energy_kwh is None) <= (result.refused is not None)
        assert result == type(result).model_validate_json(result.model_dump_json())
    assert read > 20
    assert unnamed == 0
