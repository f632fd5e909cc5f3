"""How a command prints its result: as a table for people, or as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scorekit.layout import Layout
    from scorekit.records import Record


def show(result: Record | Sequence[Any], table: Callable[[Layout], str], *, as_json: bool) -> None:
    """Print a result to stdout.

    Args:
        result: a record, or a list of what JSON can hold.
        table: makes the text for people.
        as_json: print JSON and no table.
    """
    from scorekit.layout import layout_for
    from scorekit.records import Record

    if not as_json:
        print(table(layout_for(sys.stdout)))
    elif isinstance(result, Record):
        print(json.dumps(result.model_dump(mode="json"), indent=2))
    else:
        print(
            json.dumps(
                [each.model_dump(mode="json") if isinstance(each, Record) else each for each in result], indent=2
            )
        )
