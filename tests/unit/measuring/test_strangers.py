"""Whose a compute process is, where NVML names it by a number that nobody has here."""

from __future__ import annotations

import os

import pytest

from scorekit.measuring import gpus, strangers
from tests.fake_nvml import FakeNvml


@pytest.mark.parametrize(
    ("listed", "own", "maybe", "computing", "others"),
    [
        ({1, 2}, {1}, {2}, 1, 1),
        ({1, 2}, {1}, {2}, None, 1),
        ({1, 2}, {5}, {1, 2}, 1, 1),
        ({1, 2}, {5}, {2}, 1, 1),
        ({1, 2}, {5}, {1, 2}, 0, 2),
        ({1, 2}, {5}, set(), 1, 2),
        (set(), {5}, set(), 1, 0),
        ({1, 2}, {5}, {1, 2}, None, None),
        ({1, 2}, {5}, {2}, None, 1),
        ({1, 2}, {5}, {1, 2}, 2, None),
        ({1, 2, 3}, {5}, {1, 2, 3}, 2, 1),
        ({1}, {5}, {1}, 7, 0),
    ],
)
def test_one_rule_says_how_many_are_others(
    listed: set[int], own: set[int], maybe: set[int], computing: int | None, others: int | None
) -> None:
    assert strangers.count(listed, own, maybe, computing) == others


@pytest.mark.parametrize(
    ("listed", "computing", "foreign"), [(1, 2, 0), (2, 2, None), (3, 2, 1), (1, None, None), (1, 0, 1)]
)
def test_a_servers_own_processes_without_a_number_are_no_strangers(
    fake_nvml_here: FakeNvml, listed: int, computing: int | None, foreign: int | None
) -> None:
    fake_nvml_here.set(processes=[2**22 - 1 - number for number in range(listed)])
    found = gpus.state(fake_nvml_here.uuid(), "start", None, {os.getpid()}, lambda: computing)
    assert found.foreign_processes == foreign
