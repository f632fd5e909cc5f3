"""The process of one job on Ray, from what its worker gives it to what goes back.

What to do comes by a pipe, which the worker then keeps open: when that ends, the worker is gone, and the job ends
itself. What became of it goes back by another one.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from pathlib import Path
from typing import Any, Final

from scorekit.errors import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    LauncherError,
    ScorekitError,
    TerminatedError,
    UsageError,
)
from scorekit.sweep import node
from scorekit.sweep.job_process import LENGTH, SAME_EVERYWHERE

_END_WITHIN_S: Final = 60.0
"""A job whose worker is gone stops what it measures, and writes that down, within this time."""


def main(channel: int, answer: int) -> int:
    """Do the job that the worker's pipe tells, and write what became of it to the other one; the exit code."""
    for each in (channel, answer):
        os.set_inheritable(each, False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _terminate)
    # Ray's own processes have it blocked, and hand that down.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        given = _read(channel)
        threading.Thread(target=_end_with_worker, args=(channel,), daemon=True).start()
        result = _tried(given)
        with os.fdopen(answer, "wb") as file:
            file.write(_portable(result))
    except TerminatedError:
        return EXIT_TERMINATED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_DONE


def _tried(given: bytes) -> tuple[bool, Any]:
    try:
        return _do(*pickle.loads(given))  # noqa: S301 - from our own driver
    except ModuleNotFoundError as error:
        return False, LauncherError(f"{error} on {os.uname().nodename}", mend=SAME_EVERYWHERE)
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver tells it
        return False, error


def _do(folder: str, registers: bool, common: bytes, own: bytes) -> tuple[bool, Any]:
    """Run the task function of the driver's Hydra app.

    Args:
        folder: the driver's current folder, from which relative paths are meant.
        registers: register scorekit's configs first, as the driver has.
        common: pickle of what all jobs share.
        own: pickle of the job's config.

    Returns:
        Whether it returned, and what; else what it raised.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.singleton import Singleton
    from hydra.core.utils import JobStatus, run_job, setup_globals

    from scorekit.measuring import configs

    if not Path(folder).is_dir():
        return False, UsageError(
            f"the folder {folder} of the driver is not there on {os.uname().nodename}",
            mend="start the sweep in a folder, and with --runs DIR in one, that all machines of the cluster share",
        )
    os.chdir(folder)
    if registers:
        configs.register()
    hydra_context, task_function, state = pickle.loads(common)  # noqa: S301
    config = pickle.loads(own)  # noqa: S301
    setup_globals()
    Singleton.set_state(state)
    HydraConfig.instance().set_config(config)
    try:
        node.use_own_gpus(config)
        returned = run_job(
            hydra_context=hydra_context,
            task_function=task_function,
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the driver tells it
        return False, error
    return returned.status is JobStatus.COMPLETED, returned._return_value


def _portable(result: tuple[bool, Any]) -> bytes:
    """A result as the driver can take it, which may not have what an error of a library is made of."""
    returned, value = result
    plain: Any
    if returned:
        plain = value if isinstance(value, int | float | str) else None
    else:
        plain = value if isinstance(value, ScorekitError) else RuntimeError(f"{type(value).__name__}: {value}")
    return pickle.dumps((returned, plain))


def _read(channel: int) -> bytes:
    (length,) = LENGTH.unpack(_exactly(channel, LENGTH.size))
    return _exactly(channel, length)


def _exactly(channel: int, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = os.read(channel, min(count, 1 << 20))
        if not part:
            raise TerminatedError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _end_with_worker(channel: int) -> None:
    """Wait, without using the CPU, until the worker's end of the pipe closes."""
    os.read(channel, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    # Whatever holds up the orderly end must not hold the GPU.
    threading.Event().wait(_END_WITHIN_S)
    os._exit(EXIT_TERMINATED)


def _terminate(_signal: int, _frame: Any) -> None:
    raise TerminatedError
