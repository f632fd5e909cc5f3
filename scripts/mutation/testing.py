"""mutmut, with the tests collected once: each mutant is a fork of a pytest that has found its tests and run none.

mutmut itself begins pytest anew for each mutant, which takes far longer than the tests of one function do. Here its
server of forks runs inside the loop in which pytest would run the tests, so that a fork has session, fixtures and
modules as pytest made them and runs its own few tests through pytest's own hooks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import pytest
from mutmut import __main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation import mutators
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd
from mutmut.workers.isolation import ForkServerRunner

SERVER_LOG: Final = "server.log"
"""What pytest says where the tests are collected; without tests there is nothing to fork."""
_SURVIVED, _KILLED = 0, 1
"""Exit codes of a mutant's tests as mutmut reads them, pytest's own."""


def mutate(names: Sequence[str], jobs: int) -> None:
    """Change, and test, in the current folder; all that has no result yet where no mutant is named."""
    operators: Any = mutators.mutation_operators
    operators[:] = [(kind, _but_sentences if each is mutators.operator_string else each) for kind, each in operators]
    mutmut_module: Any = mutmut
    mutmut_module.get_mutant_runner = _runner
    mutmut._run(tuple(names), jobs)


def _but_sentences(node: Any) -> Iterable[Any]:
    return () if " " in getattr(node, "value", "") else mutators.operator_string(node)


def _runner(jobs: int = 1) -> ForkServerRunner:
    return _InsidePytest(max_workers=jobs, test_runner_class=_OfSession, test_runner_args={})


class _InsidePytest(ForkServerRunner):
    """The server of forks, as what pytest runs in place of the tests that it has collected."""

    def _forkserver_main(self, work_fd: int, result_fd: int) -> None:
        folder = os.getcwd()
        log = os.open(SERVER_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)

        def serve() -> None:
            os.chdir(folder)
            ForkServerRunner._forkserver_main(self, work_fd, result_fd)

        kept = _Kept(serve)
        with change_cwd("mutants"):
            options = config()
            arguments = [*options.pytest_add_cli_args, *options.pytest_add_cli_args_test_selection]
            code = pytest.main(["--rootdir=.", "-q", "--tb=native", *arguments], plugins=[kept])
        if not kept.served:
            raise RuntimeError(f"pytest collected no tests and ended with code {code}; {SERVER_LOG} has what it said")


class _Kept:
    """A plugin of pytest: keeps the session, and serves in place of the loop over its tests."""

    def __init__(self, serve: Callable[[], None]) -> None:
        self.served = False
        self._serve = serve

    @pytest.hookimpl
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            return True
        self.served = True
        _OfSession.session = session
        self._serve()
        return True


class _OfSession(PytestRunner):
    """Runs the tests of a mutant, in its fork, as pytest's own loop would."""

    session: pytest.Session | None = None
    """The one that the server keeps; None in mutmut's own process, where each run is a pytest of its own."""

    def warm_up(self) -> None:
        """All is there already."""

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """The code of `pytest -x` over these tests, the quickest first."""
        if self.session is None:
            return super().run_tests(mutant_name=mutant_name, tests=tests)
        took_s = state().duration_by_test
        by_name = {item.nodeid: item for item in self.session.items}
        items = [by_name[name] for name in sorted(tests, key=lambda name: took_s.get(name, 0.0))]
        os.chdir("mutants")
        for item, following in zip(items, [*items[1:], None], strict=True):
            self.session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.session.testsfailed:
                return _KILLED
        return _SURVIVED
