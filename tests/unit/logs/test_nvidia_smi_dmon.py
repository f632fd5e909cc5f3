"""Power logs of nvidia-smi dmon, with and without times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from scorekit.errors import LogError
from scorekit.logs.foreign import nvidia_smi_dmon as reader
from scorekit.records import Result
from tests.log_writers.nvidia_smi_dmon import Trace, energy_kwh, example, lines, steady, text, traces, write
from tests.log_writers.reading import faults, only, placed, read


@given(traces())
def test_what_was_written_is_read(trace: Trace) -> None:
    results = read(reader, write(trace))
    assert len(results) == len(trace.powers_w)
    for gpu, result in enumerate(results):
        assert result.faults == ()
        assert result.energy_kwh == pytest.approx(energy_kwh(trace, gpu), rel=1e-9)
        assert (result.queries, result.wh_per_1000_queries, result.hardware) == (None, None, None)
        assert result.duration_s == trace.times_s[-1]
        assert result.source.device == str(gpu)
        assert result.source.measured_utc is None
        assert result.source.measured_local == ("2025-01-31T" if trace.stamps == "DT" else "") + "23:59:30"
        assert Result.model_validate_json(result.model_dump_json()) == result


def test_without_times_the_interval_is_unknown_and_there_is_no_energy() -> None:
    for result in read(reader, write(steady(gpus=2, stamps=""))):
        fault = faults(result)["missing_energy"]
        assert fault.spoils
        assert "does not tell at which interval" in fault.message
        assert (result.energy_kwh, result.published.energy_kwh) == (None, None)
        assert (result.source.measured_local, result.duration_s) == (None, None)


def _changed(changes: dict[int, str], trace: Trace | None = None) -> Result:
    found = lines(trace or steady())
    for number, line in changes.items():
        found[number - 1] = line
    return only(read(reader, text(found)))


def test_a_dash_is_missing_and_told() -> None:
    trace = steady()
    powers = tuple(None if moment == 3 else power for moment, power in enumerate(trace.powers_w[0]))
    trace = replace(trace, powers_w=(powers,))
    result = only(read(reader, write(trace)))
    assert faults(result)["missing_energy"].message == (
        "1 of 25 readings tell no power, the first at log, line 6, column pwr: '-'"
    )
    assert result.energy_kwh == pytest.approx(energy_kwh(trace))


_ROW = " 20250131   23:59:34      0   102    31     -    99     5"


@pytest.mark.parametrize(
    ("code", "line", "where"),
    [
        ("shifted_columns", _ROW.replace("102", "P0"), "line 5, column pwr: expected a power, found 'P0'"),
        ("shifted_columns", _ROW.replace("23:59:34", "99"), "line 5, column time: expected a time"),
        ("shifted_columns", _ROW.replace("     0 ", "     x "), "line 5, column gpu: expected a GPU's number"),
        ("shifted_columns", _ROW + "  7", "line 5: expected 8 cells as in the header"),
        ("negative_energy", _ROW.replace("102", "-2"), "1 of 25 powers are below 0 W"),
        ("not_a_number", _ROW.replace("102", "nan"), "1 of 25 readings are no numbers"),
    ],
)
def test_a_fault_is_named_with_line_and_column_and_spoils_the_energy(code: str, line: str, where: str) -> None:
    assert _changed({5: _ROW}).faults == ()
    result = _changed({5: line})
    fault = faults(result)[code]
    assert fault.spoils
    assert where in fault.message
    assert result.energy_kwh is None


def test_units_are_read_and_never_assumed() -> None:
    found = lines(steady(5))
    none = only(read(reader, text([line for line in found if "Idx" not in line])))
    assert faults(none)["unit_missing"].message.startswith("log, line 2, column pwr: no line of units")
    other = only(read(reader, text([line.replace("     W ", "    mW ") for line in found])))
    assert faults(other)["unit_unknown"].message.startswith("log, line 3, column pwr: expected watts (W), found mW")
    assert none.energy_kwh is other.energy_kwh is None


def test_gaps_and_clocks_put_back_are_told() -> None:
    trace = steady()
    forward = tuple(t_s + (600 if moment > 9 else 0) for moment, t_s in enumerate(trace.times_s))
    assert faults(only(read(reader, write(replace(trace, times_s=forward)))))["time_gap"].spoils
    back = tuple(t_s - (3600 if moment > 9 else 0) for moment, t_s in enumerate(trace.times_s))
    assert faults(only(read(reader, write(replace(trace, times_s=back)))))["clock_jump"].spoils


def test_columns_may_change_where_a_header_says_so() -> None:
    first, second = steady(10), steady(20)
    later = replace(second, first=False)
    both = lines(first) + lines(replace(later, times_s=later.times_s))[-12:]
    result = only(read(reader, text(both)))
    assert result.energy_kwh == pytest.approx(energy_kwh(second))


def test_commas_are_the_same() -> None:
    found = text([",".join(line.split()) for line in lines(steady())])
    assert only(read(reader, found)).energy_kwh == pytest.approx(energy_kwh(steady()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text(lines(steady())[:2]), "log has no readings below its header"),
        ("# gpu    sm   mem\n# Idx     %     %\n    0    99     5\n", "line 1: there is no column pwr"),
        ("# gpu   pwr   pwr\n", "the column 'pwr' is there twice"),
        (write(steady()) + b"\xff\n", "is not UTF-8"),
        (write(steady()).decode().encode("utf-16"), "UTF-16"),
        (write(steady()) + b" " * 70_000, "longer than"),
    ],
    ids=range(6),
)
def test_what_cannot_be_told_is_refused(content: bytes | str, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(reader, content)


def test_only_its_header_makes_a_log(tmp_path: Path) -> None:
    for name, found in example().items():
        assert reader.recognises(placed(tmp_path, found, "anything"))
        assert not reader.recognises(placed(tmp_path, b"# a comment\n1 2\n", name))
        assert not reader.recognises(placed(tmp_path, b"", name))
