"""The process launcher: starts the measuring process and sleeps until it reports or dies.

optimum-benchmark's own spins in a loop while it waits, and so burns a core beside the measurement; and when its child
dies at the start, it waits for minutes. This one blocks in the kernel, limits the start, passes signals on, and tells
a dead child's exit code with the last lines of its log.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import multiprocessing
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from scorekit import bundle
from scorekit.errors import LauncherError, ScorekitError, TerminatedError
from scorekit.measuring import bridge, child, gpu_lock, isolation, journal
from scorekit.measuring.settings import ProcessSettings

bridge.apply()

from optimum_benchmark import BenchmarkReport  # noqa: E402
from optimum_benchmark.launchers.base import Launcher  # noqa: E402

LOGGER = logging.getLogger("scorekit")


class ProcessLauncher(Launcher):  # type: ignore[misc]
    """optimum-benchmark's launcher protocol over one spawned process."""

    NAME = "process"

    config: ProcessSettings

    def launch(self, worker: Callable[..., Any], worker_args: list[Any]) -> Any:
        """Run `worker(*worker_args)` in a process of its own and return its report.

        Raises:
            ScorekitError: the one that the worker raised.
            LauncherError: the process did not start, died, or raised something unforeseen.
            KeyboardInterrupt, TerminatedError: after the process was told to stop, and has.
        """
        payload, folder = pickle.dumps((worker, worker_args)), Path.cwd()
        # numactl is put before an executable, and a copy of this process starts none.
        start_method = "spawn" if self.config.numactl else self.config.start_method
        try:
            return _report(self._launched(start_method, payload, folder), folder)
        except _GpuInUseError:
            LOGGER.info("this process has used CUDA already, so the measuring process is started afresh")
            return _report(self._launched("spawn", payload, folder), folder)

    def _launched(self, start_method: str, payload: bytes, folder: Path) -> tuple[str, Any]:
        context: Any = multiprocessing.get_context(start_method)
        parent_end, child_end = context.Pipe()
        process = context.Process(
            target=child.main,
            args=(child_end, payload, str(folder)),
            kwargs={
                # A forked child has a copy of our end, and would never see it close.
                **({"inherited": parent_end} if start_method == "fork" else {}),
                # It may outlive us for a moment, and uses the GPUs until then.
                "locks": gpu_lock.held_here(),
            },
            daemon=False,
        )
        with contextlib.ExitStack() as stack:
            if self.config.numactl:
                stack.enter_context(self.numactl_executable())
            stack.enter_context(_terminable())
            try:
                process.start()
                # The parent keeps no copy of the child's end, so that its death closes the pipe.
                child_end.close()
                self._await_start(process, parent_end, folder)
                watch = stack.enter_context(self._isolation(process.pid, folder))
                message = self._await_report(process, parent_end, folder, watch)
                watch.raise_violation()
            except BaseException as error:
                self._stop(process, signal.SIGTERM if isinstance(error, TerminatedError) else signal.SIGINT)
                raise
            finally:
                parent_end.close()
        return message

    def _isolation(self, pid: int | None, folder: Path) -> isolation.Watch:
        """A watch over the devices in use; one over none where the config asks for none."""
        devices = os.environ.get("CUDA_VISIBLE_DEVICES", "") if self.config.device_isolation else ""
        gpu_ids = tuple(part.strip() for part in devices.split(",") if part.strip())
        assert pid is not None
        return isolation.Watch(pid, gpu_ids, self.config.device_isolation_action or "warn", folder)

    def _await_start(self, process: Any, connection: Connection, folder: Path) -> None:
        in_time = wait([connection, process.sentinel], timeout=self.config.startup_timeout_s)
        if connection.poll():
            with contextlib.suppress(EOFError, OSError):
                kind = connection.recv()[0]
                if kind == child.GPU_IN_USE:
                    process.join(self.config.stop_timeout_s)
                    raise _GpuInUseError
                if kind == child.READY:
                    return
        if not in_time:
            raise LauncherError(
                f"the measuring process did not start within {self.config.startup_timeout_s:g} s",
                mend="launcher.startup_timeout_s=600 on a slow machine; else see the log for where it hangs",
            )
        raise self._died(process, folder)

    def _await_report(
        self, process: Any, connection: Connection, folder: Path, watch: isolation.Watch
    ) -> tuple[str, Any]:
        # Both are waited for: a report may be larger than the pipe, so the child may live until it is read; and a
        # child may die without one.
        wait([connection, process.sentinel])
        message: tuple[str, Any] | None = None
        if connection.poll():
            # An OSError says that it died in the middle of its report.
            with contextlib.suppress(EOFError, OSError):
                message = connection.recv()
        if message is None:
            watch.raise_violation()
            raise self._died(process, folder)
        process.join(self.config.stop_timeout_s)
        if process.is_alive():
            self._stop(process, signal.SIGTERM)
        return message

    def _died(self, process: Any, folder: Path) -> LauncherError:
        """The error for a process whose end of the pipe has closed; the caller stops what is left of it."""
        process.join(self.config.stop_timeout_s)
        code = process.exitcode
        if code is None:
            how = "fell silent"
        elif code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
            how += " (often: out of memory)" if code == -signal.SIGKILL else ""
        else:
            how = f"ended with code {code}"
        lines = "".join(f"\n  | {line}" for line in journal.last_lines(folder))
        return LauncherError(
            f"the measuring process {how} without a report" + (f"; its last log lines:{lines}" if lines else ""),
            mend=f"see {bundle.LOG} in {folder}",
        )

    def _stop(self, process: Any, first: signal.Signals) -> None:
        """Pass the signal on to the process; terminate and kill it if it does not stop in time."""
        if process.pid is None:
            return
        for number in (first, signal.SIGTERM, signal.SIGKILL):
            if not process.is_alive():
                break
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)
            deadline = time.monotonic() + self.config.stop_timeout_s
            while process.is_alive() and time.monotonic() < deadline:
                # Told once more by an impatient person or machine: it is waited for all the same.
                with contextlib.suppress(KeyboardInterrupt, TerminatedError):
                    process.join(max(0.0, deadline - time.monotonic()))
        process.join()


def import_stack() -> None:
    """Import what a measuring process does, so that those that are made as copies of this one (fork) need not."""
    for name in ("optimum_benchmark.backends.pytorch.backend", "scorekit.measuring.scenario"):
        importlib.import_module(name)


class _GpuInUseError(Exception):
    """A forked process cannot use CUDA, because this one has."""


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM raises TerminatedError here, so that the child is stopped too; only the main thread may set this."""

    def raise_terminated(_signal: int, _frame: Any) -> None:
        raise TerminatedError

    try:
        before = signal.signal(signal.SIGTERM, raise_terminated)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report(message: tuple[str, Any], folder: Path) -> Any:
    kind, content = message
    if kind == child.REPORT:
        return BenchmarkReport.from_dict(content)
    if kind == child.INTERRUPTED:
        # Somebody signalled the child itself.
        raise TerminatedError if content == signal.SIGTERM else KeyboardInterrupt
    if isinstance(content, ScorekitError):
        raise content
    last = str(content).strip().splitlines()[-1]
    raise LauncherError(
        f"the measuring process failed: {last}",
        mend=f"see {bundle.LOG} in {folder} for the traceback",
    )
