"""The accuracy benchmark's own arithmetic, and that it runs: few and short windows, wide bounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from benchmarks.accuracy import observations, runs
from benchmarks.accuracy.observations import Cell, Observation, faults
from benchmarks.accuracy.rows import AFTER_S, BEFORE_S, ROWS, Expect, row

from tests.fake_nvml import FakeNvml, NoCompilerError, build


def cell(*errors: float, none: int = 0) -> Cell:
    return Cell(errors, ("lost",) * none)


def test_an_error_is_relative_to_the_exact_energy_and_none_without_a_number() -> None:
    assert Observation("constant", 2, "zeus", 4.0, 3.0).error_percent == -25
    assert Observation("constant", 2, "zeus", 4.0, 0.0).error_percent == -100
    assert Observation("constant", 2, "zeus", 4.0, None, "lost").error_percent is None
    assert Observation("constant", 2, "zeus", None, 3.0).error_percent is None


def test_a_cell_keeps_mean_worst_and_refusals() -> None:
    seen = [Observation("constant", 2, "zeus", 100.0, energy) for energy in (99.0, 102.0, None)]
    found = Cell.of(seen)
    assert (found.mean, found.worst) == pytest.approx((1.5, 2.0))
    assert found.problems == ("no number",)
    assert (cell().mean, cell().worst) == (None, None)


@pytest.mark.parametrize(
    ("expect", "ours", "others", "found"),
    [
        ("number", cell(0.4, -0.4), cell(0.6), []),
        ("number", cell(0.4, -0.6), cell(0.6), ["worst error 0.6 % is above 0.5 %"]),
        ("number", cell(0.1, none=2), cell(0.6), ["no number in 2 windows: lost"]),
        ("number", cell(0.14), cell(0.1), []),
        ("number", cell(0.16), cell(0.1), ["mean error 0.16 % is not as close as 0.1 %"]),
        ("number", cell(0.16), cell(none=3), []),
        ("refusal", cell(none=3), cell(0.0), []),
        ("refusal", cell(0.0, none=2), cell(0.0), ["1 of 3 windows have a number"]),
        ("either", cell(0.1, none=2), cell(3.0), []),
        ("either", cell(none=2), cell(3.0), []),
        ("either", cell(5.0), cell(99.0), ["worst error 5 % is above 0.5 %"]),
    ],
)
def test_what_scorekit_must_do(expect: Expect, ours: Cell, others: Cell, found: list[str]) -> None:
    assert faults(expect, {"scorekit": ours, "zeus": others}, 0.5) == found


def test_closeness_is_judged_only_where_it_is_asked_for() -> None:
    cells = {"scorekit": cell(0.4), "zeus": cell(0.1)}
    assert faults("number", cells, 0.5, compare=False) == []
    assert faults("number", cells, 0.5) != []


def test_the_table_has_a_line_for_each_row_and_length_with_every_meter() -> None:
    seen = [
        Observation(key, window_s, tool, 100.0, energy, None if energy else "counter went backwards")
        for key, energy in (("reset", None), ("constant", 100.1))
        for window_s in (10.0, 2.0)
        for tool in ("scorekit", "codecarbon")
    ]
    made = observations.lines(seen)
    assert [(line.row, line.window_s, line.verdict) for line in made] == [
        ("constant", 2.0, "yes"),
        ("constant", 10.0, "yes"),
        ("reset", 2.0, "yes"),
        ("reset", 10.0, "yes"),
    ]
    lines = observations.table(made).splitlines()
    assert len(lines) == 6
    assert "0.1 / 0.1" in lines[2]
    assert "no number" in lines[4]


@pytest.mark.parametrize("key", [one.key for one in ROWS])
def test_a_trace_covers_its_window_and_never_runs_backwards(key: str) -> None:
    points = row(key).trace(100.0, 110.0, random.Random(3))
    times = [at for at, _ in points]
    assert times == sorted(times)
    # It may begin up to a period late, with what was before.
    assert 100.0 - BEFORE_S <= times[0] < 101.0
    assert times[-1] >= 110.0 + AFTER_S - 1
    assert all(80 <= watts <= 700 for _, watts in points)


def test_faults_fall_into_the_window() -> None:
    for key in ("reset", "frozen"):
        (at,) = row(key).faults(100.0, 102.0).values()
        assert 100.0 < at < 102.0


@pytest.fixture
def compiled() -> None:
    try:
        build()
    except NoCompilerError as error:
        pytest.skip(str(error))


def test_the_fake_holds_what_a_row_asks_for(compiled: None, tmp_path: Path) -> None:
    from benchmarks.accuracy.worker import fake_for

    fake = fake_for(row("two_gpus"), tmp_path)
    assert fake.count == 2
    assert isinstance(fake, FakeNvml)
    assert fake.energy_wh(0, fake.t0, fake.t0 + 36) == pytest.approx(3.0)
    assert fake.energy_wh(1, fake.t0, fake.t0 + 36) == pytest.approx(2.0)


def test_windows_are_observed_by_processes_of_their_own(compiled: None) -> None:
    seen = runs.observe(["ramp", "reset"], [1.0], ["scorekit", "codecarbon"], None, 7, lambda _: None)
    found = {(one.row, one.tool): one for one in seen}
    assert set(found) == {(row, tool) for row in ("ramp", "reset") for tool in ("scorekit", "codecarbon")}
    ramp = found["ramp", "scorekit"]
    # Wide: a busy machine may keep the meter from its ticks, which it then says.
    assert ramp.problem is not None or abs(ramp.error_percent or 99.0) < 10
    assert found["reset", "scorekit"].energy_wh is None
    assert found["reset", "scorekit"].problem
    # The ramp rises from about 150 W to 250 W in this second.
    assert 0.03 < (ramp.exact_wh or 0.0) < 0.2
