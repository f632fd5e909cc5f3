"""A block of code that is measured: one window, or one for each round of a loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Final

from scorekit.api.arguments import check_target, count_of, samples_of
from scorekit.api.measurement import Measured, Measurement
from scorekit.api.wording import check_in_python, told_in_python
from scorekit.errors import UsageError
from scorekit.logs.measured_code import Told, evidence_of, measurement_of
from scorekit.measuring import adaptive, pacing
from scorekit.measuring.code import PHASE, Asked, Session
from scorekit.measuring.code_passes import run_passes
from scorekit.records import GpuFacts, Result
from scorekit.uncertainty import LEAST_REPEATS
from scorekit.validity.code import of_used_gpus, without_gpus

_ON_GPU_S: Final = 10.0
_ON_CPU_S: Final = 1.0
"""Length that windows of a function are drawn out to: 100 refreshes of a GPU's counter, one look of CodeCarbon's."""
_NOT_BEGUN: Final = "the block has not begun"
_UNDER_WAY: Final = "the block has not ended"


class Measuring(Measured):
    """A block that is measured. Made by `scorekit.measure()`, and used with `with`, once.

    After the block it has all that its `measurement` has.

    Args:
        asked: how to measure.
        samples: samples of one pass.
        task: what the code does.
        whole: whether the block is one window, as long as it asks for no repeats.
    """

    def __init__(self, asked: Asked, *, samples: int | None, task: str | None, whole: bool = True) -> None:
        self._session = Session(asked)
        self._asked, self._samples, self._task, self._whole = asked, samples, task, whole
        self._state: str | None = _NOT_BEGUN
        self._thread = 0
        self._open = self._in_repeats = False
        self._warmup = 0
        self._target_ci: float | None = None
        self._notes: list[str] = []
        self._measurement: Measurement | None = None

    @property
    def samples(self) -> int | None:
        """Samples of one pass; may be set within the block, where they are known only then."""
        return self._samples

    @samples.setter
    def samples(self, samples: int | None) -> None:
        if self._measurement is not None:
            raise UsageError("the measurement has ended with its samples", mend="set samples within the block")
        samples = samples_of(samples)
        # The energy of a pass is a mean over the repeats, which has no meaning where each makes another number.
        if self._state == _UNDER_WAY and self._samples not in (None, samples) and self._answers():
            raise UsageError(
                f"repeats of {self._samples} samples have ended, and now samples is {samples}",
                mend="let each repeat make the same samples, or measure each number in a block of its own",
            )
        self._samples = samples

    @property
    def measurement(self) -> Measurement:
        """What was measured.

        Raises:
            UsageError: the block has not ended, or did not end well.
        """
        if self._measurement is None:
            raise UsageError(f"there is no measurement: {self._state}", mend="ask for it after the block")
        return self._measurement

    @property
    def result(self) -> Result:
        """The result of the measurement."""
        return self.measurement.result

    def __getattr__(self, name: str) -> Any:
        # Only what a measurement has, and never while this object is being made.
        if name.startswith("_") or not (hasattr(Measurement, name) or name in Measurement.model_fields):
            raise AttributeError(f"a block that is measured has no '{name}'")
        if self._measurement is None:
            raise AttributeError(f"there is no {name}: {self._state}")
        return getattr(self._measurement, name)

    def __enter__(self) -> Measuring:
        if self._state != _NOT_BEGUN:
            raise UsageError("a block is measured once", mend="make another with scorekit.measure()")
        with told_in_python():
            self._session.open()
        self._state, self._thread = _UNDER_WAY, threading.get_ident()
        if self._whole:
            try:
                self._rest()
                self._begin()
            except BaseException:
                self._give_up("it could not begin")
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._session.is_here:
            # In a fork of the process that measures.
            return
        if kind is not None:
            self._give_up(f"the block ended with {kind.__name__}")
            return
        try:
            with told_in_python():
                if self._open and self._in_repeats:
                    self._notes.append(
                        f"the repeats were left within repeat {len(self._answers())}, which is not counted"
                    )
                    self._discard()
                elif self._open:
                    self._end(1)
                self._measurement = self._measured()
        except BaseException:
            self._give_up("it could not end")
            raise
        self._session.abandon()
        self._state = None

    def repeats(self, count: int, *, target_ci: float | None = None) -> Iterator[int]:
        """Measure each round of a loop as a repeat, and nothing else of the block.

        Args:
            count: how many; the most with `target_ci`.
            target_ci: as for `measure`.

        Returns:
            The numbers of the repeats. Leave the loop early with `break`: the round in which that is does not count.

        Raises:
            UsageError: the count is none, or this is not within the block.
        """
        count = count_of("the count of repeats", count, 1)
        check_target(target_ci, count)
        if self._state != _UNDER_WAY or not self._session.is_here:
            raise UsageError("repeats are those of a block that is measured", mend="call it within the block")
        if threading.get_ident() != self._thread:
            raise UsageError("another thread measures this block", mend="call repeats in the thread of the block")
        if self._in_repeats and self._open:
            raise UsageError("a repeat is under way", mend="let it end before the next begins")
        self._discard()
        self._in_repeats, self._target_ci = True, target_ci
        return _Repeats(self, count)

    def measure_passes(
        self,
        one_pass: Callable[[], None],
        repeats: int,
        warmup: int,
        target_ci: float | None,
        least_s: float | None,
    ) -> None:
        """Measure a function, within the block; arguments as for `measure`."""
        if least_s is None:
            least_s = _ON_GPU_S if self._session.gpu_ids else _ON_CPU_S
        pass_s, self._warmup = 0.0, warmup
        for _ in range(warmup):
            begun_s = time.monotonic()
            one_pass()
            self._session.synchronize()
            pass_s = time.monotonic() - begun_s
        # What the function loads, it has loaded by now, and takes its idle power for it.
        self._rest()
        passes = pacing.passes_for(least_s, pass_s)
        self._target_ci = target_ci
        for number in range(repeats):
            if self._is_enough(number):
                break
            self._begin()
            self._end(run_passes(one_pass, passes, least_s, self._session.synchronize))

    def _is_enough(self, made: int) -> bool:
        target = self._target_ci
        if target is None or made < LEAST_REPEATS:
            return False
        session = self._session
        # What was sampled is not at hand yet: a GPU whose work shows in samples alone counts in the figure, not here.
        windows = [*without_gpus(session.windows, session.without_context)]
        return adaptive.why_end(windows, PHASE, target, gpu=bool(session.gpu_ids)) is not None

    def _answers(self) -> list[int]:
        return [window.repeat for window in self._session.windows if window.repeat is not None]

    def _rest(self) -> None:
        with told_in_python():
            self._session.rest()

    def _begin(self) -> None:
        with told_in_python():
            self._session.begin()
        self._open = True

    def _end(self, passes: int) -> None:
        self._open = False
        with told_in_python():
            self._session.end(passes)

    def _discard(self) -> None:
        self._open = False
        self._session.discard()

    def _measured(self) -> Measurement:
        session = self._session
        folder = session.close()
        environment = session.facts(
            samples=self._samples or 1,
            repeats=len(self._answers()) or 1,
            warmup=self._warmup,
            target_ci=self._target_ci,
        )
        windows = session.counted(self._samples or 1)
        evidence = evidence_of(environment, windows, folder, idle_asked=self._asked.idle_s > 0)
        evidence, unused = of_used_gpus(evidence, session.without_context)
        told = Told(self._asked.name, self._task, self._samples, (*self._notes, *_left_out(unused)))
        found = measurement_of(told, evidence, adaptive=self._target_ci is not None)
        return Measurement.of(found.model_copy(update={"checks": tuple(map(check_in_python, found.checks))}))

    def _give_up(self, why: str) -> None:
        self._open, self._state = False, why
        self._session.abandon()

    def __str__(self) -> str:
        return f"no measurement: {self._state}" if self._measurement is None else str(self._measurement)

    def __repr__(self) -> str:
        return f"<Measuring: {self._state}>" if self._measurement is None else repr(self._measurement)


def _left_out(gpus: tuple[GpuFacts, ...]) -> tuple[str, ...]:
    if not gpus:
        return ()
    which = f"GPU {gpus[0].index} is" if len(gpus) == 1 else f"GPUs {', '.join(str(gpu.index) for gpu in gpus)} are"
    return (f"{which} not counted: no process was there, and no work was done; gpus=[...] counts those that it names",)


class _Repeats(Iterator[int]):
    """The rounds of a loop, each a window from where it begins to where the next one would.

    Args:
        measuring: the block.
        count: rounds at most.
    """

    def __init__(self, measuring: Measuring, count: int) -> None:
        self._measuring, self._count, self._number = measuring, count, 0

    def __next__(self) -> int:
        measuring = self._measuring
        if not measuring._session.is_here:
            raise UsageError("the block is measured by the process that this one is a fork of", mend="end this one")
        if measuring._state != _UNDER_WAY:
            raise UsageError("the block that the repeats are of has ended", mend="go through them within the block")
        if measuring._open:
            measuring._end(1)
        if self._number >= self._count or measuring._is_enough(len(measuring._answers())):
            raise StopIteration
        number, self._number = self._number, self._number + 1
        measuring._begin()
        return number
