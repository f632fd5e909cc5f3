"""Third-party libraries, imported when a function needs them.

They take seconds to import, and the command line must not wait for them. They are handed over as `Any`, for
their types are partial and change between the versions that are supported.
"""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any

from scorekit.errors import MissingExtraError

EXTRA = "bench"


def library(name: str) -> Any:
    """The module `name`, such as "torch" or "tokenizers.models".

    Raises:
        MissingExtraError: its package is not installed.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A package that is there but lacks something itself is broken: its own error says more.
        if (error.name or "").partition(".")[0] != package:
            raise
        raise MissingExtraError(package, EXTRA) from error


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """Installed version of each distribution.

    Raises:
        MissingExtraError: one is not installed.
    """
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError as error:
            raise MissingExtraError(package, EXTRA) from error
    return found
