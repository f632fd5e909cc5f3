"""`scorekit.measure`: the energy of a function or of a block, with its uncertainty and checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, overload

from scorekit.api.arguments import (
    check_target,
    count_of,
    gpus_of,
    meters_of,
    name_of,
    samples_of,
    seconds_of,
    task_of,
    waiting_of,
)
from scorekit.api.block import Measuring
from scorekit.api.functions import own_name, pass_of
from scorekit.api.measurement import Measurement
from scorekit.errors import UsageError
from scorekit.measuring.code import Asked
from scorekit.measuring.code_meters import AUTO

WAIT_S: Final = 60.0
"""How long another measurement of this machine is waited for."""


@overload
def measure(
    code: Callable[..., object],
    /,
    *,
    samples: int | None = ...,
    repeats: int = ...,
    warmup: int = ...,
    target_ci: float | None = ...,
    min_window_s: float | None = ...,
    name: str | None = ...,
    task: str | None = ...,
    meters: Sequence[str] | str = ...,
    gpus: str | Sequence[int | str] | None = ...,
    idle_s: float = ...,
    wait_s: float = ...,
    synchronize: Callable[[], None] | None = ...,
) -> Measurement: ...


@overload
def measure(
    *,
    samples: int | None = ...,
    name: str | None = ...,
    task: str | None = ...,
    meters: Sequence[str] | str = ...,
    gpus: str | Sequence[int | str] | None = ...,
    idle_s: float = ...,
    wait_s: float = ...,
    synchronize: Callable[[], None] | None = ...,
) -> Measuring: ...


def measure(
    code: Callable[..., object] | None = None,
    /,
    *,
    samples: int | None = None,
    repeats: int = 5,
    warmup: int = 1,
    target_ci: float | None = None,
    min_window_s: float | None = None,
    name: str | None = None,
    task: str | None = None,
    meters: Sequence[str] | str = AUTO,
    gpus: str | Sequence[int | str] | None = AUTO,
    idle_s: float = 0.0,
    wait_s: float = WAIT_S,
    synchronize: Callable[[], None] | None = None,
) -> Measurement | Measuring:
    """Measure the energy of a function, or of a block:

        found = scorekit.measure(answer_all, samples=100)

        with scorekit.measure(samples=100) as found:
            for _ in found.repeats(5):
                answer_all()

    Without `repeats` the whole block is one window, which tells nothing of the spread between repeats.

    Args:
        code: a function. Without an argument it is called once a pass, and makes all samples; with one, it is called
            with the number of each sample, from 0.
        samples: samples of one pass; None where the pass as a whole is what counts.
        repeats: windows of a function, the most with `target_ci`.
        warmup: passes before them, which are not measured; the last one is timed.
        target_ci: end the repeats, of which there are three at least, as soon as the 95 % interval is this close to
            the mean, e.g. 0.01.
        min_window_s: length that a window of a function is drawn out to by more passes; None for 10 s where a GPU is
            measured, and 1 s elsewhere. Energies are those of one pass.
        name: what it is called; a function's own name where None.
        task: what it does, in a word of your own: what is measured of one task can be rated together.
        meters: names of meters, the most trusted first (docs/meters.md); `auto` for all that this machine has.
        gpus: indices or UUIDs of the GPUs whose energy counts; `auto` for those that CUDA_VISIBLE_DEVICES leaves and
            the code uses, None for none.
        idle_s: length of an idle baseline before and after; 0 measures none. That of a function comes after its
            warm-up, that of a block where it begins, so let it find loaded what the block uses.
        wait_s: how long to wait for another measurement of this machine.
        synchronize: waits for devices that still work; CUDA is waited for where torch uses it.

    Returns:
        The measurement of a function; for a block, what `with` takes.

    Raises:
        UsageError: an argument is none that could be, or a measurement is under way in this process.
        MissingExtraError: a package that measuring needs is not installed.
        HardwareError: a meter or GPU that is named cannot be used, or another measurement of this machine lasts too
            long.
    """
    measuring = Measuring(
        Asked(
            name=name_of(name) or own_name(code),
            meters=meters_of(meters),
            gpus=gpus_of(gpus),
            idle_s=seconds_of("idle_s", idle_s),
            wait_s=seconds_of("wait_s", wait_s),
            synchronize=waiting_of(synchronize),
        ),
        samples=samples_of(samples),
        task=task_of(task),
        whole=code is None,
    )
    if code is None:
        if (repeats, warmup, target_ci, min_window_s) != (5, 1, None, None):
            raise UsageError(
                "repeats, warmup, target_ci and min_window_s are those of a function, and none is given",
                mend="within the block: for _ in found.repeats(5): ...",
            )
        return measuring
    one_pass = pass_of(code, samples)
    repeats, warmup = count_of("repeats", repeats, 1), count_of("warmup", warmup, 0)
    check_target(target_ci, repeats)
    least_s = None if min_window_s is None else seconds_of("min_window_s", min_window_s)
    with measuring:
        measuring.measure_passes(one_pass, repeats, warmup, target_ci, least_s)
    return measuring.measurement
