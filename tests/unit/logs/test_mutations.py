"""The mutator of logs gives the same for the same seed, changes what it is given, and takes whatever it made."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.log_writers import optimum_benchmark_v0
from tests.unit.logs.mutations import mutations

JSON = optimum_benchmark_v0.example()["benchmark_report.json"]
CSV = b"timestamp, index, power.draw [W]\n2025/01/01 00:00:00.000, 0, 71.3 W\n2025/01/01 00:00:01.000, 0, 72.9 W\n"


@pytest.mark.parametrize(("content", "kind"), [(JSON, "json"), (CSV, "csv")])
def test_mutations_follow_from_the_seed(content: bytes, kind: Literal["json", "csv"]) -> None:
    made = [mutations(seed, content, kind) for seed in range(150)]
    assert made == [mutations(seed, content, kind) for seed in range(150)]
    assert sum(one != content for one in made) > 130
    assert len(set(made)) > 100


@pytest.mark.parametrize(("content", "kind"), [(JSON, "json"), (CSV, "csv")])
def test_mutations_of_mutations_can_be_made(content: bytes, kind: Literal["json", "csv"]) -> None:
    for seed in range(150):
        once = mutations(seed, content, kind)
        assert isinstance(mutations(seed + 1, once, kind), bytes)


@pytest.mark.parametrize("kind", ["json", "csv"])
@pytest.mark.parametrize("content", [b"", b"\0", b"{}", b"[]", b"1", b"\xff\xfe\x00", b"a,b\n"])
def test_little_can_be_mutated_too(content: bytes, kind: Literal["json", "csv"]) -> None:
    for seed in range(60):
        assert isinstance(mutations(seed, content, kind), bytes)
