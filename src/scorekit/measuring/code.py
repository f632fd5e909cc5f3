"""The energy of any code: meters, locks and a watch around windows that somebody else fills.

Nothing of Hydra, torch or optimum-benchmark is needed, and no run folder is left: the files that meters and probes
write lie in a temporary folder until the evidence has been taken out of them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit.errors import InputError, MissingExtraError, UsageError
from scorekit.measuring import environment, gpu_lock, meters, pacing, power_log
from scorekit.measuring.code_gpus import Users, computing, wait_for_torch
from scorekit.measuring.code_meters import AUTO, EXTRA, gpus_of, is_installed, meters_of
from scorekit.measuring.isolation import Watch
from scorekit.measuring.windows import Counts, Recorder, Span
from scorekit.records import DatasetFacts, Environment, ModelFacts, Phase, RunFacts, Window

PHASE: Final = "call"
"""The phase of windows that hold somebody's code."""
_UNNAMED: Final = "code"
_COUNTRY: Final = "USA"
"""CodeCarbon wants one, for emissions that nobody reads here."""
_GAP_S: Final = 0.2
"""Longest random gap before a window, two ticks of a GPU's counter: see `pacing`."""
_TOLD: Final = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """How some code is to be measured.

    Attributes:
        name: what its user calls it; None for nothing.
        meters: names as in scenario.meters; `auto` for those that this machine has.
        gpus: as in scenario.gpus; None measures none.
        idle_s: length of the idle baselines before and after; 0 for none.
        wait_s: how long to wait for another measurement on this machine.
        synchronize: waits for devices that torch does not know of; None for none.
    """

    name: str | None
    meters: tuple[str, ...]
    gpus: str | tuple[str, ...] | None
    idle_s: float
    wait_s: float
    synchronize: Callable[[], None] | None


_guard = threading.Lock()
_busy: int | None = None
"""Process that measures now; a fork of it does not."""


def _leave_to_parent() -> None:
    """In a forked child: what is measured, and the locks for it, are the parent's."""
    global _guard
    if _busy is not None:
        gpu_lock.forget()
    # Another thread may have held it at the fork, and is not here to give it back.
    _guard = threading.Lock()


os.register_at_fork(after_in_child=_leave_to_parent)


