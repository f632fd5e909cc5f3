"""What to say where a name is none that there is: the nearest, and where the valid ones are listed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scorekit.errors import UsageError, nearest

_LISTED: Final = 12
"""More names than this are left to the option that lists them."""


def unknown(
    kind: str, name: str, valid: Iterable[str], *, option: str, where: str = "", otherwise: str = ""
) -> UsageError:
    """The error for a name that is not known.

    Args:
        kind: what was asked for, e.g. "zone".
        name: the name that was given.
        valid: every valid name; of several spellings all of them, so that the nearest can be found.
        option: the command that lists them.
        where: where it was looked for, e.g. " in mix X".
        otherwise: what else could be done, where nothing is near.
    """
    names = list(valid)
    close = nearest(name.casefold(), [each.casefold() for each in names])
    near = next((each for each in names if each.casefold() == close), None)
    listed = f"; valid: {', '.join(names)}" if len(names) <= _LISTED else f"; `{option}` lists all"
    return UsageError(
        f"there is no {kind} '{name}'{where}{listed}",
        mend=f"did you mean '{near}'?" if near else f"see `{option}`{otherwise}",
    )
