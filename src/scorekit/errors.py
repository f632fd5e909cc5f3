"""Every error that scorekit raises on purpose, and the exit code each one ends a command with.

ScorekitError                  1  something failed that the user can mend; never a bug's traceback
├── UsageError                 2  the command line or a config asks for what cannot be
│   └── MissingExtraError      2  a verb needs an optional dependency that is not installed
├── InputError                 1  a file, model or dataset given to us is missing or not what it should be
│   ├── ModelError             1  the model cannot be found, read or loaded for the task
│   ├── DatasetError           1  the dataset cannot be found, or lacks a column or rows
│   └── LogError               1  a run folder or log cannot be read as what it claims to be
├── HardwareError              1  the machine lacks the device that was asked for
├── LauncherError              1  the measuring process did not start, died, or fell silent
├── BusyError                 75  another process works on it; the same later may do (EX_TEMPFAIL of sysexits.h)
├── PluginError                1  what an installed plugin brings cannot be used
├── ServerError                1  the server that is measured cannot be reached, refuses a query, or died
├── BundleError                1  the run's files cannot be written, or do not match their manifest
├── InvalidRunError            3  measured, but the measurement breaks a rule and is not scored
└── RatingError                1  there is no cohort in which these scores can be rated
KeyboardInterrupt            130  Ctrl-C, as shells count it
└── TerminatedError          143  SIGTERM; no Exception either, so that no library takes it for a failure of its own
"""

from __future__ import annotations

from typing import ClassVar

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INVALID = 3
EXIT_LASTING = 4
"""One job of a plan (scorekit sweep --only-job): it failed, and would fail again wherever it is tried."""
EXIT_BUSY = 75
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141
"""What a shell reports for a program that wrote to a closed pipe (128 + SIGPIPE)."""
EXIT_TERMINATED = 143


class ScorekitError(Exception):
    """Base of all errors that are told to the user without a traceback.

    Args:
        message: what was expected and what was found, in one or two sentences.
        mend: the next thing to do, as a command or a setting; shown on a line of its own.
    """

    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, mend: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return self.message if self.mend is None else f"{self.message}\n  mend: {self.mend}"

    def __reduce__(self) -> tuple[object, ...]:
        # The default reduction would drop `mend`, and errors travel between processes.
        return (_rebuild, (type(self), self.message, self.mend))


def _rebuild(kind: type[ScorekitError], message: str, mend: str | None) -> ScorekitError:
    return kind(message, mend=mend)


class UsageError(ScorekitError):
    """The command line or a config asks for what cannot be."""

    exit_code = EXIT_USAGE


class MissingExtraError(UsageError):
    """A verb needs an optional dependency that is not installed.

    Args:
        package: the import that failed.
        extra: the extra of scorekit that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package '{package}', which is not installed",
            mend=install_line(extra),
        )
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.package, self.extra))


class InputError(ScorekitError):
    """A file, model or dataset given to us is missing or not what it should be."""


class ModelError(InputError):
    """The model cannot be found, read or loaded for the task."""


class DatasetError(InputError):
    """The dataset cannot be found, or lacks a column or rows."""


class LogError(InputError):
    """A run folder or log cannot be read as what it claims to be."""


class HardwareError(ScorekitError):
    """The machine lacks the device that was asked for."""


class LauncherError(ScorekitError):
    """The measuring process did not start, died, or fell silent."""


class BusyError(ScorekitError):
    """Another process works on what was asked for; trying it later may do."""

    exit_code = EXIT_BUSY


class PluginError(ScorekitError):
    """What an installed plugin brings cannot be used: it cannot be loaded, breaks its contract, or failed."""


class ServerError(ScorekitError):
    """The server that is measured cannot be reached, refuses a query, or died."""


class BundleError(ScorekitError):
    """The run's files cannot be written, or do not match their manifest."""


class InvalidRunError(ScorekitError):
    """The run was measured, but breaks a rule of the protocol and is not scored."""

    exit_code = EXIT_INVALID


class RatingError(ScorekitError):
    """There is no cohort in which these scores can be rated."""


class TerminatedError(KeyboardInterrupt):
    """The run was ended by SIGTERM."""

    exit_code: ClassVar[int] = EXIT_TERMINATED


def install_line(extras: str) -> str:
    """How extras are added: until there is a release, from the checkout, as README and the pages of docs say.

    Args:
        extras: one, or several between commas.
    """
    return f'in scorekit\'s checkout: pip install -c constraints.txt -e ".[{extras}]"'


def nearest(name: str, valid: list[str], cutoff: float = 0.5) -> str | None:
    """The valid name most like `name`, or None when nothing is as close as `cutoff` (1: the same)."""
    import difflib

    close = difflib.get_close_matches(name, valid, n=1, cutoff=cutoff)
    return close[0] if close else None
