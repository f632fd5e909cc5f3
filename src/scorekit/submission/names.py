"""What names may hold that strangers give: of a model, of themselves. One rule for packing and for verifying."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_HUB_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_MODEL_SIGNS: Final = frozenset(" ._-+()/:,")
_PERSON_SIGNS: Final = _MODEL_SIGNS | frozenset("'&@~#?=%")
MOST_SIGNS: Final = 100


def is_hub_id(name: str) -> bool:
    """Whether a name can be that of a model on the Hub."""
    return _HUB_ID.fullmatch(name) is not None and ".." not in name and "--" not in name


def fault_of_model(name: str) -> str | None:
    """Why a name is none of a model; None where it is one."""
    return _fault(name, _MODEL_SIGNS)


def fault_of_person(name: str) -> str | None:
    """Why a name or contact is none; None where it is one."""
    return _fault(name, _PERSON_SIGNS)


def _fault(name: str, signs: frozenset[str]) -> str | None:
    if not name.strip() or name != name.strip():
        return "it is empty, or begins or ends with a space"
    if len(name) > MOST_SIGNS:
        return f"it has {len(name)} signs, expected {MOST_SIGNS} at most"
    # An allow-list: letters, marks and digits of any script. Markup, control signs and those that turn the direction of
    # writing are none of them.
    strange = sorted({sign for sign in name if unicodedata.category(sign)[0] not in "LMN" and sign not in signs})
    if strange:
        return f"it holds {', '.join(ascii(sign) for sign in strange[:5])}; names have letters, digits and " + " ".join(
            sorted(signs - {" "})
        )
    return None
