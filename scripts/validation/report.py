"""The report of a validation as Markdown, from what became of its parts."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from scripts.validation.bundles import differences
from scripts.validation.parts import PARTS
from scripts.validation.records import Outcome

from scorekit.validity.trace import AVERAGED_S

FAR = 2.0
"""An energy so many times the published one, or so small a part of it, is to be looked into."""
SLOWEST_TICK_MS = 150.0
FORKED_PERCENT = 2.0
"""How far a forked measuring process may lie from one that is started afresh: as far as check 23 lets repeats lie."""
AGAINST_CODECARBON_PERCENT, AGAINST_POWER_PERCENT = 1.0, 2.0
"""As the checks 4, 7 and 6 have it."""

Outcomes = Mapping[str, Outcome]


def markdown(outcomes: Outcomes, about: Mapping[str, Any], published: Mapping[str, float]) -> str:
    """The whole report.

    Args:
        outcomes: by the part's name; parts that were not asked for are not among them.
        about: what is told at the top, each on its line.
        published: Wh per 1,000 queries by the model's name.
    """
    sections = (_top, _tasks, _meters, _ticks, _overhead, _idle, _repeatability, _forked, _trouble, _reading)
    lines = [line for section in sections for line in section(outcomes, {**about, "published": published})]
    return "\n".join(lines).rstrip() + "\n"


def ratio(data: Mapping[str, Any], published: Mapping[str, float]) -> float | None:
    """Measured over published energy; None where nothing was published of the architecture."""
    known = published.get(data["like"], data.get("published_wh"))
    return None if not known else data["wh_per_1000"] / known


def _top(outcomes: Outcomes, about: Mapping[str, Any]) -> Iterator[str]:
    yield "# Validation of measuring on a GPU"
    yield ""
    for name, value in about.items():
        if name != "published":
            yield f"- {name}: {value}"
    machine = _data(outcomes, "machine").get("doctor", {}).get("machine", {})
    for gpu in machine.get("gpus", []):
        facts = gpu.get("facts") or {}
        yield (
            f"- GPU {gpu.get('index')}: {facts.get('name')}, driver {facts.get('driver')}, power limit "
            f"{_number(facts.get('power_limit_default_w'), ' W')}"
        )
    states = [outcome.state for outcome in outcomes.values()]
    yield f"- parts: {states.count('done')} done, {states.count('failed')} failed, {states.count('left out')} left out"
    yield ""


def _benched(outcomes: Outcomes) -> list[tuple[str, Mapping[str, Any]]]:
    order = [part.name for part in PARTS]
    done = [(name, outcome.data) for name, outcome in outcomes.items() if "wh_per_1000" in outcome.data]
    return sorted(done, key=lambda one: order.index(one[0]))


def _tasks(outcomes: Outcomes, about: Mapping[str, Any]) -> Iterator[str]:
    benched = _benched(outcomes)
    if not benched:
        return
    yield "## Energy of each architecture"
    yield ""
    yield "Wh of the GPU per 1,000 queries; published: AI Energy Score, February 2025, one H100 80GB, 1,000 queries."
    yield ""
    rows = []
    for name, data in benched:
        far = ratio(data, about["published"])
        known = about["published"].get(data["like"], data.get("published_wh"))
        rows.append(
            (
                name,
                data["task"],
                data["like"],
                "" if data["parameters"] is None else f"{data['parameters'] / 1e6:.4g} M",
                f"{data['dtype']}, {data['attention'] or '-'}",
                _number(data["wh_per_1000"]),
                _number(data["cov_percent"], " %"),
                _number(known),
                "" if far is None else f"{far:.2f}" + ("" if 1 / FAR <= far <= FAR else " (look)"),
                "yes" if data["valid"] else "**no**",
            )
        )
    head = ("part", "task", "shape of", "parameters", "dtype, attention", "Wh", "CoV", "published", "ratio", "valid")
    yield from _table(head, rows)
    yield "What was asked of them:"
    yield ""
    for name, data in benched:
        tokens = "" if data["input_tokens"] is None else f"; {data['input_tokens']:.0f} input tokens a query"
        window = "" if data["window_s"] is None else f", windows of {data['window_s']:.1f} s"
        yield f"- {name}: {data['data']}{tokens}{window}"
    yield ""


def _meters(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    benched = [(name, data) for name, data in _benched(outcomes) if data["meters"]]
    if not benched:
        return
    yield "## Meter against meter"
    yield ""
    yield (
        "How far CodeCarbon, and the sampled power under each window, lie from the counter as scorekit reads it: the "
        "middle and the furthest of the windows. A reading of power is the mean over the last second, so that a window "
        "that begins at rest has up to half a second of load less by it."
    )
    yield ""
    rows = []
    for name, data in benched:
        cells: list[str] = [name, str(len(data["meters"]))]
        for other, allowed in (("codecarbon", AGAINST_CODECARBON_PERCENT), ("sampled_power", AGAINST_POWER_PERCENT)):
            found = differences(data["meters"], other)
            if not found:
                cells += ["", ""]
                continue
            worst = max(found, key=abs)
            if other == "sampled_power":
                # A reading of power is late by half of the time that it is the mean of.
                shortest_s = min(row["duration_s"] for row in data["meters"])
                allowed += 100 * AVERAGED_S / 2 / shortest_s
            cells += [
                f"{statistics.median(found):+.2f} %",
                f"{worst:+.2f} %" + (" (look)" if abs(worst) > allowed else ""),
            ]
        rows.append(tuple(cells))
    head = ("part", "windows", "CodeCarbon", "furthest", "sampled power", "furthest")
    yield from _table(head, rows)


def _ticks(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    found = _data(outcomes, "ticks")
    if not found:
        return
    yield "## Ticks of the counter and of the power reading"
    yield ""
    rows = []
    for when, title in (("at_rest", "at rest"), ("busy", "busy")):
        for what in ("counter", "power"):
            if when not in found:
                continue
            seen = found[when][what]
            slow = what == "counter" and (seen["median_ms"] or 0) > SLOWEST_TICK_MS
            rows.append(
                (
                    f"{what}, {title}",
                    str(seen["changes"]),
                    _number(seen["median_ms"], " ms") + (" (look)" if slow else ""),
                    f"{_number(seen['from_ms'])} to {_number(seen['to_ms'], ' ms')}",
                    _number(seen["read_every_ms"], " ms"),
                )
            )
    yield from _table(("what", "changes", "median", "nine tenths within", "read every"), rows)
    yield "A reading that is the same as the one before it counts as no change, as of power at rest."
    yield ""
    busy = found.get("busy")
    if busy:
        yield (
            f"Busy with matrices: {_number(busy['counter_w'], ' W')} by the counter, {_number(busy['power_w'], ' W')} "
            "by the mean of its power readings."
        )
        yield ""


def _overhead(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    found = _data(outcomes, "overhead").get("rows")
    if not found:
        return
    yield "## Meters on and off"
    yield ""
    rows = [
        (
            str(row["what"]).strip(),
            str(row["reference"]),
            str(row["runs"]),
            f"{statistics.median(row['ours']):.4g} {row['unit']}",
            f"{statistics.median(row['theirs']):.4g} {row['unit']}",
            f"{row['ratio_median']:.4f}",
        )
        for row in found
    ]
    yield from _table(("what", "beside", "pairs", "with", "without", "ratio"), rows)


def _idle(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    rest = _data(outcomes, "ticks").get("at_rest")
    watts = [value for _, data in _benched(outcomes) for value in data["idle_w"].values() if value is not None]
    if not rest and not watts:
        return
    yield "## Power at rest"
    yield ""
    if rest:
        yield (
            f"- with nothing on the GPU: {_number(rest['counter_w'], ' W')} by the counter, "
            f"{_number(rest['power_w'], ' W')} by the mean of its power readings"
        )
    if watts:
        yield (
            f"- with a model loaded and nothing asked of it: median {statistics.median(watts):.1f} W, "
            f"{min(watts):.1f} to {max(watts):.1f} W over {len(watts)} windows"
        )
    yield ""


def _repeatability(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    data = _data(outcomes, "repeatability")
    if not data:
        return
    yield "## Repeatability"
    yield ""
    yield f"{len(data['by_repeat'])} repeats of {data['task']} with the shape of {data['like']}, Wh per 1,000 queries:"
    yield ""
    yield ", ".join(_number(value) for value in data["by_repeat"])
    yield ""
    yield f"- coefficient of variation: {_number(data['cov_percent'], ' %')}"
    yield f"- half of the mean's 95 % interval: {_number(data['half_width_95_percent'], ' %')}"
    yield f"- trend: {_number(data['trend_percent'], ' % a repeat')}"
    yield f"- outliers: {', '.join(map(str, data['outliers'])) or 'none'}"
    yield ""


def _forked(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    forked = _data(outcomes, "fork")
    if not forked:
        return
    yield "## A measuring process that is forked"
    yield ""
    yield "As sweeps on Slurm and Ray begin it (`launcher.start_method=fork`), beside single runs (`spawn`)."
    yield ""
    afresh = _data(outcomes, "gpt2")
    rows = [
        (how, _number(data["wh_per_1000"]), _number(data["cov_percent"], " %"), "yes" if data["valid"] else "**no**")
        for how, data in (("spawn (part gpt2)", afresh), ("fork", forked))
        if data
    ]
    yield from _table(("start method", "Wh", "CoV", "valid"), rows)
    if afresh:
        further = 100 * (forked["wh_per_1000"] / afresh["wh_per_1000"] - 1)
        yield f"Fork beside spawn: {further:+.2f} %" + (" (look)" if abs(further) > FORKED_PERCENT else "")
        yield ""


def _trouble(outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    invalid = [(name, data) for name, data in _benched(outcomes) if data["failed"]]
    if invalid:
        yield "## Measured, but not valid"
        yield ""
        for name, data in invalid:
            yield from (f"- {name}: {one}" for one in data["failed"])
        yield ""
    for state, title in (("failed", "Failed"), ("left out", "Left out")):
        those = [outcome for outcome in outcomes.values() if outcome.state == state]
        if not those:
            continue
        yield f"## {title}"
        yield ""
        for outcome in those:
            yield f"- {outcome.name}: {outcome.why}"
            if outcome.last_lines:
                yield ""
                yield from (f"      {line}" for line in outcome.last_lines)
                yield ""
        yield ""


def _reading(_outcomes: Outcomes, _about: Mapping[str, Any]) -> Iterator[str]:
    yield "## How to read it"
    yield ""
    yield "- The weights are random: no figure here is comparable with an official score, and none is rated."
    yield (
        "- The published figures are of 1,000 queries of the official sets, by CodeCarbon, with the libraries of early "
        "2025. A ratio tells whether the magnitude is right; another GPU than the H100 has another one."
    )
    yield "- A window holds as many passes over the queries as make it about a hundred ticks of the counter long."
    yield "- `(look)` marks what is further off than the checks of a run, or a factor of two, allow."


def _data(outcomes: Outcomes, name: str) -> Mapping[str, Any]:
    return outcomes[name].data if name in outcomes else {}


def _number(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:.4g}{unit}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
