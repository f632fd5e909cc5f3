"""What the functions of the Python API are given and cannot take: one plain line each, in the words of Python."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Any

import pytest

import scorekit
from scorekit import cli
from scorekit.errors import InvalidRunError, ScorekitError, UsageError
from tests.bundles import official_score
from tests.unit.api.conftest import Purse

MIX = "ai-energy-score"
"""One that needs no package."""


class Lazy(Iterator[int]):
    def __next__(self) -> int:
        raise AssertionError("nobody asked for an item")


class Shy:
    """Makes up each attribute that is asked for, as mocks do."""

    def __getattr__(self, name: str) -> Any:
        return lambda: None


def pending() -> Future[int]:
    return Future()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: map(str, [1]), r"an iterator \(map\)"),
        (lambda: filter(None, [1]), r"an iterator \(filter\)"),
        (lambda: iter([1]), r"an iterator \(list_iterator\)"),
        (lambda: Lazy(), r"an iterator \(Lazy\)"),
        (pending, "a future"),
        (lambda: [pending(), pending()], "futures"),
        (lambda: (pending(),), "futures"),
        (lambda: AsyncResult.__new__(AsyncResult), "a future"),
    ],
)
def test_work_that_is_still_to_come_is_not_measured(purse: Purse, made: Callable[[], object], why: str) -> None:
    with pytest.raises(UsageError, match=f"gave {why}, and has not done its work") as raised:
        scorekit.measure(lambda: made(), warmup=0)
    assert ".result()" in str(raised.value.mend)
    # Of each sample, too.
    with pytest.raises(UsageError, match=why):
        scorekit.measure(lambda _: made(), samples=1, warmup=0)


def test_a_future_of_asyncio_is_one_to_await(purse: Purse) -> None:
    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(UsageError, match="something to await"):
            scorekit.measure(lambda: loop.create_future(), warmup=0)
    finally:
        loop.close()


@pytest.mark.parametrize(
    "made", [None, [1, 2], (), [], range(3), {"a": 1}, io.StringIO("text"), Shy(), [Shy()], "text"]
)
def test_what_is_done_is_measured(purse: Purse, made: object) -> None:
    def one_pass() -> object:
        purse.take(0.2)
        return made

    assert scorekit.measure(one_pass, repeats=1, warmup=0, min_window_s=0).energy_wh == pytest.approx(0.3)


GIVEN: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: scorekit.measure(meters=None), "meters=None names no meters", 'meters=["auto"]'),  # type: ignore[call-overload]
    (lambda: scorekit.measure(print, meters=5), "meters=5 names no meters", 'meters=["auto"]'),  # type: ignore[call-overload]
    (lambda: scorekit.measure(synchronize=3), "synchronize=3 is no function", "without brackets"),  # type: ignore[call-overload]
    (lambda: scorekit.measure(print, idle_s="5"), "idle_s='5' is no number", "idle_s=10"),  # type: ignore[call-overload]
    (lambda: scorekit.measure(print, wait_s=10**400), "wait_s=10+ is no number", "wait_s=10"),
    (lambda: scorekit.impact(35, zone=None), "zone=None is no text", 'zone="FRA"'),  # type: ignore[arg-type]
    (lambda: scorekit.impact(35, zone=33), "zone=33 is no text", "WOR is the world"),  # type: ignore[arg-type]
    (lambda: scorekit.impact(35, zone="FRA", mix=5), "mix=5 is no text", f'mix="{MIX}"'),  # type: ignore[arg-type]
    (lambda: scorekit.impact(35, zone="FRA", mix=MIX, pue="1.2"), "pue='1.2' is no number", "pue=1.2"),  # type: ignore[arg-type]
    (lambda: scorekit.impact(35, zone="FRA", mix=MIX, pue=True), "pue=True is no number", "pue=1.2"),
    (
        lambda: scorekit.impact(35, zone="FRA", mix=MIX, site_water_l_per_kwh="1"),  # type: ignore[arg-type]
        "site_water_l_per_kwh='1' is no number",
        "site_water_l_per_kwh=1.8",
    ),
    (
        lambda: scorekit.impact(official_score(), zone="FRA", mix=MIX, queries="5"),  # type: ignore[arg-type]
        "queries='5' is no number",
        "queries=1000",
    ),
    (
        lambda: scorekit.impact(35, zone="FRA", mix=MIX, added_wh={"gpux": 1}),  # type: ignore[dict-item]
        "added_wh has 'gpux', which is no part",
        "parts are cpu, ram, network, storage",
    ),
    (
        lambda: scorekit.impact(35, zone="FRA", mix=MIX, added_wh={"cpu": "1"}),  # type: ignore[dict-item]
        "added_wh of cpu='1' is no number",
        'added_wh={"cpu": 5}',
    ),
    (lambda: scorekit.impact(35, zone="FRA", mix=MIX, added_wh=5), "added_wh=5 does not tell parts", '{"cpu": 5}'),  # type: ignore[arg-type]
    (lambda: scorekit.impact(10**400, zone="FRA", mix=MIX), "energy=10+ is no number", "scorekit.impact(35"),
    (lambda: scorekit.rate("runs", folder=None), "a folder of editions, found a NoneType", 'folder="editions"'),  # type: ignore[arg-type]
    (lambda: scorekit.rate("runs", edition=5), "edition=5 is no text", 'edition="local"'),  # type: ignore[arg-type]
    (lambda: scorekit.rate("runs", rule=5), "rule=5 is no text", 'rule="equal_width"'),  # type: ignore[arg-type]
    (lambda: scorekit.rate(3), "results, scores, measurements or paths, found a int", 'scorekit.rate("runs")'),  # type: ignore[arg-type]
    (lambda: scorekit.rate([None]), "found a NoneType", "several in one list"),  # type: ignore[list-item]
    (lambda: scorekit.load(3), "expected paths, found a int", 'scorekit.load("runs")'),  # type: ignore[arg-type]
    (lambda: scorekit.load(["runs"]), "expected paths, found a list", "scorekit.load(*paths)"),  # type: ignore[arg-type]
    (lambda: scorekit.Measurement.read(3), "expected a path, found a int", "as a text"),  # type: ignore[arg-type]
    (lambda: scorekit.impact(35, zone="FRA", mix=MIX, pue=0.5), "the PUE is 0.5", "pue=1.2"),
    (lambda: scorekit.impact(35, zone="??", mix=MIX), "no zone '??'", f'`scorekit.impacts.find_mix("{MIX}").zones`'),
    (lambda: scorekit.impact(35, zone="??", mix=MIX), "valid: ", "with mix=... (`scorekit.impacts.mix_names()`)"),
]  # fmt: skip


@pytest.mark.parametrize(("give", "why", "mend"), GIVEN)
def test_what_cannot_be_is_told_in_a_line_with_its_mend(
    purse: Purse, give: Callable[[], Any], why: str, mend: str
) -> None:
    with pytest.raises(UsageError) as raised:
        give()
    assert why.replace("10+", "1" + 59 * "0") in raised.value.message
    assert mend in str(raised.value.mend)
    assert "\n" not in raised.value.message
    assert " --" not in str(raised.value)


def test_numbers_of_other_kinds_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    given = {"zone": "FRA", "mix": MIX}
    plain = scorekit.impact(35, pue=1.5, added_wh={"cpu": 1}, **given)  # type: ignore[arg-type]
    other = scorekit.impact(
        numpy.float32(35), pue=numpy.float64(1.5), added_wh={"cpu": numpy.int64(1)}, **given  # type: ignore[arg-type]
    )  # fmt: skip
    assert other == plain


def measured(purse: Purse, energy_wh: float, **given: Any) -> scorekit.Measurement:
    return scorekit.measure(lambda: purse.take(energy_wh), repeats=2, min_window_s=0, **given)


def refusal(*given: Any) -> str:
    """Why the last of these gets no star."""
    return str(scorekit.rate(list(given), edition="local")[-1].refused)


def why_failed(found: scorekit.Measurement) -> str:
    """What its checks say, with their mends."""
    failed = [check for check in found.checks if check.passed is False and check.severity == "fail"]
    told = "; ".join(check.message for check in failed)
    return f"the run failed its checks ({', '.join(check.name for check in failed)}): {told}"


def test_why_code_of_ones_own_gets_no_star_is_told_in_python(purse: Purse, tmp_path: Path) -> None:
    named = {"samples": 100, "name": "mine", "task": "my_task"}
    told = refusal(measured(purse, 0.2, **named))
    assert told.endswith("measured on the same hardware with the same queries: scorekit.rate([one, other])")
    told = refusal(measured(purse, 0.2, name="mine", task="my_task"))
    assert "nobody told how many samples were made" in told
    assert "scorekit.measure(samples=...)" in told
    assert 'measure(..., task="my_task")' in refusal(measured(purse, 0.2, samples=100, name="mine"))
    assert 'measure(..., name="my model")' in refusal(measured(purse, 0.2, samples=100, task="my_task"))
    # What a check says, its mend included: there is no run that could be checked.
    broken = measured(purse, 0.0, **named)
    told = refusal(broken)
    assert told == f"{why_failed(broken)}; measure again"
    path = broken.save(tmp_path / "mine.json")
    assert refusal(str(path)) == told
    for each in (told, refusal(measured(purse, 0.2, name="mine", task="my_task"))):
        assert "scorekit check" not in each
        assert "scorekit parse" not in each


def test_commands_say_it_in_their_own_words(purse: Purse, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = measured(purse, 0.2, samples=100, name="mine", task="my_task").save(tmp_path / "mine.json")
    assert cli.main(["rate", str(path), "--edition", "local", "--json"]) == 1
    assert "scorekit rate RUN OTHER" in capsys.readouterr().out
    assert cli.main(["impact", "--energy-wh", "35", "--zone", "??", "--mix", MIX]) == 2
    assert "--list-mixes" in capsys.readouterr().err


def test_the_impact_of_what_failed_or_lacks_its_samples_says_what_to_do(purse: Purse) -> None:
    broken = measured(purse, 0.0, samples=100, name="mine")
    with pytest.raises(InvalidRunError) as raised:
        scorekit.impact(broken.result, zone="FRA", mix=MIX)
    assert raised.value.message == why_failed(broken)
    assert raised.value.mend == "measure again"
    uncounted = measured(purse, 0.2, name="mine")
    assert scorekit.impact(uncounted, zone="FRA", mix=MIX).energy_wh.low == pytest.approx(0.3)
    with pytest.raises(ScorekitError, match=r"how many samples.*scorekit\.measure\(samples=\.\.\.\)"):
        scorekit.impact(uncounted, zone="FRA", mix=MIX, queries=5)


@pytest.mark.parametrize("amounts", [[1.0, 9.0], [1.0, 1.0001]])
def test_an_impact_reaches_as_far_as_the_interval(purse: Purse, amounts: list[float]) -> None:
    left = iter(amounts)
    found = scorekit.measure(
        lambda: purse.take(next(left)), samples=10, repeats=2, warmup=0, min_window_s=0, name="mine"
    )
    assert found.interval_95_wh is not None
    energy = scorekit.impact(found, zone="FRA", mix=MIX).energy_wh
    assert (energy.low, energy.high) == pytest.approx(found.interval_95_wh)
    # Two repeats that are so far apart tell no least energy.
    assert (energy.low == 0) == (amounts[1] == 9.0)
