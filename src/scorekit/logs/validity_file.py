"""The file that the checks of a run leave in its folder."""

from __future__ import annotations

from pathlib import Path

from scorekit import atomic, bundle
from scorekit.records import Validity


def write_validity(folder: Path, validity: Validity) -> Path:
    """Write validity.json and renew the manifest.

    Returns:
        The file that was written.

    Raises:
        BundleError: it cannot be written, or a measured file was changed meanwhile.
    """
    path = folder / bundle.VALIDITY
    atomic.write_text(path, validity.model_dump_json(indent=2) + "\n")
    bundle.record_derived(folder)
    return path
