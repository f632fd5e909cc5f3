"""Power logs of nvidia-smi --query-gpu in every spelling, with gaps, clock jumps and what a driver writes instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.errors import LogError
from scorekit.logs.foreign import nvidia_smi_csv as reader
from scorekit.records import Result
from tests.log_writers.nvidia_smi_csv import (
    UUID,
    Trace,
    energy_kwh,
    example,
    lines,
    steady,
    text,
    traces,
    write,
)
from tests.log_writers.reading import faults, only, placed, read


@given(traces())
def test_what_was_written_is_read(trace: Trace) -> None:
    results = read(reader, write(trace))
    assert len(results) == len(trace.powers_w)
    for gpu, result in enumerate(results):
        assert result.faults == ()
        assert result.energy_kwh == pytest.approx(energy_kwh(trace, gpu), rel=1e-9)
        assert (result.queries, result.wh_per_1000_queries) == (None, None)
        assert result.refused is not None
        assert "does not tell how many queries" in result.refused
        assert result.duration_s == pytest.approx((trace.times_ms[-1] - trace.times_ms[0]) / 1000)
        assert result.source.device == (str(gpu) if "index" in trace.columns else UUID.format(gpu))
        named = trace.header and "name" in trace.columns
        assert result.hardware == ("NVIDIA H100 80GB HBM3" if named else None)
        assert (result.domain, result.origin, result.gpu_count) == ("gpu", "measured", 1)
        assert result.source.measured_utc is None
        assert result.source.measured_local is not None
        assert "measured_utc" in result.unknown
        assert Result.model_validate_json(result.model_dump_json()) == result


@settings(max_examples=40)
@given(traces(), st.data())
def test_two_parts_of_a_log_that_share_a_reading_add_up(trace: Trace, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(trace.times_ms) - 1))
    parts = [
        replace(trace, times_ms=trace.times_ms[part], powers_w=tuple(powers[part] for powers in trace.powers_w))
        for part in (slice(None, cut + 1), slice(cut, None))
    ]
    whole = read(reader, write(trace))
    for gpu, result in enumerate(whole):
        both = [read(reader, write(part))[gpu].published.energy_kwh or 0.0 for part in parts]
        assert sum(both) == pytest.approx(result.published.energy_kwh, rel=1e-9)


def _changed(changes: dict[int, str], trace: Trace | None = None) -> Result:
    """The result of a log of one GPU with some lines put in place of others."""
    found = lines(trace or steady())
    for number, line in changes.items():
        found[number - 1] = line
    return only(read(reader, text(found)))


def test_a_power_that_is_not_told_is_missing_and_told() -> None:
    for word in ("[N/A]", "[Not Supported]", "[Unknown Error]", "[GPU is lost]", "ERR!", ""):
        result = _changed({8: f"2025/01/31 23:59:36.000, 0, {word}"})
        fault = faults(result)["missing_energy"]
        assert not fault.spoils
        assert fault.message == (
            "1 of 20 readings tell no power, the first at log, line 8, column power.draw [W]: " + f"'{word}'"
        )
        assert result.energy_kwh == pytest.approx(energy_kwh(steady()))


def test_a_message_among_the_rows_is_told_with_its_line() -> None:
    result = _changed({8: "Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost.  Reboot the system"})
    fault = faults(result)["missing_energy"]
    assert fault.message.startswith("log, line 8: 'Unable to determine the device handle")
    assert not fault.spoils


def test_a_gap_is_told_with_its_share_and_spoils_only_a_longer_one() -> None:
    def gapped(moments: int) -> Result:
        trace = steady(moments)
        times_ms = tuple(t_ms + (9000 if moment > 100 else 0) for moment, t_ms in enumerate(trace.times_ms))
        return only(read(reader, write(replace(trace, times_ms=times_ms))))

    short, long = gapped(200), gapped(2000)
    assert faults(short)["time_gap"].message.startswith(
        "4.81 % of the time was not seen, or the clock was put forward: 10"
    )
    assert short.energy_kwh is None
    assert not faults(long)["time_gap"].spoils
    assert long.energy_kwh is not None
    assert "time_gap" not in faults(only(read(reader, write(steady(200)))))


@pytest.mark.parametrize(("silent", "spoils"), [(6, False), (10, False), (11, True), (1000, True)])
@pytest.mark.parametrize("at_end", [True, False])
def test_a_log_that_falls_silent_is_told_with_its_share(at_end: bool, silent: int, spoils: bool) -> None:
    # A GPU that fell off the bus, or that came late: of 990 s with readings, 10 s are 1 % of the whole.
    moments = 991 + silent
    told = range(991) if at_end else range(silent, moments)
    powers = tuple(100.0 if moment in told else None for moment in range(moments))
    result = only(read(reader, write(Trace(tuple(1000 * moment for moment in range(moments)), (powers,)))))
    fault = faults(result)["time_gap"]
    assert fault.spoils is spoils
    end = "last" if at_end else "first"
    assert f"no power is told for the {end} {silent} s of the log, so what was spent then is in no" in fault.message
    assert f"{100 * silent / (990 + silent):.3g} % of the time was not seen in all" in fault.message
    assert (result.energy_kwh is None) is spoils
    assert not faults(result)["missing_energy"].spoils


def test_a_clock_that_is_put_back_is_told_and_spoils_only_a_large_step() -> None:
    def put_back(moments: int, by_ms: int) -> Result:
        trace = steady(moments)
        times_ms = tuple(t_ms - (by_ms if moment > 100 else 0) for moment, t_ms in enumerate(trace.times_ms))
        return only(read(reader, write(replace(trace, times_ms=times_ms))))

    hour, moment = put_back(200, 3_600_000), put_back(2000, 1500)
    assert "put back 1 time(s), by 3599 s in all" in faults(hour)["clock_jump"].message
    assert hour.energy_kwh is None
    assert not faults(moment)["clock_jump"].spoils
    assert moment.energy_kwh is not None


@pytest.mark.parametrize(
    ("code", "changes", "where"),
    [
        ("shifted_columns", {5: "2025/01/31 23:59:33.000, 0, P0"}, "line 5, column power.draw [W]: expected a power"),
        ("shifted_columns", {5: "0, 2025/01/31 23:59:33.000, 100.00 W"}, "line 5, column timestamp: expected a time"),
        ("shifted_columns", {5: "2025/01/31 23:59:33.000, 0"}, "line 5: expected 3 cells as in the header, found 2"),
        ("shifted_columns", {5: "2025/01/31 23:59:33.000, 0, 1, 100.00 W"}, "line 5: expected 3 cells"),
        (
            "mixed_units",
            {5: "2025/01/31 23:59:33.000, 0, 100000 mW"},
            "line 5, column power.draw [W]: expected a power in",
        ),
        ("negative_energy", {5: "2025/01/31 23:59:33.000, 0, -5.00 W"}, "1 of 20 powers are below 0 W"),
        ("not_a_number", {5: "2025/01/31 23:59:33.000, 0, nan W"}, "1 of 20 readings are no numbers"),
    ],
)
def test_a_fault_is_named_with_line_and_column_and_spoils_the_energy(
    code: str, changes: dict[int, str], where: str
) -> None:
    result = _changed(changes)
    fault = faults(result)[code]
    assert fault.spoils
    assert where in fault.message
    assert result.energy_kwh is None


def test_few_rows_of_another_width_are_left_out_and_told() -> None:
    result = _changed({5: "2025/01/31 23:59:33.000, 0"}, steady(1000))
    assert not faults(result)["shifted_columns"].spoils
    assert result.energy_kwh == pytest.approx(energy_kwh(steady(1000)), rel=1e-5)


def test_units_are_read_where_they_stand_and_never_assumed() -> None:
    heading = "timestamp, index, power.draw"
    in_cells = _changed({1: heading})
    assert in_cells.faults == ()
    nowhere = _changed({1: heading}, steady(units=False))
    assert faults(nowhere)["unit_missing"].message.startswith("log, line 2, column power.draw: '100.00' has no unit")
    assert nowhere.energy_kwh is None
    other = _changed({1: "timestamp, index, power.draw [mW]"}, steady(units=False))
    assert "unit_unknown" in faults(other) or "mixed_units" in faults(other)
    assert other.energy_kwh is None
    later = _changed({1: heading, 9: "2025/01/31 23:59:37.000, 0, 5 kW"})
    assert faults(later)["mixed_units"].message.startswith("log, line 9")


def test_all_zero_is_no_energy() -> None:
    trace = replace(steady(5), powers_w=((0.0,) * 5,))
    assert faults(only(read(reader, write(trace))))["zero_energy"].spoils


def test_one_reading_is_no_energy() -> None:
    result = only(read(reader, write(steady(1))))
    assert faults(result)["missing_energy"].spoils
    assert (result.energy_kwh, result.duration_s) == (None, None)


def test_without_times_there_is_no_energy() -> None:
    result = only(read(reader, "index, power.draw [W]\n0, 100.00 W\n0, 101.00 W\n"))
    assert "does not tell at which interval" in faults(result)["missing_energy"].message
    assert result.energy_kwh is None


def test_a_last_line_without_an_end_is_left_out_and_told() -> None:
    whole = write(steady(50))
    result = only(read(reader, whole[: -len("9.00 W\n")]))
    assert faults(result)["missing_energy"].message.startswith("log, line 51: has no end")
    assert result.energy_kwh == pytest.approx(energy_kwh(steady(49)))


def test_a_log_that_was_appended_to_may_repeat_its_header() -> None:
    found = lines(steady())
    result = only(read(reader, text([*found[:8], found[0], *found[8:]])))
    assert result.faults == ()


def test_a_gpu_that_changes_its_name_is_a_contradiction() -> None:
    trace = steady(columns=("timestamp", "index", "name", "power.draw [W]"))
    found = lines(trace)
    found[-1] = found[-1].replace("H100", "A100")
    assert faults(only(read(reader, text(found))))["contradiction"].spoils


def test_the_plain_power_is_read_before_its_averages() -> None:
    found = text(
        ["timestamp, power.draw.instant [W], power.draw.average [W]"]
        + [f"2025/01/31 23:59:{second}.000, 500 W, 100 W" for second in range(30, 41)]
    )
    result = only(read(reader, found))
    assert result.energy_kwh == pytest.approx(1000 / 3.6e6)
    assert result.meter == "nvidia-smi power.draw.average"
    assert result.source.device is None


def test_several_gpus_that_no_column_tells_apart_are_no_one_gpu() -> None:
    trace = steady(gpus=2, columns=("timestamp", "power.draw [W]"))
    result = only(read(reader, write(trace)))
    assert "no column tells which GPU" in faults(result)["contradiction"].message
    assert result.energy_kwh is None
    alone = only(read(reader, write(steady(columns=("timestamp", "power.draw [W]")))))
    assert (alone.faults, alone.source.device) == ((), None)
    assert alone.gpu_count is None
    assert "gpu_count" in alone.unknown


def _in_turn(lateness_ms: tuple[int, ...], powers_w: tuple[float, ...], jitter_ms: int = 0, unlike: int = 1) -> Result:
    """Half a minute of GPUs read every 100 ms, each so late after the first, in a log that does not tell them apart."""
    rows = []
    for moment in range(300):
        for late_ms, power_w in zip(lateness_ms, powers_w, strict=True):
            at_ms = 100 * moment + late_ms + moment * 7 % 5 * jitter_ms
            trace = Trace((at_ms,), ((power_w + moment % 3 * unlike,),), ("timestamp", "power.draw [W]"))
            rows.append(lines(trace)[1])
    return only(read(reader, text(["timestamp, power.draw [W]", *rows])))


@pytest.mark.parametrize(
    ("lateness_ms", "powers_w"),
    [
        ((0, 0), (100.0, 500.0)),
        ((0, 1), (100.0, 500.0)),
        ((0, 20), (100.0, 500.0)),
        ((0, 40), (100.0, 500.0)),
        ((0, 45), (100.0, 100.0)),
        # At an even pace only their powers tell them apart.
        ((0, 50), (100.0, 500.0)),
        ((0, 25, 50), (100.0, 200.0, 300.0)),
        ((0, 22, 44, 66), (100.0, 100.0, 100.0, 100.0)),
        (tuple(range(0, 80, 5)), (100.0,) * 16),
    ],
)
def test_gpus_read_in_turn_at_any_distance_are_no_one_gpu(
    lateness_ms: tuple[int, ...], powers_w: tuple[float, ...]
) -> None:
    result = _in_turn(lateness_ms, powers_w)
    assert "no column tells which GPU" in faults(result)["contradiction"].message
    assert (result.energy_kwh, result.gpu_count) == (None, None)


@pytest.mark.parametrize(("jitter_ms", "unlike"), [(0, 0), (0, 50), (1, 1), (2, 50)])
def test_one_gpu_read_at_a_steady_pace_needs_no_column(jitter_ms: int, unlike: int) -> None:
    result = _in_turn((0,), (100.0,), jitter_ms, unlike)
    assert result.faults == ()
    assert result.energy_kwh is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("timestamp, index, power.draw [W]\n", "log has no readings below its header"),
        (text(lines(steady(header=False, units=False))), "no header line and no unit in its cells"),
        (text([f"{one}, 5.00 W" for one in lines(steady(header=False))]), "2 columns in watts"),
        (
            write(steady(header=False, columns=("timestamp", "temperature.gpu", "power.draw [W]"))),
            "which of its columns tells the GPU cannot be told",
        ),
        (
            text([*lines(steady(2000, header=False)), "2025/02/01 12:00:00.000, 7, 1.00 W"]),
            "line 2001, column 2: expected a",
        ),
        ("timestamp, index, index, power.draw [W]\n", "the column 'index' is there twice"),
        (write(steady()) + b"\xff\n", "line 22: is not UTF-8"),
        (write(steady()).decode().encode("utf-16"), "UTF-16"),
        (write(steady()) + b" " * 70_000, "line 22: longer than"),
        (
            "timestamp, index, power.draw [W]\n"
            + "".join(f"2025/01/31 23:59:30.000, {gpu}, 1.00 W\n" for gpu in range(300)),
            "line 258, column power.draw .W.: more than 256 GPUs",
        ),
    ],
    ids=range(10),
)
def test_what_cannot_be_told_is_refused(content: bytes | str, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(reader, content)


def test_only_its_content_makes_a_log(tmp_path: Path) -> None:
    for name, found in example().items():
        assert reader.recognises(placed(tmp_path, found, "anything"))
        assert not reader.recognises(placed(tmp_path, b"a,b\n1,2\n", name))
        assert not reader.recognises(placed(tmp_path, b"", name))
