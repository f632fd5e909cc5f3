"""vl-convert, which draws charts and brings the Vega that pages draw them with: most of the extra `publish`."""

from __future__ import annotations

import importlib
from types import ModuleType

from scorekit.errors import MissingExtraError


def engine() -> ModuleType:
    """The package vl_convert.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module("vl_convert")
    except ModuleNotFoundError as error:
        raise MissingExtraError("vl-convert-python", "publish") from error