class Session:
    """Meters that run from `open` to `close`, and the windows between.

    Args:
        asked: how to measure.

    Attributes:
        gpu_ids: UUIDs of the GPUs that are measured.
        meter_names: the meters, the most trusted first.
        windows: all windows so far.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._stack = ExitStack()
        self._pid = os.getpid()
        self._current: tuple[AbstractContextManager[Span], Span] | None = None
        self._number = self._spans = 0
        self.gpu_ids: tuple[str, ...] = ()
        self.meter_names: tuple[str, ...] = ()

    @property
    def windows(self) -> list[Window]:
        """All windows so far, idle ones included."""
        return self._recorder.windows

    def counted(self, samples: int) -> list[Window]:
        """The windows with their samples, of which users may tell the number after some have ended.

        Args:
            samples: of one pass; 1 where the pass as a whole is what is counted.
        """
        return [
            window if window.passes is None else window.model_copy(update={"samples": window.passes * samples})
            for window in self.windows
        ]

    @property
    def without_context(self) -> tuple[str, ...]:
        """UUIDs of the GPUs that nobody named and on which no process had a context so far, as far as NVML tells."""
        return self._users.without

    @property
    def is_here(self) -> bool:
        """Whether this process measures; a fork of it does not."""
        return os.getpid() == self._pid

    def open(self) -> None:
        """Lock what is measured, and start the meters.

        Raises:
            UsageError: this process measures already, or a meter or GPU is named that is not there.
            MissingExtraError: a package that measuring needs is not installed.
            HardwareError: the machine cannot be measured, or another measurement holds it for too long.
        """
        if not is_installed("psutil"):
            raise MissingExtraError("psutil", EXTRA)
        with ExitStack() as stack:
            stack.enter_context(_alone())
            self.gpu_ids = gpus_of(self._asked.gpus)
            self.meter_names = meters_of(self._asked.meters, self.gpu_ids)
            locked = self.gpu_ids or (gpu_lock.CPU,)
            stack.enter_context(gpu_lock.held(locked, self._asked.wait_s, (self._asked.name or _UNNAMED)[:_TOLD]))
            self._folder = _temporary_folder()
            stack.callback(shutil.rmtree, self._folder, ignore_errors=True)
            self.states = power_log.StateLog(self.gpu_ids, self._folder, computing=computing)
            self._watch = Watch(os.getpid(), self.gpu_ids, "warn", self._folder, computing=computing)
            # The first failure of several is the one to tell.
            self._active = meters.start(self.meter_names, meters.MeterRequest(self.gpu_ids, _COUNTRY, self._folder))
            stack.callback(self._stop)
            stack.enter_context(self._watch)
            self._recorder = Recorder(self._active, self._folder, self.synchronize)
            self._users = Users(self.gpu_ids if self._asked.gpus == AUTO else ())
            self._pacer = pacing.Pacer(_GAP_S if self.gpu_ids else 0.0, 0.0, list, seed=0)
            self._stack = stack.pop_all()
        try:
            self.states.record("start")
        except BaseException:
            self.abandon()
            raise

    def rest(self) -> None:
        """Measure the idle baseline where one is asked for: before the first window, with all loaded that it uses."""
        self._idle("idle_before")

    def begin(self) -> None:
        """A window begins."""
        assert self._current is None
        self.states.record("repeat", self._number)
        self._pacer.gap()
        # Not by the repeat: CodeCarbon fails where a name comes again, as after a window that was discarded.
        self._spans += 1
        manager = self._recorder.span(f"{PHASE}_window{self._spans}")
        self._current = manager, manager.__enter__()

    def end(self, passes: int) -> None:
        """The window ends, and counts.

        Args:
            passes: passes over the samples in it, each of which is one sample until `counted` is told how many it has.
        """
        span = self._end()
        self._recorder.keep(span, PHASE, self._number, Counts(passes=passes, samples=passes))
        self._number += 1
        self._users.look()

    def discard(self) -> None:
        """The window ends, if there is one, and does not count."""
        if self._current is not None:
            self._end()

    def _end(self) -> Span:
        assert self._current is not None
        (manager, span), self._current = self._current, None
        manager.__exit__(None, None, None)
        return span

    def close(self) -> Path:
        """Measure the idle baseline where one is asked for, and end. `abandon` must follow.

        Returns:
            The folder with gpu_states.jsonl and power.parquet, where there are any.
        """
        self._idle("idle_after")
        self.states.record("end")
        self._watch.stop()
        power_log.write_traces(self._active, self._folder)
        return self._folder

    def abandon(self) -> None:
        """Give everything back: meters, locks, the folder. May be called again."""
        current, self._current = self._current, None
        if current is not None:
            # As after an error of the code: meters are closed, and no device is waited for.
            given_up = UsageError("the window was given up")
            with contextlib.suppress(Exception):
                current[0].__exit__(type(given_up), given_up, None)
        self._stack.close()

    def facts(self, *, samples: int, repeats: int, warmup: int, target_ci: float | None) -> Environment:
        """What is known of the machine, in the form in which checks read it. It is no file: of a model and a dataset
        there is nothing to tell, and no check of these is made.

        Args:
            samples: of one pass.
            repeats: windows asked for.
            warmup: passes before them.
            target_ci: relative half-width at which repeats end.
        """
        return environment.collect(
            RunFacts(
                task=None,
                config_name=_UNNAMED,
                hf_task=_UNNAMED,
                kind=PHASE,
                device="cuda" if self.gpu_ids else "cpu",
                num_samples=samples,
                batch_size=1,
                runs=repeats,
                phases=False,
                seed=0,
                warmup_runs=warmup,
                meters=self.meter_names,
                gpus_by_hand=self._asked.gpus != AUTO,
                gpus_watched=bool(self.gpu_ids),
                target_ci=target_ci,
            ),
            ModelFacts(name=_UNNAMED, local=True, library=_UNNAMED, architecture=_UNNAMED, random_weights=False),
            DatasetFacts(name=_UNNAMED, local=True, split=_UNNAMED, rows=samples, columns=(), fingerprint=_UNNAMED),
            self.gpu_ids,
        )

    def _idle(self, phase: Phase) -> None:
        if self._asked.idle_s > 0:
            pacing.rest(self._recorder, phase, self._asked.idle_s)

    def synchronize(self) -> None:
        """Wait until the devices have finished what was asked of them."""
        wait_for_torch(self.gpu_ids)
        if self._asked.synchronize is not None:
            self._asked.synchronize()

    def _stop(self) -> None:
        for meter in self._active:
            # Neither hides an error of the code nor leaves the others running.
            with contextlib.suppress(Exception):
                meter.stop()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One measurement at a time in a process: each would hold the other's energy."""
    global _busy
    with _guard:
        if _busy == os.getpid():
            raise UsageError(
                "a measurement is under way in this process: another within or beside it would hold its energy, and "
                "it the other's",
                mend="let the first one end before the next begins",
            )
        _busy = os.getpid()
    try:
        yield
    finally:
        _busy = None


def _temporary_folder() -> Path:
    try:
        # Not TemporaryDirectory, which a fork would remove at its own end.
        return Path(tempfile.mkdtemp(prefix="scorekit-"))
    except OSError as error:
        raise InputError(
            f"there is no folder for the meters' files: {error.strerror}",
            mend="TMPDIR=FOLDER names one that can be written to",
        ) from error
