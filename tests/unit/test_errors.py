"""Errors carry what was expected, how to mend it, and the exit code of the command they end."""

from __future__ import annotations

import inspect
import pickle

import pytest

from scorekit import errors

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.ScorekitError) and kind is not errors.ScorekitError
]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_stands_in_the_tree_at_the_top_of_the_module(kind: type[errors.ScorekitError]) -> None:
    lines = [line.split() for line in (errors.__doc__ or "").splitlines() if kind.__name__ in line]
    assert len(lines) == 1
    assert str(kind.exit_code) in lines[0]


def test_text_holds_the_mend() -> None:
    assert str(errors.ModelError("not found", mend="check the name")) == "not found\n  mend: check the name"
    assert str(errors.ModelError("not found")) == "not found"


def test_missing_extra_gives_the_install_line() -> None:
    error = errors.MissingExtraError("torch", "bench")
    assert str(error).endswith('mend: in scorekit\'s checkout: pip install -c constraints.txt -e ".[bench]"')
    assert error.exit_code == errors.EXIT_USAGE


@pytest.mark.parametrize(
    "error", [errors.BundleError("full", mend="free space"), errors.MissingExtraError("torch", "bench")]
)
def test_errors_travel_between_processes(error: errors.ScorekitError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)


def test_nearest_finds_a_slip_and_no_stranger() -> None:
    assert errors.nearest("text_generaton", ["text_generation", "reasoning"]) == "text_generation"
    assert errors.nearest("zzz", ["text_generation", "reasoning"]) is None
