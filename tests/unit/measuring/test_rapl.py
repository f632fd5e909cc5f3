"""RAPL over a powercap tree made of files: domains, wraps, what cannot be told, and what may not be read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.errors import HardwareError
from scorekit.measuring.meters import MeterDevice
from scorekit.measuring.meters.rapl import UNKNOWN_LIMIT_W, RaplMeter, find_domains
from scorekit.records import MeterReading
from scorekit.units import joules_to_wh

RANGE_J = 1000

started: list[RaplMeter] = []


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    yield
    while started:
        started.pop().stop()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Tree:
    """Powercap as Linux shows it: flat, with a folder a domain."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, zone: str, name: str, *, limit_w: float | None = 10, range_j: float = RANGE_J) -> Path:
        folder = self.root / zone
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{int(range_j * 1e6)}\n")
        (folder / "energy_uj").write_text("0\n")
        if limit_w is not None:
            (folder / "constraint_0_power_limit_uw").write_text(f"{int(limit_w * 1e6 / 2)}\n")
            (folder / "constraint_1_power_limit_uw").write_text(f"{int(limit_w * 1e6)}\n")
        return folder

    def set(self, zone: str, energy_j: float) -> None:
        (self.root / zone / "energy_uj").write_text(f"{round(energy_j * 1e6)}\n")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "powercap")
    made.add("intel-rapl:0", "package-0")
    return made


class Run:
    """A meter on a tree and a clock of the test's own; its thread sleeps for longer than any test."""

    def __init__(self, tree: Tree) -> None:
        self.clock = Clock()
        self.meter = RaplMeter(root=tree.root, clock=self.clock)
        started.append(self.meter)

    def close(self, after_s: float) -> tuple[MeterReading, ...]:
        self.clock.now_s += after_s
        self.meter.close()
        return self.meter.readings()


def test_packages_and_dram_are_read_and_no_part_is_counted_twice(tree: Tree) -> None:
    tree.add("intel-rapl:0:0", "core")
    tree.add("intel-rapl:0:1", "uncore")
    tree.add("intel-rapl:0:2", "dram")
    tree.add("intel-rapl:1", "package-1")
    tree.add("intel-rapl:1:0", "dram")
    tree.add("intel-rapl:2", "psys")
    tree.add("intel-rapl-mmio:0", "package-0")
    run = Run(tree)
    assert run.meter.devices() == (
        MeterDevice("cpu", "package-0"),
        MeterDevice("ram", "dram-0"),
        MeterDevice("cpu", "package-1"),
        MeterDevice("ram", "dram-1"),
    )
    run.meter.open("generate")
    tree.set("intel-rapl:0", 36)
    tree.set("intel-rapl:1:0", 7.2)
    readings = run.close(10)
    assert [reading.energy_wh for reading in readings] == pytest.approx([0.01, 0, 0, 0.002])
    assert {(reading.meter, reading.origin, reading.source) for reading in readings} == {("rapl", "measured", "rapl")}
    assert all(reading.problem is None for reading in readings)


def test_a_wrap_in_the_window_is_undone(tree: Tree) -> None:
    run = Run(tree)
    tree.set("intel-rapl:0", RANGE_J - 20)
    run.meter.open("generate")
    tree.set("intel-rapl:0", 30)
    (reading,) = run.close(10)
    assert reading.energy_wh == pytest.approx(joules_to_wh(50))


def test_many_wraps_are_told_when_the_counter_is_followed(tree: Tree) -> None:
    run = Run(tree)
    run.meter.open("generate")
    for step in range(1, 41):
        run.clock.now_s += 25
        tree.set("intel-rapl:0", 200 * step % RANGE_J)
        run.meter.follow()
    (reading,) = run.close(0)
    assert reading.energy_wh == pytest.approx(joules_to_wh(40 * 200))


def test_a_gap_in_which_the_counter_can_wrap_twice_leaves_no_energy(tree: Tree) -> None:
    run = Run(tree)
    run.meter.open("generate")
    tree.set("intel-rapl:0", 500)
    (reading,) = run.close(101)  # 1,000 J at 10 W are 100 s
    assert reading.energy_wh is None
    assert reading.problem is not None
    assert "not read for 101 s" in reading.problem
    # The next window is not touched by it.
    run.meter.open("generate_repeat1")
    tree.set("intel-rapl:0", 510)
    (reading,) = run.close(1)
    assert reading.energy_wh == pytest.approx(joules_to_wh(10))


def test_a_counter_that_starts_again_is_no_wrap(tree: Tree) -> None:
    run = Run(tree)
    tree.set("intel-rapl:0", 400)
    run.meter.open("generate")
    tree.set("intel-rapl:0", 3)
    (reading,) = run.close(10)
    assert reading.energy_wh is None
    assert "jumped by 603 J in 10.00 s" in str(reading.problem)


def test_a_counter_that_falls_by_more_than_its_range_leaves_no_energy(tree: Tree) -> None:
    run = Run(tree)
    tree.set("intel-rapl:0", 3 * RANGE_J)
    run.meter.open("generate")
    tree.set("intel-rapl:0", 1)
    (reading,) = run.close(10)
    assert reading.energy_wh is None


@pytest.mark.parametrize("when", ["open", "close"])
def test_a_counter_that_is_gone_leaves_no_energy_and_says_why(tree: Tree, when: str) -> None:
    run = Run(tree)
    path = tree.root / "intel-rapl:0" / "energy_uj"
    if when == "open":
        path.unlink()
        run.meter.open("generate")
        tree.set("intel-rapl:0", 1)
    else:
        run.meter.open("generate")
        path.write_text("no number")
    (reading,) = run.close(1)
    assert reading.energy_wh is None
    assert "could not be read" in str(reading.problem)


def test_without_a_limit_a_high_one_is_taken(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "amd")
    tree.add("intel-rapl:0", "package-0", limit_w=None)
    tree.add("intel-rapl:0:0", "dram", limit_w=0)
    assert [domain.limit_w for domain in find_domains(tree.root)] == [UNKNOWN_LIMIT_W, UNKNOWN_LIMIT_W]


def test_no_tree_is_an_error_with_a_mend(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match="there is no RAPL") as caught:
        find_domains(tmp_path)
    assert "scenario.meters=[auto]" in str(caught.value.mend)


def test_no_permission_is_an_error_with_a_mend(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom no mode stops.
    def denied(path: Path, *_: object, **__: object) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return path.read_bytes().decode("ascii")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(HardwareError, match="package-0 may be read by root only") as caught:
        find_domains(tree.root)
    assert "chmod a+r" in str(caught.value.mend)


def test_a_counter_without_a_range_is_refused(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.add("intel-rapl:0", "package-0", range_j=0)
    with pytest.raises(HardwareError, match="no range"):
        find_domains(tree.root)


def test_the_thread_follows_the_counter_and_ends_with_the_meter(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.add("intel-rapl:0", "package-0", range_j=0.04)  # goes round in 4 ms at 10 W: a read every ms
    run = Run(tree)
    run.meter.open("generate")
    followed = threading.Event()
    tally = run.meter._tallies[0]
    add = tally.add
    tally.add = lambda now_s, counter_uj: (add(now_s, counter_uj), followed.set())  # type: ignore[method-assign, assignment]
    assert followed.wait(timeout=60)
    run.meter.stop()
    assert not run.meter._thread.is_alive()
