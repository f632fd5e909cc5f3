"""scorekit.measure over a meter whose energy is known: functions, blocks, and all that goes wrong in them."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import scorekit
from scorekit.errors import HardwareError, MissingExtraError, UsageError, install_line
from scorekit.measuring import code_meters, meters, pacing
from tests.purse import Purse


def taking(purse: Purse, energy_wh: float) -> Callable[[], None]:
    return lambda: purse.take(energy_wh)


def test_the_energy_is_that_of_one_pass(purse: Purse) -> None:
    calls: list[None] = []

    def answer_all() -> None:
        calls.append(None)
        purse.take(0.2)

    found = scorekit.measure(answer_all, samples=100, repeats=4, warmup=2, min_window_s=0)
    assert len(calls) == 2 + 4
    assert found.energy_wh == pytest.approx(0.3)
    assert found.wh_per_1000_samples == pytest.approx(3.0)
    assert (found.name, found.samples, found.domain, found.origin) == ("answer_all", 100, "cpu+ram", "modelled")
    assert {device.component: device.energy_wh for device in found.devices} == pytest.approx({"cpu": 0.2, "ram": 0.1})
    assert [(repeat.repeat, repeat.passes) for repeat in found.windows] == [(0, 1), (1, 1), (2, 1), (3, 1)]
    assert found.meters == ("codecarbon",)
    assert found.valid
    assert found.uncertainty is not None
    assert found.uncertainty.combined_95_percent == pytest.approx(0, abs=1e-6)


def test_a_function_of_a_number_is_called_for_each_sample(purse: Purse) -> None:
    seen: list[int] = []

    def answer(number: int, *, loudly: bool = False) -> None:
        seen.append(number)
        purse.take(0.1)

    found = scorekit.measure(answer, samples=3, repeats=2, warmup=0, min_window_s=0)
    assert seen == [0, 1, 2] * 2
    assert found.energy_wh == pytest.approx(0.45)
    assert found.wh_per_1000_samples == pytest.approx(150)


def test_a_window_is_drawn_out_by_passes_that_the_energy_is_divided_by(purse: Purse) -> None:
    found = scorekit.measure(taking(purse, 0.2), repeats=2, min_window_s=0.02)
    assert all(window.duration_s >= 0.02 for window in found.windows)
    assert [repeat.energy_wh for repeat in found.windows] == pytest.approx([0.3, 0.3])
    assert found.name is None
    assert found.wh_per_1000_samples is None
    assert "nobody told how many samples" in str(found.result.refused)


def test_energies_that_differ_make_an_interval(purse: Purse) -> None:
    amounts = iter([0.2, 0.22, 0.18, 0.2])
    found = scorekit.measure(lambda: purse.take(next(amounts)), samples=10, repeats=4, warmup=0, min_window_s=0)
    assert found.energy_wh == pytest.approx(0.3)
    assert found.interval_95_wh is not None
    low, high = found.interval_95_wh
    # Student's t for three degrees of freedom, 3.182, over a standard deviation of 0.0245 Wh.
    assert (low, high) == pytest.approx((0.3 - 0.03897, 0.3 + 0.03897), rel=1e-3)
    assert found.uncertainty is not None
    assert found.uncertainty.interval_95_wh_per_1000 == pytest.approx((100 * low, 100 * high))
    assert {term.name for term in found.uncertainty.terms} == {"repeats", "tick", "aliasing", "sampling", "board_gain"}


def test_repeats_end_when_the_interval_is_as_wanted(purse: Purse) -> None:
    steady = scorekit.measure(taking(purse, 0.2), repeats=30, target_ci=0.01, min_window_s=0)
    assert len(steady.windows) == 3
    amounts = iter([0.1, 0.3] * 5)
    wild = scorekit.measure(lambda: purse.take(next(amounts)), repeats=5, warmup=0, target_ci=0.01, min_window_s=0)
    assert len(wild.windows) == 5


def test_a_block_is_one_window_and_says_that_it_knows_no_spread(purse: Purse) -> None:
    with scorekit.measure(samples=100, name="block") as found:
        purse.take(0.2)
    purse.take(5)
    assert found.energy_wh == pytest.approx(0.3)
    assert found.measurement.interval_95_wh is None
    assert len(found.windows) == 1
    assert found.uncertainty.half_width_95_percent is None
    assert "no spread between repeats" in str(found)
    spread = next(check for check in found.checks if check.name == "repeats_agree")
    assert spread.passed is False
    assert "repeats=10" in spread.message
    assert found.valid


def test_rounds_of_a_loop_are_repeats_and_the_rest_of_the_block_is_not_counted(purse: Purse) -> None:
    with scorekit.measure(samples=10) as found:
        purse.take(7)
        numbers = []
        for number in found.repeats(2):
            numbers.append(number)
            purse.take(0.2)
        purse.take(7)
        for number in found.repeats(1):
            numbers.append(number)
            purse.take(0.2)
    assert numbers == [0, 1, 0]
    assert [repeat.energy_wh for repeat in found.windows] == pytest.approx([0.3] * 3)
    assert found.notes == ()


def test_a_loop_that_is_left_drops_its_last_round_and_says_so(purse: Purse) -> None:
    with scorekit.measure() as found:
        for number in found.repeats(5):
            purse.take(0.2)
            if number == 2:
                break
            continue
    assert [repeat.energy_wh for repeat in found.windows] == pytest.approx([0.3, 0.3])
    assert "left within repeat 2" in found.notes[0]


def test_a_loop_may_end_at_an_interval(purse: Purse) -> None:
    with scorekit.measure() as found:
        for _ in found.repeats(20, target_ci=0.01):
            purse.take(0.2)
    assert len(found.windows) == 3


def test_samples_may_be_known_at_the_end_only(purse: Purse) -> None:
    with scorekit.measure() as found:
        purse.take(0.2)
        found.samples = 200
    assert found.wh_per_1000_samples == pytest.approx(1.5)
    with pytest.raises(UsageError, match="ended with its samples"):
        found.samples = 3


def test_repeats_of_other_samples_are_refused(purse: Purse) -> None:
    with scorekit.measure() as found:
        for number in found.repeats(2):
            purse.take(0.2)
            found.samples = 200
            if number == 1:
                with pytest.raises(UsageError, match="repeats of 200 samples have ended, and now samples is 100"):
                    found.samples = 100
    assert found.wh_per_1000_samples == pytest.approx(1.5)


def test_repeats_end_with_their_block(purse: Purse) -> None:
    with scorekit.measure() as found:
        rounds = found.repeats(3)
        next(rounds)
    with pytest.raises(UsageError, match="has ended"):
        next(rounds)


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
@pytest.mark.parametrize("form", ["function", "block", "loop"])
def test_an_error_of_the_code_goes_on_and_nothing_is_kept(purse: Purse, error: BaseException, form: str) -> None:
    def fail() -> None:
        raise error

    def measure() -> None:
        if form == "function":
            scorekit.measure(fail, warmup=0)
        else:
            with block:
                for _ in block.repeats(2) if form == "loop" else [0]:
                    fail()

    block = scorekit.measure()
    with pytest.raises(type(error)) as raised:
        measure()
    assert raised.value is error
    if form != "function":
        with pytest.raises(UsageError, match=f"the block ended with {type(error).__name__}"):
            _ = block.measurement
        assert "ended with" in repr(block)
    # The locks and the meters are free again.
    assert scorekit.measure(taking(purse, 0.2), repeats=1, min_window_s=0).energy_wh == pytest.approx(0.3)


def test_one_measurement_at_a_time_in_a_process(purse: Purse) -> None:
    def beside() -> None:
        with pytest.raises(UsageError, match="under way in this process"):
            scorekit.measure(taking(purse, 1))
        told.append("refused")

    told: list[str] = []
    with scorekit.measure() as found:
        beside()
        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()
        purse.take(0.2)
    assert told == ["refused", "refused"]
    assert found.energy_wh == pytest.approx(0.3)


def test_another_measurement_on_the_machine_is_waited_for(purse: Purse) -> None:
    from scorekit.measuring import gpu_lock

    # A lock of the kernel's is another's as soon as the file was opened for itself.
    with gpu_lock.held([gpu_lock.CPU], 0, "another's"):
        holders = dict(gpu_lock._HELD)
        gpu_lock._HELD.clear()
        with pytest.raises(HardwareError, match=r"in use by another.*another's") as raised:
            scorekit.measure(taking(purse, 0.2), wait_s=0)
        gpu_lock._HELD.update(holders)
    assert "wait_s=" in str(raised.value)
    assert "launcher" not in str(raised.value)


def test_a_fork_leaves_the_measurement_to_its_parent(purse: Purse) -> None:
    with scorekit.measure() as found:
        for _ in found.repeats(2):
            purse.take(0.2)
            child = os.fork()
            if child == 0:
                code_of_child = 1
                try:
                    found.__exit__(None, None, None)
                    scorekit.measure(lambda: None, wait_s=0)
                except HardwareError:
                    # The lock is the parent's, in the child too.
                    code_of_child = 0
                finally:
                    os._exit(code_of_child)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [repeat.energy_wh for repeat in found.windows] == pytest.approx([0.3, 0.3])


def test_it_works_while_an_event_loop_runs(purse: Purse) -> None:
    async def cell() -> float | None:
        with scorekit.measure() as found:
            await asyncio.sleep(0)
            purse.take(0.2)
        return found.measurement.energy_wh

    told: list[float | None] = []
    # A loop of its own thread: another test's may run in this one.
    thread = threading.Thread(target=lambda: told.append(asyncio.new_event_loop().run_until_complete(cell())))
    thread.start()
    thread.join()
    assert told == [pytest.approx(0.3)]


@pytest.mark.parametrize(("energy_wh", "why"), [(0.0, "zero"), (-1.0, "negative"), (float("nan"), "not a number")])
def test_an_energy_that_cannot_be_true_is_none_and_not_valid(purse: Purse, energy_wh: float, why: str) -> None:
    found = scorekit.measure(taking(purse, energy_wh), samples=10, repeats=1, warmup=0, min_window_s=0)
    assert found.energy_wh is None
    assert found.wh_per_1000_samples is None
    assert not found.valid
    assert why in str(found.refused)
    assert "no energy" in repr(found)
    assert found.result.refused == found.refused
    assert scorekit.rate(found, edition="local")[0].stars is None


def test_a_loop_without_rounds_measures_nothing_and_says_so(purse: Purse) -> None:
    with scorekit.measure() as found:
        found.repeats(3)
    assert found.energy_wh is None
    assert "no window ended" in found.refused
    assert not found.valid


def test_an_idle_baseline_stands_beside_the_energy(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    # The idle baseline sleeps; here each second of it takes 36 J of the CPU and 18 J of RAM.
    def idle(idle_s: float) -> None:
        purse.take(0.01 * idle_s)
        time.sleep(0.01)

    monkeypatch.setattr(pacing, "time", SimpleNamespace(sleep=idle))
    found = scorekit.measure(taking(purse, 5.0), repeats=2, warmup=0, min_window_s=0, idle_s=1)
    assert found.idle_power_w is not None
    assert found.energy_wh == pytest.approx(7.5)
    assert found.energy_net_wh is not None
    assert 0 < found.energy_net_wh < 7.5
    assert "idle power" in str(found)


def test_torch_and_others_are_waited_for(purse: Purse) -> None:
    asked: list[str] = []
    with scorekit.measure(synchronize=lambda: asked.append("wait")):
        purse.take(0.2)
        asked.append("done")
    assert asked == ["wait", "done", "wait"]


class Odd:
    def __call__(self, one: int, two: int) -> None: ...


async def coroutine() -> None: ...


def generator() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("give", "why"),
    [
        (lambda: scorekit.measure(3), "expected a function"),  # type: ignore[call-overload]
        (lambda: scorekit.measure(Odd(), samples=3), "wants 2 arguments"),
        (lambda: scorekit.measure(lambda *, one: one), "arguments by name"),
        (lambda: scorekit.measure(coroutine), "only makes a coroutine"),
        (lambda: scorekit.measure(functools.partial(coroutine)), "only makes a coroutine"),
        (lambda: scorekit.measure(generator), "generator"),
        (lambda: scorekit.measure(lambda: coroutine(), warmup=0), "something to await"),
        (lambda: scorekit.measure(lambda: generator(), warmup=0), "gave a generator"),
        (lambda: scorekit.measure(lambda number: number), "samples does not tell"),
        (lambda: scorekit.measure(print, samples=0), "samples is 0"),
        (lambda: scorekit.measure(samples=-1), "samples is -1"),
        (lambda: scorekit.measure(samples=1.5), "samples is 1.5"),  # type: ignore[call-overload]
        (lambda: scorekit.measure(samples=True), "samples is True"),
        (lambda: scorekit.measure(print, repeats=0), "repeats is 0"),
        (lambda: scorekit.measure(print, warmup=-1), "warmup is -1"),
        (lambda: scorekit.measure(print, min_window_s=-1), "min_window_s=-1 is no time"),
        (lambda: scorekit.measure(print, idle_s=float("nan")), "idle_s=nan is no time"),
        (lambda: scorekit.measure(wait_s=float("inf")), "wait_s=inf is no time"),
        (lambda: scorekit.measure(print, target_ci=1), "target_ci=1 is no relative"),
        (lambda: scorekit.measure(print, target_ci=0.01, repeats=2), "needs 3 repeats"),
        (lambda: scorekit.measure(repeats=3), "those of a function"),  # type: ignore[call-overload]
        (lambda: scorekit.measure(name=" "), "names nothing"),
        (lambda: scorekit.measure(name="a\nb"), "names nothing"),
        (lambda: scorekit.measure(task="text_generation"), "a task of the protocol"),
        (lambda: scorekit.measure(task="No word"), "no word for a task"),
        (lambda: scorekit.measure(meters=[]), "names no meters"),
        (lambda: scorekit.measure(print, meters="nvlm"), "no meter 'nvlm'"),
        (lambda: scorekit.measure(print, meters=["nvml"]), "no GPU to measure"),
        (lambda: scorekit.measure(print, meters="replay"), "measures nothing"),
        (lambda: scorekit.measure(gpus=True), "names no GPUs"),  # type: ignore[call-overload]
        (lambda: scorekit.measure(gpus=[1.5]), "names no GPUs"),  # type: ignore[call-overload]
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_told_with_its_mend(purse: Purse, give: Callable[[], Any], why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        give()
    assert raised.value.mend
    for word in ("scenario.", "backend.", "launcher."):
        assert word not in str(raised.value)


def test_a_block_is_used_once_and_in_order(purse: Purse) -> None:
    found = scorekit.measure()
    with pytest.raises(UsageError, match="has not begun"):
        _ = found.measurement
    with pytest.raises(AttributeError, match="no energy_wh: the block has not begun"):
        _ = found.energy_wh
    with pytest.raises(AttributeError, match="has no 'energy'"):
        _ = found.energy
    with pytest.raises(UsageError, match="call it within the block"):
        found.repeats(3)
    with found:
        assert "has not ended" in repr(found)
        with pytest.raises(UsageError, match="count of repeats is 0"):
            found.repeats(0)
        for _ in found.repeats(1):
            purse.take(0.2)
            with pytest.raises(UsageError, match="a repeat is under way"):
                found.repeats(2)
    with pytest.raises(UsageError, match="measured once"), found:
        pass
    assert found.energy_wh == pytest.approx(0.3)


def test_a_package_that_is_missing_is_told_with_its_pip_line(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_meters, "is_installed", lambda package: package != "codecarbon")
    for names in ("auto", ["codecarbon"]):
        with pytest.raises(MissingExtraError) as raised:
            scorekit.measure(taking(purse, 0.2), meters=names)
        assert raised.value.mend == install_line("measure")


def test_a_meter_that_fails_stops_the_others(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> Any:
        raise HardwareError("it is broken", mend="leave it out: scenario.meters=[codecarbon]")

    monkeypatch.setitem(meters._FACTORIES, "rapl", fail)
    with pytest.raises(HardwareError, match="it is broken") as raised:
        scorekit.measure(taking(purse, 0.2), meters=["codecarbon", "rapl"])
    assert raised.value.mend == 'leave it out: meters=["codecarbon"]'
