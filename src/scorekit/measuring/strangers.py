"""How many of the compute processes on a GPU are not a run's own: one rule for the states and for the watch.

In a container NVML names processes by numbers of the host, which nobody has here, or somebody else.
"""

from __future__ import annotations

from collections.abc import Collection


def count(listed: Collection[int], own: Collection[int], maybe: Collection[int], computing: int | None) -> int | None:
    """How many listed processes are others'; where only a least number is sure, that one.

    Where one of the run's own is listed by its number here, so are all of them. Otherwise at least one of those that
    may be its own is, if any of its processes computes there.

    Args:
        listed: compute processes on the GPU, as NVML numbers them.
        own: the run's processes, by their numbers here.
        maybe: those of the listed that may be the run's by another number.
        computing: how many of the run's own may compute there; 0 where none does, None where that is not known.

    Returns:
        None where there may be some or none.
    """
    foreign = set(listed) - set(own)
    hidden = foreign & set(maybe)
    if len(foreign) < len(set(listed)) or not hidden or computing == 0:
        return len(foreign)
    least = len(foreign) - len(hidden)
    if computing is None:
        return least or None
    least += max(len(hidden) - computing, 0)
    return least if least == len(foreign) - 1 else least or None
