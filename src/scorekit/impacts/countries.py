"""Names of zones by their ISO 3166-1 alpha-3 codes, from pycountry, which carries Debian's iso-codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from scorekit.errors import MissingExtraError

_NOT_COUNTRIES: Final = {"WOR": "World", "EEE": "European Economic Area"}
_FIELDS: Final = ("alpha_2", "name", "common_name", "official_name")


def names_of(codes: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Names of zones.

    Args:
        codes: the zones' codes; one that is no country's is its own name.

    Returns:
        For each code the name that is shown, and for each other spelling (alpha-2 code, official name) the code.

    Raises:
        MissingExtraError: pycountry is not installed.
    """
    try:
        import pycountry
    except ModuleNotFoundError as error:
        raise MissingExtraError("pycountry", "impact") from error
    shown: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for code in codes:
        country = pycountry.countries.get(alpha_3=code)
        found = [getattr(country, field, None) for field in _FIELDS] if country is not None else []
        _, name, common, _ = found or (None, _NOT_COUNTRIES.get(code, code), None, None)
        shown[code] = common or name or code
        spellings |= {spelling: code for spelling in found if spelling}
    return shown, spellings
