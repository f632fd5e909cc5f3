"""Words of messages to people."""

from __future__ import annotations

import pytest

from scorekit.messages import counted


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 queries"), (1, "1 query"), (2, "2 queries"), (1000, "1,000 queries")]
)
def test_a_noun_is_singular_for_one_alone(number: int, told: str) -> None:
    assert counted(number, "query", "queries") == told
    assert counted(number, "job") == told.replace("queries", "jobs").replace("query", "job")
