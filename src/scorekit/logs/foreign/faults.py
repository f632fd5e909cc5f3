"""Faults in the energies of a log's phases and repeats: found and named, never repaired. Pure.

Of a model that writes token by token, optimum-benchmark measures two passes: one that stops after the first token
(prefill) and a whole one (generate). It writes decode = generate - prefill, so that prefill + decode is the generate
pass, whatever prefill read. That decides which fault spoils a repeat's total:

- prefill was lost (0): decode holds the generate pass, and the total is right;
- prefill was read twice as large: decode is smaller by as much, and the total is right;
- generate was lost (0): decode is minus prefill, and the total is 0: wrong;
- generate was read twice as large: the total is wrong.

An energy that is twice the others' is left out only where the log tells why: a repeat beside it read about 0, whose
energy it then holds. Without that it may be true (a GPU with two clock states), so it is told and stays in the mean.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from scorekit.logs.foreign.lost_neighbours import CLOSE, LOST, Energy, is_close, read_with_neighbour
from scorekit.records import Fault

_UNDOUBTED: Final = 2 * (1 - CLOSE) * (1 - 1e-9)
"""Below this multiple of the usual energy no window was read twice."""
LEAST_WITNESSES: Final = 2
"""Fewer whole repeats cannot tell which of them is strange."""


@dataclass(frozen=True, slots=True)
class _Others:
    """What the repeats tell of one of them.

    Attributes:
        first: their usual prefill in kWh.
        total: their usual prefill and decode in kWh.
        held_firsts: repeats whose prefill holds that of another one, and which.
        held_totals: repeats whose generate pass holds that of another one, and which.
    """

    first: float
    total: float
    held_firsts: dict[int, int]
    held_totals: dict[int, int]


def of_repeats(phase: str, energies: Sequence[Energy], part: str = "gpu") -> Iterator[Fault]:
    """Faults of a phase that is measured by itself, repeat by repeat.

    Args:
        phase: as the log calls it.
        energies: of each repeat, in kWh.
        part: the component of the energy, for messages.
    """
    whole = [energy for energy in energies if energy is not None and _true(energy)]
    # The repeat itself is a witness too: one among several does not move the median by more than the spread.
    usual = statistics.median(whole) if len(whole) > LEAST_WITNESSES else None
    if len(whole) == len(energies) and (usual is None or max(whole) < usual * _UNDOUBTED):
        return
    held = {} if usual is None else read_with_neighbour(energies, usual)
    for repeat, energy in enumerate(energies):
        where = f"{phase}.measures[{repeat}].{part}"
        fault = impossible(phase, energy, where, repeat)
        if fault is not None:
            yield fault
        elif energy is not None and usual is not None and is_close(energy, 2 * usual):
            yield _doubled(phase, repeat, where, energy, usual, held.get(repeat))


def of_halves(prefill: Sequence[Energy], decode: Sequence[Energy], part: str = "gpu") -> Iterator[Fault]:
    """Faults of prefill and decode, repeat by repeat: where one half is strange, the other half tells why.

    Args:
        prefill: energies of the repeats in kWh.
        decode: likewise, each generate - prefill; one that the other list has and this one lacks is missing.
        part: the component of the energy, for messages.
    """
    count = max(len(prefill), len(decode))
    pairs = list(zip_longest(prefill, decode))
    whole = [
        (first, rest)
        for first, rest in pairs
        if first is not None and rest is not None and 0 < first < math.inf and 0 < rest < math.inf
    ]
    usual = _usual(whole) if len(whole) > LEAST_WITNESSES else None
    if len(whole) == count and (usual is None or _none_doubled(whole, usual)):
        return
    others = None if usual is None else _others(pairs, usual)
    for repeat, (first, rest) in enumerate(pairs):
        at = f"prefill.measures[{repeat}].{part}", f"decode.measures[{repeat}].{part}"
        yield from _of_pair(first, rest, repeat, at, others)


def _of_pair(
    first: Energy,
    rest: Energy,
    repeat: int | None,
    at: tuple[str, str],
    others: _Others | None,
) -> Iterator[Fault]:
    unreadable = [_unreadable("prefill", first, at[0], repeat), _unreadable("decode", rest, at[1], repeat)]
    if first is None or rest is None or unreadable != [None, None]:
        yield from (fault for fault in unreadable if fault is not None)
        return
    total = first + rest
    if first == 0 == rest:
        yield _fault("zero_energy", f"{at[0]} and {at[1]} are both 0: the repeat was not measured", None, repeat)
    elif first < 0:
        yield _fault("negative_energy", f"{at[0]} is {first:.6g} kWh, which cannot be", "prefill", repeat)
    elif rest < 0 and abs(total) <= LOST * first:
        yield _fault(
            "lost_generate",
            f"{at[1]} is {rest:.6g} kWh, which is minus the prefill of {first:.6g} kWh: decode is generate - prefill, "
            "so the generate pass read 0 and the repeat's total is 0 instead of the energy spent",
            "decode",
            repeat,
        )
    elif rest < 0:
        yield _fault(
            "negative_energy",
            f"{at[1]} is {rest:.6g} kWh: the generate pass read {total:.6g} kWh, less than its prefill of "
            f"{first:.6g} kWh, which cannot be",
            "decode",
            repeat,
        )
    elif first == 0:
        yield from _of_zero_prefill(rest, repeat, at, others)
    elif rest == 0:
        yield _fault("zero_energy", f"{at[1]} is 0: the generate pass read what its prefill did", "decode", repeat)
    elif others is not None and repeat is not None:
        yield from _of_whole_pair(first, rest, repeat, at, others)


def _of_zero_prefill(rest: float, repeat: int | None, at: tuple[str, str], others: _Others | None) -> Iterator[Fault]:
    if others is not None:
        usual_first, usual_total = others.first, others.total
        holds_it = abs(rest - usual_total) <= abs(rest - (usual_total - usual_first))
        # A prefill within the spread of the totals cannot be seen in decode: chance must not decide what it is called.
        if is_close(rest, usual_total) and (holds_it or usual_first <= LOST * usual_total):
            yield _fault(
                "lost_prefill",
                f"{at[0]} is 0: the prefill pass was lost, and {at[1]} holds its energy; the repeat's total of "
                f"{rest:.6g} kWh is right, for decode is generate - prefill",
                "prefill",
                repeat,
                spoils=False,
            )
            yield _fault(
                "lost_prefill",
                f"{at[1]} is {rest:.6g} kWh, as much as prefill and decode of the other repeats ({usual_total:.6g} "
                "kWh): it holds the lost prefill, and is no decode alone; the repeat's total is right",
                "decode",
                repeat,
                spoils=False,
            )
            return
        if is_close(rest, usual_total):
            yield _fault(
                "zero_energy",
                f"{at[0]} is 0, and {at[1]} of {rest:.6g} kWh does not show whether it holds the prefill; prefill and "
                f"decode of the other repeats are {usual_total:.6g} kWh, about as much, so it stays in the mean",
                "prefill",
                repeat,
                spoils=False,
            )
            return
        if repeat in others.held_totals:
            held = others.held_totals[repeat]
            yield _doubled("decode", repeat, f"{at[0]} + {at[1]}", rest, usual_total, held)
            return
    yield _fault(
        "zero_energy",
        f"{at[0]} is 0, and {at[1]} of {rest:.6g} kWh does not show whether it holds the prefill"
        + ("" if others is None else f" (prefill and decode of the other repeats are {others.total:.6g} kWh)"),
        "prefill",
        repeat,
    )


def _of_whole_pair(first: float, rest: float, repeat: int, at: tuple[str, str], others: _Others) -> Iterator[Fault]:
    usual_first, usual_total = others.first, others.total
    total = first + rest
    if is_close(total, 2 * usual_total):
        yield _doubled("decode", repeat, f"{at[0]} + {at[1]}", total, usual_total, others.held_totals.get(repeat))
    elif is_close(first, 2 * usual_first):
        right = abs(total - usual_total) <= abs(total - usual_total - usual_first)
        yield _fault(
            "doubled_window",
            f"{at[0]} is {first:.6g} kWh, twice that of the other repeats ({usual_first:.6g} kWh); the repeat's "
            f"total of {total:.6g} kWh "
            + ("is right, for decode is generate - prefill" if right else "is too large by as much")
            + ("" if right else _why(others.held_firsts.get(repeat))),
            "prefill",
            repeat,
            spoils=not right and repeat in others.held_firsts,
        )


def impossible(phase: str, energy: Energy, where: str, repeat: int | None = None) -> Fault | None:
    """What is wrong with an energy by itself; None for a positive one."""
    unreadable = _unreadable(phase, energy, where, repeat)
    if unreadable is not None or energy is None:
        return unreadable
    if energy == 0:
        return _fault("zero_energy", f"{where} is 0: it was not measured", phase, repeat)
    if energy < 0:
        return _fault("negative_energy", f"{where} is {energy:.6g} kWh, which cannot be", phase, repeat)
    return None


def of_one_pass(prefill: Energy, decode: Energy, generate: Energy, part: str = "gpu") -> Iterator[Fault]:
    """Faults of prefill and decode where the log keeps no repeats to compare with.

    Args:
        prefill: published, in kWh.
        decode: published, in kWh.
        generate: the whole pass, as a file beside the log tells it; None where none does.
        part: the component of the energy, for messages.
    """
    at = f"prefill.energy.{part}", f"decode.energy.{part}"
    lost = prefill == 0 and decode is not None and decode > 0
    if lost and decode is not None and generate is not None and same(generate, decode):
        yield _fault(
            "lost_prefill",
            f"{at[0]} is 0: the prefill pass was lost, and {at[1]} is the whole generate pass; their sum is right",
            "prefill",
            None,
            spoils=False,
        )
    else:
        yield from _of_pair(prefill, decode, None, at, None)


def of_mean(
    phase: str, published: Energy, energies: Sequence[Energy], spoilt: frozenset[int], part: str = "gpu"
) -> Fault | None:
    """Whether a published energy is another than the mean of its repeats.

    Args:
        phase: as the log calls it.
        published: in kWh.
        energies: of each repeat, in kWh.
        spoilt: repeats that cannot be used: a mean that leaves them out is told, and spoils nothing.
        part: the component of the energy, for messages.
    """
    if published is None or not energies:
        return None
    mean = _mean(energies)
    if mean is not None and (same(published, mean) or (math.isnan(mean) and math.isnan(published))):
        return None
    kept = _mean([energy for repeat, energy in enumerate(energies) if repeat not in spoilt])
    if spoilt and kept is not None and same(published, kept):
        left_out = ", ".join(map(str, sorted(spoilt)))
        return _fault(
            "contradiction",
            f"{phase}.energy.{part} is the mean without the repeats {left_out} of {phase}.measures",
            phase,
            None,
            spoils=False,
        )
    if mean is None:
        # With a repeat missing there is no mean to compare with, and the repeat has a fault of its own.
        return None
    return _fault(
        "contradiction",
        f"{phase}.energy.{part} is {published:.6g} kWh, but the mean of {phase}.measures is {mean:.6g} kWh: one of "
        "them is not what was measured",
        phase,
        None,
    )


def same(one: float, other: float, tolerance: float = 1e-6) -> bool:
    """Whether two figures are one, but for rounding."""
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-15)


def _unreadable(phase: str, energy: Energy, where: str, repeat: int | None) -> Fault | None:
    if energy is None:
        return _fault("missing_energy", f"{where} is missing", phase, repeat)
    if not math.isfinite(energy):
        return _fault("not_a_number", f"{where} is {energy}, which is no energy", phase, repeat)
    return None


def _doubled(phase: str, repeat: int | None, where: str, energy: float, usual: float, held: int | None) -> Fault:
    """An energy of twice the others; it spoils its repeat where it holds that of another one."""
    return _fault(
        "doubled_window",
        f"{where} is {energy:.6g} kWh, twice that of the other repeats ({usual:.6g} kWh){_why(held)}",
        phase,
        repeat,
        spoils=held is not None,
    )


def _why(held: int | None) -> str:
    if held is None:
        return "; no repeat beside it tells that it holds another one's energy, so it stays in the mean"
    return f"; repeat {held} read 0, so its energy stands here"


def _others(pairs: Sequence[tuple[Energy, Energy]], usual: tuple[float, float]) -> _Others:
    totals = [None if first is None or rest is None else first + rest for first, rest in pairs]
    firsts = [first for first, _ in pairs]
    return _Others(*usual, read_with_neighbour(firsts, usual[0]), read_with_neighbour(totals, usual[1]))


def _none_doubled(whole: Sequence[tuple[float, float]], usual: tuple[float, float]) -> bool:
    most_first, most_total = usual[0] * _UNDOUBTED, usual[1] * _UNDOUBTED
    return all(first < most_first and first + rest < most_total for first, rest in whole)


def _usual(whole: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Median prefill, and median total."""
    return statistics.median([first for first, _ in whole]), statistics.median([first + rest for first, rest in whole])


def _true(energy: Energy) -> bool:
    return energy is not None and math.isfinite(energy) and energy > 0


def _mean(energies: Sequence[Energy]) -> float | None:
    known = [energy for energy in energies if energy is not None]
    return sum(known) / len(known) if known and len(known) == len(energies) else None


def _fault(code: str, message: str, phase: str | None, repeat: int | None, *, spoils: bool = True) -> Fault:
    return Fault(code=code, message=message, phase=phase, repeat=repeat, spoils=spoils)
