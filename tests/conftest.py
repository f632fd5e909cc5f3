"""What all tests share: the strict mode, in which a test that should have run must not be skipped."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.e2e import commands

pytest_plugins = ("tests.fake_nvml.fixtures",)

# A shell starts what it puts in the background with Ctrl-C ignored, and so would every process that a test starts be.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A run of the tests is the same each time. SCOREKIT_FUZZ=1 draws new examples, to find what nobody thought of.
# Without a deadline: no test may fail for the machine being busy.
hypothesis.settings.register_profile("same", derandomize=os.environ.get("SCOREKIT_FUZZ") != "1", deadline=None)
hypothesis.settings.load_profile("same")

NOT_APPLICABLE = "not applicable: "
"""A skip whose reason begins so could run nowhere on such a machine (data that is not ours, another library)."""


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for as long as the run of the tests, which the workers of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    # A worker's base lies inside the one of the whole run.
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _stems(shared_folder: Path) -> Iterator[None]:
    with commands.stems(shared_folder):
        yield


@pytest.fixture(autouse=True)
def handlers_end_with_their_streams() -> Generator[None]:
    """Hydra gives loggers handlers that write to a test's captured stdout, which is closed with the test."""
    yield
    for logger in (logging.root, *logging.root.manager.loggerDict.values()):
        for handler in tuple(getattr(logger, "handlers", ())):
            if getattr(getattr(handler, "stream", None), "closed", False):
                logger.removeHandler(handler)  # type: ignore[union-attr]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With SCOREKIT_STRICT=1, turn a skip into a failure unless its reason says that it is not applicable."""
    report = yield
    if report.skipped and os.environ.get("SCOREKIT_STRICT") == "1" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NOT_APPLICABLE not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped in strict mode, where all must run: {reason}"
    return report
